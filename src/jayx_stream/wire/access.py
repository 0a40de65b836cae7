"""Who a request says that it is from, and who says whether that is so (protocol §9)."""

from collections.abc import Container
from typing import Protocol

from msgspec import Struct

from jayx_stream.model.commands import RememberSignature
from jayx_stream.model.key import Permission

RECV_WINDOW_MS = 5000
RECV_WINDOW_MAX_MS = 60_000


class Signature(Struct, frozen=True):
    """A signed request, as far as it is signed."""

    api_key: str
    timestamp: str
    sign: str
    signed: bytes
    """METHOD, path with query, and body: what follows the timestamp in the signed bytes."""
    window_ms: int = RECV_WINDOW_MS
    """How far the timestamp may be off the server's clock."""
    window_is_signed: bool = False
    """Whether it is part of `signed`. If not, whoever sends the same again may ask for another one, so that
    the signature is remembered for as long as the longest lasts."""


class Caller(Struct, frozen=True):
    """Whoever a key or a signature is from."""

    account: str
    key_id: str
    """When this key is revoked, all that was granted by it ends."""
    permissions: tuple[Permission, ...] = ()
    used: RememberSignature | None = None
    """Of a signature: to be submitted before what it was good for, so that no restart revives it."""


class Directory(Protocol):
    """Whom and what a request may name. `address` is the client's: failures are counted by it."""

    @property
    def symbols(self) -> Container[str]:
        """The instruments that are listed."""
        ...

    def reader(self, api_key: str, signature: Signature | None, address: str) -> Caller:
        """Who may read private streams by this key, and by the signature if there is one. Raises
        ProtocolError: UNAUTHORIZED, FORBIDDEN or RATE_LIMITED; UNAUTHORIZED too if a signature is
        wanted, of this key or of all, and none is there.
        """
        ...

    def check(self, signature: Signature, address: str, permission: Permission) -> Caller:
        """Who signed; he has the permission. The signature is used up by this. Raises ProtocolError:
        UNAUTHORIZED, FORBIDDEN, RATE_LIMITED or UNAVAILABLE.
        """
        ...
