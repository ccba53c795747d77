"""One stay at a mission's terminal: keys there, bytes back, through restarts of the mission and of the daemon.

One thread, and nothing between a key and the keeper, nor between its echo and the screen.
"""

from __future__ import annotations

import select
import signal
import time

from overmind_core.cli.attach import leaving
from overmind_core.cli.attach.signals import ENDING
from overmind_core.cli.attach.terminal import IN
from overmind_core.client.connect import PATIENCE
from overmind_core.client.keeperstream import KeeperStream
from overmind_core.errors import OvermindError
from overmind_core.logs.picture import picture
from overmind_core.wire.bytestrings import from_wire
from overmind_core.wire.keeper import FRAME_DATA, FRAME_EXIT, FrameError, data_frame, redraw_frame, resize_frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from overmind_core.cli.attach.leaving import Left
    from overmind_core.cli.attach.signals import Signals
    from overmind_core.cli.attach.terminal import Terminal
    from overmind_core.cli.attach.typing import Typing
    from overmind_core.client.attachment import Attachment

    Json = dict[str, Any]

CTRL_C = b"\x03"
BELL = b"\x07"
REJOIN = 0.1
"""Seconds after which a run is joined again whose stream broke off, unless the supervisor says something before."""


class Session:
    """What is known while somebody is attached."""

    def __init__(self, terminal: Terminal, attachment: Attachment, typing: Typing, signals: Signals) -> None:
        self._terminal = terminal
        self._attachment = attachment
        self._typing = typing
        self._signals = signals
        self._stream: KeeperStream | None = None
        self._run = ""
        """The run that was joined last."""
        self._ended = False
        """Its stream said that it has ended."""
        self._poll = select.poll()
        self._wanted: dict[int, int] = {}
        """Descriptor → what is waited for there."""
        self._acts: dict[int, Callable[[], None]] = {}
        """Descriptor → what is done when that comes."""
        self._typed_at = 0.0
        self._rejoin_at: float | None = None
        self._alone_since: float | None = None
        """Since when there are neither live bytes nor a supervisor."""
        self._left: Left | None = None

    def stay(self, ready: Json) -> Left:
        """Join the run that the supervisor named, and stay until somebody or something ends it.

        Raises:
            OvermindError: `daemon_lost`.
        """
        self._hear(ready)
        self._listen()
        while self._left is None:
            self._turn()
        if self._stream is not None:
            self._stream.close()
        return self._left

    def _turn(self) -> None:
        patience = self._patience()
        self._arrange()
        for fd, _ in self._poll.poll(None if patience is None else patience * 1000):
            act = self._acts.get(fd)
            if act is not None and self._left is None:
                act()
        self._let_time_pass()

    def _arrange(self) -> None:
        """Wait for what matters now."""
        stream, terminal = self._stream, self._terminal
        wanted = {IN: select.POLLIN, self._signals.fileno(): select.POLLIN, self._attachment.fileno(): select.POLLIN}
        if terminal.behind:
            wanted[terminal.out] = select.POLLOUT
        if stream is not None:
            wanted[stream.fileno()] = (0 if terminal.full else select.POLLIN) | (select.POLLOUT if stream.behind else 0)
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self._poll = select.poll()
        for fd, events in wanted.items():
            if fd >= 0 and events:
                self._poll.register(fd, events)
        self._acts = {
            IN: self._type,
            self._signals.fileno(): self._obey,
            self._attachment.fileno(): self._listen,
            terminal.out: terminal.flush,
            -1 if stream is None else stream.fileno(): self._relay,
        }

    # keys

    def _type(self) -> None:
        data = self._terminal.read()
        self._typed_at = time.monotonic()
        self._pass(self._typing.feed(data))
        gives_up = CTRL_C in data and not self._attachment.may_write
        if self._typing.left or gives_up:
            self._left = leaving.detached(self._attachment.name)

    def _pass(self, typed: bytes) -> None:
        if not typed or self._stream is None:
            return
        if not self._attachment.may_write:
            self._terminal.write(BELL)
            return
        self._send(data_frame(typed))

    def _send(self, frame: bytes) -> None:
        if self._stream is not None:
            try:
                self._stream.send(frame)
            except ConnectionError:
                self._break_off()

    # bytes

    def _relay(self) -> None:
        if self._stream is None:
            return
        try:
            self._stream.flush()
            frames = self._stream.receive()
        except (ConnectionError, FrameError):
            self._break_off()
        else:
            self._show(frames)

    def _show(self, frames: Iterable[tuple[int, bytes]]) -> None:
        for kind, payload in frames:
            if kind == FRAME_DATA:
                self._terminal.write(payload)
            elif kind == FRAME_EXIT:
                self._ended = True

    def _break_off(self) -> None:
        """The stream has ended: with its run, with its keeper, or because we did not read fast enough."""
        assert self._stream is not None
        self._stream.close()
        self._stream = None
        if not self._ended:
            self._rejoin_at = time.monotonic() + REJOIN

    # the supervisor

    def _listen(self) -> None:
        while self._left is None and (item := self._attachment.item()) is not None:
            self._hear(item)

    def _hear(self, item: Json) -> None:
        match item["type"]:
            case "ready" | "run":
                if self._stream is None or item["run"] != self._run:
                    self._join(item)
            case "ended":
                self._take_the_rest()
                self._left = leaving.ended(self._attachment.name, item)
            case "handing_back":
                self._take_the_rest()
                self._left = leaving.handed_back(self._attachment.name)
            case "detached":
                self._left = leaving.detached(self._attachment.name)

    def _take_the_rest(self) -> None:
        """What the run wrote last may still be on its way."""
        until = time.monotonic() + PATIENCE
        while self._stream is not None and (left := until - time.monotonic()) > 0:
            if not select.select([self._stream], [], [], left)[0]:
                return
            self._relay()

    def _join(self, ready: Json) -> None:
        """Show what the run's terminal shows, and what comes from then on."""
        self._rejoin_at = None
        size = self._terminal.size()
        try:
            stream = KeeperStream(ready, size)
        except OSError:
            self._rejoin_at = time.monotonic() + REJOIN
            return
        if self._stream is not None:
            self._stream.close()
        self._stream, self._run, self._ended = stream, ready["run"], False
        screen = picture(from_wire(ready["path"]), columns=ready["columns"], rows=ready["rows"], until=stream.offset)
        screen.resize(*size)
        self._terminal.clear()
        self._terminal.write(screen.redraw())
        if screen.modes.alternate:
            self._send(redraw_frame())
        self._show(stream.early())

    # time and signals

    def _patience(self) -> float | None:
        """Seconds after which something is to be done whatever comes."""
        patience = self._typing.patience
        if patience is None and self._rejoin_at is None and not self._attachment.lost:
            return None
        now = time.monotonic()
        waits = [self._attachment.look()]
        if patience is not None:
            waits.append(max(self._typed_at + patience - now, 0.0))
        if self._rejoin_at is not None:
            waits.append(max(self._rejoin_at - now, 0.0))
        return min((wait for wait in waits if wait is not None), default=None)

    def _let_time_pass(self) -> None:
        if self._terminal.lost:
            self._left = leaving.signalled(self._attachment.name, signal.SIGHUP)
        now = time.monotonic()
        if (patience := self._typing.patience) is not None and now >= self._typed_at + patience:
            self._pass(self._typing.tick())
        if self._rejoin_at is not None and now >= self._rejoin_at and not self._attachment.lost:
            self._rejoin_at = None
            columns, rows = self._terminal.size()
            self._attachment.ask_again(columns=columns, rows=rows)
        self._look_for_anybody(now)

    def _look_for_anybody(self, now: float) -> None:
        if self._stream is not None or not self._attachment.lost:
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = now
        elif now - self._alone_since > PATIENCE:
            raise OvermindError("daemon_lost", f"The daemon went away and did not come back in {PATIENCE:.0f} s.")

    def _obey(self) -> None:
        for number in self._signals.take():
            if number in ENDING:
                self._left = leaving.signalled(self._attachment.name, number)
            elif number == signal.SIGCONT:
                self._terminal.make_raw()
                self._send(redraw_frame())
            elif number == signal.SIGWINCH:
                self._send(resize_frame(*self._terminal.size()))
