"""What logs take, beside what they may."""

from __future__ import annotations

import os

from overmind_core.cli.doctor.config import settings
from overmind_core.cli.doctor.finding import Finding, World, ok, warn
from overmind_core.cli.doctor.home import standing
from overmind_core.cli.output import size
from overmind_core.client.glance import glance

DISK_SHARE = 10
"""Logs take at most one part in so many of the disk, as the daemon has it."""
NEARLY = 0.9


def logs(world: World) -> Finding:
    """How much of their limit the logs use."""
    used = _used(world)
    disk = os.statvfs(standing(world.home.root))
    limit = min(settings(world).log_total, disk.f_blocks * disk.f_frsize // DISK_SHARE)
    found = f"{size(used)} of {size(limit)}"
    if used >= limit * NEARLY:
        return warn(f"{found}: the oldest logs of finished missions go", "overmind prune, or a higher [logs] total")
    return ok(found)


def _used(world: World) -> int:
    status = glance(world.home, "status")
    if status is not None:
        return int(status["log_bytes"])
    paths = [os.path.join(folder, name) for folder, _, names in os.walk(world.home.logs) for name in names]
    return sum(os.lstat(path).st_size for path in paths)
