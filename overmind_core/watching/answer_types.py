"""The types of answers about missions that are watched. Only annotations name them."""

from __future__ import annotations

from typing import TypedDict

from overmind_core.domain.watching.health import HealthLevel


class GuardianTerm(TypedDict):
    """One pattern that the guardian looks for."""

    term: str
    """`loop`, `drift`, `thrash`, `overrun` or `silence`; `review` while what a reviewer has said counts."""
    cost: float
    """The amount by which it lowers the alignment while it holds."""
    holds: bool | None
    """Null: it can't be measured."""
    evidence: str
    """One line; empty while it doesn't hold."""


class SharedFiles(TypedDict):
    """The files that another mission changes, too."""

    id: str
    """Of the other mission."""
    name: str
    files: list[str]
    more: int
    """Files beyond those that are listed."""


class MissionHealth(TypedDict):
    """A mission that runs."""

    id: str
    name: str
    level: HealthLevel | None
    """Null while its silence means nothing: it waits, is limited, idle, frozen, held, or waits for input by nature."""
    silent_seconds: float | None
    """Since its last sign of life; null as above."""
    missed: int | None
    """Beats in a row without a sign of life; null as above."""
    cpu_percent: float | None
    """Of one core, in the newest beat; measured only of a silent mission."""
    alignment: float | None
    """0 to 1; null while nothing that it rests on can be measured."""
    terms: list[GuardianTerm]
    """Empty before the first sample."""
    steers: int
    overlaps: list[SharedFiles]
    """With each other mission, those with the most files first."""
    coherence: float | None
    """Of all missions that run; null where nothing is known of any."""


class Coherence(TypedDict):
    """How well all missions that run go together."""

    value: float | None
    """0 to 1; null: nothing runs, or nothing is known of anything that does."""
    text: str
    """For people: two digits, `idle`, or `–`."""
    grade: str
    """`critical`, `low`, `fair` or `good`; empty where there is no value."""
    live: int
    """Missions that run and are watched."""
    unwatched: int
    """Missions that run and have no health, such as a shell."""
    known: int
    """Missions whose alignment is known."""
    low: int
    """Those of them whose alignment is low."""
    steered: int
    """Missions that were steered, without a judgement so far."""
    sharing: int
    """Missions that change a file which another one changes, too."""


class HealthAnswer(TypedDict):
    """The health of missions, and how they go together."""

    missions: list[MissionHealth]
    coherence: Coherence
