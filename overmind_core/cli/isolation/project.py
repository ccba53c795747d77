"""Which project a command is about: the folder's, as the daemon reads it in the caller's world."""

from __future__ import annotations

import os

from overmind_core.cli import caller
from overmind_core.cli.table import argument
from overmind_core.domain.cells import display_safe
from overmind_core.errors import OvermindError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence
    from typing import Any

    from overmind_core.cli.context import Context

FOLDER = argument("folder", "a folder of the project (default: this one)", nargs="?")


def request_of(args: Namespace, context: Context) -> dict[str, Any]:
    """Return whose project it is, and in which world: `cwd` and `env`.

    Raises:
        OvermindError: `cwd_not_found`.
    """
    folder = os.path.normpath(caller.folder(args.folder))
    return {"cwd": folder, "env": caller.inherited(context.environ, clean=False)}


def tell_problems(context: Context, problems: Sequence[str]) -> None:
    """Print what is wrong with a file, a line each with its place."""
    for problem in problems:
        context.note(display_safe(problem))


def mistaken(explained: Mapping[str, Any]) -> OvermindError:
    """What to raise when the problems have been told."""
    count = len(explained["problems"])
    what = explained.get("path") or "The project's file"
    return OvermindError("invalid", f"{what} has {'a mistake' if count == 1 else f'{count} mistakes'}.")
