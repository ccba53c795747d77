"""The places in the arguments of a person's own program: `{prompt}`, `{model?}`, `{cwd}`, `{system}`. Pure.

Each argument is filled once, and stays one argument: no shell reads it, for a place in what one would read (`sh -c`) is
refused, and a text that holds `{cwd}` stays as it is.
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
_SHELLS = frozenset({"ash", "bash", "csh", "dash", "fish", "ksh", "mksh", "sh", "tcsh", "zsh"})
_LONG_SCRIPT = "--command"
"""As fish calls its `-c`."""


def has_place(words: Sequence[str], name: str) -> bool:
    """True where one of the arguments has a place for it."""
    return any(found[1] == name for word in words for found in _PLACE.finditer(word))


def problems(program: str, words: Sequence[str], *, on_stdin: bool) -> Iterator[str]:
    """Yield what is wrong with such arguments of a program; `on_stdin`: it reads its prompt there."""
    for word in words:
        for found in _PLACE.finditer(word):
            name, is_optional = found[1], bool(found[2])
            if name not in PLACES:
                yield hinted(f"unknown place {found[0]}", found[0], [f"{{{one}}}" for one in PLACES])
            elif is_optional and name not in _OPTIONAL:
                yield f"{found[0]} is never left out: write {{{name}}}"
    shell, script = _script(program, words)
    if place := _PLACE.search(script):
        how = """as in ["-c", 'ask "$1"', "sh", "{prompt}"]"""
        yield f"{place[0]} would be read by {shell} as a part of its script: give it as a word of its own, {how}"
    if has_place(words, PROMPT) and on_stdin:
        yield 'the prompt is in args and on stdin: leave out {prompt}, or prompt = "stdin"'
    elif not has_place(words, PROMPT) and not on_stdin:
        yield 'no place for the prompt: add "{prompt}", or prompt = "stdin"'


def _script(program: str, words: Sequence[str]) -> tuple[str, str]:
    """Return the name of a shell that reads one of the words as a script, and that word; `env` may start it."""
    command = [program, *words]
    names = [word.rpartition("/")[2] for word in command]
    at = next((place for place, name in enumerate(names) if name in _SHELLS), 0) if names[0] == "env" else 0
    if names[at] not in _SHELLS:
        return "", ""
    is_next, before = False, ""
    for word in command[at + 1 :]:
        if word.startswith(_LONG_SCRIPT) or (word.startswith("-") and not word.startswith("--") and "c" in word):
            is_next = True
            if _PLACE.search(word):
                return names[at], word
        elif word[:1] not in {"-", "+"} and not _takes_value(before, is_next=is_next):
            return names[at], word if is_next else ""
        before = word
    return names[at], ""


def _takes_value(option: str, *, is_next: bool) -> bool:
    """Tell whether the word behind an option of a shell may be its value: `-o pipefail`, `--rcfile FILE`."""
    if option.startswith("--"):
        return len(option) > len("--") and not is_next
    return option[:1] in {"-", "+"} and option[-1] in "oO"


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
