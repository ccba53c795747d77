"""The lookup of missions: the one that a person's word means, and the line from one up to the root of its tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.missions.outcome import outcome_of
from overmind_core.domain.missions.references import (
    Ambiguous,
    Candidate,
    ResolvedReference,
    ago,
    ended_so_named,
    resolve,
)
from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.missions.registry import Registry


UNKNOWN = "?"
"""In place of the id of who asks: inside some mission, nobody can say which. It descends from none and none descends
from it, so it may touch none."""
UNKNOWN_SUBJECT = "A program started by a mission or the daemon, or one that has exited,"
LISTED = 10
"""Candidates that an `ambiguous` error names."""


def find(
    registry: Registry,
    text: str,
    *,
    live_first: bool = False,
    alone: bool = False,
    counts: Callable[[str], bool] = lambda _mission: True,
) -> Mission:
    """The mission that `text` means: exact id, live name, newest finished name, unique beginning of an id.

    With `alone`, for commands that change what has ended, a finished name is refused where several had it; `counts`
    says of an id whether the command could be about it. What is none of these may be an agent of a plan by its own
    name, where only one plan has such an agent.

    Raises:
        OvermindError: `not_found`, or `ambiguous` with the candidates; `not_running`, it is a quest that has not begun.
    """
    mission = registry.live.get(text)
    if mission is not None:
        return mission
    registry.journal.flush()
    match resolve(text, _candidates(registry, text), live_first=live_first):
        case ResolvedReference(candidate):
            if alone and counts(candidate.id):
                _check_alone(registry, text, candidate, counts)
            found = registry.get(candidate.id)
            if found is not None:
                return found
        case Ambiguous(candidates):
            raise _ambiguous(text, candidates)
    if (held := registry.index.held(text)) is not None:
        raise not_begun(*held)
    if (agent := _agent_of_a_plan(registry, text)) is not None:
        return agent
    raise OvermindError("not_found", f"No mission named {text!r}. See them with: overmind ps --all")


def _check_alone(registry: Registry, text: str, meant: Candidate, counts: Callable[[str], bool]) -> None:
    """Check that nothing else that has ended could be meant by a name.

    Raises:
        OvermindError: `ambiguous`, with the candidates.
    """
    several = ended_so_named(meant, text, (one for one in _candidates(registry, text) if counts(one.id)))
    if not several:
        return
    now = registry.now().wall
    outcomes = {one.id: None if (known := registry.get(one.id)) is None else outcome_of(known) for one in several}
    raise several_ended(text, "missions", several, outcomes, now)


def several_ended(
    text: str, what: str, several: Sequence[Candidate], ends: Mapping[str, str | None], now: float
) -> OvermindError:
    """The error for a name that several have had which have ended.

    Args:
        text: The name.
        what: They are these.
        several: Newest first.
        ends: Id → how it ended.
        now: Seconds since the epoch.
    """
    listed = ", ".join(f"{one.id} ({ends.get(one.id) or 'ended'}{ago(one.ended_at, now)})" for one in several[:LISTED])
    more = f" and {len(several) - LISTED} more" if len(several) > LISTED else ""
    return OvermindError(
        "ambiguous",
        f"{text!r} names several {what} that have ended: {listed}{more}. Give an id.",
        candidates=[{"id": one.id, "name": one.name} for one in several],
    )


def find_each(registry: Registry, texts: Iterable[str], *, known: bool = False) -> list[Mission]:
    """The missions that these mean, in their order; `known`: of exact ids, those that are still there.

    Raises:
        OvermindError: as of `find`, unless `known`.
    """
    if not known:
        return [find(registry, text) for text in texts]
    registry.journal.flush()
    return [mission for text in texts if (mission := registry.get(text)) is not None]


def _agent_of_a_plan(registry: Registry, text: str) -> Mission | None:
    """The newest mission named `<plan>/text`, a live one first.

    Raises:
        OvermindError: `ambiguous`, there are such agents in several plans.
    """
    live = [one for one in registry.live.values() if one.definition.name.endswith(f"/{text}")]
    found = live or [one for row in registry.mission_table.below_any(text) if (one := registry.get(row)) is not None]
    names = sorted({one.definition.name for one in found})
    if len(names) > 1:
        listed = ", ".join(names[:LISTED])
        raise OvermindError("ambiguous", f"{text!r} is an agent of several plans: {listed}. Name one of them.")
    return max(found, key=lambda one: (one.created_at, one.id), default=None)


def find_live(registry: Registry, text: str) -> Mission:
    """As `find`, for commands that act on what runs.

    Raises:
        OvermindError: `not_found`, `ambiguous` or `not_running`.
    """
    mission = find(registry, text, live_first=True)
    if not mission.is_live:
        raise not_running(mission)
    return mission


def not_begun(mission_id: str, name: str) -> OvermindError:
    """The error for the mission of a quest that waits for its turn."""
    message = f"Quest {mission_id} ({name}) is queued: it has no mission yet. See: overmind quest why {name}"
    return OvermindError("not_running", message, id=mission_id)


def not_running(mission: Mission) -> OvermindError:
    """The error for a mission that has ended."""
    outcome = outcome_of(mission)
    ended = f"is {mission.status}" if outcome is None else f"has already ended: {outcome}"
    return OvermindError("not_running", f"Mission {mission.id} ({mission.definition.name}) {ended}.")


def _candidates(registry: Registry, text: str) -> list[Candidate]:
    """What the store knows, and what is too new for it (a full disk)."""
    known = {candidate.id: candidate for candidate in registry.mission_table.candidates(text)}
    for mission in registry.live.values():
        if mission.definition.name == text or mission.id.startswith(text):
            known[mission.id] = Candidate(mission.id, mission.definition.name, live=True, ended_at=None)
    return [known[one] for one in sorted(known)]


def _ambiguous(text: str, candidates: tuple[Candidate, ...]) -> OvermindError:
    listed = ", ".join(f"{one.id} ({one.name})" for one in candidates[:LISTED])
    more = f" and {len(candidates) - LISTED} more" if len(candidates) > LISTED else ""
    return OvermindError(
        "ambiguous",
        f"{text!r} matches several ids: {listed}{more}. Give more characters.",
        candidates=[{"id": one.id, "name": one.name} for one in candidates],
    )


def line(registry: Registry, mission_id: str | None) -> Iterator[Mission]:
    """The mission and all above it, live or finished; it ends where one was removed."""
    seen: set[str] = set()
    while mission_id is not None and mission_id not in seen:
        seen.add(mission_id)
        mission = registry.get(mission_id)
        if mission is None:
            return
        yield mission
        mission_id = mission.definition.parent


def above_live(registry: Registry) -> dict[str, Mission]:
    """The ids of all missions above live ones, each with one of these: without them its line ends too early."""
    found: dict[str, Mission] = {}
    for live in list(registry.live.values()):
        for one in line(registry, live.definition.parent):
            if one.id in found:
                break
            found[one.id] = live
    return found


def descends(mission: Mission, ancestor: str, registry: Registry) -> bool:
    """Whether `ancestor` is above the mission."""
    parent = mission.definition.parent
    return parent == ancestor or any(ancestor in {one.id, one.definition.parent} for one in line(registry, parent))


def parent_of(registry: Registry, wanted: str | None, caller: str | None) -> str | None:
    """The id of a new mission's parent: as asked, or the mission that the caller runs in.

    Raises:
        OvermindError: `parent_not_found`; `forbidden`.
    """
    if caller == UNKNOWN:
        raise OvermindError("forbidden", f"{UNKNOWN_SUBJECT} may not start missions.")
    if wanted is None:
        return caller
    try:
        parent = find(registry, wanted)
    except OvermindError as error:
        if error.code == "not_found":
            raise OvermindError("parent_not_found", f"No mission named {wanted!r} for --parent.") from None
        raise
    if caller is not None and parent.id != caller and not descends(parent, caller, registry):
        raise OvermindError("forbidden", f"A process inside mission {caller} may not start children of {parent.id}.")
    return parent.id
