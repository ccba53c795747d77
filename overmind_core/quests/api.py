"""`quest_run`, `quests`, `quest`, `quest_wait`, `quest_cancel`: work that is tried until it is done.

Quests as the API shows them: JSON-able, times in RFC 3339, absent things null. Pure.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.agents.spec import spec_of
from overmind_core.definitions.api_run import parent_of
from overmind_core.domain.missions.mission import Kind, Mission
from overmind_core.domain.missions.references import Ambiguous, Candidate, ResolvedReference, resolve
from overmind_core.domain.quests import Quest, QuestStatus
from overmind_core.errors import OvermindError
from overmind_core.missions import answers
from overmind_core.missions.answers import time
from overmind_core.missions.callers import forbid_foreign, mission_of
from overmind_core.missions.registry import mission_of as stored_mission
from overmind_core.quests import store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from overmind_core.daemon.app import Supervisor
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.missions.callers import Caller
    from overmind_core.plans import requests


def brief(quest: Quest) -> dict[str, Any]:
    """Id and name: what commands answer that change a quest."""
    return {"id": quest.id, "name": quest.name}


def end(quest: Quest) -> dict[str, Any]:
    """How a quest ended: what whoever waited for it is told."""
    return {**brief(quest), "status": quest.status.value, "reason": quest.reason, "exit_code": quest.exit_code}


def row(quest: Quest, work: Mission | None, now: float) -> dict[str, Any]:
    """A quest in a list; `now` in seconds since the epoch, `work` its mission while that is there."""
    until = now if quest.ended_at is None else quest.ended_at
    attempts = quest.attempts if work is None or not quest.runs else work.restart_count + 1
    return {
        **end(quest),
        "phase": _phase(quest, work),
        "attempts": attempts,
        "retries": quest.retries,
        "check": quest.check,
        "check_id": quest.check_id,
        "command": quest.command,
        "cwd": quest.cwd,
        "provider": quest.provider,
        "ritual": quest.ritual,
        "mission": None if work is None else quest.id,
        "mission_status": None if work is None else work.status.value,
        "started_at": time(quest.created_at),
        "ended_at": time(quest.ended_at),
        "duration_seconds": round(max(0.0, until - quest.created_at), 3),
    }


def _phase(quest: Quest, work: Mission | None) -> str | None:
    """What a quest that runs is doing: its work, or its check."""
    if not quest.runs:
        return None
    return "work" if work is None or work.is_live else "check"


FOREVER = "36500d"
"""The window of a quest's retries: none of them is ever forgotten."""


async def quest_run(core: Supervisor, request: requests.QuestRun, caller: Caller) -> dict[str, Any]:
    """Begin a quest; answers once its work runs. With a request key a repeat answers the same quest."""
    made: list[str] = []
    start = as_start(request)
    _check_name(core, request)
    try:
        inside = mission_of(caller, core.book, core.home.root)
        spec = spec_of(start, core.settings, parent=parent_of(core.book, start.parent, inside))
        also = _quest(core, request, made)
        answer = answers.started(await core.missions.start(spec, inside=inside, caller=caller, also=also))
    except BaseException:
        forget(core, made)
        raise
    _announce(core, made)
    return answer


async def begin(core: Supervisor, request: requests.QuestRun, *, name: str, ritual: str) -> dict[str, Any]:
    """As `quest_run`, for a run of a ritual, which names it; the request has a key."""
    made: list[str] = []
    also = _quest(core, request, made, ritual=ritual)
    start = as_start(request)
    if start.isolate is None:
        start = msgspec.structs.replace(start, isolate=await core.isolation.projects.has_file(start.cwd))
    try:
        spec = spec_of(start, core.settings, name=name)
        answer = answers.started(await core.missions.start_child(spec, also=also))
    except BaseException:
        forget(core, made)
        raise
    _announce(core, made)
    return answer


def as_start(request: requests.QuestRun) -> requests.QuestRun:
    """The request for the quest's mission: its retries are restarts of that.

    Raises:
        OvermindError: `invalid`, it would never end.
    """
    if request.restart != "never":
        raise OvermindError("invalid", "A quest ends: instead of --restart give --retries N.")
    if request.type != Kind.TASK.value:
        raise OvermindError("invalid", f"A quest is a task, which ends: --type {request.type} is for overmind run.")
    if request.check is not None and not request.check.strip():
        raise OvermindError(
            "empty_command", "Missing check: say what tells that it is done, as in --check 'make test'."
        )
    if not request.retries:
        return request
    return msgspec.structs.replace(request, restart="on-failure", max_restarts=request.retries, max_seconds=FOREVER)


def _check_name(core: Supervisor, request: requests.QuestRun) -> None:
    """A quest keeps its name while it is checked, when its mission has ended.

    Raises:
        OvermindError: `name_taken`.
    """
    for quest in core.quests.live.values() if request.name is not None else ():
        if quest.name == request.name and not _is_same(core, quest, request):
            name = quest.name
            raise OvermindError("name_taken", f"The name {name!r} is taken by quest {quest.id}. Choose another one.")


def _is_same(core: Supervisor, quest: Quest, request: requests.QuestRun) -> bool:
    """Whether it is the quest that an earlier try of the same request began."""
    row = None if request.request is None else core.state.missions.by_request(request.request)
    return row is not None and row.id == quest.id


def _quest(
    core: Supervisor, request: requests.QuestRun, made: list[str], ritual: str | None = None
) -> Callable[[Mission], Callable[[], None]]:
    def also(mission: Mission) -> Callable[[], None]:
        made.append(mission.id)
        definition = mission.definition
        return core.quests.begun(
            Quest(
                id=mission.id,
                name=definition.name,
                command=definition.command,
                cwd=definition.cwd,
                provider=definition.provider,
                created_at=mission.created_at,
                check=request.check,
                retries=request.retries,
                ritual=ritual,
            )
        )

    return also


def forget(core: Supervisor, made: Sequence[str]) -> None:
    """Drop what was recorded of a quest whose mission never came to be."""
    for quest_id in made:
        if quest_id not in core.book.live:
            core.quests.dropped(quest_id)


def _announce(core: Supervisor, made: Sequence[str]) -> None:
    for quest_id in made:
        core.quests.announce(quest_id)


async def quests(core: Supervisor, request: requests.Quests, caller: Caller) -> list[dict[str, Any]]:
    """The newest quests, oldest of them first."""
    del caller
    for status in request.status:
        if status not in set(QuestStatus):
            raise OvermindError("invalid", f"Unknown status {status!r}. Known: {', '.join(QuestStatus)}.")
    core.ledger.flush()
    found = [store.quest(row) for row in core.state.quests.newest(request.limit, statuses=request.status)]
    works = {row.id: stored_mission(row) for row in core.state.missions.by_ids([quest.id for quest in found])}
    now = core.clock.wall()
    return [row(quest, core.book.known(quest.id) or works.get(quest.id), now) for quest in found]


async def quest(core: Supervisor, request: requests.Quest, caller: Caller) -> dict[str, Any]:
    """Everything known of one quest."""
    del caller
    found = find(core, request.id)
    return row(found, core.book.get(found.id), core.clock.wall())


async def quest_wait(core: Supervisor, request: requests.QuestWait, caller: Caller) -> AsyncIterator[Any]:
    """An item as each quest ends; `any`: only the first."""
    del caller
    found = [find(core, text) for text in request.ids]
    yield {"missions": [brief(one) for one in found]}
    waiting = {asyncio.ensure_future(core.quests.end_of(one)) for one in dict.fromkeys(one.id for one in found)}
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield end(task.result())
                if request.any:
                    return
    finally:
        for task in waiting:
            task.cancel()


async def quest_cancel(core: Supervisor, request: requests.Quest, caller: Caller) -> dict[str, Any]:
    """End a quest, its work and its check; answers when nothing of them lives."""
    found = find(core, request.id, live_first=True)
    if not found.runs:
        raise OvermindError("not_running", f"Quest {found.id} ({found.name}) is {found.status}.")
    work = core.book.get(found.id)
    if work is not None:
        forbid_foreign(mission_of(caller, core.book, core.home.root), work, core.book, "cancel quest")
    return end(await core.quests.cancel(found))


def find(core: Supervisor, text: str, *, live_first: bool = False) -> Quest:
    """The quest that `text` means, by the rules for missions.

    Raises:
        OvermindError: `not_found`, or `ambiguous` with the candidates.
    """
    core.ledger.flush()
    match resolve(text, core.state.quests.candidates(text), live_first=live_first):
        case ResolvedReference(candidate):
            found = core.quests.get(candidate.id)
            if found is not None:
                return found
        case Ambiguous(candidates):
            raise _ambiguous(text, candidates)
    raise OvermindError("not_found", f"No quest named {text!r}. See them with: overmind quest list")


def _ambiguous(text: str, candidates: tuple[Candidate, ...]) -> OvermindError:
    listed = ", ".join(f"{one.id} ({one.name})" for one in candidates[:10])
    return OvermindError(
        "ambiguous",
        f"{text!r} is the beginning of several ids: {listed}. Give more of it.",
        candidates=[{"id": one.id, "name": one.name} for one in candidates],
    )
