"""`overmind version`: this program, the daemon and the keeper that run, and what they run on."""

from __future__ import annotations

import os
import sys

from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, Command
from overmind_core.domain.cells import display_safe
from overmind_core.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

    from overmind_core.system.paths import Home

    Part = Mapping[str, Any] | None


def version(args: Namespace, context: Context) -> int:
    """Print the versions; starts nothing."""
    facts = gather(context.home)
    context.say(dumps(facts) if args.json else text(facts))
    return 0


def gather(home: Home) -> dict[str, Any]:
    """Return all versions; `daemon` and `keeper` are null when they don't run, their version when they don't tell."""
    from overmind_core.client.glance import glance
    from overmind_core.system.lock import holder_pid

    status = glance(home, "status") or {}
    machine = os.uname()
    return {
        "client": VERSION,
        "daemon": _part(status, holder_pid(home.supervisor_lock)),
        "keeper": _part(status.get("keeper") or {}, holder_pid(home.keeper_lock)),
        "python": ".".join(map(str, sys.version_info[:3])),
        "platform": f"{machine.sysname} {machine.release} {machine.machine}",
    }


def _part(told: Mapping[str, Any], pid: int | None) -> Part:
    """Return what a process told of itself, else what its lock tells."""
    if told:
        return {"version": told["version"], "pid": told["pid"]}
    return None if pid is None else {"version": None, "pid": pid}


def text(facts: Mapping[str, Any]) -> str:
    """Return the facts as aligned lines."""
    rows = [
        ("Overmind", facts["client"]),
        ("Daemon", _shown(facts["daemon"])),
        ("Keeper", _shown(facts["keeper"])),
        ("Python", facts["python"]),
        ("Platform", facts["platform"]),
    ]
    return "\n".join(f"{name + ':':<10}{display_safe(value)}" for name, value in rows)


def _shown(part: Part) -> str:
    if part is None:
        return "not running"
    return f"{part['version'] or 'unknown'} (PID {part['pid']})"


COMMAND = Command(
    name="version",
    summary="show the versions of this program, the daemon, the keeper and Python",
    options=[JSON],
    examples=["overmind version", "overmind version --json"],
    run=version,
)
