"""The messages of a tab's socket, as they are decoded: one struct per kind, told apart by `t`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

import msgspec

PaneNumber = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Place = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
Word = Annotated[str, msgspec.Meta(max_length=64)]


class FromPage(msgspec.Struct, frozen=True, tag_field="t", tag=str.lower, kw_only=True, rename={"from_": "from"}):
    """Base of what a page sends."""


class Open(FromPage, frozen=True):
    """Open a pane, or open it anew with other arguments; its first frame is the whole of what it shows."""

    p: PaneNumber
    view: Word
    args: dict[str, Any] = {}
    from_: Place = 0
    to: Place = 100
    at: str | int | None = None
    """Where a log begins."""


class Window(FromPage, frozen=True):
    """Rows from `from` up to `to` are in view."""

    p: PaneNumber
    from_: Place = 0
    to: Place = 100


class Page(FromPage, frozen=True):
    """A page of a log is in view."""

    p: PaneNumber
    at: Place


class Say(FromPage, frozen=True):
    """Anything else that a pane of this kind understands."""

    p: PaneNumber
    say: dict[str, Any]


class Close(FromPage, frozen=True):
    """The pane is closed."""

    p: PaneNumber


class Do(FromPage, frozen=True):
    """A press: one operation."""

    n: PaneNumber
    verb: Word
    args: dict[str, Any] = {}


class Look(FromPage, frozen=True):
    """Whether somebody looks."""

    visible: bool
    calls: bool = False
    """Hidden, it can still call its person: a desk with notifications granted."""
    mission: str | None = None
    """Shown."""
    ago: Annotated[float, msgspec.Meta(ge=0, le=10_000_000)] = 0.0
    """Seconds since it was used."""


class Ping(FromPage, frozen=True):
    """Asks for a `pong`."""


class Pong(FromPage, frozen=True):
    """Answers a `ping`."""


Incoming = Open | Window | Page | Say | Close | Do | Look | Ping | Pong
ToPane = Window | Page | Say
"""What a pane is handed."""

_decode: Callable[[str | bytes], Incoming] = msgspec.json.Decoder(Incoming).decode
encode = msgspec.json.Encoder().encode


def decode(text: str) -> Incoming:
    """Return a message. Half a character, which a text cut in a browser can end with, becomes a question mark.

    Raises:
        msgspec.DecodeError: it is none.
        RecursionError: it is nested too deeply.
    """
    try:
        return _decode(text)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        if "\\ud" not in text.lower():
            raise
    try:
        whole = json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", "replace")
    except ValueError as error:
        raise msgspec.DecodeError(str(error)) from None
    return _decode(whole)
