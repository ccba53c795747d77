"""Missions and runs as the API shows them: JSON-able, times in RFC 3339, absent things null. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent import RAW, ActivityKind, ActivitySource, AgentMode
from overmind_core.domain.agents.conversation import failed_message, handover_phase
from overmind_core.domain.agents.spending import cost_of, cost_source, is_partial
from overmind_core.domain.missions.mission import Mission, Restart, Status, shell_code
from overmind_core.domain.missions.outcome import Outcome, outcome_of
from overmind_core.domain.missions.reasons import (
    HELD_BACK,
    MOST_NAMED,
    SAY_NOTHING,
    kept_limit,
    killed_words,
    sentence,
    spent_limit,
    time_limit,
    why_run_ended,
)
from overmind_core.domain.text.cells import display_safe
from overmind_core.domain.text.moment import format_time
from overmind_core.missions.output_progress import FULL_SCREEN
from overmind_core.providers.registry import log_in_first

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from overmind_core.domain.agents.agent import Activity
    from overmind_core.domain.agents.conversation import Conversation
    from overmind_core.domain.missions.mission import Definition, Run
    from overmind_core.domain.missions.standing import WorkStanding
    from overmind_core.missions.answer_types import (
        AgentState,
        MissionBrief,
        MissionDetails,
        MissionSummary,
        RestartedMission,
        RunSummary,
        StartedMission,
    )
    from overmind_core.missions.service import Started


def brief(mission: Mission) -> MissionBrief:
    """Id and name: what commands answer that change a mission."""
    return {"id": mission.id, "name": mission.definition.name}


def restarted_mission(mission: Mission) -> RestartedMission:
    """What is answered of a mission that was started again and may still be prepared."""
    answer: RestartedMission = {"id": mission.id, "name": mission.definition.name}
    if mission.status is Status.PREPARING:
        answer["status"] = mission.status
    return answer


def notes(missions: Iterable[Mission], since: float, *others: str | None) -> str | None:
    """What people are told of missions that ended since that moment: who had to be killed; and all that is told beside.

    Args:
        missions: Those that were ended.
        since: When that was asked for, in seconds since the epoch.
        others: Further sentences; None: nothing.
    """
    late = [one for one in missions if one.killed_after and (one.ended_at is None or one.ended_at >= since)]
    lines = [f"{one.definition.name} {killed_words(one.killed_after or 0.0)}" for one in late[:MOST_NAMED]]
    if len(late) > MOST_NAMED:
        lines.append(f"{len(late) - MOST_NAMED} more had to be killed after their grace")
    return "\n".join([*lines, *filter(None, others)]) or None


def started(answer: Started) -> StartedMission:
    """What `run` answers; to a repeat with the same key as of a mission that is there."""
    mission = answer.mission
    shown: StartedMission = {"id": mission.id, "name": mission.definition.name}
    if mission.status is Status.PREPARING if answer.repeated else answer.preparing:
        shown["status"] = mission.status
    if not answer.repeated and (answer.preparing or answer.note):
        shown["note"] = answer.note or None
    return shown


def row(
    mission: Mission,
    children: Sequence[str],
    now: float,
    conversation: Conversation | None = None,
    *,
    unseen: bool = False,
    conversation_lost: bool = False,
    lost: bool = False,
    standing: WorkStanding | None = None,
) -> MissionSummary:
    """A mission in a list; `now` in seconds since the epoch, `said` how its conversation stands, if it has one."""
    definition = mission.definition
    return {
        "id": mission.id,
        "name": definition.name,
        "type": definition.kind,
        "status": mission.status,
        "reason": mission.reason,
        "restart_count": mission.restart_count,
        "parent": definition.parent,
        "children": list(children),
        "exit_code": exit_code(mission),
        "outcome": outcome(mission, standing),
        "quest_state": None if standing is None else standing.state,
        "next_try_at": None if standing is None else time(standing.next_try_at),
        "quest_failure": None if standing is None else standing.failure,
        "started_at": format_time(mission.started_at or mission.created_at),
        "run": mission.run,
        "run_started_at": time(mission.run_started_at),
        "ended_at": time(mission.ended_at) if not mission.is_live else None,
        "uptime_seconds": round(uptime(mission, now), 3),
        "command": definition.command,
        "cwd": definition.cwd,
        "labels": definition.labels,
        "provider": definition.provider,
        "interactive": definition.interactive,
        "tty": definition.tty,
        "unseen": unseen,
        "conversation_lost": conversation_lost,
        "lost": lost,
        "hidden": mission.hidden or mission.status is Status.KILLED,
        **talking(mission, conversation),
    }


def talking(mission: Mission, conversation: Conversation | None) -> AgentState:
    """What an agent is doing and has cost."""
    doing = conversation.activity if conversation is not None and mission.is_live else None
    agent = conversation is not None and mission.definition.provider != RAW
    return {
        "activity": None if doing is None else doing.doing,
        "need": None if doing is None or doing.need is None else doing.need,
        "activity_since": None if doing is None else time(doing.since or None),
        "activity_guess": None if doing is None else doing.guess,
        "activity_source": doing.source if doing is not None and _is_told(doing) else None,
        "attempt": None if doing is None or not doing.attempt else doing.attempt,
        "resume_at": None if doing is None else time(doing.resume_at),
        "failed_message": None if doing is None or conversation is None else _failed_message(mission, conversation),
        "handover": handover_phase(conversation) if conversation is not None and mission.is_live else None,
        "mode": conversation.mode if conversation is not None and agent else None,
        "cost_usd": _cost(conversation) if conversation is not None and agent else None,
        "cost_source": cost_source(conversation) if conversation is not None and agent else None,
        "cost_partial": conversation is not None and agent and is_partial(conversation),
        "tokens": {"input": conversation.input_tokens, "output": conversation.output_tokens}
        if conversation is not None and agent
        else None,
    }


def _failed_message(mission: Mission, conversation: Conversation) -> str | None:
    """The sentence about its last message, where that has failed, with the login that is missing."""
    told, failed = failed_message(conversation), conversation.failed
    how = "" if failed is None else log_in_first(mission.definition.provider, failed.error)
    return f"{told} ({how})" if told and how else told


def _cost(conversation: Conversation) -> float | None:
    usd = cost_of(conversation)
    return None if usd is None else round(usd, 6)


def details(
    mission: Mission,
    runs: Sequence[Run],
    children: Sequence[str],
    now: float,
    last_line: str = "",
    *,
    conversation: Conversation | None = None,
    unseen: bool = False,
    conversation_lost: bool = False,
    lost: bool = False,
    standing: WorkStanding | None = None,
) -> MissionDetails:
    """Everything known about a mission but its environment."""
    definition = mission.definition
    policy = definition.restart
    return {
        **row(
            mission,
            children,
            now,
            conversation,
            unseen=unseen,
            conversation_lost=conversation_lost,
            lost=lost,
            standing=standing,
        ),
        "os_pid": mission.pid,
        "argv": list(definition.argv),
        "model": None if conversation is None else conversation.model,
        "turns": None if conversation is None else conversation.turns or None,
        "permission_mode": None if conversation is None else conversation.permission_mode,
        "restart_policy": policy.when,
        "run_reason": mission.run_reason,
        "limit_seconds": kept_limit(mission.run_reason or mission.reason, mission.limit),
        "max_restarts": policy.max_restarts,
        "max_seconds": policy.window,
        "backoff_ms": round(policy.backoff * 1000, 3),
        "next_restart_at": time(mission.next_restart_at),
        "activity_timeout_seconds": definition.activity_timeout,
        "grace_seconds": definition.grace,
        "stop_signal": definition.stop_signal,
        "timeout_ms": round(definition.timeout * 1000, 3),
        "columns": definition.columns,
        "rows": definition.rows,
        "leave_background": definition.leave_background,
        "max_children": definition.max_children,
        "max_depth": definition.max_depth,
        "max_cost_usd": definition.max_cost or None,
        "max_tokens": definition.max_tokens or None,
        "tree_cost_usd": None,
        "tree_cost_source": None,
        "tree_cost_partial": False,
        "tree_tokens": None,
        "created_at": format_time(mission.created_at),
        "session_id": _session_id(definition, conversation),
        "attached": 0,
        "now": now_line(mission, last_line, conversation, standing),
        "last_activity_at": None,
        "kill_at": None,
        "killed_after_seconds": mission.killed_after,
        "survivors": list(mission.survivors),
        "background": [],
        "runs": [run_details(run, mission) for run in runs],
    }


def _session_id(definition: Definition, conversation: Conversation | None) -> str | None:
    """The program's id of a conversation; None: there is none, or nothing tells it."""
    if conversation is None:
        return None
    return conversation.session if definition.provider != RAW else conversation.terminal_session or None


def run_details(run: Run, mission: Mission) -> RunSummary:
    """One run of a mission, with its true exit code."""
    current = mission.is_live and run.number == mission.run
    return {
        "number": run.number,
        "os_pid": run.pid if current and run.code is None and run.ended_at is None else None,
        "started_at": time(run.started_at),
        "ended_at": time(run.ended_at),
        "exit_code": None if run.code is None else shell_code(run.code),
        "signal": -run.code if run.code is not None and run.code < 0 else None,
        "reason": run.reason,
        "output_bytes": run.out + run.err,
    }


def exit_code(mission: Mission) -> int | None:
    """The newest run's exit code, once the mission has one."""
    return None if mission.is_killed else mission.exit_code


def uptime(mission: Mission, now: float) -> float:
    """Return the seconds since the mission's newest run began; of a finished one, how long that took.

    Of one whose runs an older program has started, since the first of them began.
    """
    known = (mission.run_started_at, mission.started_at, mission.created_at)
    began = next(one for one in known if one is not None)
    ended = mission.run_ended_at or mission.ended_at
    return max(0.0, (now if mission.is_live or ended is None else ended) - began)


def outcome(mission: Mission, standing: WorkStanding | None) -> Outcome | None:
    """How it ended; of the mission of a quest, or of an agent of a plan, how that did."""
    return outcome_of(mission) if standing is None else standing.outcome


def now_line(
    mission: Mission,
    last_line: str = "",
    conversation: Conversation | None = None,
    standing: WorkStanding | None = None,
) -> str | None:
    """One line on what is going on: what it asks or does, what it wrote last, and of one that failed, how it ended.

    Of one that stands still as its output can't be stored, that.
    """
    if mission.status is Status.RUNNING and (held := HELD_BACK.get(mission.reason or "")):
        return held
    if standing is not None and standing.text:
        return display_safe(standing.text)
    told = "" if conversation is None else _failed_message(mission, conversation) or conversation.activity.now
    if mission.is_live and told:
        return display_safe(told)
    if mission.is_live and mission.status is not Status.RESTARTING:
        return None if _draws_itself(mission, conversation) else last_line or None
    code = mission.exit_code if mission.status is Status.RESTARTING else exit_code(mission)
    reason = mission.reason or ""
    is_farewell = mission.definition.has_terminal_input and _FAREWELL.fullmatch(last_line)
    if is_farewell or last_line == FULL_SCREEN:
        last_line = ""  # that the shell was left, its end says as well; a picture says nothing of an end
    if outcome_of(mission) in _ON_PURPOSE and not why_ended(mission):
        return last_line or None  # neither its code nor this line is why it ended
    how = [f"exit {code}" if code else "", "" if reason in last_line else why_ended(mission)]
    parts = [", ".join(part for part in how if part), last_line]
    return ": ".join(part for part in parts if part) or None


def is_explained(mission: Mission) -> bool:
    """True unless it has ended, and nothing but its output says why."""
    return (mission.is_live and mission.status is not Status.RESTARTING) or bool(why_ended(mission))


_FAREWELL = re.compile(r"(.*[$#%>❯] ?)?(exit|logout)( \d+)?")
"""The last line of a shell that was left: what it writes itself then, or its prompt with the word that left it."""
_ON_PURPOSE = frozenset({Outcome.STOPPED, Outcome.KILLED})
"""How it has ended where somebody wanted that."""
TIMED_OUT = "timeout"


def why_ended(mission: Mission) -> str:
    """The reason of its end, as people read it; "" where its exit code says it."""
    policy = mission.definition.restart
    why = why_run_ended(mission.run_reason, mission.limit)
    spent = spent_limit(policy.max_restarts, policy.window, mission.restart_count, why)
    other = time_limit(mission.reason, mission.limit, is_restarted=policy.when is not Restart.NEVER)
    limit = spent if mission.is_given_up else other
    return "" if mission.reason in SAY_NOTHING - {TIMED_OUT} else sentence(mission.reason, limit)


def _draws_itself(mission: Mission, conversation: Conversation | None) -> bool:
    """Whether it is an agent's own full-screen program: what it writes are pieces of pictures, and no lines."""
    if conversation is None or conversation.mode is not AgentMode.INTERACTIVE:
        return False
    return mission.definition.provider != RAW or conversation.activity.source in _OF_FULL_SCREEN


_OF_FULL_SCREEN = frozenset({ActivitySource.STATUS, ActivitySource.TITLE, ActivitySource.SCREEN})
"""Sources of the activity of a plain program that draws its own screen."""


def _is_told(activity: Activity) -> bool:
    return activity.doing is not ActivityKind.UNKNOWN or activity.guess is not None


def time(wall: float | None) -> str | None:
    """RFC 3339 in UTC."""
    return None if wall is None else format_time(wall)
