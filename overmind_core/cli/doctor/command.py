"""`overmind doctor`: checks of this machine and home, and how to mend what is wrong.

All checks look at once, none may keep the others waiting; they are shown in the order of `CHECKS`.
"""

from __future__ import annotations

import time
from functools import partial
from threading import Thread

from overmind_core.cli.command import JSON, Command
from overmind_core.cli.context import Context
from overmind_core.cli.doctor import hives, home, machine, swarm, web
from overmind_core.cli.doctor.finding import Check, CheckContext, Finding, fail
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence


TITLES = ("CHECK", "STATUS", "FOUND")
MEND = "fix: "
"""Before what to do, below what was found."""
COLOURS = {"ok": "32", "warn": "33", "fail": "31"}
"""Status → SGR number."""


def doctor(args: Namespace, context: Context) -> int:
    """Look at everything; exit status 1 when something fails."""
    findings = run_checks(_check_context(context))
    context.print(_json(findings) if args.json else _table(findings, context))
    return int(any(finding.status == "fail" for _, finding in findings))


def _check_context(context: Context) -> CheckContext:
    import shutil
    import sys

    from overmind_core.cli.external import run_program

    which = partial(shutil.which, path=context.environ.get("PATH"))
    return CheckContext(context.environ, context.home, run_program, which, sys.platform)


def _table(findings: Sequence[tuple[Check, Finding]], context: Context) -> str:
    from overmind_core.cli.help import columns
    from overmind_core.cli.output import coloured

    colours = COLOURS if coloured(context.environ) else {}
    return report_text(findings, wide=columns(), colours=colours)


def report_text(findings: Sequence[tuple[Check, Finding]], *, wide: int, colours: Mapping[str, str]) -> str:
    """Return a line for each check, and what to do below it; none is wider than `wide`, unless a word is.

    Args:
        findings: What was found.
        wide: Columns.
        colours: Status → SGR number.
    """
    from overmind_core.cli.help import wrap
    from overmind_core.domain.text.cells import display_safe

    name_cells = max(len(check.name) for check, _ in findings) + 2
    indent = " " * (name_cells + STATUS_CELLS)
    lines = [f"{TITLES[0]:<{name_cells}}{TITLES[1]:<{STATUS_CELLS}}{TITLES[2]}"]
    for check, finding in findings:
        found = wrap(display_safe(finding.found), wide - len(indent))
        mend = wrap(display_safe(MEND + finding.mend), wide - len(indent), " " * len(MEND)) if finding.mend else []
        status = f"{finding.status:<{STATUS_CELLS}}"
        if finding.status in colours:
            status = f"\x1b[{colours[finding.status]}m{status}\x1b[0m"
        lines += [f"{check.name:<{name_cells}}{status}{found[0]}", *(indent + line for line in (*found[1:], *mend))]
    return "\n".join(lines)


STATUS_CELLS = 8
"""With the gap behind it."""


def _json(findings: Sequence[tuple[Check, Finding]]) -> str:
    from overmind_core.cli.output import dumps

    return dumps(
        [{"check": check.name, **finding._asdict(), "mend": finding.mend or None} for check, finding in findings]
    )


DOCTOR = Command(
    name="doctor",
    options=[JSON],
    examples=["overmind doctor", "overmind doctor --json"],
    notes="doctor starts no daemon. It exits with 1 when a check says fail; warn leaves it 0.",
    run=doctor,
)


LIMIT = 15.0
"""Seconds for all checks together."""

CHECKS = (
    Check("python", machine.python),
    Check("overmind", machine.command),
    Check("git", machine.git),
    Check("docker", machine.docker_client),
    Check("docker engine", machine.docker_engine),
    Check("containers", machine.engine),
    Check("ports", machine.ports),
    *(Check(name, partial(machine.agent, name=name)) for name in machine.AGENTS),
    Check("tmux", machine.tmux),
    *(Check(f"tmux {name}", partial(machine.tmux_setting, name=name)) for name in machine.TMUX_SETTINGS),
    Check("home", home.folder),
    Check("file system", home.file_system_kind),
    Check("free space", home.free_space),
    Check("socket", home.socket_address),
    Check("daemon", home.daemon),
    Check("keeper", home.keeper),
    Check("state", home.state),
    Check("missions", home.missions),
    Check("daemons inside", home.daemons_inside),
    Check("memory", home.memory),
    Check("config.toml", home.config),
    Check("hives", hives.named),
    Check("swarm", swarm.membership),
    Check("web", web.server),
    Check("logs", home.logs),
    Check("open files", machine.open_files),
    Check("terminals", machine.terminals),
    Check("subreaper", machine.subreaper),
    Check("marks", machine.run_marks),
    Check("children", machine.children),
    Check("linger", machine.linger),
)


def run_checks(
    context: CheckContext, checks: tuple[Check, ...] = CHECKS, *, limit: float = LIMIT
) -> list[tuple[Check, Finding]]:
    """Return what each check found, but for those that have nothing to look at here.

    Args:
        context: Where to look.
        checks: What to look at.
        limit: Seconds after which whoever has not come back counts as failed; a dead mount holds up nobody.
    """
    found: dict[str, Finding | None] = {}
    threads = [Thread(target=_run_check, args=(check, context, found), daemon=True) for check in checks]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + limit
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = fail(
        f"no result within {limit:.0f} s", "check whether this machine is waiting for a disk or another machine"
    )
    return [(check, finding) for check in checks if (finding := found.get(check.name, late)) is not None]


def _run_check(check: Check, context: CheckContext, found: dict[str, Finding | None]) -> None:
    try:
        found[check.name] = check.look(context)
    except OSError as error:
        found[check.name] = fail(
            f"{error.filename or ''}: {error.strerror or error}", "check that you can read this folder"
        )
    except OvermindError as error:
        found[check.name] = fail(error.message, "check that you own this home")


COMMANDS = (DOCTOR,)
