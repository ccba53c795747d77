"""Arguments with which pages open panes: what is of the wrong kind counts as not said. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Args = Mapping[str, Any]
MOST_IDS = 10_000


def text(args: Args, name: str) -> str:
    """An argument that is a text."""
    found = args.get(name)
    return found if isinstance(found, str) else ""


def ids(args: Args, name: str) -> frozenset[str]:
    """An argument that is a list of ids."""
    found = args.get(name)
    some = found[:MOST_IDS] if isinstance(found, list) else ()
    return frozenset(one for one in some if isinstance(one, str))
