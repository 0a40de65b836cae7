"""What drives the venue beside its clients: nobody, simulated traders, or recorded markets."""

from dataclasses import dataclass
from pathlib import Path

from jayx_stream.app.clock import Clock, system_clock
from jayx_stream.app.config import Config
from jayx_stream.app.venue import EmbeddedVenue


class DrivingError(Exception):
    """What was asked for can't drive a venue; the message names it."""


@dataclass(frozen=True)
class Driving:
    config: Config
    clock: Clock = system_clock

    def driver(self, venue: EmbeddedVenue) -> None:
        return None


def plan(config: Config, demo: bool, seed: int, replay: tuple[Path, ...], speed: str) -> Driving:
    return Driving(config)
