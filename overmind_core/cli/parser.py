"""From words to arguments: an argparse parser made of a command's table, with our own words for mistakes.

Below it what the words after options mean: `duration`, `whole_number`, `label` and others each check or convert one
word, and raise ValueError with a text for the person. A `--timeout` that limits a run is milliseconds without a unit,
and who seems to mean seconds is warned; one of who only waits is seconds.
"""

from __future__ import annotations

import argparse
import re

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
        _refuse_numbers(parser, command, given)
        return _with_format(parser.parse_intermixed_args(given))
    options, rest = split_rest(command.options, given)
    arguments: list[str] = []
    for _ in command.arguments:  # these come before the command, with options before, between and after them
        arguments += rest[:1]
        more, rest = split_rest(command.options, rest[1:])
        options += more
    _refuse_numbers(parser, command, options)
    args = parser.parse_args([*_joined(command.options, options), *(["--", *arguments] if arguments else [])])
    args.rest = rest
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
            settings["type"] = _with_reason(settings["type"])  # type: ignore[arg-type]
        parser.add_argument(*parameter.names, **settings)  # type: ignore[arg-type]
    return parser


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
        raise UsageError(f"{self._explain(message)} See: {self.prog} --help")

    def _explain(self, message: str) -> str:
        if message.startswith(_REQUIRED):
            return f"Missing {message.removeprefix(_REQUIRED)}."
        if found := _OF_ARGUMENT.fullmatch(message):
            return self._explain_one(_long(found[1]), found[2])
        if not message.startswith(_UNRECOGNIZED):
            return f"{message}."
        word = message.removeprefix(_UNRECOGNIZED).split(" ")[0].split("=")[0]
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
        return f"{name}: {message}."

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Refuse what is none of the choices, in our words."""
        if action.choices is None or value in action.choices:
            return
        from overmind_core.domain.text.cells import did_you_mean

        known = [str(choice) for choice in action.choices]
        meant = did_you_mean(str(value), known) or f" Choose {_listed(known)}"
        raise argparse.ArgumentError(action, f"{value!r} is not known.{meant.removesuffix('.')}")


def _long(names: str) -> str:
    """Of `-n/--name` the name that says what it is."""
    return next((name for name in names.split("/") if name.startswith("--")), names)


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]


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
        raise ValueError(f"{word!r} is not a whole number of 0 or more")
    return int(word)


def positive_number(word: str) -> int:
    """Return a whole number from 1 up."""
    number = whole_number(word)
    if not number:
        raise ValueError(f"{word!r} is not a whole number of 1 or more")
    return number


def dollars(word: str) -> float:
    """Return an amount of US dollars above 0, such as 2.50 or $2.50."""
    digits = word.removeprefix("$")
    if not digits.isascii() or not digits.replace(".", "", 1).isdigit() or not 0 < float(digits) < float("inf"):
        raise ValueError(f"{word!r} is not an amount of US dollars above 0, such as 2.50")
    return float(digits)


def terminal_size(word: str) -> tuple[int, int]:
    """Return columns and rows of `80x24`."""
    from overmind_core.domain.text.cells import MOST_CELLS  # start-up: only where one is given

    columns, _, rows = word.partition("x")
    try:
        size = whole_number(columns), whole_number(rows)
    except ValueError:
        raise ValueError(f"{word!r} is not a size: write columns x rows, such as 80x24") from None
    if not all(1 <= cells <= MOST_CELLS for cells in size):
        raise ValueError(f"{word!r} is not a size: columns and rows are 1 to {MOST_CELLS} each")
    return size


def label(word: str) -> tuple[str, str]:
    """Return key and value of `key=value`."""
    key, equals, value = word.partition("=")
    if not key or not equals:
        raise ValueError(f"{word!r} is not a label: write key=value")
    return key, value


def label_filter(word: str) -> str:
    """Check `key` or `key=value`; it travels as it was written."""
    if not word.partition("=")[0]:
        raise ValueError(f"{word!r} is not a label: write key or key=value")
    return word


def label_change(word: str) -> tuple[str, str | None]:
    """Return key and value of `key=value`, or key and None of `key-`, which removes it."""
    if "=" not in word and word.endswith("-") and len(word) > 1:
        return word[:-1], None
    return label(word)


def mission_name(word: str) -> str:
    """Check a name that a person chooses."""
    from overmind_core.domain.missions.names import name_problem  # start-up: only where one is given

    problem = name_problem(word)
    if problem is not None:
        raise ValueError(f"{word[:80]!r} is not a name. {problem}")
    return word


def status_word(word: str) -> str:
    """Check a status."""
    from overmind_core.domain.missions.mission import Status  # start-up, as above

    return _one_of(word, [status.value for status in Status])


def quest_status_word(word: str) -> str:
    """Check a quest's status."""
    from overmind_core.domain.quests import QuestStatus  # start-up, as above

    return _one_of(word, [status.value for status in QuestStatus])


def _one_of(word: str, known: Sequence[str]) -> str:
    if word not in known:
        raise ValueError(f"{word!r} is not a status. Choose {_listed(known)}")
    return word


def signal_name(word: str) -> str:
    """Return a signal's name without SIG, of `HUP`, `SIGHUP`, `hup` or `1`."""
    from signal import Signals  # start-up, as above

    text = word.upper().removeprefix("SIG")
    try:
        return (Signals(int(text)) if text.isdigit() else Signals[f"SIG{text}"]).name.removeprefix("SIG")
    except (KeyError, ValueError):
        raise ValueError(f"{word!r} is not a signal. Use a name such as TERM, INT or HUP") from None


def variable_pair(word: str) -> str:
    """Check `NAME=VALUE`, or `NAME` alone; it travels as it was written."""
    if not word.partition("=")[0]:
        raise ValueError(f"{word!r} is not a variable: write NAME=VALUE")
    return word


def permission_rule(word: str) -> str:
    """Check a rule such as `Bash(git status)`; it travels as it was written."""
    from overmind_core.domain.agents.permission import parse as parse_rule  # start-up, as above

    parse_rule(word)
    return word


def time_zone(word: str) -> str:
    """Check a time zone such as Europe/Berlin."""
    from zoneinfo import ZoneInfo  # start-up, as above

    try:
        ZoneInfo(word)
    except (OSError, ValueError, LookupError):
        raise ValueError(f"{word!r} is not a time zone. Write one such as Europe/Berlin") from None
    return word


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
