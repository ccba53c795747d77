"""From words to arguments: an argparse parser made of a command's table, with our own words for mistakes.

Below it what the words after options mean: `duration`, `whole_number`, `label` and others each check or convert one
word, and raise ValueError with a text for the person. A `--timeout` that limits a run is milliseconds without a unit,
and who seems to mean seconds is warned; one of who only waits is seconds.
"""

from __future__ import annotations

import argparse
import os

from overmind_core.domain.text.duration import parse_duration
from overmind_core.errors import OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

    from overmind_core.cli.command import Command, Parameter
    from overmind_core.cli.context import Context


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
    parser = build_parser(command)
    if command.rest is None:
        return parser.parse_intermixed_args(list(words))
    options, rest = split_rest(command.options, words)
    given: list[str] = []
    for _ in command.arguments:  # these come before the command, with options before, between and after them
        given += rest[:1]
        more, rest = split_rest(command.options, rest[1:])
        options += more
    args = parser.parse_args([*_joined(command.options, options), *(["--", *given] if given else [])])
    args.rest = rest
    return args


def split_rest(options: Sequence[Parameter], words: Sequence[str]) -> tuple[list[str], list[str]]:
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


def _joined(options: Sequence[Parameter], words: Sequence[str]) -> list[str]:
    """Join the options whose value may begin with a dash to their values, lest argparse takes those for options."""
    dashed = {name for option in options if option.dashes for name in option.names}
    bound: list[str] = []
    for word in words:
        if bound and bound[-1] in dashed:
            bound[-1] = f"{bound[-1]}={word}"
        else:
            bound.append(word)
    return bound


def build_parser(command: Command) -> argparse.ArgumentParser:
    """Return the parser of one command."""
    parser = Parser(
        prog=f"overmind {command.name}",
        usage=usage_line(command),
        epilog=_epilog(command),
        formatter_class=_formatter,
        allow_abbrev=False,
    )
    parser.command = command
    return add_parameters(parser, command)


def add_parameters(parser: argparse.ArgumentParser, command: Command) -> argparse.ArgumentParser:
    """Give a parser the words and options of a command; return it."""
    for parameter in (*command.arguments, *command.options):
        settings = dict(parameter.settings)
        if "type" in settings:
            settings["type"] = _with_reason(settings["type"])  # type: ignore[arg-type]
        parser.add_argument(*parameter.names, **settings)  # type: ignore[arg-type]
    return parser


class Parser(argparse.ArgumentParser):
    """Raises where argparse would print and exit."""

    command: Command | None = None
    """Whose line its help says; looked up then: start-up."""

    def format_help(self) -> str:
        """Return what --help prints."""
        if self.command is not None:
            self.description = self.command.summary[:1].upper() + self.command.summary[1:] + "."
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Raise the mistake in our words.

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
        from overmind_core.domain.text.cells import did_you_mean  # only after a mistake

        return f"Unknown option {word}.{did_you_mean(word, self._option_string_actions)}"


def _with_reason(parse_value: Callable[[str], object]) -> Callable[[str], object]:
    """Let the text of a ValueError reach the person; argparse would hide it."""

    def parse_word(word: str) -> object:
        try:
            return parse_value(word)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        except OvermindError as error:
            raise argparse.ArgumentTypeError(error.message.rstrip(".")) from None

    return parse_word


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Return a formatter with a given width: asking for it is what makes argparse import shutil."""
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=30, width=_columns())


def _columns() -> int:
    try:
        return min(os.get_terminal_size(1).columns, _WIDTH)
    except OSError:
        return _WIDTH


def usage_line(command: Command) -> str:
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


MILLISECONDS = "ms"


def duration(word: str) -> str:
    """Check a duration of seconds or with a unit; it travels as it was written."""
    parse_duration(word)
    return word


def milliseconds(word: str) -> str:
    """Check a duration of milliseconds or with a unit; it travels as it was written."""
    parse_duration(word, default_unit=MILLISECONDS)
    return word


def whole_number(word: str) -> int:
    """Return a whole number that is not negative."""
    if not (word.isascii() and word.isdigit()):
        raise ValueError(f"{word!r} is not a whole number from 0 up")
    return int(word)


def positive_number(word: str) -> int:
    """Return a whole number from 1 up."""
    number = whole_number(word)
    if not number:
        raise ValueError(f"{word!r} is not a whole number from 1 up")
    return number


def dollars(word: str) -> float:
    """Return an amount of US dollars above 0, such as 2.50 or $2.50."""
    digits = word.removeprefix("$")
    if not digits.isascii() or not digits.replace(".", "", 1).isdigit() or not 0 < float(digits) < float("inf"):
        raise ValueError(f"{word!r} is not an amount of US dollars above 0, such as 2.50")
    return float(digits)


def terminal_size(word: str) -> tuple[int, int]:
    """Return columns and rows of `80x24`."""
    columns, _, rows = word.partition("x")
    try:
        return whole_number(columns), whole_number(rows)
    except ValueError:
        raise ValueError(f"{word!r} is not a size: write columns x rows, such as 80x24") from None


def label(word: str) -> tuple[str, str]:
    """Return key and value of `key=value`."""
    key, equals, value = word.partition("=")
    if not key or not equals:
        raise ValueError(f"{word!r} is not a label: write key=value")
    return key, value


def label_change(word: str) -> tuple[str, str | None]:
    """Return key and value of `key=value`, or key and None of `key-`, which removes it."""
    if "=" not in word and word.endswith("-") and len(word) > 1:
        return word[:-1], None
    return label(word)


PROBABLY_SECONDS = 1000
"""A bare number below this was probably meant in seconds."""


def timeout_seconds(given: str) -> float:
    """Return the seconds that a checked `--timeout` of who waits means."""
    return parse_duration(given)


def warn_about_milliseconds(given: str | None, context: Context) -> None:
    """Warn about a number without a unit that was probably meant in seconds."""
    number = given or ""
    if number.isdigit() and 0 < int(number) < PROBABLY_SECONDS:
        context.note(f"Warning: --timeout {number} means {number} milliseconds; for seconds write {number}s")
