"""A person at a terminal: the command line on a PTY, typed at and looked at.

The program is no leader of the terminal's session, as it is none below a shell. When a leader ends, Linux drops what
the other side was not handed yet (`tty_vhangup_session`): on a busy machine its last words, now and then.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

import psutil
from ptyprocess import PtyProcess

from overmind_core.terminal.screen import Screen
from tests.kit.overmind import PROGRAM, Overmind
from tests.kit.waiting import eventually

LIMIT = 30.0
"""Seconds that any wait may take."""
SIZE = (30, 100)
"""Rows and columns."""


class Terminal:
    """`overmind <words>` on a terminal of 100x30, in the world of `overmind`.

    Args:
        overmind: Whose environment and home.
        words: Arguments of the command line.
        shell: What a shell does to the files, such as ">out" or "</dev/null", before it becomes the program.
        program: Another program than `overmind`, with its first arguments.
        env: Added to the environment; None as a value takes the variable away.

    Attributes:
        shown: All that came so far, as the program wrote it but for CRLF, which is LF.
        screen: What stands on the terminal.
    """

    def __init__(
        self,
        overmind: Overmind,
        *words: str,
        shell: str = "",
        program: Sequence[str] = PROGRAM,
        env: Mapping[str, str | None] | None = None,
    ) -> None:
        world = {**overmind.environment, **(env or {})}
        held, self._hold = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # forks while other threads of the test runner wait
            self._process = PtyProcess.spawn(
                ["/bin/sh", "-c", f'exec "$@" {shell}', "sh", *program, *words],
                cwd=overmind.home,
                env={name: value for name, value in world.items() if value is not None},
                dimensions=SIZE,
                pass_fds=(held,),
                preexec_fn=lambda: _begin_below_leader(held),
            )
        os.close(held)
        self.shown = ""
        self.screen = Screen(*reversed(SIZE))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._let_leader_go()
        self._process.close(force=True)
        with contextlib.suppress(ProcessLookupError):  # as a rule it has ended with its terminal
            os.killpg(self._process.pid, signal.SIGKILL)

    def type(self, text: str) -> None:
        """Press these keys."""
        self._process.write(text.encode())

    def interrupt(self) -> None:
        """Press ctrl-c, once the program waits: Python sleeps through one that comes right before it begins to."""
        (program,) = psutil.Process(self._process.pid).children()
        eventually(lambda: program.status() == psutil.STATUS_SLEEPING, what="the program waits")
        self.type("\x03")

    def expect(self, pattern: str) -> re.Match[str]:
        """Read until what was written holds `pattern`."""
        return self._until(pattern, lambda: self.shown)

    def shows(self, pattern: str) -> re.Match[str]:
        """Read until `pattern` stands on the screen: of a view that follows another only what differs is written."""
        return self._until(pattern, lambda: "\n".join(self.screen.lines()))

    def _until(self, pattern: str, text: Callable[[], str]) -> re.Match[str]:
        deadline = time.monotonic() + LIMIT
        while (found := re.search(pattern, text())) is None:
            has_more = select.select([self._process.fd], [], [], max(deadline - time.monotonic(), 0))[0]
            assert has_more, f"{pattern!r} did not appear in {text()!r}"
            assert self._read(), f"ended without {pattern!r}: {text()!r}"
        return found

    def end(self) -> int:
        """Read to the end and return the exit status, negative for a signal."""
        while self._read():
            pass
        self._let_leader_go()
        eventually(lambda: not self._process.isalive(), what="the program has ended")
        return int(self._process.exitstatus) if self._process.signalstatus is None else -self._process.signalstatus

    def _let_leader_go(self) -> None:
        if self._hold >= 0:
            os.close(self._hold)
            self._hold = -1

    def _read(self) -> bool:
        try:
            data = self._process.read(1 << 16)
        except EOFError:
            return False
        self.screen.feed(data)
        self.shown += data.decode(errors="replace").replace("\r\n", "\n")
        return True


def _begin_below_leader(held: int) -> None:
    """Return in a child, for the program; this process leads the session, and ends as that has, but not before `held`.

    Args:
        held: A pipe that nobody else has once all was read.
    """
    program = os.fork()
    if program == 0:
        os.close(held)
        return
    status = 1
    try:
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP):
            signal.signal(number, signal.SIG_IGN)
        for number in (signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.closerange(0, held)
        os.closerange(held + 1, 1 << 10)
        _, ended = os.waitpid(program, 0)
        status = os.waitstatus_to_exitcode(ended)
        os.read(held, 1)
        if status < 0:
            signal.signal(-status, signal.SIG_DFL)
            os.kill(os.getpid(), -status)
    finally:
        os._exit(max(status, 0))
