"""`overmind status`: the daemon, its keeper, and how many missions there are."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.output import ABSENT, dumps, size
from overmind_core.cli.table import JSON, Command
from overmind_core.domain.cells import display_safe
from overmind_core.domain.duration import format_uptime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

    Facts = Mapping[str, Any]

COUNTS = ("running", "stopped", "crashed", "killed", "total")
"""`running` counts all live ones."""


def status(args: Namespace, context: Context) -> int:
    """Print what the daemon says of itself."""
    facts = context.client().call("status")
    context.say(dumps(facts) if args.json else text(facts))
    return 0


def text(facts: Facts) -> str:
    """Return the facts as aligned lines."""
    rows = [
        ("Daemon", f"running (PID {facts['pid']})"),
        ("Version", facts["version"]),
        ("Home", facts["home"]),
        ("Uptime", format_uptime(facts["uptime_seconds"])),
        ("Memory", size(facts["memory_bytes"])),
        *((name.capitalize(), str(facts["missions"].get(name, 0))) for name in COUNTS),
        ("Keeper", _keeper(facts["keeper"])),
        ("Logs", size(facts["log_bytes"])),
    ]
    return "\n".join(f"{name + ':':<10}{display_safe(value)}" for name, value in rows)


def _keeper(facts: Facts | None) -> str:
    if facts is None:
        return ABSENT
    runs = f"{facts['runs']} run{'' if facts['runs'] == 1 else 's'}"
    return f"PID {facts['pid']}, version {facts['version']}, {size(facts['memory_bytes'])}, {runs}"


COMMAND = Command(
    name="status",
    summary="show the daemon, its keeper, and counts of missions",
    options=[JSON],
    examples=["overmind status", "overmind status --json"],
    run=status,
)
