"""docs/api.md, from the types of the requests and answers and the table of the commands."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from overmind_core.daemon.routes import TABLE, Row
from overmind_core.domain.operations import OPERATIONS
from overmind_core.errors import CODES
from overmind_core.kernel.request import Args
from overmind_core.wire.framing import API_VERSION, MAX_LINE
from scripts.reference import answers

HEAD = f"""\
# The API

Written from the types of requests and answers by `make docs`. Version {API_VERSION}. Programs can read the
same as a [JSON schema](api.schema.json).

Send lines of JSON over the Unix socket `overmind.sock` in the home. If the path is too long for a socket, the file
`overmind.sock.path` names its place. Only the home's owner can connect. A line has at most {MAX_LINE >> 20} MiB.

```text
→ {{"cmd":"run","args":{{"command":"sleep 3","cwd":"/tmp"}},"id":1}}
← {{"ok":{{"id":"a1b2c3d4","name":"brave-otter"}},"id":1}}
→ {{"cmd":"info","args":{{"id":"nosuch"}},"id":2}}
← {{"error":"not_found","message":"No mission named 'nosuch'. See them with: overmind ps --all","id":2}}
```

The answer repeats the request's `id`, so one connection can carry many requests at once. A request without an `id` gets
an answer without one. Commands have the names of the [command line](commands.md), with underscores. An unknown argument
is an error.

A **stream** answers `{{"ok":…}}` first, then a line `{{"item":…}}` for each event, and `{{"end":{{}}}}` last. Each line
has the request's `id`. A stream ends with its connection.

A time is RFC 3339 in UTC under a name that ends in `_at`. A *quantity* is a number, or a text with a unit such as
`"5m"`. Without a unit, `timeout` and `backoff` are in milliseconds, other quantities in seconds.
"""


def page() -> str:
    """Return the whole page."""
    names = ", ".join(f"[{name}](#{name})" for name in TABLE)
    sections = [_section(name, row) for name, row in TABLE.items()]
    return "\n".join([HEAD, "## Commands\n", f"{names}\n", *sections, answers.objects(), _errors()])


def _section(name: str, row: Row) -> str:
    arguments = row.arguments
    asked = sentences(arguments) if msgspec.structs.fields(arguments) else "none."
    operation = OPERATIONS[name]
    forbidden = [] if operation.forbidden is None else ["Not for processes inside missions (`forbidden`).\n"]
    if operation.within:
        forbidden = [f"A process inside a mission can name only {operation.within} (otherwise `forbidden`).\n"]
    parts = [f"### {name}\n", f"{sentences(row.handle)}\n", f"Arguments: {asked}\n"]
    return "\n".join([*parts, *_fields(arguments), *forbidden, *answers.section(name)])


def _fields(arguments: type[Args]) -> Iterator[str]:
    fields = msgspec.structs.fields(arguments)
    if not fields:
        return
    told = notes(arguments, Args)
    types = {name: type_ for kind in _kinds(arguments, Args) for name, type_ in inspect.get_annotations(kind).items()}
    rows = [
        f"| `{field.name}` | {type_words(str(types[field.name]))} | {_default(field)} | {told.get(field.name, '')} |"
        for field in fields
    ]
    yield "\n".join(["| argument | type | default | |", "|---|---|---|---|", *rows]) + "\n"


def type_words(written: str) -> str:
    """Return an annotation in the words of JSON."""
    words = {
        "Amount": "quantity", "str": "text", "int": "integer", "float": "number", "bool": "true or false",
        "None": "null", "Any": "anything", "Blueprint": "object", "Whole": "integer",
    }  # fmt: skip
    written = re.sub(r"Annotated\[(\w+), .*?\)\]", r"\1", written)
    written = re.sub(r"Literal\['(\w+)'\]", r'"\1"', written)
    parts = [part.strip() for part in written.split("|")] if "[" not in written else [written]
    if "[" in written:
        for name, word in {**words, "list": "array", "dict": "object", "[": " of ", "]": "", ", ": " → "}.items():
            written = written.replace(name, word)
        return written.replace("object of text → ", "object, text to ").replace(" | ", " or ")
    return " or ".join(words.get(part, part) for part in parts)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "needed"
    default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return f"`{msgspec.json.encode(default).decode()}`"


def _kinds(kind: type, above: type) -> list[type]:
    """Return a type with those of ours that it extends, the furthest first."""
    return [one for one in reversed(kind.__mro__) if issubclass(one, above)]


def notes(kind: type, above: type) -> dict[str, str]:
    """Return the text below each field of a type, and of those that it extends up to this one."""
    return {name: text for one in _kinds(kind, above) for name, text in _own_notes(one).items()}


def _own_notes(arguments: type) -> dict[str, str]:
    body = ast.parse(inspect.getsource(arguments)).body[0]
    assert isinstance(body, ast.ClassDef)
    pairs = zip(body.body, body.body[1:], strict=False)
    return {
        field.target.id: " ".join(str(text.value.value).split())
        for field, text in pairs
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }


def sentences(thing: Any) -> str:  # noqa: ANN401  (a function or a type)
    """Return the first paragraph of a docstring, on one line."""
    text = " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())
    return text.replace("<", "&lt;")


ERRORS = """\
## Errors

A closed set; `message` names the thing, and says what to do. The command line exits as the table says.

| code | exit | says, when nobody knows better |
|---|---|---|
"""


def _errors() -> str:
    return ERRORS + "".join(f"| `{code}` | {exit_} | {_plain(text)} |\n" for code, (exit_, text) in CODES.items())


def _plain(text: str) -> str:
    return text.replace("<", "&lt;")
