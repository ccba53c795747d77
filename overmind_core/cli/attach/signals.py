"""Signals as something to wait for together with bytes."""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Self

CAUGHT = (signal.SIGWINCH, signal.SIGCONT, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
IGNORED = (signal.SIGTTOU,)
"""The terminal is put right even by who is in the background by then."""
ENDING = frozenset((signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM))


class Signals:
    """Use as a context: inside, signals do nothing but make `fileno` readable."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._before: list[tuple[int, object]] = []
        self._wakeup = -1

    def __enter__(self) -> Self:
        self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in CAUGHT:
            self._before.append((number, signal.signal(number, _noticed)))
        for number in IGNORED:
            self._before.append((number, signal.signal(number, signal.SIG_IGN)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before:
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal returned
        signal.set_wakeup_fd(self._wakeup)
        os.close(self._read)
        os.close(self._write)

    def fileno(self) -> int:
        """Readable when a signal came."""
        return self._read

    def take(self) -> bytes:
        """The numbers of those that came."""
        try:
            return os.read(self._read, 4096)
        except BlockingIOError:
            return b""


def _noticed(_number: int, _frame: FrameType | None) -> None:
    """Its number is on the pipe already."""
