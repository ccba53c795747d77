"""Bytes of a terminal → keys, with the real program's ideas of what is a paste. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

TYPED = 63
"""More bytes than this at once, without brackets, are a paste: an Enter among them is a line end."""
PASTE = re.compile(rb"\x1b\[200~(.*?)\x1b\[201~", re.DOTALL)
SEQUENCE = re.compile(rb"\x1b\[[0-9;:<=>?]*[A-Za-z~]|\x1bO[A-Z]|\x1b\r|\x1b[\]P_^].*?(?:\x07|\x1b\\)", re.DOTALL)
NAMES = {
    b"\x1b[A": "up",
    b"\x1b[B": "down",
    b"\x1b\r": "newline",
    b"\r": "enter",
    b"\n": "newline",
    b"\x03": "ctrl-c",
    b"\x04": "ctrl-d",
    b"\x15": "ctrl-u",
    b"\x7f": "backspace",
}
PASTE_START = b"\x1b[200~"
LONGEST = 800
"""UTF-16 units of a paste that stays what it is; a longer one is wrapped."""
LINE_ENDS = 2
"""The same in line ends."""
WRAP_START, WRAP_END = '<pasted_content id="5fed">\n', '\n</pasted_content id="5fed">\n'


class Key(NamedTuple):
    """One key: `text` and `paste` carry words, all others only a name."""

    name: str
    text: str = ""


class Keyboard:
    """Cuts what a terminal sends; keeps what is not complete."""

    def __init__(self) -> None:
        self._pending = b""

    @property
    def waiting(self) -> bool:
        """Whether something is there that may become a sequence, or is a lone Escape."""
        return bool(self._pending) and not self._pending.startswith(PASTE_START)

    def feed(self, data: bytes) -> list[Key]:
        """Return the keys that are complete."""
        if len(data) > TYPED and b"\x1b" not in data and not self._pending:
            return [Key("paste", _cleaned(data))]
        self._pending += data
        keys = []
        while key := self._next():
            keys.append(key)
        return keys

    def flush(self) -> list[Key]:
        """Nothing follows: what waits is an Escape, or nothing."""
        escape, self._pending = self._pending.startswith(b"\x1b"), b""
        return [Key("escape")] if escape else []

    def _next(self) -> Key | None:
        if self._pending.startswith(b"\x1b"):
            return self._escaped()
        if not self._pending:
            return None
        first = self._pending[:1]
        if first < b" " or first == b"\x7f":
            self._pending = self._pending[1:]
            return Key(NAMES.get(first, "other"))
        return self._typed()

    def _escaped(self) -> Key | None:
        if paste := PASTE.match(self._pending):
            self._pending = self._pending[paste.end() :]
            return Key("paste", _cleaned(paste[1]))
        sequence = None if self._pending.startswith(PASTE_START) else SEQUENCE.match(self._pending)
        if sequence:
            self._pending = self._pending[sequence.end() :]
            return Key(NAMES.get(sequence[0], "other"))
        return None

    def _typed(self) -> Key | None:
        run = re.match(rb"[^\x00-\x1f\x7f]+", self._pending)
        whole = _whole(run[0]) if run else b""
        self._pending = self._pending[len(whole) :]
        return Key("text", whole.decode(errors="replace")) if whole else None


def _whole(data: bytes) -> bytes:
    """Return `data` without a character at its end of which bytes are missing."""
    for missing in range(1, min(4, len(data)) + 1):
        lead = data[-missing]
        if lead >= 0xC0:
            length = 2 + (lead >= 0xE0) + (lead >= 0xF0)
            return data if length <= missing else data[:-missing]
        if lead < 0x80:
            break
    return data


def wrapped(text: str) -> str:
    """Return a paste as the message carries it: a long one between tags."""
    if text.count("\n") <= LINE_ENDS and len(text.encode("utf-16-le")) // 2 <= LONGEST:
        return text
    return f"\n\n{WRAP_START}{text}{WRAP_END}"


def _cleaned(data: bytes) -> str:
    """Return pasted text as the program takes it: no control characters but line ends, blanks for tabs."""
    text = re.sub(rb"\x1b\[[0-9;]*[A-Za-z]", b"", data).decode(errors="replace")
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    return "".join(character for character in text if character == "\n" or character.isprintable())
