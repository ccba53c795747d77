"""What the commands that hand a plan to the daemon send, and how they tell what comes of it."""

from __future__ import annotations

import os
from dataclasses import asdict

from overmind_core.cli import caller
from overmind_core.cli.blueprint.load import STDIN
from overmind_core.domain.cells import display_safe
from overmind_core.wire.bytestrings import from_wire, to_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from overmind_core.domain.plan.blueprint import Blueprint

WHOLE = "[blueprint]"
"""How the limits of the whole are called in a list of changes."""
_REQUEST_KEY = 16
"""Random bytes that make the request's repetition recognisable."""


def request_of(
    blueprint: Blueprint, path: str, environ: Mapping[str, str], *, dry_run: bool = False, rerun: str | None = None
) -> dict[str, Any]:
    """Return the arguments of the request `apply`.

    Args:
        blueprint: What to apply.
        path: Its file, as the person wrote it.
        environ: The caller's, of the plan and of all its agents.
        dry_run: Only ask what would be done.
        rerun: `failed`: run what failed once more.

    Raises:
        OvermindError: something that no program can be given.
    """
    return {
        "blueprint": asdict(blueprint),
        "cwd": caller.folder(None),
        "file": path if path == STDIN else to_wire(os.path.abspath(from_wire(path))),
        "env": caller.inherited(environ, clean=False),
        "umask": caller.umask(),
        "dry_run": dry_run,
        "rerun": rerun,
        "request": os.urandom(_REQUEST_KEY).hex(),
    }


def change_lines(changes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return each change as a person reads it: `~ build (command, env)`."""
    return [display_safe(_line(change)) for change in changes]


def _line(change: Mapping[str, Any]) -> str:
    why = f" ({', '.join(change['why'])})" if change["why"] else ""
    return f"{change['sign']} {change['agent'] or WHOLE}{why}"
