"""From words to arguments: argparse, told by a command's table, with our own words for mistakes."""

from __future__ import annotations

import argparse
import os

from overmind_core.errors import OvermindError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

    from overmind_core.cli.table import Command, Parameter

# argparse looks for translations, of which there are none, and imports locale for it: two milliseconds of each start.
argparse._ = str  # type: ignore[attr-defined]

_UNRECOGNIZED = "unrecognized arguments: "
_REQUIRED = "the following arguments are required: "
_WIDTH = 100
"""Columns of --help where nobody says how wide it may be."""


def parse(command: Command, words: Sequence[str]) -> argparse.Namespace:
    """Return the arguments that `words` give.

    Raises:
        UsageError: they make no sense; the message says why.
        SystemExit: --help was asked for, and printed.
    """
    parser = build(command)
    if command.rest is None:
        return parser.parse_intermixed_args(list(words))
    options, rest = split(command.options, words)
    given: list[str] = []
    for _ in command.arguments:  # these come before the command, with options before, between and after them
        given += rest[:1]
        more, rest = split(command.options, rest[1:])
        options += more
    args = parser.parse_args([*_bound(command.options, options), *(["--", *given] if given else [])])
    args.rest = rest
    return args


def split(options: Sequence[Parameter], words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Part the options from the command that follows them and keeps its own dashes.

    The command begins at the first word that is neither an option nor an option's value, or after `--`.
    """
    valued = {name for option in options if option.takes_value for name in option.names}
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "-":
        if words[at] == "--":
            return list(words[:at]), list(words[at + 1 :])
        at += 2 if words[at] in valued else 1
    return list(words[:at]), list(words[at:])


def _bound(options: Sequence[Parameter], words: Sequence[str]) -> list[str]:
    """Join the options whose value may begin with a dash to their values, lest argparse takes those for options."""
    dashed = {name for option in options if option.dashes for name in option.names}
    bound: list[str] = []
    for word in words:
        if bound and bound[-1] in dashed:
            bound[-1] = f"{bound[-1]}={word}"
        else:
            bound.append(word)
    return bound


def build(command: Command) -> argparse.ArgumentParser:
    """Return the parser of one command."""
    parser = Parser(
        prog=f"overmind {command.name}",
        usage=usage(command),
        description=command.summary[:1].upper() + command.summary[1:] + ".",
        epilog=_epilog(command),
        formatter_class=_formatter,
        allow_abbrev=False,
    )
    return fill(parser, command)


def fill(parser: argparse.ArgumentParser, command: Command) -> argparse.ArgumentParser:
    """Give a parser the words and options of a command; return it."""
    for parameter in (*command.arguments, *command.options):
        settings = dict(parameter.settings)
        if "type" in settings:
            settings["type"] = _telling(settings["type"])  # type: ignore[arg-type]
        parser.add_argument(*parameter.names, **settings)  # type: ignore[arg-type]
    return parser


class Parser(argparse.ArgumentParser):
    """Raises where argparse would print and exit."""

    def error(self, message: str) -> NoReturn:
        """Say a mistake in our words.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{self._explain(message)} See: {self.prog} --help")

    def _explain(self, message: str) -> str:
        if message.startswith(_REQUIRED):
            return f"Missing {message.removeprefix(_REQUIRED)}."
        if not message.startswith(_UNRECOGNIZED):
            return f"{message}."
        word = message.removeprefix(_UNRECOGNIZED).split(" ")[0].split("=")[0]
        if not word.startswith("-"):
            return f"Unexpected argument {word!r}."
        from overmind_core.domain.suggest import meant  # only after a mistake

        return f"Unknown option {word}.{meant(word, self._option_string_actions)}"


def _telling(parse_value: Callable[[str], object]) -> Callable[[str], object]:
    """Let the text of a ValueError reach the person; argparse would hide it."""

    def told(word: str) -> object:
        try:
            return parse_value(word)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        except OvermindError as error:
            raise argparse.ArgumentTypeError(error.message.rstrip(".")) from None

    return told


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Return a formatter with a given width: asking for it is what makes argparse import shutil."""
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=30, width=_columns())


def _columns() -> int:
    try:
        return min(os.get_terminal_size(1).columns, _WIDTH)
    except OSError:
        return _WIDTH


def usage(command: Command) -> str:
    """Return how the command is written."""
    words = [_word(argument) for argument in command.arguments]
    return " ".join(["overmind", command.name, "[options]", *words, *filter(None, [command.rest])])


def _word(argument: Parameter) -> str:
    name = f"<{argument.settings['metavar']}>"
    shapes = {"*": f"[{name}...]", "+": f"{name}...", "?": f"[{name}]"}
    return shapes.get(str(argument.settings.get("nargs")), name)


def _epilog(command: Command) -> str:
    examples = "\n".join(["examples:", *(f"  {example}" for example in command.examples)])
    return "\n\n".join(filter(None, [command.notes, examples]))
