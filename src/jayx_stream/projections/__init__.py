"""Remembers: the read side, pure folds of the journal's commits. Never sees the engine.

`Projections.apply` takes every commit in order and says what it changed; the rest of this room
answers, at any time, what a stream or a request sees.
"""

from jayx_stream.projections.changes import Changes
from jayx_stream.projections.keys import AllKeys, KeyView
from jayx_stream.projections.projections import Projections
from jayx_stream.projections.recent import RecentChanges
from jayx_stream.projections.rows import account_change, rows_of
from jayx_stream.projections.state import ProjectionsState, decode_projections, encode_projections

__all__ = [
    "AllKeys",
    "Changes",
    "KeyView",
    "Projections",
    "ProjectionsState",
    "RecentChanges",
    "account_change",
    "decode_projections",
    "encode_projections",
    "rows_of",
]
