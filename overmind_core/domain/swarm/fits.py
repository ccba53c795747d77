"""Whether a post fits a hive, or the first condition that fails, in words; and which of several hives is first. Pure.

Conditions are looked at in one order: what can't change by itself comes before what passes. The database asks the same
ones when a hive claims; what a hive accepts is judged at the hive, which gives back what it does not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from overmind_core.domain.admission import ordinal

LONGEST_DELAY = 0.2
"""Seconds that a hive waits that has nothing free; with `--pack` one that has all."""
QUEUED, PACKED = "queued", "packed"
FIRST_FOR = 60.0
"""Seconds for which a run of a lineage is for the hive where its conversation lies."""
_GIB = 1 << 30


class Answer(StrEnum):
    """How a post stands with a hive."""

    YES = "yes"
    WAITS = "waits"
    """It fits, but not now."""
    NO = "no"


class Condition(StrEnum):
    """The conditions, in the order in which they are looked at."""

    GONE = "gone"
    DRAINING = "draining"
    HIVE = "hive"
    LABEL = "label"
    CPU = "cpu"
    MEMORY = "memory"
    SLOTS = "slots"
    PROVIDER = "provider"
    SECRETS = "secret"
    ACCEPTS = "accepts"
    VERSION = "version"
    REFUSED = "given back"
    LINEAGE = "lineage"
    PREFERS = "prefers"
    NEEDS = "needs"


class Wanted(NamedTuple):
    """What a post asks of a hive."""

    labels: Mapping[str, str] = {}
    cpu: float = 0.0
    memory: int = 0
    """Bytes."""
    provider: str | None = None
    """None: a command, no agent."""
    commands: Sequence[str] = ()
    """What of an agent's work is a shell command all the same: `check`."""
    secrets: Sequence[str] = ()
    only_hive: str | None = None
    format: int = 1
    repository: str | None = None
    posted_by: str = ""
    unmet: int = 0
    """How many of its needs have to end yet."""
    needs: Sequence[str] = ()
    """Those that have not, as people read them: `docs (queued)`."""
    alive: str = ""
    """What lives of its lineage, as people read it: `ada-2 lives on eu1`; empty: nothing does."""
    prefers: str | None = None
    """The hive that has it to itself for the first minute."""


class Offered(NamedTuple):
    """What a hive has."""

    name: str
    labels: Mapping[str, str] = {}
    slots: int = 0
    free_slots: int = 0
    cpu: float = 0.0
    free_cpu: float = 0.0
    """This and `free_memory`: what nothing is reserved of."""
    memory: int = 0
    free_memory: int = 0
    providers: Sequence[str] = ()
    secrets: Sequence[str] = ()
    """Names of those that are sealed for it."""
    accepts: Mapping[str, Any] = {}
    """Its `[swarm] accept`: `from`, `repositories`, `providers` (lists), `commands` (a truth)."""
    format: int = 1
    is_alive: bool = True
    is_draining: bool = False
    refusal: str | None = None
    """Why it has given this post back, within the last minute."""


class Fit(NamedTuple):
    """How a post stands with one hive."""

    answer: Answer
    condition: Condition | None = None
    """The first that fails; None: none does."""
    text: str = ""
    """That, as the rest of a line."""

    def line(self, place: int | None = None) -> str:
        """Return it as people read it: `no: label gpu=yes`, `yes, 2nd in line`; `place` from 1."""
        if self.answer is not Answer.YES:
            return f"{self.answer}: {self.text}"
        return "yes" if place is None else f"yes, {ordinal(place)} in line"


_YES = Fit(Answer.YES)


def fits(post: Wanted, hive: Offered) -> Fit:
    """Return whether a post fits a hive, or the first condition that fails."""
    for look in (_standing, _labels, _size, _installed, _accepted, _passing):
        found = look(post, hive)
        if found is not None:
            return found
    return _YES


def not_accepted(post: Wanted, hive: Offered) -> str | None:
    """Return why a hive's own configuration lets a post not in, or why the hive is too old for it; None: it may."""
    found = _accepted(post, hive)
    return None if found is None else found.text


def _no(condition: Condition, text: str) -> Fit:
    return Fit(Answer.NO, condition, text)


def _waits(condition: Condition, text: str) -> Fit:
    return Fit(Answer.WAITS, condition, text)


def _standing(post: Wanted, hive: Offered) -> Fit | None:
    if not hive.is_alive:
        return _no(Condition.GONE, "it has no session")
    if hive.is_draining:
        return _no(Condition.DRAINING, "it takes nothing new")
    if not hive.slots:
        return _no(Condition.SLOTS, "it has no slots")
    if post.only_hive not in {None, hive.name}:
        return _no(Condition.HIVE, f"it is for {post.only_hive}")
    return None


def _labels(post: Wanted, hive: Offered) -> Fit | None:
    for name, value in post.labels.items():
        if hive.labels.get(name) != value:
            return _no(Condition.LABEL, f"label {name}={value}")
    return None


def _size(post: Wanted, hive: Offered) -> Fit | None:
    """The machine's size, whatever else runs on it."""
    if post.cpu > hive.cpu > 0:
        return _no(Condition.CPU, f"cpu: it has {hive.cpu:g}")
    if post.memory > hive.memory > 0:
        return _no(Condition.MEMORY, f"memory: it has {_bytes(hive.memory)}")
    return None


def _installed(post: Wanted, hive: Offered) -> Fit | None:
    if post.provider is not None and post.provider not in hive.providers:
        return _no(Condition.PROVIDER, f"provider {post.provider}")
    for secret in post.secrets:
        if secret not in hive.secrets:
            return _no(Condition.SECRETS, f"secret {secret}")
    return None


def _accepted(post: Wanted, hive: Offered) -> Fit | None:
    """What the hive's own configuration lets in, and what it understands."""
    accepts = hive.accepts
    if "from" in accepts and post.posted_by not in accepts["from"]:
        return _no(Condition.ACCEPTS, f"accepts nothing from {post.posted_by}")
    if "repositories" in accepts and post.repository not in {None, *accepts["repositories"]}:
        return _no(Condition.ACCEPTS, f"accepts nothing of {post.repository}")
    if (post.provider is None or post.commands) and not accepts.get("commands", True):
        why = "" if post.provider is None else f", and its {post.commands[0]} is one"
        return _no(Condition.ACCEPTS, f"accepts no commands{why}")
    if post.provider is not None and post.provider not in accepts.get("providers", (post.provider,)):
        return _no(Condition.ACCEPTS, f"accepts no {post.provider}")
    if post.format > hive.format:
        return _no(Condition.VERSION, "version: it is older than the post")
    return None


def _passing(post: Wanted, hive: Offered) -> Fit | None:
    """What goes by: others have what it needs, or have to end first."""
    if hive.refusal is not None:
        return _waits(Condition.REFUSED, f"given back: {hive.refusal}")
    if post.cpu > hive.free_cpu:
        return _waits(Condition.CPU, f"cpu: {hive.free_cpu:g} free")
    if post.memory > hive.free_memory:
        return _waits(Condition.MEMORY, f"memory: {_bytes(hive.free_memory)} free")
    if not hive.free_slots:
        return _waits(Condition.SLOTS, f"slots: {hive.slots} of {hive.slots} are taken")
    return _turn(post, hive)


def _turn(post: Wanted, hive: Offered) -> Fit | None:
    """What the post itself waits for."""
    if post.alive:
        return _waits(Condition.LINEAGE, f"lineage {post.alive}")
    if post.prefers not in {None, hive.name}:
        return _waits(Condition.PREFERS, f"for {FIRST_FOR:.0f} s it is for {post.prefers}, where its conversation lies")
    if post.unmet:
        return _waits(Condition.NEEDS, f"needs {', '.join(post.needs) or post.unmet}")
    return None


def summary(post: Wanted, found: Sequence[Fit]) -> str:
    """Return one line for all hives: `waits: cpu: 3 hives fit, none has 4 cpu free`, or `yes`."""
    if any(one.answer is Answer.YES for one in found):
        return "yes"
    if not found:
        return "waits: there are no hives"
    passing = [one for one in found if one.answer is Answer.WAITS]
    if not passing:
        why = max(found, key=_distance)
        return f"no: {_hives(len(found))}, none fits: {why.text}"
    first = max(passing, key=lambda one: _ORDER[one.condition])
    free = {
        Condition.CPU: f"{post.cpu:g} cpu",
        Condition.MEMORY: f"{_bytes(post.memory)}",
        Condition.SLOTS: "a slot",
    }.get(first.condition or Condition.NEEDS)
    if free is None:
        return f"waits: {first.text}"
    return f"waits: {first.condition}: {_hives(len(passing))} fit{'s' * (len(passing) == 1)}, none has {free} free"


_ORDER: Mapping[Condition | None, int] = {one: number for number, one in enumerate((*Condition, None))}


def _distance(found: Fit) -> int:
    """How far a post that does not fit came; nowhere at a hive that never takes anything."""
    return -1 if found.condition is Condition.SLOTS else _ORDER[found.condition]


def _hives(count: int) -> str:
    return f"{count} hive" if count == 1 else f"{count} hives"


def _bytes(count: int) -> str:
    return f"{count / _GIB:.3g} GB"


def load_of(taken: int, slots: int) -> float:
    """Return how full a hive is, from 0 to 1; one without slots is full."""
    return min(1.0, max(0, taken) / slots) if slots > 0 else 1.0


def delay_after(news: Collection[str], load: float) -> float:
    """Return how many seconds a hive waits before it claims, so that of several the right one is first.

    Args:
        news: What it has heard of posts: `queued`, and `packed` for those that go to the fullest hive first.
        load: How full it is.
    """
    if QUEUED in news:
        return LONGEST_DELAY * load
    return LONGEST_DELAY * (1.0 - load) if PACKED in news else 0.0
