"""The texts that stand in the source under fields and members, for documents that are made of structs.

Rule: where there is no source there is no text, and nothing else is missing.
"""

import ast
import inspect
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from textwrap import dedent
from typing import Any, get_args

import msgspec
from msgspec import Struct


def structs_in(types: Iterable[Any]) -> Iterator[type[Struct]]:
    """All structs in these types, however deep; one may come more than once."""
    for each in types:
        if isinstance(each, type) and issubclass(each, Struct):
            yield each
            yield from structs_in(field.type for field in msgspec.structs.fields(each))
        else:
            yield from structs_in(get_args(each))


def field_texts(struct: type[Struct]) -> dict[str, str]:
    """By the field's name on the wire."""
    texts: dict[str, str] = {}
    for each in reversed(struct.__mro__):
        if issubclass(each, Struct) and each is not Struct:
            texts |= member_texts(each)
    fields = msgspec.structs.fields(struct)
    return {field.encode_name: texts[field.name] for field in fields if field.name in texts}


@lru_cache
def member_texts(owner: type) -> dict[str, str]:
    """What stands in the source under the members of a class; nothing if there is no source."""
    try:
        (definition,) = ast.parse(dedent(inspect.getsource(owner))).body
    except (OSError, TypeError):
        return {}
    assert isinstance(definition, ast.ClassDef)
    texts: dict[str, str] = {}
    for member, below in pairwise(definition.body):
        match member, below:
            case (
                ast.AnnAssign(target=ast.Name(id=str(name)))
                | ast.Assign(targets=[ast.Name(id=str(name))]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                texts[name] = inspect.cleandoc(text).replace("\n", " ")
            case _:
                pass
    return texts
