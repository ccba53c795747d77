"""What a page and the server say to each other on `/tty`. Pure.

From the server, binary: 01 and bytes of the terminal, 02 and its size (u16 columns, u16 rows), 03 and the exit code of
its program (i32, negative: by that signal); text: an item, JSON with a `type`. From the page, binary: what was typed;
text: one `Control`. Numbers are big endian.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from overmind_core.terminal.screen import LARGEST

BYTES: Final = b"\x01"
"""Begins a message of terminal bytes."""
_SIZE = struct.Struct(">BHH")
_EXIT = struct.Struct(">Bi")
_SECRET = frozenset({"ticket", "socket", "path", "out"})
"""What an item of `attach` says for processes of this machine alone."""

Cells = Annotated[int, Meta(ge=1, le=LARGEST)]
Id = Annotated[str, Meta(min_length=1, max_length=200)]


class TerminalRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The query of `/tty`. `columns` and `rows` are those of the page's own place for the terminal."""

    id: Id
    mode: Literal["look", "type"] = "look"
    columns: Cells = 80
    rows: Cells = 24


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text message of the page: one of these."""

    ack: Annotated[int, Meta(ge=0, le=1 << 53)] | None = None
    """Bytes drawn since the socket opened."""
    size: tuple[Cells, Cells] | None = None
    """Columns and rows of the page's own place for the terminal."""
    redraw: bool = False
    """Draw everything again."""
    interrupt: bool = False
    """End the turn that an agent has to finish before its terminal is there."""
    ping: int | None = None
    """Answered with a `pong` and the same number."""


class BadRequest(ValueError):
    """The page sent what is no message of this protocol; the text says what is wrong."""


_control = msgspec.json.Decoder(Control)


def request_of(query: Mapping[str, str]) -> TerminalRequest:
    """The query as a request. Raises BadRequest."""
    try:
        return msgspec.convert(dict(query), TerminalRequest, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise BadRequest(str(error)) from None


def control_of(text: str) -> Control:
    """A text message of the page. Raises BadRequest."""
    try:
        return _control.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadRequest(str(error)) from None


def size_message(columns: int, rows: int) -> bytes:
    """The terminal has this size, in cells."""
    return _SIZE.pack(2, columns, rows)


def exit_message(code: int) -> bytes:
    """The program has ended."""
    return _EXIT.pack(3, code)


def item_message(item: Mapping[str, object]) -> str:
    """An item as text, without what is not for pages."""
    return msgspec.json.encode({key: value for key, value in item.items() if key not in _SECRET}).decode()
