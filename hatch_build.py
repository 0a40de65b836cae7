"""Makes a wheel of what is compiled if JAYX_COMPILE=1 asks for it. Any other wheel is pure Python's."""

import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledRooms(BuildHookInterface):
    """A hook of hatchling's; see `compile_rooms.py`."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the wheel is built with."""
        return [*self._rooms().REQUIREMENTS] if self._rooms().is_asked_for() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Put the libraries into the wheel."""
        rooms = self._rooms()
        if version == "editable" or not rooms.is_asked_for():
            return
        made = Path(mkdtemp())
        for library in rooms.compile_rooms(Path(self.root) / "src", made):
            build_data["force_include"][str(made / library)] = str(library)
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def _rooms(self) -> Any:
        if self.root not in sys.path:
            sys.path.insert(0, self.root)
        import compile_rooms

        return compile_rooms
