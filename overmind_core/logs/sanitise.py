"""The sanitiser: what an agent wrote, as harmless lines of text for a person.

A returned or backspaced line shows its last state, as a terminal would; colours stay when asked for, and are closed
at the end of each line; a full-screen span becomes one line that says how much it was; every other escape sequence,
control and bidirectional character is dropped. Bytes may be cut anywhere: the lines don't depend on where.

Source: ECMA-48; XTerm Control Sequences (ctlseqs).
"""

from __future__ import annotations

import codecs
import re

from overmind_core.logs.line import PLAIN, RESET, LineCanvas, opening, restyled

ALTERNATE_SCREEN = frozenset((b"47", b"1047", b"1049"))
"""The private modes that switch to the other screen."""

_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
# Bidirectional controls, C1 controls (a terminal may act on them) and the separators that some take for newlines.
_UNSAFE = re.compile("[\x80-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_ESCAPE = re.compile(
    rb"\x1b(?:\[([0-?]{0,256})([ -/]{0,4})([@-~])"  # control sequence
    rb"|([\]PX^_])"  # the beginning of a string: title, link, image …
    rb"|[ -/]{1,4}[0-~]"  # character sets
    rb"|([0-Z\\`-~]))"
)
_CUT_ESCAPE = re.compile(rb"\x1b(?:\[[0-?]{0,256}[ -/]{0,4}|[ -/]{0,4})")
_LONGEST_ESCAPE = 264
_STRING_END = re.compile(rb"[\x07\x0a\x18\x1a\x1b]")
_SCREEN_SWITCH = re.compile(rb"\x1b(?:\[\?([0-9;]{1,64})([hl])|c)")
_UNITS = ("B", "KB", "MB", "GB", "TB")
_SPAN = re.compile(r"\[full-screen output, [\d.]+ [KMGT]?B\]")
_THOUSAND = 1000


class Sanitiser:
    """The lines of one stream; `colour`: keep SGR colours."""

    def __init__(self, *, colour: bool = False, full_screen: int = 0) -> None:
        """`full_screen`: how many bytes were written before on the alternate screen that is still shown."""
        self._colour = colour
        self._lines = LineCanvas()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._style = PLAIN
        self._state = self._full_screen if full_screen else self._ground
        self._carried = b""
        self._span = full_screen

    @property
    def partial(self) -> bool:
        """Whether a line has begun that no newline has ended yet."""
        return self._state != self._full_screen and not self._lines.empty

    @property
    def partial_line(self) -> str:
        """The line that no newline has ended yet, as it stands; a full-screen span so far; "" when there is none."""
        if self._state == self._full_screen:
            return _span_text(self._span)
        return self._lines.current if self.partial else ""

    @property
    def pending(self) -> bool:
        """Whether something was fed that no line shows yet."""
        return self._span > 0 or bool(self._carried) or not self._lines.empty

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes, without their newlines."""
        data, self._carried = self._carried + data, b""
        if b"\x1b" not in data and self._state == self._ground:
            data = self._unwrapped(data)
        position = 0
        while position < len(data):
            position = self._state(data, position)
        return self._taken()

    def flush(self) -> list[str]:
        """The last line, when it has no newline; a full-screen span that nothing ended. For the end of a stream."""
        self._write(self._decoder.decode(b"", final=True))
        self._carried = b""
        if self._span:
            self._end_span()
        self._lines.end()
        self._state, self._style = self._ground, PLAIN
        return self._taken()

    def _taken(self) -> list[str]:
        lines, self._lines.finished = self._lines.finished, []
        return lines

    def _unwrapped(self, data: bytes) -> bytes:
        """CRLF as LF, when no escape sequence is near; a CR that may be half of one waits for the next byte."""
        if data.endswith(b"\r"):
            self._carried = b"\r"
            data = data[:-1]
        return data.replace(b"\r\n", b"\n")

    def _ground(self, data: bytes, position: int) -> int:
        found = _CONTROL.search(data, position)
        end = found.start() if found else len(data)
        if end > position:
            self._plain(data[position:end], ends=found is not None)
        elif not position:
            self._write(self._decoder.decode(b"", final=True))
        if not found:
            return end
        return self._control(data, end)

    def _plain(self, data: bytes, *, ends: bool) -> None:
        """Text, newlines and tabs; `ends`: no byte of the same character can follow."""
        text = self._decoder.decode(data, final=ends)
        if not text.isascii():
            text = _UNSAFE.sub("", text)
        if "\n" not in text:
            self._write(text)
            return
        first, *whole, last = text.split("\n")
        self._write(first)
        self._lines.newline()
        self._finish(whole)
        self._write(last)

    def _finish(self, whole: list[str]) -> None:
        """Lines that hold nothing but text."""
        if self._style == PLAIN:
            self._lines.finished += whole
            return
        start = opening(self._style)
        self._lines.finished += [f"{start}{line}{RESET}" if line else "" for line in whole]

    def _write(self, text: str) -> None:
        if not text:
            return
        if self._lines.simple or "\t" not in text:
            self._lines.write(text, self._style)
            return
        first, *rest = text.split("\t")
        self._write(first)
        for part in rest:
            self._lines.tab(self._style)
            self._write(part)

    def _control(self, data: bytes, position: int) -> int:
        byte = data[position : position + 1]
        if byte == b"\x1b":
            return self._escape(data, position)
        if byte == b"\r":
            self._lines.carriage_return()
        elif byte == b"\b":
            self._lines.move(-1)
        return position + 1

    def _escape(self, data: bytes, position: int) -> int:
        found = _ESCAPE.match(data, position)
        if found is None:
            return self._cut_escape(data, position)
        parameters, middle, final, string, simple = found.groups()
        if final and not middle:
            self._sequence(parameters, final)
        elif string:
            self._state = self._string
        elif simple in {b"D", b"E", b"M", b"c"}:
            self._lines.end()
        return found.end()

    def _cut_escape(self, data: bytes, position: int) -> int:
        """An escape that goes on in the next bytes waits for them; one that is none is dropped."""
        if _CUT_ESCAPE.fullmatch(data, position):
            self._carried = data[position:]
            return len(data)
        return position + 1

    def _sequence(self, parameters: bytes, final: bytes) -> None:
        if final == b"m":
            if self._colour and parameters[:1] not in {b"?", b">", b"<", b"="}:
                self._style = restyled(self._style, parameters.decode("ascii"))
        elif final in b"hl" and parameters[:1] == b"?":
            self._switch(parameters[1:], final)
        elif final in b"ABEFHLMdfST":
            self._lines.end()
        else:
            _move(self._lines, final, parameters)

    def _switch(self, modes: bytes, final: bytes) -> None:
        if final == b"h" and not ALTERNATE_SCREEN.isdisjoint(modes.split(b";")):
            self._lines.end()
            self._state = self._full_screen
            self._span = len(modes) + len(b"\x1b[?h")

    def _string(self, data: bytes, position: int) -> int:
        """Skip a title, a link, an image: up to its end, or to the newline that shows that it is none."""
        found = _STRING_END.search(data, position)
        if found is None:
            return len(data)
        self._state = self._ground
        return found.start() if found.group() in b"\x1b\n" else found.end()

    def _full_screen(self, data: bytes, position: int) -> int:
        for found in _SCREEN_SWITCH.finditer(data, position):
            modes, final = found.groups()
            if modes is None or (final == b"l" and not ALTERNATE_SCREEN.isdisjoint(modes.split(b";"))):
                self._span += found.end() - position
                self._end_span()
                self._state = self._ground
                return found.end()
        escape = data.rfind(b"\x1b", max(position, len(data) - _LONGEST_ESCAPE))
        end = escape if escape >= 0 and _CUT_ESCAPE.fullmatch(data, escape) else len(data)
        self._carried = data[end:]
        self._span += end - position
        return len(data)

    def _end_span(self) -> None:
        self._lines.finished.append(_span_text(self._span))
        self._span = 0


def _span_text(count: int) -> str:
    return f"[full-screen output, {size_text(count)}]"


def is_span(line: str) -> bool:
    """Whether a line only says how much was written on a full screen."""
    return _SPAN.fullmatch(line) is not None


def size_text(count: int) -> str:
    """A number of bytes for people, in powers of 1,000: `812 B`, `1.2 MB`."""
    value = float(count)
    unit = 0
    while round(value, 1) >= _THOUSAND and unit < len(_UNITS) - 1:
        value /= _THOUSAND
        unit += 1
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{count} B"


def _move(lines: LineCanvas, final: bytes, parameters: bytes) -> None:
    """The sequences that work within one line; all others do nothing."""
    number = _number(parameters)
    if final in _ERASE:
        _ERASE[final].get(number, _nothing)(lines)
    elif final in _STEPS:
        _STEPS[final](lines, max(number, 1))


def _number(parameters: bytes) -> int:
    """The first parameter; 0 when it is left out, -1 when it is none. Larger ones than a line are all the same."""
    first = parameters.partition(b";")[0][:6]
    if not first:
        return 0
    return int(first) if first.isdigit() else -1


def _nothing(lines: LineCanvas) -> None:
    del lines


_ERASE = {
    b"K": {0: LineCanvas.erase_right, 1: LineCanvas.erase_left, 2: LineCanvas.erase_all},
    b"J": {0: LineCanvas.erase_right, 1: LineCanvas.erase_left, 2: LineCanvas.end, 3: LineCanvas.end},
}
_STEPS = {
    b"G": lambda lines, number: lines.to_column(number - 1),
    b"`": lambda lines, number: lines.to_column(number - 1),
    b"C": lambda lines, number: lines.move(number),
    b"a": lambda lines, number: lines.move(number),
    b"D": lambda lines, number: lines.move(-number),
    b"P": LineCanvas.delete,
    b"X": LineCanvas.erase,
    b"@": LineCanvas.insert,
}
