"""Text as a database keeps it: PostgreSQL has no NUL in a text, nor half a character. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable_json(value: object) -> str:
    """Return JSON of a value, with the replacement character in place of what can't be kept."""
    try:
        text = msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        text = ""
    if not text or "\\u0000" in text:
        return msgspec.json.encode(_storable(value)).decode()
    return text


def _storable(value: object) -> object:
    match value:
        case str():
            return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value)
        case Mapping():
            return {_storable(key): _storable(one) for key, one in value.items()}
        case list() | tuple():
            return [_storable(one) for one in value]
    return value
