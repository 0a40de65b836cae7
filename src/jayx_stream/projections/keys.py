"""Keys by the hash of their text. Rule: only one that stands is found; all that ever were are listed."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from jayx_stream.model.key import Key


class KeyView(Struct, frozen=True, array_like=True):
    """A key, and since when and until when it stands."""

    key: Key
    added_ns: int
    revoked_ns: int | None = None


class AllKeys:
    """Every account's keys."""

    def __init__(self) -> None:
        self._by_id: dict[str, KeyView] = {}
        """In the order in which they were added."""
        self._standing: dict[bytes, Key] = {}
        """By digest."""

    def find(self, digest: bytes) -> Key | None:
        """The key whose text has this SHA-256; None if there is none, or it is revoked."""
        return self._standing.get(digest)

    def by_id(self, key_id: str) -> KeyView | None:
        """One that ever was."""
        return self._by_id.get(key_id)

    def all(self) -> Sequence[KeyView]:
        """All that ever were, oldest first."""
        return tuple(self._by_id.values())

    def add(self, key: Key, time_ns: int) -> None:
        """A key is let in from now on."""
        self._by_id[key.key_id] = KeyView(key, time_ns)
        self._standing[key.digest] = key

    def revoke(self, key_id: str, time_ns: int) -> None:
        """A key is let in no more."""
        view = self._by_id[key_id]
        self._by_id[key_id] = KeyView(view.key, view.added_ns, time_ns)
        del self._standing[view.key.digest]

    def restore(self, views: Iterable[KeyView]) -> None:
        """Be, from empty, what `all` said."""
        for view in views:
            self._by_id[view.key.key_id] = view
            if view.revoked_ns is None:
                self._standing[view.key.digest] = view.key
