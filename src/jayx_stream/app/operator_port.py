"""The operator's port of a venue: taken before the venue starts, served once it has, left before it ends."""

import logging
from pathlib import Path

from jayx_stream.app.config import Admin
from jayx_stream.app.metrics import PATH, VenueMetrics, metrics_route
from jayx_stream.app.operator_token import operator_token
from jayx_stream.doors.counting import CountedHttp, HttpCounts
from jayx_stream.doors.listener import listen
from jayx_stream.doors.operator import Operated, OperatorRoutes, operator_application
from jayx_stream.doors.operator_listener import OperatorListener


class OperatorPort:
    """Of port 0 there is nothing, and all of this does nothing."""

    def __init__(
        self, venue: Operated, admin: Admin, directory: Path, metrics: VenueMetrics
    ) -> None:
        self._venue = venue
        self._admin = admin
        self._directory = directory
        self._metrics = metrics
        self._listener: OperatorListener | None = None
        self.told: str | None = None
        """For people, where the port is."""

    def take(self) -> None:
        """Take the port. Raises ListenError, SecretFileError."""
        host, port = self._admin.host, self._admin.port
        if port == 0:
            return
        token = operator_token(self._admin, self._directory)
        listening = listen(host, port)
        routes = OperatorRoutes(self._venue, token)
        http = operator_application([*routes.routes(), metrics_route(self._metrics)])
        counts: HttpCounts = self._metrics.http["operator"]
        counted = CountedHttp(http, counts, "operator", level=logging.INFO, quiet=PATH)
        self._listener = OperatorListener(listening, counted, self._venue.limits)
        shown = f"[{host}]" if ":" in host else host
        self.told = f"the operator's port is http://{shown}:{port}/"

    async def start(self) -> None:
        """Serve. Raises ListenError."""
        if self._listener is not None:
            await self._listener.start()

    async def stop(self) -> None:
        """Serve no more."""
        if self._listener is not None:
            await self._listener.stop()
