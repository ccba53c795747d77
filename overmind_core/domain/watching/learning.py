"""Learning: what attempts cost and came to, and lessons of those that failed and then passed. Pure.

A lesson becomes a note that is proposed. Attempts that are given the note vote on it: those that complete for it, those
that fail against it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from overmind_core.domain.text.cells import display_safe

ENOUGH = 3
"""Fewest outcomes for an estimate or a rate."""


@dataclass(frozen=True, slots=True)
class AttemptOutcome:
    """The result of one attempt of a quest."""

    quest: str
    """Its id."""
    attempt: int
    """From 1."""
    at: float
    """When it ended, in seconds since the epoch."""
    type: str = ""
    """Of its work: what its document calls it, or the phase; "" for one that has none."""
    provider: str = ""
    model: str = ""
    spec: str = ""
    """Name of its spec; "" for one of none."""
    failure: str | None = None
    """The class of its failure; None: it passed."""
    cost_usd: float | None = None
    """None: nobody knows."""
    seconds: float = 0.0
    is_estimated: bool = False
    """A part of `cost_usd` is at a person's prices."""


class Estimate(NamedTuple):
    """Expected time and cost of an attempt."""

    seconds: float | None = None
    """None: fewer than `ENOUGH` are known."""
    usd: float | None = None


def estimate(outcomes: Iterable[AttemptOutcome], *, type: str, provider: str, model: str) -> Estimate:  # noqa: A002 - the field's name
    """Estimate an attempt by those that passed: of the same type, provider and model, else of any model."""
    passed = [one for one in outcomes if one.failure is None and (one.type, one.provider) == (type, provider)]
    alike = [one for one in passed if one.model == model]
    seconds = _first_median([one.seconds for one in alike], [one.seconds for one in passed])
    usd = _first_median(
        [one.cost_usd for one in alike if one.cost_usd is not None],
        [one.cost_usd for one in passed if one.cost_usd is not None],
    )
    return Estimate(seconds, usd)


def _first_median(*samples: Sequence[float]) -> float | None:
    return next((median(one) for one in samples if len(one) >= ENOUGH), None)


def median(numbers: Iterable[float]) -> float:
    """The middle one of some numbers, or the mean of the two in the middle; `statistics` costs more to load."""
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


class Rate(NamedTuple):
    """How the quests of one group went. Figures are None where there are fewer than `ENOUGH`."""

    key: str
    quests: int
    attempts: int
    rate: float | None
    """Part of the quests that passed."""
    tries: float | None
    """Attempts of a quest, on average."""
    cost_usd: float | None
    """Of a quest, the median of those whose cost is known."""
    cost_unknown: int
    """Quests whose cost is not."""
    seconds: float | None
    """Of a quest, all its attempts together: the median."""
    failures: Mapping[str, int]
    """Class → attempts that failed with it, the most frequent first."""
    is_estimated: bool = False
    """A part of the costs behind `cost_usd` is at a person's prices."""


GROUPS = ("type", "provider", "model", "spec")
"""What outcomes can be grouped by."""


def rates(outcomes: Iterable[AttemptOutcome], by: str) -> list[Rate]:
    """Group outcomes by one of `GROUPS`; the largest group first."""
    groups: dict[str, dict[str, list[AttemptOutcome]]] = defaultdict(lambda: defaultdict(list))
    for one in outcomes:
        groups[getattr(one, by)][one.quest].append(one)
    return sorted((_rate(key, group) for key, group in groups.items()), key=lambda rate: (-rate.quests, rate.key))


def _rate(key: str, group: Mapping[str, Sequence[AttemptOutcome]]) -> Rate:
    quests, attempts = len(group), sum(map(len, group.values()))
    costs = [_cost(tries) for tries in group.values()]
    known = [cost for cost in costs if cost is not None]
    enough = quests >= ENOUGH
    failures = Counter(one.failure for tries in group.values() for one in tries if one.failure is not None)
    passed = sum(any(one.failure is None for one in tries) for tries in group.values())
    return Rate(
        key,
        quests,
        attempts,
        rate=passed / quests if enough else None,
        tries=attempts / quests if enough else None,
        cost_usd=median(known) if len(known) >= ENOUGH else None,
        cost_unknown=len(costs) - len(known),
        seconds=median(sum(one.seconds for one in tries) for tries in group.values()) if enough else None,
        failures=dict(failures.most_common()),
        is_estimated=any(one.is_estimated for tries in group.values() if _cost(tries) is not None for one in tries),
    )


def _cost(tries: Sequence[AttemptOutcome]) -> float | None:
    """The cost of all attempts of a quest; None when that of one is not known."""
    known = [one.cost_usd for one in tries if one.cost_usd is not None]
    return sum(known) if len(known) == len(tries) else None


class LessonState(StrEnum):
    """A person's decision about a lesson. Another one than the first has only a lesson of an older home."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    DROPPED = "dropped"


FEEDBACK_LINES, FEEDBACK_CHARACTERS = 5, 600
MOST_FILES = 20
"""That a lesson remembers."""
TEACHES_NOTHING = frozenset(
    {"limited", "keeper_lost", "disk_full", "no_terminals", "blocked", "work_lost", "internal", "setup_failed",
     "not_logged_in", "cwd_not_found", "not_found", "name_taken", "provider_missing", "unknown_provider",
     "untrusted_project", "forbidden", "invalid", "gone"}
)  # fmt: skip
"""Classes of failures that the work did not cause."""
CANCELLED = "cancelled"
"""The class of an attempt that a person has ended."""


def is_of_the_work(failure: str) -> bool:
    """Whether failures of this class are caused by the work: they teach something, and count against what was given."""
    return failure not in TEACHES_NOTHING and not failure.startswith("api_error")


@dataclass(frozen=True, slots=True)
class Lesson:
    """A failure of an attempt that the next attempt passed: a row of the table of lessons until it is a note."""

    key: str
    """Sixteen characters, the same for the same lesson of a repository."""
    repository: str
    """Git's common folder, or the folder in which the quest works. Wire form."""
    failure: str
    """The class of the attempt that failed."""
    feedback: str
    """The first lines of what that attempt was told."""
    files: tuple[str, ...] = ()
    """What the attempt that passed has changed, relative to the top."""
    quest: str = ""
    """Name of the quest."""
    at: float = 0.0
    """When the attempt that passed has ended, in seconds since the epoch."""
    number: int = 0
    """From 1; 0 before it is stored."""
    state: LessonState = LessonState.PROPOSED
    helped: int = 0
    """Attempts that had it and passed; of a lesson of an older home, as `hurt` is."""
    hurt: int = 0
    mission: str = ""
    """Id of the quest; "" of an older home."""
    agent: str = ""
    """Its provider; "" of an older home."""
    began_at: float = 0.0
    """When the attempt that passed has begun."""


class AttemptVote(NamedTuple):
    """Whether what an attempt was given has helped it: it has passed, or failed because of its work."""

    mission: str
    """Id of the quest."""
    attempt: int
    run: int
    """Of the quest's mission."""
    helped: bool
    at: float
    """When the attempt has ended, in seconds since the epoch."""


def propose(
    failure: str,
    feedback: str,
    *,
    repository: str,
    quest: str,
    mission: str = "",
    agent: str = "",
    began_at: float = 0.0,
    at: float,
) -> Lesson | None:
    """The lesson of an attempt that failed when the next one has passed; None when there is nothing to learn.

    Args:
        failure: The class of the one that failed.
        feedback: What the next one was told of it.
        repository: Git's common folder, or the folder in which the quest works; in wire form.
        quest: The quest's name.
        mission: Its id.
        agent: Its provider.
        began_at: When the one that passed has begun, in seconds since the epoch.
        at: When it has ended.
    """
    excerpt = first_lines(feedback)
    if not excerpt or not is_of_the_work(failure):
        return None
    same = f"{repository}\0{failure}\0{excerpt}"
    from hashlib import blake2b  # noqa: PLC0415 - it loads OpenSSL: 4 MB, for those whose quests fail and pass

    key = blake2b(same.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return Lesson(
        key, repository, failure, excerpt, quest=quest, at=at, mission=mission, agent=agent, began_at=began_at
    )


def first_lines(text: str) -> str:
    """The first lines with something on them, harmless and short."""
    lines = (display_safe(line.strip()) for line in text[: FEEDBACK_CHARACTERS * 20].splitlines())
    chosen = [line for line in lines if line][:FEEDBACK_LINES]
    return "\n".join(chosen)[:FEEDBACK_CHARACTERS].rstrip()
