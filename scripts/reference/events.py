"""docs/events.md, from the types of the events."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import msgspec

import overmind_core
from overmind_core.domain.events import Event, MissionEvent, type_of
from scripts.reference.api import notes, sentences, type_words

HEAD = """\
# Events

Written from the types of the events by `make docs`.

`overmind events`, and `events` of the [API](api.md#events), give the one log of what happened, an object for each. It
keeps a place for who resumes: give the `seq` of the last one as `--since`. More types may come, and more fields; a
reader passes over those that it does not know. Events of a removed mission stay until the log is trimmed
([configuration.md](configuration.md)), and what an older version has recorded stays as it was.
"""
COMMON = """\
## Every event

| field | type | |
|---|---|---|
| `seq` | integer | {seq} |
| `type` | text | One of those below. |
"""
AT = "| `at` | time | When it was recorded. |\n"
OPTIONAL = " or absent"


def types() -> dict[str, type[Event]]:
    """Every type of event by its name in the log, in order of the names."""
    for module in pkgutil.walk_packages(overmind_core.__path__, "overmind_core."):
        if module.name.endswith(".events"):
            importlib.import_module(module.name)
    found = list(_leaves(Event))
    names = {type_of(kind): kind for kind in found}
    assert len(names) == len(found), "two types have one name"
    return dict(sorted(names.items()))


def _leaves(kind: type[Event]) -> Iterator[type[Event]]:
    below = kind.__subclasses__()
    if not below:
        yield kind
    for one in below:
        yield from _leaves(one)


def page() -> str:
    """Return the whole page."""
    rows = [_row(name, kind) for name, kind in types().items()]
    table = "\n".join(["| type | happens when | fields |", "|---|---|---|", *rows])
    return "\n".join([HEAD, _common(), f"## Types\n\n{table}\n"])


def _common() -> str:
    """The fields that are not a type's own."""
    told = notes(MissionEvent, Event)
    annotations = {name: text for kind in (Event, MissionEvent) for name, text in _own(kind).items()}
    own = [name for name in annotations if name not in {"seq", "at"}]
    rows = "".join(f"| `{name}` | {_words(annotations[name])} | {told[name]} |\n" for name in own)
    return COMMON.format(seq=told["seq"]) + rows + AT


def _row(name: str, kind: type[Event]) -> str:
    """One type: its fields are told in the order in which they are written."""
    annotations = {one: text for above in reversed(kind.__mro__) for one, text in _own(above).items()}
    told, plain = notes(kind, Event), set(_own(Event)) | set(_own(MissionEvent))
    own = [one for one in msgspec.structs.fields(kind) if one.name not in plain]
    fields = "; ".join(_field(one, annotations[one.name], told.get(one.name, "")) for one in own)
    return f"| `{name}` | {sentences(kind)} | {fields} |"


def _field(field: msgspec.structs.FieldInfo, annotation: str, note: str) -> str:
    absent = "" if field.required or OPTIONAL in _words(annotation) else OPTIONAL
    return f"`{field.name}` ({_words(annotation)}{absent})" + (f": {note.rstrip('.')}" if note else "")


def _words(annotation: str) -> str:
    return type_words(annotation.replace("tuple[str, ...]", "list[str]")).replace("UnsetType", "absent")


def _own(kind: type) -> dict[str, str]:
    own = inspect.get_annotations(kind) if issubclass(kind, Event) else {}
    return {name: str(text) for name, text in own.items()}
