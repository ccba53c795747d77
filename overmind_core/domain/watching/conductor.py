"""The conductor: how well all missions that run go together, which ones do the same or change the same file. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.text.decimals import decimal
from overmind_core.domain.watching.guardian import LOW

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

LOW_WEIGHT, STEERED_WEIGHT, SHARING_WEIGHT = 0.2, 0.3, 0.1
"""What coherence loses when all missions have low alignment, were just steered, change files that others change."""
CRITICAL, LOW_COHERENCE, GOOD = 0.3, 0.5, 0.8
TWIN_FILES = 3
"""Files that each of two missions has to change until they can be twins."""
TWINS = 0.5
"""Of all files that either of two missions changes, the part that both do."""
MOST_PAIRS = 20
"""Pairs whose worktrees are merged aside at one time."""
PAIR_SECONDS = 60.0
"""Between two merges of one pair."""
MOST_PAIRS_SEEN = 2000
"""Pairs that are considered at one time; more share a file only where everybody changes the same one."""


@dataclass(frozen=True, slots=True)
class Member:
    """A live mission."""

    id: str
    alignment: float | None = None
    """None: not known."""
    steered: bool = False
    """Whether it was steered, and the outcome is not known yet."""
    repository: str | None = None
    """Git's common folder; None: it works in none."""
    changed: frozenset[str] = frozenset()
    """Files that it has changed, relative to the top of its worktree."""
    isolated: bool = False
    """It has a worktree of its own, so that what it changes can be merged aside."""


class Pair(NamedTuple):
    """Two missions, the smaller id first, and the files that both change."""

    one: str
    other: str
    files: tuple[str, ...]


class Coherence(NamedTuple):
    """How well all missions go together."""

    value: float | None
    """0 to 1; None: no mission is live, or no alignment is known."""
    text: str
    """For people: two digits, `idle`, or `–`."""
    grade: str
    """`critical`, `low`, `fair`, `good`; "" where there is no value."""


def coherence(members: Sequence[Member]) -> Coherence:
    """Judge all live missions: their mean alignment, minus a part for each share of them with a problem.

    The mean and the share of low ones are over those whose alignment is known, the others over all.
    """
    if not members:
        return Coherence(None, "idle", "")
    known = [member.alignment for member in members if member.alignment is not None]
    if not known:
        return Coherence(None, "–", "")
    value = sum(known) / len(known)
    value -= LOW_WEIGHT * sum(one < LOW for one in known) / len(known)
    value -= STEERED_WEIGHT * sum(member.steered for member in members) / len(members)
    value -= SHARING_WEIGHT * len(sharing(members)) / len(members)
    value = round(min(max(value, 0.0), 1.0), 4)
    return Coherence(value, decimal(value, 2), grade(value))


def grade(value: float) -> str:
    """The word for a coherence."""
    if value < CRITICAL:
        return "critical"
    if value < LOW_COHERENCE:
        return "low"
    return "good" if value > GOOD else "fair"


def sharing(members: Sequence[Member]) -> frozenset[str]:
    """The missions that change a file which another one changes, too."""
    owners = _by_file(members)
    return frozenset(one for found in owners.values() if len(found) > 1 for one in found)


def overlaps(members: Sequence[Member]) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    """A mission → each other one that changes the same files, and which; those with the most files first."""
    found: dict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
    for pair in pairs(members):
        found[pair.one].append((pair.other, pair.files))
        found[pair.other].append((pair.one, pair.files))
    return found


def _by_file(members: Iterable[Member]) -> dict[tuple[str, str], list[str]]:
    """A file of a repository → who changes it."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for member in members:
        if member.repository is not None:
            for path in member.changed:
                found[member.repository, path].append(member.id)
    return found


def pairs(members: Sequence[Member]) -> list[Pair]:
    """Pairs that change one file of one repository, those with the most such files first; at most `MOST_PAIRS_SEEN`."""
    shared: dict[tuple[str, str], set[str]] = defaultdict(set)
    for (_, path), owners in sorted(_by_file(members).items()):
        for one, other in combinations(sorted(owners), 2):
            if (one, other) in shared or len(shared) < MOST_PAIRS_SEEN:
                shared[one, other].add(path)
    found = [Pair(one, other, tuple(sorted(files))) for (one, other), files in shared.items()]
    return sorted(found, key=lambda pair: (-len(pair.files), pair))


def twins(members: Sequence[Member], reported: Iterable[tuple[str, str]] = ()) -> list[Pair]:
    """Pairs that change mostly the same files and were not reported yet; `reported`: pairs of ids."""
    changed = {member.id: member.changed for member in members}
    known = set(reported)
    return [
        pair
        for pair in pairs(members)
        if (pair.one, pair.other) not in known and are_twins(changed[pair.one], changed[pair.other])
    ]


def are_twins(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether half of what either changes is changed by both (Jaccard), and each changes `TWIN_FILES` or more."""
    if min(len(one), len(other)) < TWIN_FILES:
        return False
    return len(one & other) >= TWINS * len(one | other)


def to_merge(members: Sequence[Member], merged_at: Mapping[tuple[str, str], float], now: float) -> list[Pair]:
    """The pairs whose worktrees are to be test-merged now, the longest not compared first.

    Args:
        members: All that live.
        merged_at: Pairs of ids → when they were merged last, in seconds of the same clock.
        now: The time.
    """
    isolated = {member.id for member in members if member.isolated}
    due = [
        pair
        for pair in pairs(members)
        if {pair.one, pair.other} <= isolated and _is_due(merged_at.get((pair.one, pair.other)), now)
    ]
    return sorted(due, key=lambda pair: merged_at.get((pair.one, pair.other), float("-inf")))[:MOST_PAIRS]


def _is_due(last: float | None, now: float) -> bool:
    return last is None or now - last >= PAIR_SECONDS or now < last


def new_overlaps(found: Iterable[Pair], reported: Mapping[tuple[str, str], frozenset[str]]) -> Iterator[Pair]:
    """The pairs with overlapping files that were not reported yet; `reported`: pairs of ids → files."""
    for pair in found:
        if not reported.get((pair.one, pair.other), frozenset()).issuperset(pair.files):
            yield pair


def counts(members: Sequence[Member]) -> Counter[str]:
    """How many live, are known, have low alignment, were steered, and share files."""
    known = [member.alignment for member in members if member.alignment is not None]
    return Counter(
        live=len(members),
        known=len(known),
        low=sum(one < LOW for one in known),
        steered=sum(member.steered for member in members),
        sharing=len(sharing(members)),
    )
