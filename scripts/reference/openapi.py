"""overmind_web/rest/openapi.json: what scripts can ask the web server, as OpenAPI 3.1; it is served as it is.

Paths are below `api/v1` beside the document, wherever a proxy puts both. A stream is told of by `x-stream`, since
OpenAPI has no words for the content of an event stream.
"""

from __future__ import annotations

from typing import Any

import msgspec

from overmind_core.domain.operation import Danger, Operation
from overmind_core.domain.operations import OPERATIONS
from overmind_core.errors import CODES
from overmind_core.version import VERSION
from overmind_web.server.plan_files import ByPath
from overmind_web.server.status import http_status
from scripts.reference.schema import Schema, Schemas, lines, tables

REFERENCE = "#/components/schemas/{name}"
JSON, EVENTS, TEXT = "application/json", "text/event-stream", "text/plain"
ERROR = {"$ref": REFERENCE.format(name="ApiError")}
_NULL = {"type": "null"}
_TEXT_ANSWER: Schema = {"description": "The text.", "content": {TEXT: {"schema": {"type": "string"}}}}
_ID: Schema = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "Id or name of a mission.",
    "schema": {"type": "string"},
}


def page() -> str:
    """Return the whole file."""
    return lines(document()) + "\n"


def document() -> Schema:
    """Return the document."""
    commands, objects = tables(REFERENCE)
    _, by_path = msgspec.json.schema_components((ByPath,), ref_template=REFERENCE)
    objects = objects | by_path
    offered = {name: OPERATIONS[name] for name in commands if OPERATIONS[name].on_web}
    paths = {f"/{name}": _path(row, commands[name], objects) for name, row in offered.items()}
    paths["/events"]["get"] = _events(commands["events"], objects)
    _take_a_path(paths["/apply"]["post"])
    paths |= {"/log/{id}": {"get": _log()}, "/screen/{id}": {"get": _screen()}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Overmind over the web",
            "version": VERSION,
            "description": "Requests of the API, from elsewhere. See docs/api.md.",
        },
        "servers": [{"url": "api/v1"}],
        "security": [{"token": []}, {"cookie": [], "key": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {**_reached(paths, objects), "ApiError": _error()},
            "responses": {"error": {"description": "An error.", "content": {JSON: {"schema": ERROR}}}},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "Of `overmind web token add`."},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "overmind_7600"},
                "key": {"type": "apiKey", "in": "header", "name": "X-Overmind-Key"},
            },
        },
    }


def _path(row: Operation, told: Schemas, objects: dict[str, Schema]) -> Schema:
    asked = _resolved(told.arguments, objects)
    common = {"summary": row.summary, "x-danger": row.danger.value, "responses": _responses(row, told)}
    body = {
        "required": bool(asked.get("required")),
        "content": {JSON: {"schema": told.arguments}},
    }
    found: Schema = {"post": {"operationId": row.name, **common, "requestBody": body}}
    if row.danger is Danger.NONE:
        query = _query(asked, objects, without={*row.acts_with, *row.never_with})
        if query is not None:
            found["get"] = {"operationId": f"get_{row.name}", **common, "parameters": query}
    return found


def _take_a_path(apply: Schema) -> None:
    """Say that a plan's file may be named instead of what it holds."""
    content = apply["requestBody"]["content"][JSON]
    content["schema"] = {"anyOf": [content["schema"], {"$ref": REFERENCE.format(name=ByPath.__name__)}]}
    apply["responses"]["200"]["description"] = (
        "The answer. Of a file that was named also `sha256`, of the plan as it is now, and `warnings`, a text each."
    )


def _query(asked: Schema, objects: dict[str, Schema], *, without: set[str]) -> list[Schema] | None:
    """Return what can stand in a query; None: something that is needed can't."""
    found = []
    for name, schema in asked.get("properties", {}).items():
        plain = _plain(schema, objects)
        needed = name in asked.get("required", ())
        if name in without or plain is None:
            if needed:
                return None
            continue
        described = {"description": schema["description"]} if "description" in schema else {}
        found.append({"name": name, "in": "query", "required": needed, **described, "schema": plain})
    return found


def _plain(schema: Schema, objects: dict[str, Schema]) -> Schema | None:
    """Return the schema of one value of a query, or of a list of such; None: it is an object."""
    schema = {name: value for name, value in _resolved(schema, objects).items() if name not in {"description", "title"}}
    if "anyOf" in schema:
        kept = [one for one in schema["anyOf"] if one != _NULL]
        parts = [part for one in kept if (part := _plain(one, objects)) is not None]
        if len(parts) != len(kept):
            return None
        return parts[0] if len(parts) == 1 else {"anyOf": parts}
    if schema.get("type") == "array":
        items = _plain(schema["items"], objects)
        return None if items is None or items.get("type") == "array" else {"type": "array", "items": items}
    if schema.get("type") == "object" or not ("type" in schema or "enum" in schema or "const" in schema):
        return None
    return {name: value for name, value in schema.items() if name != "default" or value is not None}


def _resolved(schema: Schema, objects: dict[str, Schema]) -> Schema:
    return objects[str(schema["$ref"]).rpartition("/")[2]] if "$ref" in schema else schema


def _responses(row: Operation, told: Schemas) -> Schema:
    content: Schema = {} if row.streams else {JSON: {"schema": told.answer}}
    answer: Schema = {"description": "The answer.", "content": content}
    if told.item is not None:
        content[EVENTS] = {"schema": {"type": "string"}}
        answer["x-stream"] = {"ok": told.answer, "item": told.item, "end": {"type": "object"}, "error": ERROR}
    return {"200": answer, "default": {"$ref": "#/components/responses/error"}}


def _events(told: Schemas, objects: dict[str, Schema]) -> Schema:
    row = OPERATIONS["events"]
    query = _query(_resolved(told.arguments, objects), objects, without={*row.acts_with})
    resumed = {
        "name": "Last-Event-ID",
        "in": "header",
        "description": "The number of the last event that was got: the stream goes on behind it.",
        "schema": {"type": "integer", "minimum": 0},
    }
    return {
        "operationId": "follow_events",
        "summary": "follow the event log; the id of each item is its number, and a comment comes every 15 seconds",
        "x-danger": row.danger.value,
        "parameters": [*(query or []), resumed],
        "responses": _responses(row, told),
    }


def _log() -> Schema:
    return {
        "operationId": "log_text",
        "summary": "print the log of a mission as text",
        "x-danger": Danger.NONE.value,
        "parameters": [
            _ID,
            _parameter("run", "Only this run.", {"type": "integer", "minimum": 1}),
            _parameter("since", "Only what was written since: `5m`, or RFC 3339.", {"type": "string"}),
            _parameter("tail", "Only so many lines of its end.", {"type": "integer", "minimum": 0}),
        ],
        "responses": {"200": _TEXT_ANSWER, "default": {"$ref": "#/components/responses/error"}},
    }


def _screen() -> Schema:
    return {
        "operationId": "screen_text",
        "summary": "print the current or last screen of a mission's terminal",
        "x-danger": Danger.NONE.value,
        "parameters": [_ID, _parameter("ansi", "Keep the colours.", {"type": "boolean", "default": False})],
        "responses": {"200": _TEXT_ANSWER, "default": {"$ref": "#/components/responses/error"}},
    }


def _parameter(name: str, description: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _error() -> Schema:
    statuses: dict[str, list[str]] = {}
    for code in CODES:
        statuses.setdefault(str(http_status(code)), []).append(code)
    return {
        "title": "ApiError",
        "description": "A newer daemon can have more codes, and add fields.",
        "type": "object",
        "properties": {
            "error": {"type": "string", "x-status": dict(sorted(statuses.items()))},
            "message": {"type": "string", "description": "Names the thing, and says what to do."},
        },
        "required": ["error", "message"],
    }


def _reached(value: Any, objects: dict[str, Schema]) -> dict[str, Schema]:  # noqa: ANN401 - JSON
    """Return the objects that are referred to from here, directly or not."""
    found: dict[str, Schema] = {}
    waiting: list[Any] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            name = str(one.get("$ref", "")).removeprefix(REFERENCE.format(name=""))
            if name in objects and name not in found:
                found[name] = objects[name]
                waiting.append(objects[name])
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return dict(sorted(found.items()))
