"""Arguments without argparse, which takes five milliseconds of a start: where words are flags and options alone."""

from __future__ import annotations

from overmind_core.cli.command import FORMAT
from overmind_core.errors import OvermindError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.cli.command import Command, Parameter


class FlagArguments:
    """The arguments of a command line that gives nothing but flags and options with a word, as attributes."""

    def __init__(self, values: dict[str, object]) -> None:
        self.__dict__ |= values


def parse_flags(command: Command, words: Sequence[str]) -> FlagArguments | None:
    """Return the arguments when `words` are nothing but flags and options with a word, as after most commands.

    None: there is more to parse, or something to say, and that takes argparse.
    """
    if command.rest or command.rewrite or any(one.is_required for one in command.arguments):
        return None
    values = {one.attribute: one.default for one in (*command.arguments, *command.options)}
    options = {name: one for one in command.options for name in one.names}
    left = iter(words)
    for word in left:
        one = options.get(word)
        if one is None:
            return None
        try:
            values[one.attribute] = _word_of(one, next(left, "-")) if one.takes_value else True
        except (ValueError, OvermindError):
            return None
    return FlagArguments(values)


def _word_of(one: Parameter, word: str) -> object:
    """Return the value of an option that a word gives.

    Raises:
        ValueError: it gives none, or argparse knows more about it; so do errors of the option's own reader.
    """
    parse, choices = one.settings.get("type", str), one.settings.get("choices")
    if word.startswith("-") or one.attribute == FORMAT or one.settings.get("action") or one.settings.get("nargs"):
        raise ValueError(word)
    value = parse(word)  # type: ignore[operator] # settings are a plain mapping
    if choices is not None and value not in choices:  # type: ignore[operator] # as above
        raise ValueError(word)
    return value
