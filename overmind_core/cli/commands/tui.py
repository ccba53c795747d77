"""`overmind tui`: the full-screen program, which takes this process' place."""

from __future__ import annotations

import os
import sys

from overmind_core.cli.context import Context
from overmind_core.cli.table import Command, flag, option
from overmind_core.errors import OvermindError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from typing import NoReturn

PROGRAM = "overmind_tui"


def tui(args: Namespace, context: Context) -> int:
    """Become the program."""
    words = ["--read-only"] if args.read_only else []
    words += ["--theme", args.theme] if args.theme else []
    words += ["-c", args.view] if args.view else []
    become(context, words)


def become(context: Context, words: Sequence[str]) -> NoReturn:
    """Replace this process by the full-screen program.

    Raises:
        OvermindError: nobody could see it, or it can't be started.
    """
    if not on_terminal():
        raise UsageError("The full-screen program needs a terminal for input and output. See: overmind ps")
    context.close()
    sys.stdout.flush()
    # -P: a file named json.py in the folder where somebody stands must not become part of it.
    argv = [sys.executable, "-P", "-m", PROGRAM, *words]
    try:
        os.execv(argv[0], argv)  # noqa: S606  (our own program)
    except OSError as error:
        raise OvermindError("internal", f"{argv[0]}: {error.strerror}") from None


def on_terminal() -> bool:
    """Whether a person can see and type here."""
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)) and os.environ.get("TERM") != "dumb"


COMMAND = Command(
    name="tui",
    summary="open the full-screen program; `overmind` alone on a terminal does the same",
    options=[
        flag("--read-only", "hide and disable everything that changes something"),
        option("--theme", "NAME", "dark, light, or any theme of Textual"),
        option("--view", "VIEW", "begin with this view, such as events or logs", short="-c"),
    ],
    examples=["overmind tui", "overmind tui --read-only", "overmind tui -c events"],
    run=tui,
)
