"""Bytes cut into tokens, each handed to what it means; whatever the end of a chunk cuts waits for the next one."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from functools import lru_cache

from overmind_core.terminal.cursor import Parameters
from overmind_core.terminal.dispatch import SEQUENCES, control_code, escape_sequence
from overmind_core.terminal.draw import draw, draw_character, draw_wide, new_line
from overmind_core.terminal.flood import plain_flood, styled_flood
from overmind_core.terminal.sgr import select
from overmind_core.terminal.state import State
from overmind_core.terminal.strings import device_string, system_command
from overmind_core.terminal.tokens import CUT, REST, STRING_END, TOKEN, Kind

STRING_LIMIT = 1 << 20
"""Characters of an OSC or DCS; a longer one is skipped whole."""
SEQUENCE_LIMIT = 1024
"""Characters of a control sequence; a longer one is skipped up to its end."""
FAULTS_LIMIT = 8

_TEXT, _STYLED, _LINE, _SEQUENCE = int(Kind.TEXT), int(Kind.STYLED), int(Kind.LINE), int(Kind.SEQUENCE)
_HANDLERS: dict[int, Callable[[State, str], None]] = {
    Kind.PLAIN_FLOOD: plain_flood,
    Kind.STYLED_FLOOD: styled_flood,
    Kind.CONTROL: control_code,
    Kind.NARROW: draw,
    Kind.WIDE: draw_wide,
    Kind.ESCAPE: escape_sequence,
    Kind.COMMAND: system_command,
    Kind.ANY: draw_character,
}


@lru_cache(maxsize=4096)
def numbers(text: str) -> Parameters | None:
    """The parameters of a control sequence, 0 where one is left out; None when it has subparameters."""
    if ":" in text:
        return None
    return tuple([int(part[:6] or 0) for part in text.split(";")]) if text else ()


class Stream:
    """The bytes of one program on their way to its `state`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._cut = ""
        """The beginning of a sequence."""
        self._skipping = False
        """Inside of a control sequence that is too long."""
        self._string = ""
        """The kind of string that has begun, or ""."""
        self._parts: list[str] = []
        self._length = 0
        self.faults: list[Exception] = []
        """What handlers raised, the first few: each is a mistake of ours and cost one token."""

    def feed(self, data: bytes) -> None:
        """The next bytes, cut anywhere."""
        text = self._cut + self._decoder.decode(data)
        self._cut = ""
        place = 0
        while place < len(text):
            if self._string:
                place = self._in_string(text, place)
            elif self._skipping:
                place = self._skip(text, place)
            else:
                place = self._tokens(text, place)

    def _tokens(self, text: str, place: int) -> int:
        """Handle tokens until one needs another state; where to go on."""
        state = self._state
        token: re.Match[str] | None = None
        try:
            for token in TOKEN.finditer(text, place):
                kind = token.lastindex
                if kind == _STYLED:
                    parameters, found = token.group(3, 4)
                    state.style = state.style.following.get(parameters) or select(state.style, parameters)
                    if found:
                        draw(state, found)
                elif kind == _TEXT:
                    draw(state, token[_TEXT])
                elif kind == _LINE:
                    new_line(state, token[_LINE])
                elif kind == _SEQUENCE:
                    prefix, parameters, final = token.group(5, 6, 7)
                    handler = SEQUENCES.get(prefix + final)
                    if handler and (given := numbers(parameters)) is not None:
                        handler(state, given)
                elif kind and (simple := _HANDLERS.get(kind)):
                    simple(state, token[kind])
                else:
                    return self._rare(text, token)
        except Exception as error:  # noqa: BLE001 (the boundary: one bad token must not cost the rest of the output)
            self.faults = [*self.faults, error][:FAULTS_LIMIT]
            return token.end() if token else len(text)
        return len(text)

    def _rare(self, text: str, token: re.Match[str]) -> int:
        """The beginning of a string, or an odd sequence."""
        if token.lastindex == Kind.STRING:
            self._string = token[Kind.STRING]
            return token.end()
        return self._odd(text, token.start())

    def _in_string(self, text: str, place: int) -> int:
        """Take the string up to its end, or all; BEL ends a system command only."""
        found = STRING_END.search(text, place)
        end = found.start() if found else len(text)
        if self._string in "]P" and self._length <= STRING_LIMIT:
            self._parts.append(text[place:end])
        self._length += end - place
        if found is None:
            return end
        if found[0] == "\x07" and self._string != "]":
            return end + 1
        if found[0] == "\x1b" and end + 1 == len(text):
            self._cut = "\x1b"
            return len(text)
        self._end_string(taken=found[0] not in "\x18\x1a")
        return end + 1 if found[0] != "\x1b" else end + 2 * text.startswith("\\", end + 1)

    def _end_string(self, *, taken: bool) -> None:
        kind, body = self._string, "".join(self._parts)
        fits = self._length <= STRING_LIMIT
        self._string, self._parts, self._length = "", [], 0
        if not (taken and fits):
            return
        try:
            if kind == "]":
                system_command(self._state, body)
            elif kind == "P":
                device_string(self._state, body)
        except Exception as error:  # noqa: BLE001 (as above)
            self.faults = [*self.faults, error][:FAULTS_LIMIT]

    def _skip(self, text: str, place: int) -> int:
        """The rest of a sequence that was too long, with its last byte."""
        found = REST.match(text, place)
        end = found.end() if found else place
        if end < len(text):
            self._skipping = False
            return end + ("@" <= text[end] <= "~")
        return end

    def _odd(self, text: str, place: int) -> int:
        """An escape that is cut waits; one with controls inside runs them at once; CAN, SUB and ESC end it."""
        if CUT.match(text, place):
            self._skipping = len(text) - place > SEQUENCE_LIMIT
            self._cut = "" if self._skipping else text[place:]
            return len(text)
        sequence = "\x1b"
        for end in range(place + 1, len(text)):
            character = text[end]
            if character in "\x18\x1a\x1b":
                return end + (character != "\x1b")
            if character < " " or character == "\x7f":
                control_code(self._state, character)
                continue
            if len(sequence) > SEQUENCE_LIMIT:
                self._skipping = True
                return end
            sequence += character
            if _may_end(sequence) and self._complete(sequence):
                return end + 1
        self._cut = sequence
        return len(text)

    def _complete(self, sequence: str) -> bool:
        """Whether the sequence has ended; if it means something, that is done."""
        if CUT.match(sequence):
            return False
        token = TOKEN.match(sequence)
        if token and token.end() == len(sequence) and token.lastindex != Kind.ODD:
            self._tokens(sequence, 0)
        return True


def _may_end(sequence: str) -> bool:
    """Whether the last character can be the last one of a sequence: a look that saves many."""
    last = sequence[-1]
    return last > "?" or (last > "/" and not sequence.startswith("\x1b["))
