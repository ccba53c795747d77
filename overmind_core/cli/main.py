"""The command line: finds the command that argv names, runs it, and turns what happened into an exit status.

The process ends by `os._exit`: tearing the interpreter down would cost two milliseconds of each call.
"""

from __future__ import annotations

import errno
import os
import sys

from overmind_core.cli.command import (
    ALIASES,
    COMMANDS,
    REQUEST_OPTION,
    find,
    names_a_hive,
    names_place,
    split_hives,
)
from overmind_core.cli.context import Context, forbid_inside, report_error
from overmind_core.cli.output import UNWRITABLE
from overmind_core.cli.quick_arguments import parse_flags
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import FAILED, INTERRUPTED, OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from typing import NoReturn

    from overmind_core.cli.command import Command


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
        return report_error(_explained(error, context), context)
    except SystemExit as end:  # argparse, after --help
        return end.code if isinstance(end.code, int) else 0
    finally:
        context.close()


def _explained(error: OSError, context: Context) -> OvermindError:
    """Say whether the home failed, or the machine."""
    if error.errno in {errno.ENOTDIR, errno.EACCES} and str(error.filename).startswith(context.home.root):
        advice = "Name another folder with --home, or $OVERMIND_HOME"
        return OvermindError("invalid", f"The home {context.home.root} can't be used: {error.strerror}. {advice}")
    return OvermindError("disk_full" if error.errno == errno.ENOSPC else "internal", str(error))


def run(words: list[str], context: Context) -> int:
    """Run a command line and return its exit status.

    Raises:
        OvermindError: it failed.
    """
    words, folder, hives, keys = _take_place(words)
    if folder is not None:
        context.use_home(folder)
    name = words[0] if words else _default_command()
    if hives and not words and hives[-1] in COMMANDS:
        raise UsageError(f"-H needs a hive before the command. For example: overmind -H eu1 {hives[-1]}")
    if hives and (not words or name.startswith("-")):
        raise UsageError(f"-H {hives[0]} needs a command. For example: overmind -H {hives[0]} ps")
    if name in {"--help", "-h", "help"}:
        return _help(words[1:], context)
    if name in {"--version", "-v", "-V"}:
        return _version(context)
    if name == "--headless":
        from overmind_core.cli.headless.commands import headless

        return headless([*([] if folder is None else [f"{HOME_OPTION}={folder}"]), *words[1:]], context)
    name, rest = _named(words or [name])
    if family := _family(name, rest):
        from overmind_core.cli.help import overview_of

        context.print(overview_of(name, family))
        return 0
    command = find(name)
    if rest in (["--help"], ["-h"]):
        from overmind_core.cli.help import command_help

        context.print(command_help(command))
        return 0
    context.request_key = keys[-1] if keys else None
    return _run_command(command, rest, hives, context)


def _run_command(command: Command, words: list[str], hives: list[str], context: Context) -> int:
    """Run one command with what it is given, here or where `hives`, -H or a name in `words` say."""
    if any(map(names_place, words)):
        words, more, keys = split_hives(command, words)
        hives = hives + more
        context.request_key = keys[-1] if keys else context.request_key
    args: Namespace | None = parse_flags(command, words)  # type: ignore[assignment]  # its attributes are the same
    if args is None:
        from overmind_core.cli.parser import parse  # start-up: argparse

        args = parse(command, words)
    context.format = getattr(args, "output", None)
    try:
        if hives or names_a_hive(args):
            return _run_elsewhere(command, args, hives, context)
        _check_key(context)
        return command.run(args, context)
    except OvermindError as error:
        if error.code != "not_found" or len(getattr(args, "rest", None) or ()) < _WITH_OPTION:
            raise
        from overmind_core.cli.definitions.missing_program import with_misplaced  # start-up: only for such an error

        raise with_misplaced(error, args, command) from None


_WITH_OPTION = 2
"""Words of a command of which one may be an option of ours."""


def _check_key(context: Context) -> None:
    if context.request_key is not None and context.hive is None:
        raise UsageError("--request settles what a hive was asked: give the same words as then, with -H NAME.")


def _run_elsewhere(command: Command, args: Namespace, hives: list[str], context: Context) -> int:
    from overmind_core.cli.hives import elsewhere  # start-up: most commands are for this machine

    if elsewhere.is_for_swarm(hives, args):
        from overmind_core.cli.swarm.there import run_in_swarm

        return run_in_swarm(command, args, context)
    if hives:
        chosen = elsewhere.choose_hives(command, hives, context)
        if any(chosen):
            forbid_inside(context, elsewhere.INSIDE)
        else:
            _check_key(context)
        return elsewhere.run_elsewhere(command, args, chosen, context)
    context.hive = elsewhere.hive_of_names(command, args, context)
    if context.hive is not None:
        forbid_inside(context, elsewhere.INSIDE)
    _check_key(context)
    return command.run(args, context)


HOME_OPTION = "--home"


def _take_place(words: list[str]) -> tuple[list[str], str | None, list[str], list[str]]:
    """Part the home that `--home` names before the command, the hives of -H and the keys of --request from the rest.

    Raises:
        UsageError: one names none.
    """
    folder = None
    hives: list[str] = []
    keys: list[str] = []
    while words and (words[0].split("=")[0] == HOME_OPTION or names_place(words[0])):
        first, *words = words
        value = first.partition("=")[2] if "=" in first else words.pop(0) if words else ""
        if first.split("=")[0] == HOME_OPTION:
            folder = value
            if not folder:
                raise UsageError("--home needs a folder. For example: overmind --home /srv/agents ps")
        elif value:
            (keys if first.split("=")[0] == REQUEST_OPTION else hives).append(value)
        elif first == REQUEST_OPTION:
            raise UsageError(f"{first} needs the key that outcome_unknown has named.")
        else:
            raise UsageError("-H needs a hive. For example: overmind -H eu1 ps")
    return words, folder, hives, keys


def _named(words: list[str]) -> tuple[str, list[str]]:
    """Part a command's name, which may have two words or be an alias, from what it is given."""
    for count in (2, 1):
        typed = " ".join(words[:count])
        name = ALIASES.get(typed, typed)
        if name in COMMANDS:
            return name, words[count:]
    at = _second_word(words)
    if at is not None:
        return f"{words[0]} {words[at]}", [*words[1:at], *words[at + 1 :]]
    family = _family(words[0], words[1:])
    if len(family) == 1:  # there is only one way to go on
        return family[0], ["--help"]
    if len(words) > 1 and not words[1].startswith("-") and _family(words[0], []):
        return " ".join(words[:2]), words[2:]  # which is none: what may have been meant is said of both words
    return words[0], words[1:]


def _second_word(words: list[str]) -> int | None:
    """The place of the second word of a command's name where options stand between both; None: they don't."""
    if not words[1:2] or not words[1].startswith("-") or words[0] in COMMANDS:
        return None
    known = (at for at, word in enumerate(words) if f"{words[0]} {word}" in COMMANDS)
    return next(known, None)


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
    from overmind_core.cli.help import overview

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
    except OSError as error:
        if not status:  # else it was told
            sys.stderr.write(f"Error: internal: {UNWRITABLE.format(error.strerror)}\n")
        return status or FAILED
    return status
