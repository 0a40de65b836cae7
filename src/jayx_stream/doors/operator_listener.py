"""The operator's port: HTTP alone, bounded like the public one. Rule: nobody is upgraded to anything here.

Like `listener`, this file is written for a range of uvicorn's versions.
"""

import asyncio
import socket

import uvicorn
from starlette.types import ASGIApp

from jayx_stream.doors.head import BoundedHead
from jayx_stream.doors.listener import ListenError, QuietServer
from jayx_stream.wire.limits import Limits


class OperatorListener:
    """The operator's port's server, from `start` to `stop`."""

    def __init__(self, listening: socket.socket, http: ASGIApp, limits: Limits) -> None:
        self._listening = listening
        self._server = QuietServer(
            uvicorn.Config(
                http,
                http=BoundedHead(limits),  # type: ignore[arg-type]  # any callable is taken
                ws="none",
                loop="none",
                lifespan="off",
                log_config=None,
                log_level="error",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listening.getsockname()[1])

    async def start(self) -> None:
        """Accept connections from now on. Raises ListenError."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._listening]))
        while not self._server.started:
            if self._task.done():
                self._task.result()
                raise ListenError("the operator's port ended before it had started")
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """End; requests that are being answered have a second."""
        if self._task is None:
            self._listening.close()
            return
        self._server.should_exit = True
        await self._task
