"""`app.config.load` and any file."""

import tempfile
from contextlib import suppress
from pathlib import Path

from jayx_stream.app.config import ConfigError, load

_FOLDER = tempfile.TemporaryDirectory(prefix="jayx-config-")


def load_any_text(data: bytes) -> None:
    """It is a configuration, or an error that says why not."""
    path = Path(_FOLDER.name) / "any.toml"
    path.write_bytes(data)
    with suppress(ConfigError):
        load(path)
