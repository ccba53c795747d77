"""The command `overmind`: finds the command that argv names, runs it, and turns what happened into an exit status.

The process ends by `os._exit`: tearing the interpreter down would cost two milliseconds of each call.
"""

from __future__ import annotations

import errno
import os
import sys

from overmind_core.cli.context import Context
from overmind_core.cli.table import COMMANDS, HIDDEN, Command
from overmind_core.errors import FAILED, INTERRUPTED, OvermindError, UsageError
from overmind_core.wire.bytestrings import to_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

BROKEN_PIPE = 141
"""128 + SIGPIPE: whoever read our output has had enough."""
LONGEST_SENTENCE = 800
"""Characters of an error; a path that is longer is cut in its middle."""


def main() -> NoReturn:
    """Run the command line of this process, and end it."""
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    status = guarded([to_wire(word) for word in sys.argv[1:]], Context())
    os._exit(_flushed(status))


def _open_what_is_closed() -> None:
    """Put nothing in the place of standard files that whoever started us has closed, lest a socket land there."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  (for good)


def guarded(words: list[str], context: Context) -> int:
    """Run a command line and return its exit status; failures are told on stderr.

    Args:
        words: argv without the program, in wire form.
        context: The world it runs in.
    """
    try:
        return run(words, context)
    except OvermindError as error:
        return tell(error, context)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return BROKEN_PIPE
    except OSError as error:
        return tell(OvermindError("disk_full" if error.errno == errno.ENOSPC else "internal", str(error)), context)
    except SystemExit as end:  # argparse, after --help
        return end.code if isinstance(end.code, int) else 0
    finally:
        context.close()


def run(words: list[str], context: Context) -> int:
    """Run a command line and return its exit status.

    Raises:
        OvermindError: it failed.
    """
    name = words[0] if words else _alone()
    if name in {"--help", "-h", "help"}:
        return _help(words[1:], context)
    if name == "--version":
        return _version(context)
    if name == "--headless":
        from overmind_core.cli.headless.front import headless

        return headless(words[1:], context)
    name, rest = _named(words or [name])
    if family := _family(name, rest):
        from overmind_core.cli.overview import overview_of  # it loads all of them

        context.say(overview_of(name, family))
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


def _alone() -> str:
    """What `overmind` without a word means: the program on a terminal, else help."""
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        return "--help"
    return "tui"


def find(name: str) -> Command:
    """Return the command called `name`, loading its module.

    Raises:
        OvermindError: `unknown_command`, with what may have been meant.
    """
    if name.startswith("-"):
        raise UsageError(f"unknown option {name}. See: overmind --help")
    module = COMMANDS.get(name) or HIDDEN.get(name)
    if module is None:
        from overmind_core.domain.suggest import meant  # only after a mistake

        raise OvermindError(
            "unknown_command", f"There is no command {name!r}.{meant(name, COMMANDS)} See: overmind --help"
        )
    command = __import__(module, fromlist=["COMMAND"]).COMMAND
    assert isinstance(command, Command)
    return command


def tell(error: OvermindError, context: Context) -> int:
    """Print an error for the person; return the exit status that it asks for."""
    from overmind_core.domain.cells import display_safe  # only after a failure

    context.note(f"Error: {error.code}: {_brief(display_safe(error.message))}")
    return error.exit_status


def _brief(sentence: str) -> str:
    """Leave out the middle of a sentence that names something endless; what to do stands at its end."""
    half = LONGEST_SENTENCE // 2
    return sentence if len(sentence) <= LONGEST_SENTENCE else f"{sentence[:half]} … {sentence[-half:]}"


def _help(words: list[str], context: Context) -> int:
    if words:
        return run([*_named(words)[0].split(), "--help"], context)
    from overmind_core.cli.overview import overview  # it loads every command

    context.say(overview())
    return 0


def _version(context: Context) -> int:
    from overmind_core.version import VERSION

    context.say(f"overmind {VERSION}")
    return 0


def _flushed(status: int) -> int:
    """Write out what is buffered; return the exit status, which a lost output changes."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        return BROKEN_PIPE
    except OSError:
        return status or FAILED
    return status
