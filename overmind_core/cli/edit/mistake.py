"""What is wrong with an edited text, and in which line. Pure."""

from __future__ import annotations

import re

from overmind_core.errors import OvermindError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MARK = "#! "
"""Begins what we write above a text that has a mistake."""
ABOVE = 2
"""Lines that we write there."""
_ABOUT = {
    "name_taken": ("name",),
    "cwd_not_found": ("cwd",),
    "empty_command": ("command",),
    "not_found": ("command",),
    "provider_missing": ("agent",),
}
"""Error → the key that is wrong."""
_WORDS = {
    "A name ": ("name",),
    "restart policy": ("restart",),
    "signal": ("stop_signal",),
    "label": ("labels",),
    "environment variable": ("env",),
    "The command": ("command",),
    "Argument": ("command",),
}
"""Words of a sentence → the key that it is about."""
_OF_THE_AGENT = frozenset({"allow", "deny", "model", "permission_mode", "max_turns", "mcp_config", "prompt",
                           "allowed_tools", "disallowed_tools", "system_prompt", "append_system_prompt"})  # fmt: skip
_OTHERWISE = {"size": ("columns",), "agent_arg": ("agent", "arguments")}


class Mistake(Exception):
    """The text can't be stored as it is.

    Attributes:
        line: Where, from 1; 1 when nobody knows.
        sentence: What is wrong there.
    """

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(f"line {line}: {sentence}")
        self.line = line
        self.sentence = sentence


def told(error: OvermindError, text: str) -> Mistake:
    """Return what the daemon refused as a mistake in the text."""
    sentence = re.sub(r"--([a-z][a-z-]*)", lambda at: at[1].replace("-", "_"), error.message)
    return Mistake(line_of(text, _about(error.code, sentence)), sentence)


def _about(code: str, sentence: str) -> tuple[str, ...]:
    """The key that a refusal is about; () when nobody knows."""
    known = _ABOUT.get(code) or next((path for words, path in _WORDS.items() if words in sentence), None)
    if known is not None:
        return known
    named = re.match(r"[a-z][a-z_.]*", sentence)
    return _path(named[0]) if named else ()


def _path(name: str) -> tuple[str, ...]:
    if name in _OF_THE_AGENT:
        return ("agent", name)
    return _OTHERWISE.get(name, tuple(name.split(".")))


def line_of(text: str, path: Sequence[str]) -> int:
    """Return the line in which a key stands, from 1; that of its table when it has none, else 1."""
    table: tuple[str, ...] = ()
    nearest = 1
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line)
        if header:
            table = tuple(_bare(part) for part in header[1].split("."))
            nearest = number if list(table) == list(path[: len(table)]) else nearest
            continue
        key = re.match(r"""\s*("[^"]*"|'[^']*'|[\w.-]+)\s*=""", line)
        if key and _named(table, key[1]) == tuple(path)[: len(table) + key[1].count(".") + 1] != ():
            return number
    return nearest


def _named(table: tuple[str, ...], key: str) -> tuple[str, ...]:
    return (*table, _bare(key)) if key[0] in "\"'" else (*table, *key.split("."))


def _bare(part: str) -> str:
    return part.strip().strip("\"'")


def marked(text: str, mistake: Mistake) -> str:
    """Return the text with the mistake above it; the line is counted as the editor will."""
    said = f"Not stored: line {mistake.line + ABOVE}: {mistake.sentence}"
    return f"{MARK}{said}\n{MARK}Quit without saving to give up.\n{text}"


def unmarked(text: str) -> str:
    """Return the text without what we wrote above it."""
    lines = text.splitlines(keepends=True)
    while lines and lines[0].startswith(MARK.rstrip()):
        del lines[0]
    return "".join(lines)
