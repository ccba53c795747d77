"""The facts of the one log: a class per type, which is stored, published to who subscribed to it, and documented.

The classes stand in a module `events` beside what publishes them; those that pure code decides on, or that others
subscribe to, below `domain`. A name in the log is never used again for something else: old logs are still read, and
passed on as they are.

What a mission's event has of every mission (its name, its run, how far the log is) is filled in by the registry; who
publishes one gives only what the type itself has, by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec
from msgspec import UNSET, UnsetType


class Event(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """A fact of the log. A field of a type itself has no default: it is there also when it is null."""

    seq: int | None = None
    """The number in the log, from 1; never used twice."""
    mission: str | None = None
    """The id of the mission, plan or quest."""
    at: float | None = None
    """The time of recording, in seconds since the epoch; readers get a time."""


class MissionEvent(Event, frozen=True):
    """A fact about a mission."""

    name: str | None = None
    """The name of the mission at that time."""
    run: int | None = None
    """The number of the mission's newest run; absent before the first."""
    out: int | None = None
    """The position in that run's stdout, in bytes."""
    err: int | None = None
    """The position in that run's stderr, in bytes."""
    text: str | None = None
    """The text that the log shows at this position."""


class MissionAct(MissionEvent, frozen=True, kw_only=True):
    """A fact about a mission that can result from a request."""

    by: str | UnsetType = UNSET
    """The caller: `person`, a person's client such as `web:phone`, a mission's id, or `?` for a program started by an
    unknown mission."""


class AboutKind(StrEnum):
    """What a question, and what follows from one, can be about."""

    MISSION = "mission"
    QUEST = "quest"
    SPEC = "spec"
    QUEUE = "queue"


class About(msgspec.Struct, frozen=True):
    """The subject of a question. `kind` is one of `AboutKind`, also where a later version has stored another."""

    kind: str
    id: str
    name: str


THE_QUEUE = About(AboutKind.QUEUE, "queue", "queue")
"""There is one."""


def known_types() -> dict[str, type[Event]]:
    """Return every type that is loaded in this process, by its name in the log."""
    return {type_of(kind): kind for kind in _leaves(Event)}


def _leaves(kind: type[Event]) -> Iterator[type[Event]]:
    below = kind.__subclasses__()
    if not below:
        yield kind
    for one in below:
        yield from _leaves(one)


def type_of(kind: type[Event]) -> str:
    """The name of a type in the log."""
    tag = kind.__struct_config__.tag
    assert isinstance(tag, str)
    return tag
