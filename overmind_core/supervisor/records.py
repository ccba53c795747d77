"""Missions and runs as the API shows them: JSON-able, times in RFC 3339, absent things null. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from overmind_core.domain.mission import Kind, Mission, Status, shell_code
from overmind_core.domain.moment import format_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.domain.run import Run


def brief(mission: Mission) -> dict[str, Any]:
    """Id and name: what commands answer that change a mission."""
    return {"id": mission.id, "name": mission.definition.name}


def row(mission: Mission, children: Sequence[str], now: float) -> dict[str, Any]:
    """A mission in a list; `now` in seconds since the epoch."""
    definition = mission.definition
    return {
        "id": mission.id,
        "name": definition.name,
        "type": definition.kind.value,
        "status": mission.status.value,
        "reason": mission.reason,
        "restart_count": mission.restart_count,
        "parent": definition.parent,
        "children": list(children),
        "exit_code": exit_code(mission),
        "started_at": time(mission.started_at or mission.created_at),
        "ended_at": time(mission.ended_at) if not mission.is_live else None,
        "uptime_seconds": round(uptime(mission, now), 3),
        "command": definition.command,
        "cwd": definition.cwd,
        "labels": definition.labels,
        "provider": definition.provider,
        "activity": activity(mission),
    }


def details(
    mission: Mission, runs: Sequence[Run], children: Sequence[str], now: float, last_line: str = ""
) -> dict[str, Any]:
    """Everything known about a mission but its environment."""
    definition = mission.definition
    policy = definition.restart
    return {
        **row(mission, children, now),
        "os_pid": mission.pid,
        "argv": list(definition.argv),
        "model": None,
        "restart_policy": policy.when.value,
        "max_restarts": policy.max_restarts,
        "max_seconds": policy.window,
        "backoff_ms": round(policy.backoff * 1000, 3),
        "next_restart_at": time(mission.next_restart_at),
        "activity_timeout_seconds": definition.activity_timeout,
        "grace_seconds": definition.grace,
        "stop_signal": definition.stop_signal,
        "timeout_ms": round(definition.timeout * 1000, 3),
        "interactive": definition.interactive,
        "tty": definition.tty,
        "columns": definition.columns,
        "rows": definition.rows,
        "leave_background": definition.leave_background,
        "created_at": time(mission.created_at),
        "session_id": None,
        "attached": 0,
        "now": now_line(mission, last_line),
        "last_activity_at": None,
        "survivors": list(mission.survivors),
        "runs": [run_details(run, mission) for run in runs],
    }


def run_details(run: Run, mission: Mission) -> dict[str, Any]:
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
    return None if mission.status is Status.KILLED else mission.exit_code


def uptime(mission: Mission, now: float) -> float:
    """Seconds since the mission began; of a finished one, how long it lasted."""
    began = mission.started_at if mission.started_at is not None else mission.created_at
    until = now if mission.is_live or mission.ended_at is None else mission.ended_at
    return max(0.0, until - began)


def activity(mission: Mission) -> str | None:
    """What it is doing, as far as can be told of a program that doesn't say."""
    return "unknown" if mission.is_live and mission.definition.kind is Kind.SESSION else None


def now_line(mission: Mission, last_line: str = "") -> str | None:
    """One line on what is going on: what it wrote last, and of one that failed, how it ended."""
    if mission.is_live and mission.status is not Status.RESTARTING:
        return last_line or None
    code = mission.exit_code if mission.status is Status.RESTARTING else exit_code(mission)
    parts = [f"exit {code}" if code else "", last_line or mission.reason or ""]
    return ": ".join(part for part in parts if part) or None


def time(wall: float | None) -> str | None:
    """RFC 3339 in UTC."""
    return None if wall is None else format_time(wall)
