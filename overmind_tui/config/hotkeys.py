"""Keys of a person's own, each a line after `:`, as config.toml names them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from overmind_tui import actions, actiontable
from overmind_tui.actions import TAKES_EVERYTHING, Context

CONTEXTS = {
    "missions": Context.MISSIONS, "logs": Context.LOG, "tables": Context.TABLE, "texts": Context.TEXT,
    "inbox": Context.NEEDS, "terminal": Context.LOOKING,
}  # fmt: skip
"""What config.toml calls a context."""
KEPT = frozenset({":", "escape", "ctrl+c", "enter", "ctrl+q", "ctrl+p"})
"""Keys that nobody can take: without them there is no way out."""
_NAMES = {shown.lower(): key for key, shown in actions.KEY_NAMES.items()} | {
    "up": "up", "down": "down", "left": "left", "right": "right", "insert": "insert", "delete": "delete",
    "backspace": "backspace", "escape": "escape", "pageup": "pageup", "pagedown": "pagedown",
    "ctrl-space": "ctrl+@", "ctrl-\\": "ctrl+backslash", "ctrl-]": "ctrl+right_square_bracket",
}  # fmt: skip
_FUNCTION = re.compile(r"f([1-9]|1[0-9]|2[0-4])")
_MODIFIED = re.compile(r"((?:(?:ctrl|alt|shift)[-+])+)(.+)")
_FIELDS = {"line", "context", "override"}


class Hotkey(NamedTuple):
    """One key: `context` None is everywhere but where keys are text."""

    key: str
    line: str
    context: Context | None = None

    def counts_in(self, context: Context) -> bool:
        """Whether it does its work there."""
        return context not in TAKES_EVERYTHING and self.context in {None, *actiontable.chain(context)}


def read(key: str, value: object) -> Hotkey:
    """A row of `[tui.hotkeys]`.

    Raises:
        ValueError: it makes no sense, or the key is taken; with a sentence.
    """
    table = {"line": value} if isinstance(value, str) else value
    if not isinstance(table, Mapping) or not set(table) <= _FIELDS or not isinstance(table.get("line"), str):
        raise ValueError('write a line, or { line = "top", context = "missions", override = true }')
    line = table["line"].strip().lstrip(":").strip()
    if not line:
        raise ValueError("its line is empty")
    name, context = named(key), _context(table.get("context"))
    taken = _taken(name, context)
    if name in KEPT:
        raise ValueError(f"{key} can't be taken: {taken or 'it leads out of everything'}")
    if taken and table.get("override") is not True:
        raise ValueError(f"{key} is taken: {taken}; override = true takes it")
    return Hotkey(name, line, context)


def named(text: str) -> str:
    """The name of a key that somebody wrote as `ctrl-t`, `shift-n`, `f5`, `alt-x`, `u` or `PgDn`.

    Raises:
        ValueError: there is no such key.
    """
    lower = text.strip().lower()
    if lower in _NAMES:
        return _NAMES[lower]
    if len(text) == 1 and text.isprintable() and not text.isspace():
        return text
    if _FUNCTION.fullmatch(lower):
        return lower
    found = _MODIFIED.fullmatch(lower)
    if found is None:
        raise ValueError(f"{text!r} is no key: write ctrl-t, shift-n, alt-x, f5, space or one character")
    modifiers = sorted(set(re.split("[-+]", found[1].strip("-+"))))
    if modifiers == ["shift"] and len(found[2]) == 1 and found[2].isalpha():
        return found[2].upper()
    return "+".join([*modifiers, _base(text, found[2])])


def _base(text: str, word: str) -> str:
    if _FUNCTION.fullmatch(word) or (len(word) == 1 and word.isalnum()):
        return word
    if word in _NAMES and "+" not in _NAMES[word]:
        return _NAMES[word]
    raise ValueError(f"{text!r} is no key: {word!r} has no name")


def _context(word: object) -> Context | None:
    if word is None:
        return None
    if not isinstance(word, str) or word not in CONTEXTS:
        raise ValueError(f"context: write one of {', '.join(CONTEXTS)}")
    return CONTEXTS[word]


def _taken(key: str, context: Context | None) -> str:
    """What the key does already where it would count; "" for nothing."""
    contexts = [one for one in Context if one not in TAKES_EVERYTHING] if context is None else [context]
    found = next((one for one in contexts if key in actiontable.keymap(one)), None)
    return "" if found is None else f"{actiontable.keymap(found)[key].label} ({found.value})"
