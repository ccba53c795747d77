"""A keeper's run with one viewer, whose terminal may be lent; all of it in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NoReturn, cast

from overmind_core.keeper.viewer_terminal import LentTerminal
from overmind_core.keeper.viewers import RunViewers, Viewer
from overmind_core.wire import keeper as wire

IDENTITY = (24, 3)
"""What the lent terminal is recognized by."""
FD = 7
"""Its descriptor, as the keeper has it."""


class Loop:
    """A loop that only remembers."""

    def __init__(self) -> None:
        self.mono = 100.0
        self.watched: dict[int, Any] = {}
        self.preferred: set[int] = set()

    def watch(self, fd: int, _events: int, source: object) -> None:
        """Remember who waits for it."""
        self.watched[fd] = source

    def forget(self, fd: int) -> None:
        """Nobody waits for it."""
        self.watched.pop(fd, None)

    def prefer(self, fd: int, *, on: bool) -> None:
        """It comes before the others."""
        (self.preferred.add if on else self.preferred.discard)(fd)

    def boost(self) -> None:
        """Nothing is slower here."""

    def end_boost(self) -> None:
        """Nothing is slower here."""


class Terminal:
    """The person's: what was typed and not read, and what stands on it."""

    def __init__(self) -> None:
        self.typed = b""
        self.screen = b""
        self.room: int | None = None
        """Bytes that it takes before it is full; None: it never is."""
        self.is_gone = False
        self.foreground = True
        self.is_open = False

    def read(self) -> bytes:
        """Take what was typed."""
        if self.is_gone:
            raise OSError(5, "gone")
        if not self.typed:
            raise BlockingIOError
        data, self.typed = self.typed[:8], self.typed[8:]
        return data

    def write(self, data: bytes) -> int:
        """Show as much as there is room for."""
        if self.is_gone:
            raise OSError(5, "gone")
        if self.room == 0 and data:
            raise BlockingIOError
        taken = data if self.room is None else data[: self.room]
        self.room = None if self.room is None else self.room - len(taken)
        self.screen += taken
        return len(taken)

    # as the keeper has it

    def fileno(self) -> int:
        """Return the descriptor while it is open."""
        return FD if self.is_open else -1

    def is_in_foreground(self) -> bool:
        """Whether it may be used now."""
        return self.foreground

    def close(self) -> None:
        """Let go of it."""
        assert self.is_open
        self.is_open = False


class Connection:
    """The viewer's connection, as the keeper has it; the other end takes frames out of `frames`."""

    def __init__(self) -> None:
        self.frames: deque[tuple[int, bytes]] = deque()
        self.on_data: Callable[[bytes], None] = lambda _data: None
        self.on_closed: Callable[[], None] = lambda: None
        self.decoder = wire.FrameDecoder()
        self.is_paused = self.is_closed = False
        self.there = True

    def send(self, data: bytes) -> None:
        """Put frames on their way."""
        if not self.is_closed:
            self.frames.extend(self.decoder.feed(data))

    def pause(self, *, paused: bool) -> None:
        """Read no more, or again."""
        self.is_paused = paused

    def end(self) -> None:
        """Everything was sent already."""

    def is_there(self) -> bool:
        """Whether the viewer has not hung up."""
        return self.there

    def close(self) -> None:
        """Hang up."""
        self.is_closed = True
        self.on_closed()

    def kinds(self) -> list[tuple[int, bytes]]:
        """What was sent: kinds, and the bytes of those that carry some."""
        return list(self.frames)


class Keeper:
    """A run with one viewer, in front of whom there is a terminal."""

    def __init__(self) -> None:
        self.loop = cast("Any", Loop())
        self.connection = cast("Any", Connection())
        self.terminal = Terminal()
        self.arrived = b""
        stdin = SimpleNamespace(type=self.apply, waiting=0)
        log = SimpleNamespace(offsets=(0, 0), kept=lambda _stream: b"")
        self.run: Any = SimpleNamespace(stdin=stdin, log=log, tty=False, outputs=[], exit=None)
        self.run.viewers = RunViewers(self.run, self.loop)
        self.viewer = Viewer(self.run, self.connection, may_write=True, access=cast("Any", self))
        self.run.viewers.join(self.viewer)
        self.refusal: type[OSError] | None = None
        self.connection.frames.clear()

    def apply(self, data: bytes) -> None:
        """The run reads that."""
        self.arrived += data

    def open(self, identity: tuple[int, int]) -> Terminal:
        """Open the viewer's terminal. Raises `refusal`, if there is one."""
        if self.refusal is not None or identity != IDENTITY:
            raise self.refusal or PermissionError
        assert not self.terminal.is_open
        self.terminal.is_open = True
        return self.terminal

    def close(self, terminal: Terminal) -> None:
        """Close it again."""
        terminal.close()

    def receive(self, *frames: bytes) -> None:
        """The viewer has sent these."""
        for frame in frames:
            self.connection.on_data(frame)

    def write(self, data: bytes) -> None:
        """The run has written that."""
        self.run.viewers.show(memoryview(data))

    @property
    def lent(self) -> LentTerminal | None:
        """The viewer's terminal, while it is lent."""
        return self.viewer.lent


def refuse(*_: object) -> NoReturn:
    """Refuse to open anything."""
    raise PermissionError


def lend(shown: int = 0, special: bytes = b"\x1c") -> bytes:
    """The viewer's offer of its terminal."""
    return wire.lend_frame(shown, IDENTITY, special)
