"""Which pages may connect: the server's own, and those on the list (protocol §2)."""

from collections.abc import Container, Sequence


def is_allowed(origin: str, hosts: Sequence[str], origins: Container[str]) -> bool:
    """Whether a page from `origin` may; `hosts` are the request's Host headers."""
    own = origin.partition("://")[2]
    return origin in origins or (own != "" and list(hosts) == [own])
