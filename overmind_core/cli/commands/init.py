"""`overmind init`: write a blueprint to begin with."""

from __future__ import annotations

import os

from overmind_core.cli.blueprint.options import DEFAULT
from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, Command, argument, flag
from overmind_core.errors import OvermindError
from overmind_core.wire.bytestrings import from_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

_EXAMPLE = "example.toml"
"""Beside the code that reads blueprints."""


def init(args: Namespace, context: Context) -> int:
    """Write the commented example."""
    path = args.file or DEFAULT
    _write(path, example(), force=args.force)
    if args.json:
        context.say(dumps({"path": path}))
    else:
        context.say(f"Wrote {path}")
        context.hint(f"Look at it: overmind agents --graph {path}   Run it: overmind apply {path}")
    return 0


def example() -> bytes:
    """Return a blueprint that runs anywhere, with a comment on everything."""
    import overmind_core.blueprints as room  # start-up: --help needs none

    path = os.path.join(os.path.dirname(os.path.abspath(room.__file__)), _EXAMPLE)
    with open(path, "rb") as file:
        return file.read()


def _write(path: str, data: bytes, *, force: bool) -> None:
    try:
        with open(from_wire(path), "wb" if force else "xb") as file:
            file.write(data)
    except FileExistsError:
        raise OvermindError(
            "invalid", f"{path} is there already. Name another file, or write over it: --force"
        ) from None
    except OSError as error:
        raise OvermindError("invalid", f"{path}: {error.strerror}.") from None


COMMAND = Command(
    name="init",
    summary="write a commented blueprint to begin with",
    arguments=[argument("file", f"where to (default {DEFAULT})", nargs="?", metavar="file")],
    options=[flag("--force", "write over a file that is there"), JSON],
    examples=["overmind init", "overmind init release.toml"],
    run=init,
)
