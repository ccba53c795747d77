"""From a file to a plan, or everything that is wrong with it, a line each: `file:line:column: message`."""

from __future__ import annotations

import os

from overmind_core.blueprints.read import Reading, read
from overmind_core.cli.blueprint.disk import RealDisk
from overmind_core.cli.skill import system_prompt
from overmind_core.domain.cells import display_safe
from overmind_core.domain.problems import Problems, decoded
from overmind_core.errors import OvermindError
from overmind_core.wire.bytestrings import from_wire, to_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from overmind_core.cli.context import Context
    from overmind_core.domain.plan.blueprint import Blueprint
    from overmind_core.domain.problems import Problem

STDIN = "-"
MOST_BYTES = 16 * 1024 * 1024
"""Of a file: more is a slip."""


def load(path: str, variables: Sequence[tuple[str, str]], context: Context) -> Blueprint:
    """Read a blueprint's file and tell everything that is wrong with it.

    Args:
        path: As the person wrote it, in wire form.
        variables: What `--var` gave, in order.
        context: Where warnings and problems are told, and whose environment the file may refer to.

    Raises:
        OvermindError: `invalid`, the file can't be used; each problem has been told.
    """
    try:
        found = _read(path, dict(variables), context)
    except Problems as wrong:
        _tell(path, wrong.problems, context)
        count = len(wrong.problems)
        raise OvermindError(
            "invalid", f"{path} has {'a mistake' if count == 1 else f'{count} mistakes'}. Nothing was started."
        ) from None
    _tell(path, found.warnings, context, kind="Warning: ")
    _teach(found.blueprint)
    return found.blueprint


def _read(path: str, variables: dict[str, str], context: Context) -> Reading:
    text = to_wire(decoded(content(path)))
    return read(
        text,
        name=stem(path),
        folder=folder_of(path),
        variables=variables,
        environ={to_wire(name): to_wire(value) for name, value in context.environ.items()},
        disk=RealDisk(),
    )


def stem(path: str) -> str:
    """What the blueprint in a file is called when it doesn't say so itself."""
    name, _ = os.path.splitext(os.path.basename(path))
    return name


def folder_of(path: str) -> str:
    """The absolute folder of a file, in wire form: relative paths in a blueprint begin there."""
    return to_wire(os.path.dirname(os.path.abspath(from_wire(path))))


def content(path: str) -> bytes:
    """What a file holds; `-` is standard input, which can be read once.

    Raises:
        OvermindError: it can't be read, or is too large to be a blueprint.
    """
    try:
        with open(0 if path == STDIN else from_wire(path), "rb", closefd=path != STDIN) as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise OvermindError("invalid", f"{path}: {error.strerror}. Write one with: overmind init") from None
    if len(data) > MOST_BYTES:
        raise OvermindError("too_large", f"{path} has more than {MOST_BYTES} bytes: it is no blueprint.")
    return data


def _tell(path: str, problems: Iterable[Problem], context: Context, *, kind: str = "") -> None:
    lines = [f"{path}:{line}:{column}: {kind}{message}" for line, column, message in problems]
    if lines:
        context.note("\n".join(map(display_safe, lines)))


def _teach(blueprint: Blueprint) -> None:
    """Tell each orchestrator how it runs agents of its own, as `run --orchestrator` does."""
    for agent in blueprint.agents:
        options = agent.start.get("agent", {})
        if options.get("orchestrator"):
            options["append_system_prompt"] = system_prompt(options.get("append_system_prompt"))
