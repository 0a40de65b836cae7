"""A venue with its operator's port, and the operator's way to it."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import httpx

from jayx_stream.app.config import Config
from jayx_stream.app.vault import Vault
from jayx_stream.doors.listener import listen
from jayx_stream.doors.operator import OperatorRoutes, operator_application
from jayx_stream.doors.operator_listener import OperatorListener
from jayx_stream.journal import Journal
from tests.doors.running import Running, venue
from tests.doors.trader import Credentials

TOKEN = "operator-token-for-tests"


@dataclass
class Operator:
    """Whoever has the token."""

    running: Running
    routes: OperatorRoutes
    port: int
    http: httpx.AsyncClient

    @property
    def seq(self) -> int:
        """The newest commit."""
        return self.running.venue.projections.seq

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """`path` is what follows `/operator/`."""
        if body is not None:
            more["json"] = body
        return await self.http.request(method, f"/operator/{path}", **more)

    async def done(self, method: str, path: str, body: Any = None) -> Any:
        """Data of a request that is done, which is in force when it is answered."""
        response = await self.call(method, path, body)
        assert response.status_code == 200, response.text
        answer = response.json()
        assert list(answer) == ["code", "data", "seq"]
        assert (answer["code"], answer["seq"]) == ("OK", self.seq)
        return answer["data"]

    async def refused(
        self, method: str, path: str, body: Any = None, **more: Any
    ) -> tuple[int, str, str]:
        """Status, code and reason of a request that is refused, and changes nothing."""
        seq = self.seq
        response = await self.call(method, path, body, **more)
        answer = response.json()
        assert list(answer) == ["code", "message", "data"]
        assert answer["data"] is None
        assert self.seq == seq, "a refusal changed something"
        return response.status_code, answer["code"], answer["message"]

    async def key(self, account: str = "alice", *permissions: str, **more: Any) -> Credentials:
        """A new HMAC key."""
        wanted = {"account": account, "permissions": permissions or ("read", "trade"), **more}
        made = await self.done("POST", "keys", wanted)
        return Credentials(made["api_key"], made["secret"])


def key_id_of(who: Credentials) -> str:
    """How the operator sees a key."""
    return sha256(who.key.encode()).hexdigest()[:12]


@contextlib.asynccontextmanager
async def operated(
    config: Config | None = None, *, journal: Journal | None = None, vault: Vault | None = None
) -> AsyncIterator[Operator]:
    """Serve both ports while the context lasts."""
    async with venue(config, journal=journal, vault=vault) as running:
        routes = OperatorRoutes(running.venue, TOKEN)
        listener = OperatorListener(
            listen("127.0.0.1", 0), operator_application(routes.routes()), running.venue.limits
        )
        await listener.start()
        try:
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{listener.port}",
                headers={"Authorization": f"Bearer {TOKEN}"},
                trust_env=False,
                verify=False,
            ) as http:
                yield Operator(running, routes, listener.port, http)
        finally:
            await listener.stop()
