"""Which boot of the machine this is: monotonic times and pids mean nothing in another."""

from __future__ import annotations

import functools
import sys


@functools.cache
def boot_id() -> str:
    """Return a text that is the same until the machine boots again.

    Source: random(4), `boot_id`; on macOS sysctl(3), `kern.bootsessionuuid`, as `kern.boottime` moves with the clock.
    """
    if sys.platform == "darwin":
        return _sysctl("kern.bootsessionuuid")
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def _sysctl(name: str) -> str:
    import subprocess  # noqa: PLC0415 -- slow to import, and needed on one system only

    return subprocess.check_output(["/usr/sbin/sysctl", "-n", name], text=True).strip()
