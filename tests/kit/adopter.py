"""A keeper that can do nothing but what the sweep needs of one: adopt, spawn with a mark, reap, and hunt orphans.

Run as a program it obeys JSON lines: `{"op": "spawn", "argv": […], "env": {…}, "mark": n}`, `{"op": "orphans"}`,
`{"op": "left", "mark": n}`, `{"op": "purge", "run": …, "mark": n, "root": pid, "spare": […]}`. The end of its input is
its own end.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from overmind_core.keeper.orphans import Orphans

PR_SET_CHILD_SUBREAPER = 36


class Adopter:
    """The other side: the process, and its answers."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.getcwd()},
            start_new_session=True,
        )
        self.pid = self._process.pid

    def spawn(self, argv: Sequence[str], *, env: Mapping[str, str], mark: int = 0) -> int:
        """Start a program in a session of its own; return its pid."""
        return int(self._ask(op="spawn", argv=list(argv), env=dict(env), mark=mark))

    def left(self, mark: int) -> bool:
        """What a keeper's exit notice would say."""
        return bool(self._ask(op="left", mark=mark))

    def orphans(self) -> list[int]:
        """The adopted."""
        return list(self._ask(op="orphans"))

    def purge(self, run: str, mark: int, *, root: int = 0, spare: Collection[int] = ()) -> dict[str, Any]:
        """What a keeper would answer to the op of that name."""
        return dict(self._ask(op="purge", run=run, mark=mark, root=root, spare=list(spare)))

    def kill(self) -> None:
        """End it as brutally as can be; who it held goes to the first process."""
        self._process.kill()
        self.close()

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def _ask(self, **request: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


class Loop:
    """One thread: input, children, hunt."""

    def __init__(self) -> None:
        self.registered: dict[int, None] = {}
        self.orphans = Orphans()

    def run(self) -> None:
        """Obey until the input ends."""
        waiting = b""
        while True:
            patience = self.orphans.timeout()
            ready, _, _ = select.select([0], [], [], 0.02 if patience is None else patience)
            if ready:
                more = os.read(0, 65536)
                if not more:
                    return
                *lines, waiting = (waiting + more).split(b"\n")
                for line in lines:
                    self.obey(json.loads(line))
            self.reap()
            for purge in self.orphans.step(self.registered):
                answer({"killed": purge.killed, "survivors": purge.survivors})

    def obey(self, request: dict[str, Any]) -> None:
        """Do one thing."""
        if request["op"] == "spawn":
            answer(self.spawn(request))
        elif request["op"] == "left":
            self.reap()
            answer(self.orphans.any_left(request["mark"], self.registered))
        elif request["op"] == "orphans":
            self.reap()
            answer(self.orphans.adopted(self.registered))
        else:
            self.orphans.begin(request["run"], request["mark"], root=request["root"], spare=request["spare"])

    def spawn(self, request: dict[str, Any]) -> int:
        """Start a program that wears the mark."""
        soft, hard = resource.getrlimit(resource.RLIMIT_MSGQUEUE)
        resource.setrlimit(resource.RLIMIT_MSGQUEUE, (request["mark"] or soft, hard))
        null = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]
        pid = os.posix_spawnp(request["argv"][0], request["argv"], request["env"], setsid=True, file_actions=null)
        resource.setrlimit(resource.RLIMIT_MSGQUEUE, (soft, hard))
        self.registered[pid] = None
        return pid

    def reap(self) -> None:
        """Bury at most 32."""
        for _ in range(32):
            try:
                peek = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if peek is None:
                    return
                if peek.si_pid not in self.registered:
                    self.orphans.on_reap(peek.si_pid)
                os.waitpid(peek.si_pid, os.WNOHANG)
                self.registered.pop(peek.si_pid, None)
            except ChildProcessError:
                return


def answer(value: object) -> None:
    """Say it in one line."""
    os.write(1, json.dumps(value).encode() + b"\n")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    Loop().run()
