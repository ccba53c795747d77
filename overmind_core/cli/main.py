"""The command line: finds the command that argv names, runs it, and turns what happened into an exit status.

`overmind --help` lists every command with its one line, in groups; only that loads all of their modules.

The process ends by `os._exit`: tearing the interpreter down would cost two milliseconds of each call.
"""

from __future__ import annotations

import errno
import os
import sys

from overmind_core.cli.command import COMMANDS, GROUPS, find
from overmind_core.cli.context import Context, report_error
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import FAILED, INTERRUPTED, OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn


BROKEN_PIPE = 141
"""128 + SIGPIPE: whoever read our output has had enough."""


def main() -> NoReturn:
    """Run the command line of this process, and end it."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    status = guarded([to_wire(word) for word in sys.argv[1:]], Context())
    os._exit(_flush(status))


def _open_closed_streams() -> None:
    """Put nothing in the place of standard files that whoever started us has closed, lest a socket land there."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  (for good)


def guarded(words: list[str], context: Context) -> int:
    """Run a command line and return its exit status; failures are reported on stderr.

    Args:
        words: argv without the program, in wire form.
        context: The home it works in, and where it prints.
    """
    try:
        return run(words, context)
    except OvermindError as error:
        return report_error(error, context)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return BROKEN_PIPE
    except OSError as error:
        return report_error(
            OvermindError("disk_full" if error.errno == errno.ENOSPC else "internal", str(error)), context
        )
    except SystemExit as end:  # argparse, after --help
        return end.code if isinstance(end.code, int) else 0
    finally:
        context.close()


def run(words: list[str], context: Context) -> int:
    """Run a command line and return its exit status.

    Raises:
        OvermindError: it failed.
    """
    name = words[0] if words else _default_command()
    if name in {"--help", "-h", "help"}:
        return _help(words[1:], context)
    if name == "--version":
        return _version(context)
    if name == "--headless":
        from overmind_core.cli.headless.commands import headless

        return headless(words[1:], context)
    name, rest = _named(words or [name])
    if family := _family(name, rest):
        context.print(overview_of(name, family))
        return 0
    command = find(name)
    from overmind_core.cli.parser import parse  # start-up: --version needs none

    return command.run(parse(command, rest), context)


def _named(words: list[str]) -> tuple[str, list[str]]:
    """Part a command's name, which may have two words, from what it is given."""
    two = " ".join(words[:2])
    if two in COMMANDS:
        return two, words[2:]
    family = _family(words[0], words[1:])
    if len(family) == 1:  # there is only one way to go on
        return family[0], ["--help"]
    if len(words) > 1 and not words[1].startswith("-") and _family(words[0], []):
        return two, words[2:]  # which is none: what may have been meant is said of both words
    return words[0], words[1:]


def _family(name: str, rest: list[str]) -> list[str]:
    """The commands that begin with this word, which is none itself, when it stands alone or asks for help."""
    if name in COMMANDS or not set(rest) <= {"--help", "-h"}:
        return []
    return [one for one in COMMANDS if one.startswith(f"{name} ")]


def _default_command() -> str:
    """What `overmind` without a word means: the program on a terminal, else help."""
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        return "--help"
    return "tui"


def _help(words: list[str], context: Context) -> int:
    if words:
        return run([*_named(words)[0].split(), "--help"], context)

    context.print(overview())
    return 0


def _version(context: Context) -> int:
    from overmind_core.version import VERSION

    context.print(f"overmind {VERSION}")
    return 0


def _flush(status: int) -> int:
    """Write out what is buffered; return the exit status, which a lost output changes."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        return BROKEN_PIPE
    except OSError:
        return status or FAILED
    return status


HEAD = """usage: overmind COMMAND [options]

Runs agents and other long work under supervision, and never loses any of it."""

TAIL = """In CI: overmind --headless run COMMAND (see overmind --headless --help)
<id> is an id, a name, or at least 3 characters of an id.
Home: $OVERMIND_HOME, default ~/.overmind. Each command explains itself: overmind COMMAND --help"""


def overview() -> str:
    """Return the text of `overmind --help`; loads every command's module."""
    width = max(len(name) for names in GROUPS.values() for name in names)
    groups = [
        "\n".join([f"{title}:", *(f"  {name:<{width}}  {find(name).summary}" for name in names)])
        for title, names in GROUPS.items()
    ]
    return "\n\n".join([HEAD, *groups, TAIL])


def overview_of(name: str, commands: Sequence[str]) -> str:
    """Return the same for the commands that begin with one word, such as `quest`."""
    width = max(map(len, commands))
    lines = [f"  {one:<{width}}  {find(one).summary}" for one in commands]
    return "\n".join(
        [f"usage: overmind {name} COMMAND [options]", "", *lines, "", f"See: overmind {commands[0]} --help"]
    )
