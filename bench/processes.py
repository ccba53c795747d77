"""What a process costs, as Linux counts it; and how long one takes from start to end."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping


def duration(argv: list[str], environment: Mapping[str, str]) -> float:
    """Run a program with its output thrown away; return its seconds from start to end."""
    return _run(argv, environment)[0]


def processor_time(argv: list[str], environment: Mapping[str, str]) -> float:
    """The same; return the processor seconds of it and of all that it started and waited for."""
    return _run(argv, environment)[1]


def _run(argv: list[str], environment: Mapping[str, str]) -> tuple[float, float]:
    silence = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    began = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, environment, file_actions=silence)
    _, status, used = os.wait4(pid, 0)
    took = time.perf_counter() - began
    if status:
        raise RuntimeError(f"{' '.join(argv)} ended with status {status}")
    return took, used.ru_utime + used.ru_stime


def lives(pid: int) -> bool:
    """Whether the process is there and not merely waiting to be reaped. Source: proc_pid_stat(5)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] not in {b"Z", b"X"}
    except (FileNotFoundError, ProcessLookupError):
        return False


def resident(pid: int) -> int:
    """Bytes of memory that the process has mapped and loaded (RSS). Source: proc_pid_statm(5)."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def proportional(pid: int) -> int:
    """Bytes of memory with each shared page divided by its users (PSS). Source: proc_pid_smaps(5)."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        sizes = [int(line.split()[1]) for line in file if line.startswith("Pss:")]
    return sizes[0] * 1024


def sleeps(pid: int) -> int:
    """How often its threads have gone to sleep so far, and so have woken up. Source: proc_pid_status(5)."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt_switches:"))
    return total


def busy_seconds(pid: int) -> float:
    """Processor time of all threads so far. Source: the kernel's sched-stats documentation."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9
