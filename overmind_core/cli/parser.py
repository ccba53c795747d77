"""From words to arguments: an argparse parser made of a command's table, with our own words for mistakes."""

from __future__ import annotations

import argparse
import re

from overmind_core.cli.values import listed
from overmind_core.errors import OvermindError, UsageError, with_hint

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

    from overmind_core.cli.command import Command, Parameter


# argparse looks for translations, of which there are none, and imports locale for it: two milliseconds of each start.
argparse._ = str  # type: ignore[attr-defined] # not in its stub

_UNRECOGNIZED = "unrecognized arguments: "
_REQUIRED = "the following arguments are required: "
_OF_ARGUMENT = re.compile(r"argument (\S+): (.*)", re.DOTALL)
"""How argparse begins what it says about one option or word."""
_EXPECTED = re.compile("expected .*argument.*")
_IGNORED = re.compile("ignored explicit argument .*", re.DOTALL)
_NUMBER = re.compile("-[0-9]+")


def parse(command: Command, words: Sequence[str]) -> argparse.Namespace:
    """Return the arguments that `words` give.

    Raises:
        UsageError: they make no sense; the message says why.
        SystemExit: --help was asked for, and printed.
    """
    parser = build_parser(command)
    given = command.rewrite(list(words)) if command.rewrite else list(words)
    if command.rest is None:
        at = given.index("--") if "--" in given else len(given)
        given, words_only = given[:at], given[at + 1 :]
        _refuse_numbers(parser, command, given)
        return _with_format(parser.parse_intermixed_args([*given, *map(_hidden, words_only)]))
    options, rest = split_rest(command.options, given)
    arguments: list[str] = []
    for argument in command.arguments:  # these come before the command, with options before, between and after them
        if not argument.is_required and len(options) + len(rest) + len(arguments) < len(given):
            break  # behind `--` is the command
        arguments += rest[:1]
        more, rest = split_rest(command.options, rest[1:])
        options += more
    _refuse_numbers(parser, command, options)
    args = parser.parse_args([*_joined(command.options, options), *(["--", *arguments] if arguments else [])])
    args.rest = rest
    args.is_rest_marked = given[len(given) - len(rest) - 1 : len(given) - len(rest)] == ["--"]
    return _with_format(args)


def _with_format(args: argparse.Namespace) -> argparse.Namespace:
    """Make of `-o wide` --wide, and of any other format the JSON that it is made from."""
    wanted = getattr(args, "output", None)
    if wanted == "wide":
        args.wide = True
    elif wanted:
        args.json = True
    return args


def _refuse_numbers(parser: argparse.ArgumentParser, command: Command, words: Sequence[str]) -> None:
    """Refuse `-9`, which argparse takes for a word: `stop -1 api` must not act.

    Raises:
        UsageError: a number with a dash stands where no option's value does.
    """
    valued = {name for option in command.options if option.takes_value for name in option.names}
    for place, word in enumerate(words):
        if word == "--":
            return
        if _NUMBER.fullmatch(word) and not (place and words[place - 1] in valued):
            parser.error(f"{_UNRECOGNIZED}{word}")


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


_MARK = "\0"
"""Stands before a word that argparse would take for an option, also behind `--`; no argument of a program has one."""


def _hidden(word: str) -> str:
    return f"{_MARK}{word}" if word.startswith("-") else word


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
    parser = Parser(prog=f"overmind {command.name}", usage=command.name, formatter_class=_formatter, allow_abbrev=False)
    parser.command = command
    return add_parameters(parser, command)


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Return a formatter with a given width: asking for it is what makes argparse import shutil."""
    return argparse.HelpFormatter(prog, width=80)


def add_parameters(parser: argparse.ArgumentParser, command: Command) -> argparse.ArgumentParser:
    """Give a parser the words and options of a command; return it."""
    for parameter in (*command.arguments, *command.options):
        settings = dict(parameter.settings)
        if "type" in settings:
            settings["type"] = _with_reason(settings["type"])  # type: ignore[arg-type] # settings are a plain mapping
        if parameter in command.arguments:
            settings["type"] = _shown(settings.get("type", str))  # type: ignore[arg-type] # same
        parser.add_argument(*parameter.names, **settings)  # type: ignore[arg-type] # same
    return parser


def _shown(read: Callable[[str], object]) -> Callable[[str], object]:
    """Read a word as it was given."""
    return lambda word: read(word.removeprefix(_MARK))


class Parser(argparse.ArgumentParser):
    """Raises where argparse would print and exit."""

    command: Command | None = None
    """The command that its help is about."""

    def format_help(self) -> str:
        """Return what --help prints."""
        if self.command is None:
            return super().format_help()
        from overmind_core.cli.help import command_help

        return command_help(self.command) + "\n"

    def error(self, message: str) -> NoReturn:
        """Raise the mistake in our words.

        Raises:
            UsageError: always.
        """
        raise UsageError(with_hint(self._explain(message), f"See: {self.prog} --help"))

    def _explain(self, message: str) -> str:
        if message.startswith(_REQUIRED):
            return f"Missing {message.removeprefix(_REQUIRED)}."
        if found := _OF_ARGUMENT.fullmatch(message):
            return self._explain_one(_long(found[1]), found[2])
        if not message.startswith(_UNRECOGNIZED):
            return message
        word = message.removeprefix(_UNRECOGNIZED).split(" ")[0].split("=")[0]
        if word.startswith(_MARK):
            return f"Unexpected argument {word.removeprefix(_MARK)!r}."
        if not word.startswith("-"):
            return f"Unexpected argument {word!r}."
        from overmind_core.cli.synonyms import option_advice  # only after a mistake

        return f"Unknown option {word}.{option_advice(word, self._option_string_actions)}"

    @staticmethod
    def _explain_one(name: str, message: str) -> str:
        if _EXPECTED.fullmatch(message):
            return f"{name} needs a value."
        if _IGNORED.fullmatch(message):
            return f"{name} takes no value."
        return f"{name}: {message}"

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Refuse what is none of the choices, in our words."""
        if action.choices is None or value in action.choices:
            return
        from overmind_core.domain.text.cells import did_you_mean

        known = [str(choice) for choice in action.choices]
        meant = did_you_mean(str(value), known) or f" Choose {listed(known)}"
        raise argparse.ArgumentError(action, f"{value!r} is not known.{meant.removesuffix('.')}")


def _long(names: str) -> str:
    """Of `-n/--name` the name that says what it is."""
    return next((name for name in names.split("/") if name.startswith("--")), names)


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
