"""A venue with its second port, in this process."""

import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from jayx_stream.app.config import Admin, Config
from jayx_stream.app.operator_port import OperatorPort
from tests.doors.running import Running, venue

Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass
class Operated:
    """Both ports."""

    running: Running
    operator: httpx.AsyncClient
    token: str

    async def ask(self, method: str, path: str, **body: object) -> httpx.Response:
        """A request with the operator's token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        content = {"json": body} if body else {}
        return await self.operator.request(method, path, headers=headers, **content)  # type: ignore[arg-type]

    async def scrape(self) -> Figures:
        """Every sample's value, by name and labels."""
        answer = await self.operator.get("/metrics")
        assert answer.status_code == 200, answer.text
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }


def sample(figures: Figures, name: str, **labels: str) -> float:
    """One value; 0 if it was never counted."""
    return figures.get((f"jayx_{name}", frozenset(labels.items())), 0.0)


def free_port() -> int:
    """0 switches the second port off."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextlib.asynccontextmanager
async def operated(folder: Path, config: Config | None = None) -> AsyncIterator[Operated]:
    """Serve both ports while the context lasts; the token is in `folder`."""
    async with venue(config) as running:
        port = free_port()
        second = OperatorPort(running.venue, Admin(port=port), folder, running.venue.metrics)
        second.take()
        await second.start()
        url = f"http://127.0.0.1:{port}"
        try:
            async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as operator:
                token = (folder / "operator.token").read_text().strip()
                yield Operated(running, operator, token)
        finally:
            await second.stop()
