"""Keys that stand in the configuration. Rule: each is made on the first start that names it; from then on
the journal decides, and a start that finds the two apart says so.
"""

import hmac
import logging
from collections.abc import Awaitable, Callable, Iterator

from jayx_stream.app.config import Account, ApiKey
from jayx_stream.app.issuing import make_key
from jayx_stream.app.vault import Vault
from jayx_stream.model.commands import AddKey, Command
from jayx_stream.model.key import Key, KeyKind
from jayx_stream.projections.keys import AllKeys

log = logging.getLogger("jayx_stream.keys")

Insist = Callable[[Command], Awaitable[None]]
"""Has a command done, or raises."""


async def make_keys(
    accounts: tuple[Account, ...], keys: AllKeys, vault: Vault, insist: Insist
) -> None:
    """Make those that never were. Raises what `insist` raises."""
    for account in accounts:
        for configured in account.keys:
            wanted = make_key(
                configured.request(account.name),
                vault,
                api_key=configured.api_key,
                secret=configured.secret,
            )
            there = keys.by_id(wanted.key_id)
            if there is None or there.key.digest != wanted.digest:
                await insist(AddKey(key=wanted))
            elif there.revoked_ns is not None:
                log.warning(
                    "key %s of account %s stands in the configuration, but was revoked, and stays so",
                    wanted.key_id,
                    account.name,
                )
            elif apart := list(_apart(there.key, wanted, configured, vault)):
                log.warning(
                    "key %s of account %s was made with other %s than the configuration says now: "
                    "it stays as it was made",
                    wanted.key_id,
                    account.name,
                    ", ".join(apart),
                )


def check_secrets(keys: AllKeys, vault: Vault) -> None:
    """See whether all secrets that are needed can be opened. Raises VaultError."""
    for view in keys.all():
        if view.revoked_ns is None and view.key.kind is KeyKind.HMAC:
            vault.decrypt(view.key.material, view.key.digest)


def _apart(made: Key, wanted: Key, configured: ApiKey, vault: Vault) -> Iterator[str]:
    """In what a key is not what the configuration wants it to be."""
    for name in ("account", "kind", "permissions", "networks", "signed_streams", "label"):
        if getattr(made, name) != getattr(wanted, name):
            yield name
    if made.kind is not wanted.kind:
        return
    if made.kind is KeyKind.ED25519:
        if made.material != wanted.material:
            yield "public_key"
    elif not hmac.compare_digest(
        vault.decrypt(made.material, made.digest), (configured.secret or "").encode()
    ):
        yield "secret"
