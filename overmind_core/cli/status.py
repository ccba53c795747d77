"""`overmind status`: the daemon and its keeper, or missions; a fact in each line, so that a script can grep it."""

from __future__ import annotations

from overmind_core.cli.command import JSON, Command, ids
from overmind_core.cli.context import Context
from overmind_core.cli.output import ABSENT, activity_cell, command_cell, dumps, or_absent, size
from overmind_core.domain.missions.reasons import ended_words, held_back, limit_of, why_beside
from overmind_core.domain.text.cells import display_safe
from overmind_core.domain.text.duration import format_uptime

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

    Facts = Mapping[str, Any]

COUNTS = ("running", "stopped", "crashed", "killed", "total")
"""`running` counts all live ones."""


def status(args: Namespace, context: Context) -> int:
    """Print the daemon's own facts, or a mission's."""
    if args.ids:
        return _missions_status(args, context)
    facts = context.client().call("status")
    context.print(dumps(facts) if args.json else status_text(facts))
    return 0


def status_text(facts: Facts) -> str:
    """Return the facts as aligned lines."""
    rows = [
        ("Daemon", "running"),
        ("PID", str(facts["pid"])),
        ("Version", facts["version"]),
        ("Home", facts["home"]),
        ("Uptime", format_uptime(facts["uptime_seconds"])),
        ("Memory", size(facts["memory_bytes"])),
        *((name.capitalize(), str(facts["missions"].get(name, 0))) for name in COUNTS),
        ("Keeper", _keeper(facts["keeper"])),
        ("Logs", size(facts["log_bytes"])),
        *(("Problem", problem) for problem in facts.get("problems", ())),
    ]
    return "\n".join(f"{name + ':':<10}{display_safe(value)}" for name, value in rows)


def _keeper(facts: Facts | None) -> str:
    if facts is None:
        return ABSENT
    runs = f"{facts['runs']} run{'' if facts['runs'] == 1 else 's'}"
    return f"PID {facts['pid']}, version {facts['version']}, {size(facts['memory_bytes'])}, {runs}"


def _missions_status(args: Namespace, context: Context) -> int:
    """Print the main facts of each mission, a line each."""
    client = context.client()
    found = [client.call("info", {"id": mission}) for mission in args.ids]
    context.print(dumps(found) if args.json else "\n\n".join(map(status_lines, found)))
    return 0


def status_lines(facts: Facts) -> str:
    """Return the main facts of a mission as aligned lines."""
    outcome, limit = facts.get("outcome"), limit_of(facts)  # an older hive says none
    why = "" if outcome else held_back(facts) or why_beside(facts["reason"], limit)
    rows = [
        ("Mission", f"{facts['name']} ({facts['id']})"),
        ("Status", f"{facts['status']} ({why})" if why else facts["status"]),
        ("Outcome", ended_words(outcome, facts["exit_code"], facts["reason"], limit) if outcome else ABSENT),
        ("PID", or_absent(facts["os_pid"])),
        ("Exit", or_absent(facts["exit_code"])),
        ("Started", or_absent(facts["started_at"])),
        ("Ended", or_absent(facts["ended_at"])),
        ("Restarts", str(facts["restart_count"])),
        ("Activity", activity_cell(facts)),
        ("Folder", or_absent(facts["cwd"])),
        ("Command", command_cell(facts["command"])),
    ]
    return "\n".join(f"{name + ':':<10}{display_safe(value)}" for name, value in rows)


STATUS = Command(
    name="status",
    arguments=[ids(nargs="*")],
    options=[JSON],
    examples=["overmind status", "overmind status api", "overmind status | grep PID: | cut -d: -f2"],
    notes="With ids: the status of these missions, one fact per line.",
    run=status,
)

COMMANDS = (STATUS,)
