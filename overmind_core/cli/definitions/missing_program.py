"""The warning about a command that names no program: often a text that was meant for an agent, or as a brief."""

from __future__ import annotations

import re
import shutil

from overmind_core.cli.agents.options import provider_of
from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.text.cells import cut, display_safe
from overmind_core.errors import OvermindError, with_hint

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from overmind_core.cli.command import Command
    from overmind_core.cli.context import Context

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
"""The name of a program, without a folder, and no syntax of the shell."""
_OF_THE_SHELL = frozenset({
    "alias", "bg", "break", "builtin", "case", "cd", "command", "continue", "coproc", "declare", "do", "echo",
    "eval", "exec", "exit", "export", "false", "fc", "fg", "for", "function", "getopts", "hash", "if", "jobs",
    "kill", "let", "local", "popd", "printf", "pushd", "pwd", "read", "readonly", "return", "select", "set",
    "shift", "shopt", "source", "test", "time", "times", "trap", "true", "type", "typeset", "ulimit", "umask",
    "unalias", "unset", "until", "wait", "while",
})  # fmt: skip
"""First words that a shell understands by itself."""
_SHOWN_CELLS = 40


def missing_program(words: Sequence[str], path: str | None) -> str | None:
    """Return the program that a text of several words would start as a command, and that is not on `path`; else None.

    Several words are no text: who starts them sees at once that there is no such program.
    """
    if len(words) != 1:
        return None
    first, *others = words[0].split()[:2] or [""]
    if not others or not _PLAIN.fullmatch(first) or first in _OF_THE_SHELL:
        return None
    return None if shutil.which(first, path=path) else first


_NO_PROGRAM = "No program named "


def misplaced_option(args: Namespace, command: Command) -> str | None:
    """Return the first word behind the program that is an option of ours: it stands where it belongs to the program.

    Behind `--` it was meant for the program.
    """
    known = {name for one in command.options for name in one.names if name.startswith("--")}
    words = () if args.is_rest_marked else args.rest[1:]
    return next((word for word in words if word.partition("=")[0] in known), None)


def with_misplaced(error: OvermindError, args: Namespace, command: Command) -> OvermindError:
    """Return an error with a sentence about an option of ours, where the words of a command name no program."""
    option = misplaced_option(args, command)
    if option is None or _NO_PROGRAM not in error.message:
        return error
    return OvermindError(error.code, with_hint(error.message, _misplaced(option)), **error.fields)


def _misplaced(option: str) -> str:
    return (
        f"{option.partition('=')[0]} stands behind the command, so it is a part of it: options go before the command."
    )


def warn_of_missing_program(args: Namespace, context: Context, command: Command, way: str) -> None:
    """Say that the command of `args` names no program of this machine, where that can be known.

    Args:
        args: With the words of the command, and who does it.
        context: Of the command line.
        command: What was given, with its options.
        way: What to do where no command was meant.
    """
    has_path = args.env_file or any(one.partition("=")[0] == "PATH" for one in args.env or ())
    if context.hive is not None or has_path or provider_of(args) not in {None, RAW}:
        return
    path = context.environ.get("PATH")
    option = misplaced_option(args, command)
    if option is not None and "/" not in args.rest[0] and not shutil.which(args.rest[0], path=path):
        context.note(display_safe(f"Warning: no program named {args.rest[0]!r} is on PATH. {_misplaced(option)}"))
    elif program := missing_program(args.rest, path):
        text = cut(" ".join(args.rest[0].split()), _SHOWN_CELLS)
        context.note(
            display_safe(f"Warning: no program named {program!r} is on PATH, and {text!r} is the command. {way}")
        )
