"""Whose request this is: the peer's, or the one that a listed proxy speaks for (protocol §10).

Rule: a client never chooses its own address. What `X-Forwarded-For` says counts only as far as
listed proxies vouch for it.
"""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

IPV6_PREFIX_BITS = 64
"""What one subscriber holds at least: whoever counts single IPv6 addresses counts nobody."""


def read_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Networks as the configuration writes them, `10.0.0.0/8` or `::1`. Raises ValueError."""
    return tuple(ip_network(text) for text in texts)


def client_address(peer: str, forwarded_for: Sequence[str], proxies: Sequence[Network]) -> str:
    """The right-most address that is no listed proxy's, going from the peer back along
    `forwarded_for`, the lines of `X-Forwarded-For` in their order. What can't be read ends the way:
    then the last address before it counts.
    """
    address = _read(peer)
    if address is None:
        return peer
    if not _is_listed(address, proxies):
        return str(address)
    entries = [entry for line in forwarded_for for entry in line.split(",")]
    for entry in reversed(entries):
        earlier = _read_entry(entry)
        if earlier is None:
            break
        address = earlier
        if not _is_listed(address, proxies):
            break
    return str(address)


def is_proxy(peer: str, proxies: Sequence[Network]) -> bool:
    """Whether a peer is a listed proxy."""
    address = _read(peer)
    return address is not None and _is_listed(address, proxies)


@lru_cache(maxsize=10_000)
def counted_as(address: str) -> str:
    """What a client's address is counted by: itself, or the network that one IPv6 client holds."""
    read = _read(address)
    if isinstance(read, IPv6Address):
        return str(IPv6Network((read, IPV6_PREFIX_BITS), strict=False))
    return address if read is None else str(read)


def _is_listed(address: Address, proxies: Sequence[Network]) -> bool:
    return any(address in network for network in proxies)


def _read_entry(text: str) -> Address | None:
    """One entry of the header: an address, with a port or without."""
    text = text.strip()
    if text.startswith("["):
        inside, bracket, port = text[1:].partition("]")
        return _read(inside) if bracket and _is_port(port) else None
    host, colon, port = text.partition(":")
    if colon and ":" not in port:
        return _read(host) if _is_port(f":{port}") else None
    return _read(text)


def _is_port(text: str) -> bool:
    """Nothing, or a colon and a number."""
    number = text[1:]
    is_number = number.isascii() and number.isdigit() and len(number) <= 5
    return text == "" or (text[0] == ":" and is_number)


def _read(text: str) -> Address | None:
    """An address; one of IPv4 within IPv6 as what it is, and one with a zone without it."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or IPv6Address(int(address))
    return address
