"""Killing supervisors and keepers as brutally as can be, and seeing the next one come."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable

from tests.kit.overmind import Overmind
from tests.kit.processes import alive
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

PATIENCE = 20.0
"""Seconds; the machine may be busy with other tests."""
_WAITING = re.compile(r"^(?:waits(?: for|:) .*|The daemon answers again \(PID \d+\)|\S+ answers again)\n", re.MULTILINE)
"""Lines of a client that waits for longer than two seconds, be it for a daemon, as it may on a busy machine."""


def without_waiting(errors: str) -> str:
    """Return what a client has said on standard error besides what it waits for."""
    return _WAITING.sub("", errors)


def kill(pid: int) -> None:
    """SIGKILL it and wait until it is gone."""
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not alive(pid), what=f"{pid} is dead")


def kill_supervisor(om: Overmind) -> None:
    """Kill the supervisor and wait until another one answers, which nobody asked for."""
    old = om.supervisor_pid()
    os.kill(old, signal.SIGKILL)
    await_another(om, old)


def kill_keeper(om: Overmind) -> int:
    """Kill the keeper and wait for the next one; return its pid."""
    old = om.keeper_pid()
    os.kill(old, signal.SIGKILL)
    return eventually(lambda: _other_keeper(om, old), timeout=PATIENCE, what="another keeper is there")


def kill_both(om: Overmind) -> None:
    """Kill the supervisor and then its keeper, before that can start another one."""
    supervisor, keeper = om.supervisor_pid(), om.keeper_pid()
    os.kill(supervisor, signal.SIGSTOP)  # it sees nothing any more
    os.kill(keeper, signal.SIGKILL)
    os.kill(supervisor, signal.SIGKILL)
    eventually(lambda: not alive(keeper) and not alive(supervisor), what="both are dead")


def await_another(om: Overmind, old: int) -> None:
    """Wait until a supervisor that isn't `old` answers."""
    eventually(lambda: answers(om, other_than=old), timeout=PATIENCE, what="another supervisor answers")


def answers(om: Overmind, *, other_than: int = 0) -> bool:
    """Whether a supervisor says hello; asked of the socket alone, which starts nothing."""
    try:
        with RawSocket.connect(om.home) as api:
            return bool(api.ok("hello")["pid"] != other_than)
    except (OSError, EOFError):
        return False


def ask_until_answered(om: Overmind, work: Callable[[RawSocket], None]) -> None:
    """Do `work` on a connection; when the daemon dies meanwhile, again on one to the next daemon."""

    def once() -> bool:
        try:
            with RawSocket.connect(om.home) as api:
                work(api)
        except (OSError, EOFError):
            return False
        return True

    eventually(once, timeout=PATIENCE, what="everything is answered")


def _other_keeper(om: Overmind, old: int) -> int:
    pid = om.holder("keeper.lock")
    return pid if pid is not None and pid != old else 0
