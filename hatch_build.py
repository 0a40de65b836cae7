"""Compiles while the package is installed or made a wheel of: the part in C if a compiler is there, and the
pure rooms, too, if JAYX_COMPILE=1 asks for it. JAYX_COMPILE=0: nothing, the wheel is pure Python's.
"""

import os
import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledParts(BuildHookInterface):
    """A hook of hatchling's; see `compile_rooms.py`."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the wheel is built with."""
        parts = self._parts()
        return {"0": [], "1": [*parts.REQUIREMENTS]}.get(self._asked(), [parts.BUILDER])

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Put the libraries into the wheel, or beside the source if that is what is installed."""
        source, asked, parts = Path(self.root) / "src", self._asked(), self._parts()
        is_editable = version == "editable"
        made = source if is_editable else Path(mkdtemp())
        libraries = []
        if asked == "1" and not is_editable:
            libraries += parts.compile_rooms(source, made)
        if asked != "0":
            try:
                libraries += parts.compile_sending(source, made)
            except Exception as error:
                # It is as good without, and slower: whatever a compiler lacks is no reason to fail.
                if asked == "1":
                    raise
                self.app.display_warning(f"{parts.SENDING} is left out: {error}")
        if libraries and not is_editable:
            for library in libraries:
                build_data["force_include"][str(made / library)] = str(library)
            build_data["pure_python"] = False
            build_data["infer_tag"] = True

    def _asked(self) -> str:
        return os.environ.get("JAYX_COMPILE", "")

    def _parts(self) -> Any:
        if self.root not in sys.path:
            sys.path.insert(0, self.root)
        import compile_rooms

        return compile_rooms
