"""Which keys were ever added, and which of them are revoked. Rule: a key comes once and goes for good."""

from jayx_stream.engine.ledger import Ledger
from jayx_stream.model.events import AnyEvent, KeyAdded, KeyRevoked
from jayx_stream.model.key import Key
from jayx_stream.model.reasons import ErrorCode, Refused


class Keyring:
    """Knows keys by their ids alone. `decide_*` read only, the others change."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.stands: dict[str, bool] = {}
        """By key id: False for one that is revoked."""

    def decide_add(self, key: Key) -> tuple[AnyEvent, ...] | Refused:
        """An id is the digest's beginning, so whoever has a new id has a new digest."""
        if not self._ledger.has(key.account):
            return _bad(f"no account {key.account}")
        stands = self.stands.get(key.key_id)
        if stands is None:
            return (KeyAdded(key),)
        return _bad(f"there is a key {key.key_id} already{'' if stands else '; it is revoked'}")

    def decide_revoke(self, key_id: str) -> tuple[AnyEvent, ...] | Refused:
        """One that is revoked already stays so."""
        stands = self.stands.get(key_id)
        if stands is None:
            return _bad(f"no key {key_id}")
        return (KeyRevoked(key_id),) if stands else ()

    def add(self, key: Key) -> None:
        """It is let in. Asserts that none of its id ever was."""
        assert key.key_id not in self.stands, f"key {key.key_id} comes once"
        self.stands[key.key_id] = True

    def revoke(self, key_id: str) -> None:
        """It is let in no more. Asserts that it was until now."""
        assert self.stands[key_id], f"key {key_id} goes once"
        self.stands[key_id] = False


def _bad(reason: str) -> Refused:
    return Refused(ErrorCode.BAD_REQUEST, reason)
