"""The parser: bytes cut into tokens, and the handler of each; whatever the end of a chunk cuts waits for the next one.

One regular expression finds most of a terminal's language whole. Text behind a colour or a line end belongs to the same
token: that is how most output looks, and each token costs.

The handlers are those of pyte's own table of events, and what it lacks. A key is everything of a sequence but its
numbers: `?h` for `CSI ? 25 h`, ` q` for `CSI 2 SP q`.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from enum import IntEnum
from functools import lru_cache

import pyte
from pyte import escape

from overmind_core.terminal import cursor, edit, reports, switches
from overmind_core.terminal.cells import NARROW, WIDE
from overmind_core.terminal.cursor import Parameters
from overmind_core.terminal.draw import draw, draw_character, draw_wide, new_line, plain_flood, repeat, styled_flood
from overmind_core.terminal.reports import device_string, system_command
from overmind_core.terminal.sgr import select
from overmind_core.terminal.state import SLOTS, Bell, TerminalState


class TokenKind(IntEnum):
    """What a token is, as the number of its last group."""

    PLAIN_FLOOD = 1
    """Many plain lines."""
    TEXT = 2
    STYLED = 4
    """SGR (group 3) and the text behind it."""
    SEQUENCE = 7
    """A control sequence: prefix (5), numbers (6), the rest."""
    STYLED_FLOOD = 8
    """A line end and many lines of text and SGR behind it."""
    LINE = 9
    """A line end and the text behind it."""
    CONTROL = 10
    """A control, or a sequence that another escape cuts off."""
    NARROW = 11
    """Text of characters of one cell."""
    WIDE = 12
    """Text of characters of two cells."""
    ESCAPE = 13
    """An escape sequence without numbers."""
    COMMAND = 14
    """A whole system command."""
    STRING = 15
    """The beginning of any string."""
    ANY = 16
    """Any other character."""
    ODD = 17
    """An escape that begins a sequence which is cut, too long, or has controls inside."""


TOKEN = re.compile(
    r"((?:[ -~]*+\r\n){8,})"  # 1
    r"|([ -~]++)"  # 2
    r"|\x1b\[([0-9;:]{0,256}+)m([ -~]*+)"  # 3, 4
    r"|\x1b\[([<-?]?)([0-9;:]{0,256}+)([ -/]{0,4}+[@-~])"  # 5, 6, 7
    r"|\r\n((?:(?:[ -~]++|\x1b\[[0-9;:]{0,256}+m)*\r\n){8,})"  # 8
    r"|\r\n([ -~]*+)"  # 9
    r"|([\x00-\x1a\x1c-\x1f\x7f]|\x1b(?:\[[ -?]{0,256}+|[ -/]{1,8}+)?(?=\x1b))"  # 10
    rf"|([ -~{NARROW}]++)"  # 11
    rf"|([{WIDE}]++)"  # 12
    r"|\x1b([ -/]{1,4}+[0-~]|[0-OQ-WYZ\\`-~])"  # 13
    r"|\x1b\]([^\x00-\x1f\x7f\x9c]{0,4096}+)(?:\x07|\x1b\\)"  # 14
    r"|\x1b([\]PX^_])"  # 15
    r"|([^\x00-\x1f\x7f])"  # 16
    r"|(\x1b)"  # 17
)
STRING_END = re.compile("[\x07\x18\x1a\x1b\x9c]")
CUT = re.compile(r"\x1b(?:\[[ -?]*+|[ -/]*+)\Z")
"""A sequence whose end is not there yet."""
REST = re.compile("[ -?]*+")
"""What a control sequence consists of before its last byte."""


Sequence = Callable[[TerminalState, cursor.Parameters], None]
Simple = Callable[[TerminalState], None]


def _repeat(state: TerminalState, parameters: cursor.Parameters) -> None:
    """REP."""
    repeat(state, cursor.number(parameters))


def _bell(state: TerminalState) -> None:
    state.emit(Bell())


def _nothing(state: TerminalState) -> None:
    del state


_EVENTS: dict[str, Sequence] = {
    "insert_characters": edit.insert_characters,
    "cursor_up": cursor.cursor_up,
    "cursor_down": cursor.cursor_down,
    "cursor_forward": cursor.cursor_forward,
    "cursor_back": cursor.cursor_back,
    "cursor_down1": cursor.cursor_down1,
    "cursor_up1": cursor.cursor_up1,
    "cursor_to_column": cursor.cursor_to_column,
    "cursor_position": cursor.cursor_position,
    "erase_in_display": edit.erase_in_display,
    "erase_in_line": edit.erase_in_line,
    "insert_lines": edit.insert_lines,
    "delete_lines": edit.delete_lines,
    "delete_characters": edit.delete_characters,
    "erase_characters": edit.erase_characters,
    "report_device_attributes": reports.report_device_attributes,
    "cursor_to_line": cursor.cursor_to_line,
    "clear_tab_stop": cursor.clear_tab_stop,
    "set_mode": switches.set_mode,
    "reset_mode": switches.reset_mode,
    "report_device_status": reports.report_device_status,
    "set_margins": cursor.set_margins,
}
_SIMPLE_EVENTS: dict[str, Simple] = {
    "bell": _bell,
    "backspace": cursor.backspace,
    "tab": cursor.tab,
    "linefeed": cursor.linefeed,
    "carriage_return": cursor.carriage_return,
    "shift_out": lambda state: switches.shift(state, 1),
    "shift_in": lambda state: switches.shift(state, 0),
    "reset": switches.reset,
    "index": cursor.index,
    "reverse_index": cursor.reverse_index,
    "set_tab_stop": cursor.set_tab_stop,
    "save_cursor": switches.save_cursor,
    "restore_cursor": switches.restore_cursor,
    "alignment_display": edit.alignment_display,
}

SEQUENCES: dict[str, Sequence] = {
    **{final: _EVENTS[event] for final, event in pyte.Stream.csi.items() if event in _EVENTS},
    "`": cursor.cursor_to_column,  # pyte has HPA under another letter
    "e": cursor.cursor_to_relative_line,  # and stops VPR at the margins
    "b": _repeat,
    "I": cursor.forward_tabs,
    "Z": cursor.backward_tabs,
    "S": edit.scroll_up,
    "T": edit.scroll_down,
    "s": switches.save_cursor_alone,
    "u": switches.restore_cursor_alone,
    "t": reports.window,
    "?J": edit.erase_in_display,
    "?K": edit.erase_in_line,
    "?h": switches.set_private_mode,
    "?l": switches.reset_private_mode,
    "?n": reports.report_private_status,
    "?$p": reports.report_private_mode,
    "$p": reports.report_mode,
    ">c": reports.report_secondary_attributes,
    "?u": reports.report_keyboard_flags,
    ">u": switches.push_keyboard_flags,
    "<u": switches.pop_keyboard_flags,
    "=u": switches.set_keyboard_flags,
    ">m": switches.set_keyboard_resource,
    "!p": switches.soft_reset,
    " q": switches.set_cursor_shape,
}
"""CSI. SGR is no row: the stream handles it at once."""
del SEQUENCES[escape.HPA]  # pyte's letter for HPA; it is none

CONTROLS: dict[str, Simple] = {byte: _SIMPLE_EVENTS[event] for byte, event in pyte.Stream.basic.items()}
"""C0; all others do nothing."""

ESCAPES: dict[str, Simple] = {
    **{final: _SIMPLE_EVENTS[event] for final, event in pyte.Stream.escape.items()},
    **{f"#{final}": _SIMPLE_EVENTS[event] for final, event in pyte.Stream.sharp.items()},
    escape.NEL: cursor.next_line,  # pyte's does not return
    "=": switches.application_keypad,
    ">": switches.normal_keypad,
    "n": lambda state: switches.shift(state, 2),
    "o": lambda state: switches.shift(state, 3),
    "Z": lambda state: reports.report_device_attributes(state, ()),
}
"""ESC and the rest of a sequence that has no numbers; character sets apart."""


def control_code(state: TerminalState, code: str) -> None:
    """One C0 control."""
    CONTROLS.get(code, _nothing)(state)


def escape_sequence(state: TerminalState, rest: str) -> None:
    """What stands behind ESC, without numbers."""
    if rest[0] in SLOTS and len(rest) > 1:
        switches.define_charset(state, SLOTS.index(rest[0]), rest[1:])
    else:
        ESCAPES.get(rest, _nothing)(state)


STRING_LIMIT = 1 << 20
"""Characters of an OSC or DCS; a longer one is skipped whole."""
SEQUENCE_LIMIT = 1024
"""Characters of a control sequence; a longer one is skipped up to its end."""
FAULTS_LIMIT = 8

_TEXT, _STYLED, _LINE, _SEQUENCE = (
    int(TokenKind.TEXT),
    int(TokenKind.STYLED),
    int(TokenKind.LINE),
    int(TokenKind.SEQUENCE),
)
_HANDLERS: dict[int, Callable[[TerminalState, str], None]] = {
    TokenKind.PLAIN_FLOOD: plain_flood,
    TokenKind.STYLED_FLOOD: styled_flood,
    TokenKind.CONTROL: control_code,
    TokenKind.NARROW: draw,
    TokenKind.WIDE: draw_wide,
    TokenKind.ESCAPE: escape_sequence,
    TokenKind.COMMAND: system_command,
    TokenKind.ANY: draw_character,
}


@lru_cache(maxsize=4096)
def numbers(text: str) -> Parameters | None:
    """The parameters of a control sequence, 0 where one is left out; None when it has subparameters."""
    if ":" in text:
        return None
    return tuple([int(part[:6] or 0) for part in text.split(";")]) if text else ()


class Stream:
    """The bytes of one program on their way to its `state`."""

    def __init__(self, state: TerminalState) -> None:
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
        if token.lastindex == TokenKind.STRING:
            self._string = token[TokenKind.STRING]
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
        if token and token.end() == len(sequence) and token.lastindex != TokenKind.ODD:
            self._tokens(sequence, 0)
        return True


def _may_end(sequence: str) -> bool:
    """Whether the last character can be the last one of a sequence: a look that saves many."""
    last = sequence[-1]
    return last > "?" or (last > "/" and not sequence.startswith("\x1b["))
