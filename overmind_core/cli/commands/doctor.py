"""`overmind doctor`: what is wrong with this machine or home, and how to mend it."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.table import JSON, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from overmind_core.cli.doctor.finding import Check, Finding, World

TITLES = ("CHECK", "STATUS", "FOUND", "MEND")
COLOURS = {"ok": "32", "warn": "33", "fail": "31"}
"""Status → SGR number."""


def doctor(args: Namespace, context: Context) -> int:
    """Look at everything; exit status 1 when something fails."""
    from overmind_core.cli.doctor.checks import examine

    findings = examine(_world(context))
    context.say(_json(findings) if args.json else _table(findings, context))
    return int(any(finding.status == "fail" for _, finding in findings))


def _world(context: Context) -> World:
    import shutil
    import sys
    from functools import partial

    from overmind_core.cli.doctor.finding import World
    from overmind_core.cli.external import ask

    which = partial(shutil.which, path=context.environ.get("PATH"))
    return World(context.environ, context.home, ask, which, sys.platform)


def _table(findings: Sequence[tuple[Check, Finding]], context: Context) -> str:
    from overmind_core.cli.output import ABSENT, coloured, table

    rows = [[check.name, finding.status, finding.found, finding.mend or ABSENT] for check, finding in findings]
    return table(TITLES, rows, colours=COLOURS if coloured(context.environ) else None)


def _json(findings: Sequence[tuple[Check, Finding]]) -> str:
    from overmind_core.cli.output import dumps

    return dumps(
        [{"check": check.name, **finding._asdict(), "mend": finding.mend or None} for check, finding in findings]
    )


COMMAND = Command(
    name="doctor",
    summary="check this machine and home, and say how to mend what is wrong",
    options=[JSON],
    examples=["overmind doctor", "overmind doctor --json"],
    notes="It starts no daemon. Exit status 1 when a check says fail; warn leaves it 0.",
    run=doctor,
)
