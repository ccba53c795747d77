"""A document as JSON: read from an agent's file, written, hashed, and described by a schema.

The hash of a document is that of its canonical JSON, which holds what the document says and nothing of how it is laid
out: keys in order, nothing that is empty, no title, which is the spec's.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import partial
from typing import Any

from overmind_core.domain.specs.reading import Reading, read
from overmind_core.domain.specs.shape import (
    MAX_BYTES,
    MAX_ID,
    MAX_TEXT,
    SHAPES,
    Document,
    DocumentField,
    Fault,
    FieldKind,
    Path,
    ThingShape,
)
from overmind_core.domain.specs.spec import PhaseName

_SIGNS = re.compile(r'"(?:[^"\\]++|\\.)*"|[{}\[\]:,\n]|[^\s{}\[\]:,"]+')


def read_json(phase: PhaseName, text: str, *, title: str = "") -> Reading:
    """Return the document that a JSON text is; each fault has its line.

    Args:
        phase: Which one it should be.
        text: Of an agent's file.
        title: The spec's.
    """
    if len(text) > MAX_BYTES:
        return _unreadable(phase, Fault("too_large", f"larger than {MAX_BYTES >> 20} MiB", (), 1), title)
    try:
        value = json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        fault = Fault("invalid", f"not valid JSON: {error.msg}, column {error.colno}", (), error.lineno)
        return _unreadable(phase, fault, title)
    except RecursionError:
        return _unreadable(phase, Fault("invalid", "nested too deep", (), 1), title)
    except ValueError:  # an integer of more digits than Python converts
        return _unreadable(phase, Fault("invalid", "a number has too many digits", (), 1), title)
    reading = read(phase, value, title=title)._replace(lines=partial(json_lines, text))
    return reading._replace(faults=reading.located(reading.faults))


def _unreadable(phase: PhaseName, fault: Fault, title: str) -> Reading:
    return Reading(read(phase, {}, title=title).document, (fault,), lambda: {(): 1})


def json_lines(text: str) -> dict[Path, int]:
    """Return the line of each key and value of a text that is valid JSON."""
    lines: dict[Path, int] = {(): 1}
    line = 1
    path: list[str | int] = []
    """Of the value that comes next; a place in a list, or a key once it was read."""
    inside: list[str] = []
    key_comes = False
    for sign in _SIGNS.findall(text):
        if sign == "\n":
            line += 1
        elif sign in {"{", "["}:
            lines.setdefault(tuple(path), line)
            inside.append(sign)
            path.append("" if sign == "{" else 0)
            key_comes = sign == "{"
        elif sign in {"}", "]"}:
            inside.pop()
            path.pop()
            key_comes = False
        elif sign == ",":
            key_comes = inside[-1] == "{"
            path[-1] = path[-1] + 1 if isinstance(path[-1], int) else ""
        elif key_comes and sign != ":":
            path[-1] = json.loads(sign)
            lines[tuple(path)] = line
            key_comes = False
        elif sign != ":":
            lines.setdefault(tuple(path), line)
    return lines


def as_json(document: Document) -> dict[str, Any]:
    """Return a document as a value for JSON, without what is empty; `read` makes the same document of it."""
    written = _thing(document, SHAPES[document.phase])
    if document.sections:
        written["sections"] = [{"heading": one.heading, "text": one.text} for one in document.sections]
    return {"phase": str(document.phase), "title": document.title, **written}


def thing_json(thing: object, shape: ThingShape) -> dict[str, Any]:
    """Return a requirement, task or other thing as a value for JSON, without what is empty."""
    return _thing(thing, shape)


def _thing(thing: object, shape: ThingShape) -> dict[str, Any]:
    values = {row.name: _value(getattr(thing, row.name), row) for row in shape.fields}
    return {name: value for name, value in values.items() if value not in _EMPTY} | dict(getattr(thing, "other", ()))


_EMPTY: tuple[object, ...] = ("", None, [], {})


def _value(value: Any, row: DocumentField) -> object:  # noqa: ANN401 - what the table says
    if row.kind is FieldKind.RECORD:
        assert row.of is not None
        return _thing(value, row.of)
    if row.kind in {FieldKind.PAIRS, FieldKind.THINGS}:
        assert row.of is not None
        return [_thing(one, row.of) for one in value]
    return list(value) if isinstance(value, tuple) else value


def document_hash(document: Document) -> str:
    """Return the SHA-256 of the document's canonical JSON, in hex."""
    return value_hash(as_json(replace(document, title="")))


def value_hash(value: object) -> str:
    """Return the SHA-256 of a value's canonical JSON, in hex."""
    from hashlib import sha256  # noqa: PLC0415 - it loads OpenSSL: 4 MB, for those who have specs

    return sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def schema(phase: PhaseName) -> dict[str, Any]:
    """Return the JSON schema of a phase's document (draft 2020-12), for the agent that writes it."""
    made = _object(SHAPES[phase], f"Document of the phase {phase}. Empty fields may be omitted.")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": str(phase), **made}


def _object(shape: ThingShape, about: str) -> dict[str, Any]:
    return {
        "description": about,
        "type": "object",
        "properties": {row.name: _property(row) for row in shape.fields},
        "required": list(shape.heading),
    }


def _property(row: DocumentField) -> dict[str, Any]:
    if row.kind is FieldKind.RECORD:
        assert row.of is not None
        return _object(row.of, row.about)
    if row.kind in _ITEMS:
        items = {"type": "object"} if row.of is None else _object(row.of, row.of.type.__doc__ or "")
        most = {} if row.most is None else {"maxItems": row.most}
        return {"description": row.about, "type": "array", "items": _ITEMS[row.kind] or items, **most}
    return {"description": row.about, **_PLAIN[row.kind]}


_TEXT: dict[str, Any] = {"type": "string", "maxLength": MAX_TEXT}
_PLAIN: dict[FieldKind, dict[str, Any]] = {
    FieldKind.TEXT: _TEXT,
    FieldKind.LINE: _TEXT,
    FieldKind.ID: {"type": "string", "maxLength": MAX_ID, "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$"},
    FieldKind.PATH: {"type": "string"},
    FieldKind.HOURS: {"type": "number", "minimum": 0},
    FieldKind.MAP: {"type": "object", "additionalProperties": _TEXT},
}
_ITEMS: dict[FieldKind, dict[str, Any] | None] = {
    FieldKind.TEXTS: _TEXT,
    FieldKind.IDS: {"type": "string"},
    FieldKind.PATHS: {"type": "string"},
    FieldKind.PAIRS: None,
    FieldKind.THINGS: None,
}
