"""docs/api.schema.json: the same as docs/api.md, for programs, as a JSON schema."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from overmind_core.daemon.routes import TABLE
from overmind_core.kernel.request import Args
from overmind_core.wire.framing import API_VERSION
from scripts.reference.answer_types import Answers, answers, notes_of, shapes
from scripts.reference.api import notes

Schema = dict[str, Any]
WIDTH = 110
"""Characters of a line."""
HEAD: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": f"The API of overmind, version {API_VERSION}",
    "description": "By command: its arguments, its answer, and for a stream the items that follow. See docs/api.md.",
    "type": "object",
}


class Command(NamedTuple):
    """One command."""

    arguments: type[Args]
    told: Answers


class Schemas(NamedTuple):
    """The schemas of one command."""

    arguments: Schema
    answer: Schema
    item: Schema | None
    """Of what follows in a stream; None for a command that never is one."""


def page() -> str:
    """Return the whole file."""
    commands, objects = tables("#/$defs/{name}")
    properties = {name: _command(one) for name, one in commands.items()}
    return lines({**HEAD, "properties": properties, "$defs": objects}) + "\n"


def tables(reference: str) -> tuple[dict[str, Schemas], dict[str, Schema]]:
    """Return the schemas of each command, and those of the objects that they refer to.

    Args:
        reference: How an object is referred to, with `{name}`.
    """
    commands = {name: Command(row.arguments, answers(row.handle)) for name, row in TABLE.items()}
    types = list(dict.fromkeys(type_ for one in commands.values() for type_ in (one.arguments, *_answered(one.told))))
    found, objects = msgspec.json.schema_components(types, ref_template=reference)
    schemas = dict(zip(types, found, strict=True))
    for arguments in _kinds(Args):
        _describe(objects, arguments, notes(arguments, Args))
    for shape in shapes(tuple(types)):
        _describe(objects, shape, notes_of(shape))
    said = {
        name: Schemas(
            schemas[one.arguments],
            any_of(schemas[type_] for type_ in one.told.first),
            any_of(schemas[type_] for type_ in one.told.items) if one.told.items else None,
        )
        for name, one in commands.items()
    }
    return said, dict(sorted(objects.items()))


def _answered(told: Answers) -> tuple[Any, ...]:
    return (*told.first, *told.items)


def _command(one: Schemas) -> Schema:
    item = {} if one.item is None else {"item": one.item}
    return {"type": "object", "properties": {"arguments": one.arguments, "answer": one.answer, **item}}


def any_of(schemas: Iterable[Schema]) -> Schema:
    """Return the schema of what fits one of these."""
    found = list(schemas)
    return found[0] if len(found) == 1 else {"anyOf": found}


def _describe(objects: dict[str, Any], type_: type, said: dict[str, str]) -> None:
    """Say of each field what it means."""
    for name, note in said.items() if type_.__name__ in objects else ():
        objects[type_.__name__]["properties"][name]["description"] = note


def _kinds(base: type[Args]) -> Iterator[type[Args]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


def lines(value: Any, indent: str = "") -> str:  # noqa: ANN401 - JSON
    """Return JSON that a person can read: what fits stands on one line."""
    short = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(short) <= WIDTH or not isinstance(value, dict | list):
        return short
    deeper = indent + " "
    if isinstance(value, list):
        return "[\n" + ",\n".join(deeper + lines(one, deeper) for one in value) + f"\n{indent}]"
    rows = (f"{deeper}{json.dumps(name)}: {lines(one, deeper)}" for name, one in value.items())
    return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
