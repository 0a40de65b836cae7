"""What operators' commands print: tables for people, lines for pipes, JSON for programs."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import json
from rich.console import Console
from rich.table import Table

Row = Mapping[str, Any]


def tell_rows(rows: Iterable[Row], columns: Sequence[str], *, as_json: bool) -> None:
    """A list: a table on a terminal; elsewhere one line a row, its cells apart by tabs."""
    if as_json:
        print(json.encode(list(rows)).decode())
    elif sys.stdout.isatty():
        table = Table(*columns, box=None, header_style="bold", pad_edge=False)
        for row in rows:
            table.add_row(*(_cell(row[name]) for name in columns))
        Console(markup=False, highlight=False, emoji=False).print(table)
    else:
        print("\t".join(columns))
        for row in rows:
            print("\t".join(_cell(row[name]) for name in columns))


def tell(data: Any, text: str, *, as_json: bool) -> None:
    """One answer."""
    print(json.encode(data).decode() if as_json else text)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ",".join(map(str, value)) or "-"
    return str(value)
