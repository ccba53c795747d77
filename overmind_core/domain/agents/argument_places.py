"""The places in the arguments of a person's own program: `{prompt}`, `{model?}`, `{cwd}`, `{system}`. Pure.

Each argument is filled once, and stays one argument: no shell reads it, and a text that holds `{cwd}` stays as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from overmind_core.domain.text.problems import hinted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PROMPT, MODEL, CWD, SYSTEM = "prompt", "model", "cwd", "system"
PLACES = (PROMPT, MODEL, CWD, SYSTEM)
_OPTIONAL = frozenset({MODEL, SYSTEM})
"""What a person may leave out: `{model?}` leaves its argument out then, and the option before it."""
_PLACE = re.compile(r"\{([A-Za-z_]+)(\??)\}")


def has_place(words: Sequence[str], name: str) -> bool:
    """True where one of the arguments has a place for it."""
    return any(found[1] == name for word in words for found in _PLACE.finditer(word))


def problems(words: Sequence[str], *, on_stdin: bool) -> Iterator[str]:
    """Yield what is wrong with such arguments; `on_stdin`: the program reads its prompt there."""
    for word in words:
        for found in _PLACE.finditer(word):
            name, is_optional = found[1], bool(found[2])
            if name not in PLACES:
                yield hinted(f"unknown place {found[0]}", found[0], [f"{{{one}}}" for one in PLACES])
            elif is_optional and name not in _OPTIONAL:
                yield f"{found[0]} is never left out: write {{{name}}}"
    if has_place(words, PROMPT) and on_stdin:
        yield 'the prompt is in args and on stdin: leave out {prompt}, or prompt = "stdin"'
    elif not has_place(words, PROMPT) and not on_stdin:
        yield 'no place for the prompt: add "{prompt}", or prompt = "stdin"'


def missing(words: Sequence[str], values: Mapping[str, str | None]) -> list[str]:
    """Return the names of places that have to be filled and that nothing is given for."""
    wanted = [found[1] for word in words for found in _PLACE.finditer(word) if not found[2]]
    return list(dict.fromkeys(name for name in wanted if not values.get(name)))


def filled(words: Sequence[str], values: Mapping[str, str | None]) -> list[str]:
    """Return the arguments with these values in their places; the optional ones that have none are left out."""
    made: list[str] = []
    is_option = False
    for word in words:
        places = list(_PLACE.finditer(word))
        if any(found[2] and not values.get(found[1]) for found in places):
            if is_option and len(places) == 1 and places[0][0] == word:
                made.pop()
            is_option = False
            continue
        made.append(_PLACE.sub(lambda found: values.get(found[1]) or "", word))
        is_option = word.startswith("-") and not places and "=" not in word
    return made
