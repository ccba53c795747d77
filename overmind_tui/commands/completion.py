"""What the command line's own table says of a verb: its options and its words.

`:` runs the command line, so it completes and reads what that would read. The table is loaded one verb at a time, when
somebody types it.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_SIGNALS = tuple(sorted(number.name.removeprefix("SIG") for number in signal.Signals))


class Known(NamedTuple):
    """A verb as the command line has it.

    Attributes:
        flags: All its options, the long ones first.
        valued: Those whose value may be the next word.
        missions: Whether its words are missions.
        words: What else its words may be.
    """

    flags: tuple[str, ...] = ()
    valued: frozenset[str] = frozenset()
    missions: bool = False
    words: tuple[str, ...] = ()


@lru_cache
def known(verb: str) -> Known:
    """What is known of a verb; nothing of one that the command line has not."""
    from overmind_core.cli import table  # noqa: PLC0415 - not for the first frame

    module = table.COMMANDS.get(verb)
    if module is None:
        return Known()
    command = __import__(module, fromlist=["COMMAND"]).COMMAND
    names = [name for option in command.options for name in option.names]
    choices = [str(word) for one in command.arguments for word in one.settings.get("choices") or ()]
    return Known(
        flags=tuple(sorted(names, key=lambda name: not name.startswith("--"))),
        valued=frozenset(name for option in command.options if option.takes_value for name in option.names),
        missions=any(one.settings.get("metavar") == "id" for one in command.arguments),
        words=(*choices, *(_SIGNALS if verb == "signal" else ())),
    )


def plain(verb: str, words: Sequence[str]) -> list[str]:
    """The words that are no options and no options' values."""
    valued = known(verb).valued
    found: list[str] = []
    skip = False
    for place, word in enumerate(words):
        if word == "--":
            return [*found, *words[place + 1 :]]
        if not skip and not (word.startswith("-") and word != "-"):
            found.append(word)
        skip = not skip and word in valued
    return found
