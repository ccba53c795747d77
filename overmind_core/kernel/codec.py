"""Values of the domain as columns of the database hold them: JSON, of dataclasses by their fields' names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

Value = TypeVar("Value")
_encode = msgspec.json.Encoder().encode


class Codec(Generic[Value]):
    """One type of value as text, and back. Made at an import it may be used by several threads at once.

    For msgspec learns a type with its first use, and gives another thread that comes meanwhile what it has so far: in
    release 0.22 the process ends with SIGSEGV then.

    A field that the text lacks has its default, one that the type lacks is passed over: rows outlive versions.
    """

    __slots__ = ("decode",)

    def __init__(self, kind: type[Value]) -> None:
        self.decode: Callable[[str], Value] = msgspec.json.Decoder(kind).decode
        """What `encode` made of a value.

        Raises:
            msgspec.MsgspecError: it is no such value.
        """

    def encode(self, value: Value) -> str:
        """The text that is stored."""
        return _encode(value).decode()
