"""JSON as the command line sends and reads it: by the interpreter's own scanner and encoder alone.

The module `json` around these compiles regular expressions, and importing `re` for that takes a third of a short
command's time. Where an interpreter has no such scanner and encoder, or others, `json` itself does the work.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn


class _Settings:
    """How the scanner makes values: as `json.JSONDecoder` does by default."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float = parse_constant = float
    parse_int = int


def _refuse(value: object) -> NoReturn:
    raise TypeError(f"a value of type {type(value).__name__} has no form in JSON")


def _built_in() -> tuple[Callable[[object], str], Callable[[str], object]]:
    """Return encoder and decoder; ImportError, TypeError or AttributeError where the interpreter's are others."""
    import _json  # noqa: PLC0415 -- a part of the interpreter, which may lack it

    scan = _json.make_scanner(_Settings)  # type: ignore[arg-type]  # it only reads these attributes
    encode_value = _json.make_encoder(None, _refuse, _json.encode_basestring, None, ":", ",", False, False, True)

    def encode(value: object) -> str:
        return "".join(encode_value(value, 0))

    def decode(text: str) -> object:
        text = text.strip()
        try:
            value, end = scan(text, 0)
        except StopIteration:
            raise ValueError("nothing that is JSON") from None
        if end != len(text):
            raise ValueError("more than one value")
        return value

    if decode(encode({"a": [1, 2.5, None, True, "\u00e9"]})) != {"a": [1, 2.5, None, True, "\u00e9"]}:
        raise TypeError("the interpreter's scanner and encoder work in another way")
    return encode, decode


def _by_module() -> tuple[Callable[[object], str], Callable[[str], object]]:
    import json  # noqa: PLC0415 -- see above

    return json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode, json.loads


try:
    encode, decode = _built_in()
except (ImportError, TypeError, AttributeError):
    encode, decode = _by_module()
