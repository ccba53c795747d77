"""Every check, in the order in which they are shown; all look at once, none may keep the others waiting."""

from __future__ import annotations

import time
from functools import partial
from threading import Thread

from overmind_core.cli.doctor import config, daemon, disk, home, isolation, limits, programs, systemd, tmux, tracing
from overmind_core.cli.doctor.finding import Check, Finding, World, fail
from overmind_core.errors import OvermindError

LIMIT = 15.0
"""Seconds for all checks together."""

CHECKS = (
    Check("python", programs.python),
    Check("git", programs.git),
    Check("docker", programs.docker_client),
    Check("docker engine", programs.docker_engine),
    Check("containers", isolation.engine),
    Check("ports", isolation.ports),
    *(Check(name, partial(programs.agent, name=name)) for name in programs.AGENTS),
    Check("tmux", tmux.outer),
    *(Check(f"tmux {name}", partial(tmux.setting, name=name)) for name in tmux.SETTINGS),
    Check("home", home.folder),
    Check("file system", home.kind),
    Check("free space", home.space),
    Check("socket", home.address),
    Check("daemon", daemon.daemon),
    Check("keeper", daemon.keeper),
    Check("config.toml", config.config),
    Check("logs", disk.logs),
    Check("open files", limits.files),
    Check("terminals", limits.terminals),
    Check("subreaper", tracing.subreaper),
    Check("marks", tracing.numbers),
    Check("children", tracing.children),
    Check("linger", systemd.linger),
)


def examine(world: World, checks: tuple[Check, ...] = CHECKS, *, limit: float = LIMIT) -> list[tuple[Check, Finding]]:
    """Return what each check found, but for those that have nothing to look at here.

    Args:
        world: Where to look.
        checks: What to look at.
        limit: Seconds after which whoever has not come back counts as failed; a dead mount holds up nobody.
    """
    found: dict[str, Finding | None] = {}
    threads = [Thread(target=_look, args=(check, world, found), daemon=True) for check in checks]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + limit
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = fail(f"no result within {limit:.0f} s", "see what this machine waits for: a disk, or another machine?")
    return [(check, finding) for check in checks if (finding := found.get(check.name, late)) is not None]


def _look(check: Check, world: World, found: dict[str, Finding | None]) -> None:
    try:
        found[check.name] = check.look(world)
    except OSError as error:
        found[check.name] = fail(f"{error.filename or ''}: {error.strerror or error}", "see that you may look there")
    except OvermindError as error:
        found[check.name] = fail(error.message, "see that this home is yours")
