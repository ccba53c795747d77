"""A plan's file that somebody names by its path on this machine: read here, and applied as `overmind apply` does.

No other request opens a path. A login that may only look can't ask for it, for `apply` changes something.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

import msgspec

from overmind_core import plan_file
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.domain.text.cells import display_safe
from overmind_core.domain.text.problems import Problem, Problems
from overmind_core.errors import OvermindError

VERB, PATH = "apply", "path"
MOST_BYTES = 1024 * 1024
"""Of a file, and of one that it names."""
MOST_PROBLEMS = 100
"""Of a file, that are told."""
_reading = asyncio.Semaphore(2)
"""Files at once: reading a large one takes the processor."""


class ByPath(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of `apply` with a file's path on the server's machine in the place of a blueprint."""

    path: str
    """Absolute, or from `~`."""
    name: str | None = None
    """Of the plan; wins over the file."""
    variables: dict[str, str] = {}
    """`${vars.NAME}` → value; wins over the file."""
    dry_run: bool = False
    """Only tell what would be done."""
    rerun: str | list[str] | None = None
    sha256: str | None = None
    """As a dry run told it: the file is applied if it is still the same plan."""
    request: str | None = None
    """As with `run`: a plan is made, changed or run again once, however often that is asked for."""


class PlanFile(NamedTuple):
    """A file that has been read."""

    arguments: dict[str, Any]
    """Of `apply`, as the daemon takes them."""
    facts: dict[str, Any]
    """More of the answer: `sha256` of the plan as it is now, and `warnings`, a text each."""


def is_named(verb: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a request names a plan's file."""
    return verb == VERB and PATH in arguments


async def read(arguments: Mapping[str, Any]) -> PlanFile:
    """Read the file that a request names, without holding up anybody.

    Args:
        arguments: As of `ByPath`, with `env` and `umask` of who applies it.

    Raises:
        OvermindError: `invalid`, `cycle` or `too_large`, it can't be used, with its `problems`, a text each;
            `conflicts`, it isn't what was shown any more.
    """
    world = {name: arguments[name] for name in ("env", "umask")}
    try:
        asked = msgspec.convert({name: arguments[name] for name in arguments.keys() - world.keys()}, ByPath)
    except msgspec.ValidationError as error:
        raise OvermindError("invalid", f"apply: {error}.") from None
    path = absolute(asked.path)
    async with _reading:
        return await asyncio.to_thread(_read, path, asked, world)


def absolute(written: str) -> str:
    """Return the path, from `/`.

    Raises:
        OvermindError: `invalid`, it says no place by itself: a server has no folder where somebody stands.
    """
    path = written.strip()
    if path == "~" or path.startswith("~/"):
        path = to_wire(os.path.expanduser(from_wire(path)))
    if not path.startswith("/") or "\0" in path:
        shown = display_safe(path) or "An empty path"
        raise OvermindError("invalid", f"{shown} is not an absolute path: write it from / on, or from ~/.")
    return os.path.normpath(path)


def _read(path: str, asked: ByPath, world: Mapping[str, Any]) -> PlanFile:
    shown = display_safe(path)
    try:
        found = plan_file.read_plan(
            plan_file.ordinary_content(path, MOST_BYTES),
            path,
            name=plan_file.stem(path),
            variables=asked.variables,
            environ=world["env"],
            disk=plan_file.OrdinaryFiles(MOST_BYTES),
            called=asked.name,
        )
    except (OSError, ValueError) as error:
        raise OvermindError("invalid", f"{shown}: {getattr(error, 'strerror', None) or error}.") from None
    except RecursionError:
        raise OvermindError("invalid", f"{shown} is nested too deeply.") from None
    except Problems as wrong:
        count = len(wrong.problems)
        what = "a mistake" if count == 1 else f"{count} mistakes"
        raise OvermindError(
            wrong.code, f"{shown} has {what}. Nothing was started.", problems=_texts(wrong.problems)
        ) from None
    if found.fleets:
        raise OvermindError("invalid", f"{shown} has fleets. Apply it on the command line: overmind apply {shown}")
    blueprint = asdict(found.blueprint)
    sha256 = hashlib.sha256(msgspec.json.encode(blueprint, order="sorted")).hexdigest()
    if asked.sha256 not in {None, sha256}:
        raise OvermindError("conflicts", f"{shown} has changed since it was shown. Nothing was started.")
    arguments = {
        **world,
        "blueprint": {**blueprint, "given": tuple(asked.variables)},
        "cwd": plan_file.folder_of(path),
        "file": plan_file.real_path(path),
        "dry_run": asked.dry_run,
        "rerun": asked.rerun,
        "request": asked.request,
    }
    return PlanFile(arguments, {"sha256": sha256, "warnings": _texts(found.warnings)})


def _texts(problems: Iterable[Problem]) -> list[str]:
    shown = [display_safe(f"{line}:{column}: {message}") for line, column, message in problems]
    more = len(shown) - MOST_PROBLEMS
    return shown[:MOST_PROBLEMS] + ([f"… and {more} more"] if more > 0 else [])
