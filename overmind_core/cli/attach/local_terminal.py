"""The person's own terminal: raw while somebody is attached, and as it was before on every way out.

`Terminal` writes through a description of its own, so that a terminal that takes nothing stops neither keys nor
signals. `TerminalRestore` sees what a program sets on it, and undoes that when the person leaves: most can be reset
without knowing whether it was set; the alternate screen and kitty's stack of keyboard flags can't. `Signals` makes
signals something to wait for together with bytes.

Source: XTerm Control Sequences; the kitty keyboard protocol.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import signal
import struct
import termios
import time
import tty

from overmind_core.system.controlling_terminal import identity_of

TYPE_CHECKING = False

if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Any, Self


_SEQUENCES = re.compile(rb"\x1b(?:\[\?([0-9;]{1,64})([hl])|\[([<>])([0-9]{0,4})(?:;[0-9]*)?u|(c))")
_CUT = re.compile(rb"\x1b(?:\[[?<>]?[0-9;]{0,64})?")
_LONGEST = 70
"""Bytes of a sequence that `_CUT` may match."""
_ALTERNATE = frozenset((b"47", b"1047", b"1049"))
_MOST_FLAGS = 64
"""Keyboard flags that are taken back; terminals keep fewer."""

_RESET = (
    b"\x1b[?2026l"  # whatever waits for its frame's end is shown
    b"\x1b[!p"  # soft reset: margins, origin, insertion, character sets, and the look of text
    b"\x1b7\x1b[r\x1b8"  # margins, where that is not known
    b"\x1b[m\x1b(B\x0f\x1b[4l\x1b[20l\x1b]8;;\x1b\\"
    b"\x1b[?1;5;9;66;67;1000;1001;1002;1003;1004;1005;1006;1007;1015;1016;2004;2031;2048l"
    b"\x1b[?7;25h\x1b>\x1b[0 q\x1b[>4m\x1b[=0u"
)


class TerminalRestore:
    """What a program has set on the terminal, of everything that the terminal is given, and how to undo it. Pure."""

    __slots__ = ("_cut", "_flags", "alternate")

    def __init__(self) -> None:
        self.alternate = b""
        """The mode by which the alternate screen was entered; empty on the primary screen."""
        self._flags = 0
        """How often keyboard flags were pushed and not popped."""
        self._cut = b""

    def observe(self, data: bytes) -> None:
        """Record what matters in `data`, which may be cut anywhere."""
        if self._cut:
            data = self._cut + data
        elif b"\x1b" not in data:
            return
        for private, final, stack, count, reset in _SEQUENCES.findall(data):
            if private:
                self._switched(private.split(b";"), on=final == b"h")
            elif reset:
                self.alternate, self._flags = b"", 0
            else:
                change = 1 if stack == b">" else -int(count or 1)
                self._flags = min(max(self._flags + change, 0), _MOST_FLAGS)
        escape = data.rfind(b"\x1b", -_LONGEST)
        self._cut = data[escape:] if escape >= 0 and _CUT.fullmatch(data, escape) else b""

    def undo(self) -> bytes:
        """What takes the terminal back to how a shell expects it; the cursor stays."""
        flags = b"\x1b[<%du" % self._flags if self._flags else b""
        screen = b"\x1b[?%sl" % self.alternate if self.alternate else b""
        self.alternate, self._flags, self._cut = b"", 0, b""
        return flags + screen + _RESET

    def _switched(self, modes: list[bytes], *, on: bool) -> None:
        for mode in modes:
            if mode in _ALTERNATE:
                self.alternate = mode if on else b""


IN, OUT = 0, 1
LARGEST = 4096
"""Columns or rows."""
READ = 1 << 12
"""Bytes asked of the terminal at once: it holds no more (n_tty)."""
WRITE = 1 << 14
"""Bytes offered to the terminal at once."""
WAITING_LIMIT = 1 << 18
"""Bytes that wait for the terminal from which on no more are taken for it."""
LAST_WRITE_LIMIT = 1.0
"""Seconds that the terminal gets for what is to be shown at the end."""


class Terminal:
    """The terminal, as a context: inside, every key comes as it is sent."""

    def __init__(self) -> None:
        self._saved: list[Any] = []
        """Its settings before."""
        self._raw: list[Any] = []
        """Its settings as we left them."""
        self._restore = TerminalRestore()
        self._waiting = bytearray()
        self._own = -1
        self.out = OUT
        """What to wait for before `flush`."""
        self.lost = False
        """The terminal is gone."""

    @staticmethod
    def is_available() -> bool:
        """Whether a person can see and type here."""
        return os.isatty(IN) and os.isatty(OUT)

    def __enter__(self) -> Self:
        self._open()
        self._await_foreground()
        self._saved = termios.tcgetattr(IN)
        self.make_raw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._write_last(self._restore.undo() + b"\r\n\x1b[J")
        finally:
            if self._own >= 0:
                os.close(self._own)
            with contextlib.suppress(termios.error):  # the terminal is gone
                self._restore_settings()

    def make_raw(self) -> None:
        """Let every key through; also after somebody else has changed that. In the background, stop instead."""
        self._await_foreground()
        if not _is_in_foreground():  # the shell reads a line there; whoever brings us back continues us first
            return
        try:
            tty.setraw(IN, termios.TCSADRAIN)
            self._raw = termios.tcgetattr(IN)
        except termios.error:
            self.lost = True

    def size(self) -> tuple[int, int]:
        """Columns and rows; 80x24 where the terminal doesn't know."""
        try:
            rows, columns = struct.unpack("HHHH", fcntl.ioctl(OUT, termios.TIOCGWINSZ, bytes(8)))[:2]
        except OSError:
            columns, rows = 0, 0
        return min(columns or 80, LARGEST), min(rows or 24, LARGEST)

    def read(self) -> bytes:
        """What was typed; nothing when the terminal is gone."""
        try:
            data = os.read(IN, READ)
        except OSError:
            data = b""
        if not data:
            self.lost = True
        return data

    @property
    def identity(self) -> tuple[int, int] | None:
        """Device and inode by which others find this terminal; None where keys and output are not of the same one."""
        try:
            identities = {identity_of(IN), identity_of(self._own)}
        except OSError:
            return None
        return identities.pop() if len(identities) == 1 else None

    def has_unread_keys(self) -> bool:
        """Whether somebody has typed, or the terminal is gone."""
        return bool(select.select([IN], [], [], 0)[0])

    def observe(self, data: bytes) -> None:
        """Somebody else has shown `data` here."""
        self._restore.observe(data)

    def write(self, data: bytes) -> None:
        """Show `data` behind what waits."""
        if self._waiting:
            self._restore.observe(data)
            self._waiting += data
            return
        try:
            written = os.write(self.out, data[:WRITE])
        except BlockingIOError:
            written = 0
        except OSError:
            self.lost = True
            return
        self._restore.observe(data)  # behind it: somebody waits to see it
        if written < len(data):
            self._waiting += data[written:]
            self.flush()

    def flush(self) -> None:
        """Give the terminal what it takes now."""
        try:
            while self._waiting and not self.lost:
                del self._waiting[: os.write(self.out, self._waiting[:WRITE])]
        except BlockingIOError:
            return
        except OSError:
            self.lost = True

    @property
    def behind(self) -> bool:
        """Whether something waits to be shown."""
        return bool(self._waiting) and not self.lost

    @property
    def full(self) -> bool:
        """Whether so much waits that no more should be taken."""
        return len(self._waiting) > WAITING_LIMIT

    @property
    def alternate(self) -> bool:
        """Whether a program shows the alternate screen."""
        return bool(self._restore.alternate)

    def clear(self) -> None:
        """Forget what waits, undo what the last program set, and have a blank screen without losing what stood here."""
        self._waiting.clear()
        _, rows = self.size()
        self.write(self._restore.undo() + b"\x1b[%d;1H" % rows + b"\n" * rows + b"\x1b[H")

    def _open(self) -> None:
        """Have a description of the terminal that never makes us wait and that nobody shares."""
        try:
            self._own = os.open(os.ttyname(OUT), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
            self.out = self._own
        except OSError:
            self.out = OUT

    def _await_foreground(self) -> None:
        """Stop as any program does that needs the terminal of another job, until somebody continues us."""
        if not _is_in_foreground():
            os.kill(os.getpid(), signal.SIGTTIN)

    def _restore_settings(self) -> None:
        """Have the settings as before, and no keys that were for the mission. Raises termios.error."""
        if _is_in_foreground():
            termios.tcsetattr(IN, termios.TCSAFLUSH, self._saved)
        elif termios.tcgetattr(IN) == self._raw:  # else the shell that has it by now has put it right for itself
            termios.tcsetattr(IN, termios.TCSADRAIN, self._saved)

    def _write_last(self, data: bytes) -> None:
        """Show what waits and `data`; of a terminal that has not taken that in time only `data` is asked."""
        self._waiting += data
        poll = select.poll()
        poll.register(self.out, select.POLLOUT)
        until = time.monotonic() + LAST_WRITE_LIMIT
        self.flush()
        while self.behind and (left := until - time.monotonic()) > 0:
            poll.poll(left * 1000)
            self.flush()
        if self.behind:
            self._waiting = bytearray(data)
            self.flush()


def _is_in_foreground() -> bool:
    """Whether the terminal is not another job's; it is nobody's if it controls no process of ours."""
    try:
        return os.tcgetpgrp(IN) == os.getpgrp()
    except OSError:
        return True


CAUGHT = (signal.SIGWINCH, signal.SIGCONT, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
IGNORED = (signal.SIGTTOU,)
"""The terminal is put right even by who is in the background by then."""
ENDING = frozenset((signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM))


class Signals:
    """The signals of this process, as a context: inside, they do nothing but make `fileno` readable.

    Args:
        stops: Catch also the one by which a terminal stops a program; then `stop` does what it asks for.
    """

    def __init__(self, *, stops: bool = False) -> None:
        self._caught = (*CAUGHT, signal.SIGTSTP) if stops else CAUGHT
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._before: list[tuple[int, object]] = []
        self._wakeup = -1

    def __enter__(self) -> Self:
        self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in self._caught:
            self._before.append((number, signal.signal(number, _ignore)))
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

    @staticmethod
    def stop() -> None:
        """Stop as any program does, until somebody continues this one; the caller has put the terminal right."""
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, _ignore)

    def take(self) -> bytes:
        """The numbers of those that came."""
        try:
            return os.read(self._read, 4096)
        except BlockingIOError:
            return b""


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Its number is on the pipe already."""
