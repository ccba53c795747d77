"""The wire form of arguments, variables and paths: they are bytes; sockets and the database carry valid UTF-8.

Python shows a byte that is no UTF-8 as a lone surrogate U+DC80…U+DCFF (`surrogateescape`). On the wire it
travels as the private character U+10DC80…U+10DCFF instead. A text that really contains such a character
travels as its four bytes, so that `os.fsencode(from_wire(to_wire(s))) == os.fsencode(s)` for every `s`.
"""

from __future__ import annotations

SHIFT = 0x10_0000
"""From a lone surrogate to its private character."""
ESCAPED = range(0xDC80, 0xDD00)
"""What `surrogateescape` makes of the bytes 0x80…0xFF."""


def _spelled_out(code: int) -> str:
    """Return a private character's UTF-8 bytes, each as an escaped byte in wire form."""
    return "".join(chr(0xDC00 + byte + SHIFT) for byte in chr(code).encode())


_TO_WIRE: dict[int, str] = {}
_FROM_WIRE: dict[int, str] = {}


def to_wire(text: str) -> str:
    """Return `text`, as Python's file system functions give it, in a form that is valid UTF-8."""
    if text.isascii():
        return text
    if not _TO_WIRE:
        _TO_WIRE.update({code: chr(code + SHIFT) for code in ESCAPED})
        _TO_WIRE.update({code + SHIFT: _spelled_out(code + SHIFT) for code in ESCAPED})
    return text.translate(_TO_WIRE)


def from_wire(text: str) -> str:
    """Return what `to_wire` was given, up to `os.fsencode`."""
    if text.isascii():
        return text
    if not _FROM_WIRE:
        _FROM_WIRE.update({code + SHIFT: chr(code) for code in ESCAPED})
    return text.translate(_FROM_WIRE)


def typed_bytes(text: str) -> bytes:
    """Return the bytes that a text in wire form stands for, for a program that reads bytes."""
    return from_wire(text).encode("utf-8", "surrogateescape")
