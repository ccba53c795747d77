"""docs/events.md, from the types of the events."""

from __future__ import annotations

import inspect

import msgspec

from overmind_core.cli.completion import event_types
from overmind_core.domain.events import Event, MissionEvent, known_types
from scripts.reference.api import notes, sentences, type_words

HEAD = """\
# Events

`make docs` writes this page from the types of the events.

`overmind events`, and `events` of the [API](api.md#events), print the log of events, one object per event. A client
can resume: pass the `seq` of the last event as `--since`. `--type` chooses types. Later versions may add types and
fields; ignore the ones you don't know. Events of a removed mission stay until the log is trimmed
([configuration.md](configuration.md)). Events recorded by an older version stay unchanged.
"""
COMMON = """\
## Every event

An event about a mission also has the mission's name and the position in its log.

| field | type | |
|---|---|---|
| `seq` | integer | {seq} |
| `type` | text | One of the types below. |
"""
AT = "| `at` | time | The time of recording. |\n"
ABSENT = ", or absent"


def types() -> dict[str, type[Event]]:
    """Every type of event by its name in the log, in order of the names."""
    names, known = event_types(), known_types()
    return {name: known[name] for name in names}


def page() -> str:
    """Return the whole page."""
    rows = [_row(name, kind) for name, kind in types().items()]
    table = "\n".join(["| type | meaning | additional fields |", "|---|---|---|", *rows])
    return "\n".join([HEAD, _common(), f"## Types\n\n{table}\n"])


def _common() -> str:
    """The fields that are not a type's own."""
    told = notes(MissionEvent, Event)
    fields = [one for one in msgspec.structs.fields(MissionEvent) if one.name not in {"seq", "at"}]
    rows = "".join(f"| `{one.name}` | {_words(MissionEvent, one)} | {told[one.name]} |\n" for one in fields)
    return COMMON.format(seq=told["seq"]) + rows + AT


def _row(name: str, kind: type[Event]) -> str:
    """One type: its fields are told in the order in which they are written."""
    told, common = notes(kind, Event), _annotations(MissionEvent if issubclass(kind, MissionEvent) else Event)
    own = [one for one in msgspec.structs.fields(kind) if one.name not in common]
    fields = "<br>".join(_field(kind, one, told.get(one.name, "")) for one in own)
    return f"| `{name}` | {sentences(kind)} | {fields} |"


def _field(kind: type[Event], field: msgspec.structs.FieldInfo, note: str) -> str:
    return f"`{field.encode_name}`: {_words(kind, field)}" + (f". {note}" if note else "")


def _words(kind: type[Event], field: msgspec.structs.FieldInfo) -> str:
    """What a field holds, and whether it may be absent; one that is null is not written when that is its default."""
    written = _annotations(kind)[field.name].replace("tuple[str, ...]", "list[str]").replace(" | UnsetType", "")
    written = written.removesuffix(" | None") if field.default is None else written
    return type_words(written) + ("" if field.required else ABSENT)


def _annotations(kind: type[Event]) -> dict[str, str]:
    kinds = [one for one in reversed(kind.__mro__) if issubclass(one, Event)]
    return {name: str(text) for one in kinds for name, text in inspect.get_annotations(one).items()}
