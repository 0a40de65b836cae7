"""Where a value stands in a TOML text: the parser gives values, and forgets their lines.

Good for tables, arrays of tables, and keys with bare names; a value within an inline table or an
array has the line of the key that it belongs to.
"""

import re

Step = str | int
"""One step from the top of the file to a value: a key, or an index into an array of tables."""

_HEADER = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.\-]+)\s*\]")


def steps_of(place: str) -> list[Step]:
    """The steps of a place as msgspec writes it, such as `$.accounts[0].name`."""
    steps = re.findall(r"\[\d+\]|[^.\[\]$]+", place)
    return [int(step[1:-1]) if step[0] == "[" else step for step in steps]


def line_of(text: str, steps: list[Step]) -> int:
    """The line on which the value at `steps` stands, or its table begins; 1 if neither is found."""
    found = 1
    table: list[Step] = []
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header is not None:
            table = _table(header[2], array=header[1] == "[[", counts=counts)
            here = table
        elif "=" in line and not line.lstrip().startswith("#"):
            here = [*table, *line.split("=", 1)[0].strip().strip('"').split(".")]
        else:
            continue
        if here == steps[: len(here)] and here:
            found = number
    return found


def _table(name: str, *, array: bool, counts: dict[str, int]) -> list[Step]:
    """The steps to a table whose header stands here; `counts` are the elements of arrays so far."""
    if array:
        counts[name] = counts.get(name, -1) + 1
        for inner in [each for each in counts if each.startswith(f"{name}.")]:
            del counts[inner]
    steps: list[Step] = []
    prefix = ""
    for part in name.split("."):
        prefix = f"{prefix}.{part}" if prefix else part
        steps.append(part)
        if prefix in counts:
            steps.append(counts[prefix])
    return steps
