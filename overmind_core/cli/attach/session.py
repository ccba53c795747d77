"""One attachment to a mission's terminal: keys there, bytes back, through restarts of the mission and of the daemon.

`TerminalWait` waits until the terminal is there and shows what it waits for; `AttachSession` then relays. One thread,
and nothing between a key and the keeper, nor between its echo and the screen. When all is quiet, it lends the terminal
to the keeper, which then serves plain keys and their echo without us (`TerminalLoan`).
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections import namedtuple

from overmind_core.cli.attach.loan import QUIET, RECALL_LIMIT, TerminalLoan
from overmind_core.cli.attach.local_terminal import ENDING, IN, READ
from overmind_core.cli.context import exit_status
from overmind_core.client.attach import KeeperStream
from overmind_core.client.connection import ANSWER_LIMIT
from overmind_core.domain.missions.reasons import sentence
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.domain.text.cells import display_safe
from overmind_core.domain.text.duration import format_uptime
from overmind_core.errors import OvermindError
from overmind_core.logs.snapshot import screen_at
from overmind_core.wire.keeper import (
    FRAME_DATA,
    FRAME_EXIT,
    FRAME_KEYS,
    FRAME_RETURNED,
    FRAME_SHOWN,
    FrameError,
    data_frame,
    recall_frame,
    redraw_frame,
    resize_frame,
)

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from overmind_core.cli.attach.keys import KeyFilter
    from overmind_core.cli.attach.local_terminal import Signals, Terminal
    from overmind_core.cli.context import Context
    from overmind_core.client.attach import MissionAttachment

    Json = dict[str, Any]


_SIGNALLED = 128

SessionEnd = namedtuple(  # noqa: PYI024 - typing costs start-up
    "SessionEnd", ("sentence", "status", "is_over"), defaults=(False,)
)
"""How a session ended: the sentence for the person, what the process exits with, whether the mission has ended."""


def detached(name: str) -> SessionEnd:
    """Somebody left, or was sent away; the mission goes on."""
    return SessionEnd(f"detached from {display_safe(name)}", 0)


def handed_back(name: str, item: Mapping[str, Any]) -> SessionEnd:
    """The program in the terminal has ended, or could not start there, and the session goes on without it."""
    shown, reason = display_safe(name), item.get("reason")
    if reason:
        return SessionEnd(f"{shown} could not start in a terminal: {display_safe(reason)}; it continues without one", 1)
    return SessionEnd(f"{shown} continues without a terminal", 0)


def signalled(name: str, number: int) -> SessionEnd:
    """A signal ended the session."""
    return SessionEnd(f"detached from {display_safe(name)}", _SIGNALLED + number)


def mission_ended(name: str, item: Mapping[str, Any]) -> SessionEnd:
    """The mission has ended; `item` is the supervisor's item about that."""
    status, code, reason = item["status"], item["exit_code"], item.get("reason")
    how = f"exited {code}" if code is not None else status
    said = item.get("why") or sentence(reason)  # an older daemon says the code alone
    why = f", {said}" if said else ""
    told = f"{display_safe(name)} ended: {how}{display_safe(why)}"
    return SessionEnd(told, exit_status(status, code, reason), is_over=True)


_KEYS = [(IN, select.POLLIN)]
"""Events: keys were pressed, and nothing else has come."""
CTRL_C = b"\x03"
BELL = b"\x07"
HELD_LIMIT = 1 << 16
"""Bytes that are kept for a run whose keeper hangs."""
REJOIN = 0.1
"""Seconds after which a run is joined again whose stream broke off, unless the supervisor says something before."""


class AttachSession:
    """The relay between the person's terminal and the mission's, while somebody is attached.

    Args:
        terminal: The person's.
        attachment: What the supervisor says of the mission.
        typing: Finds the keys that leave.
        signals: Those of this process.
        notice: A line for the person, below what the mission has written.
    """

    def __init__(
        self,
        terminal: Terminal,
        attachment: MissionAttachment,
        typing: KeyFilter,
        signals: Signals,
        *,
        notice: str = "",
    ) -> None:
        self._terminal = terminal
        self._attachment = attachment
        self._keys = typing
        self._signals = signals
        self._notice = f"\r\x1b[0;2m{display_safe(notice)}\x1b[m\r\n".encode() if notice else b""
        self._stream: KeeperStream | None = None
        self._loan = TerminalLoan(None)
        self._held: bytearray | None = None
        """Keys for the run that was joined last, while its keeper hangs; None while it does not."""
        self._run = ""
        """The run that was joined last."""
        self._ended = False
        """Its stream said that it has ended."""
        self._poll = select.poll()
        self._wanted: dict[int, int] = {}
        """Descriptor → what is waited for there."""
        self._handlers: dict[int, Callable[[], None]] = {}
        """Descriptor → what is done when that comes."""
        self._typed_at = 0.0
        self._rejoin_at: float | None = None
        self._alone_since: float | None = None
        """Since when there are neither live bytes nor a supervisor."""
        self._end: SessionEnd | None = None

    @property
    def has_shown(self) -> bool:
        """True once the terminal of a run was there to be seen; a run that ends at once may have none."""
        return bool(self._run)

    def run(self, ready: Json) -> SessionEnd:
        """Join the run that the supervisor named, and relay until somebody or something ends it.

        Raises:
            OvermindError: `daemon_lost`.
        """
        try:
            self._apply(ready)
            self._read_items()
            while self._end is None:
                self._turn()
        finally:
            self._leave_stream()
        return self._end

    def _turn(self) -> None:
        patience = self._timeout()
        self._arrange()
        events = self._pass_on() if patience is None else self._poll.poll(patience * 1000)
        for fd, _ in events:
            act = self._handlers.get(fd)
            if act is not None and self._end is None:
                act()
        self._handle_timers()

    def _pass_on(self) -> list[tuple[int, int]]:
        """Pass keys there and bytes back while nothing else happens; return the events that are something else.

        Each key and its echo go this way, and find the processor's caches cold: whatever is touched here besides costs
        microseconds that a person waits. It does nothing that `_read_keys` and `_relay` would not do.
        """
        stream, loan, poll = self._stream, self._loan, self._poll.poll
        if stream is None or not self._is_clear(stream):
            return poll()
        inward = [(stream.fileno(), select.POLLIN)]
        wait = QUIET * 1000 if loan.may_offer else None
        while self._is_clear(stream):
            events = poll(wait)
            if events == inward:
                self._relay()
            elif events == _KEYS:
                data = self._terminal.read()
                if not data or not self._keys.is_plain(data):
                    self._on_keys(data)
                    break
                self._send(data_frame(data))
                loan.on_key()
            elif events:
                return events
            else:
                self._lend()
                break
            wait = QUIET * 1000 if loan.may_offer else None
        return []

    def _is_clear(self, stream: KeeperStream) -> bool:
        """Whether there is nothing to do but to pass on what comes."""
        terminal = self._terminal
        waits = stream.has_unsent or terminal.behind or terminal.lost or self._loan.is_lent
        return self._stream is stream and self._attachment.may_write and not waits

    def _arrange(self) -> None:
        """Wait for what matters now."""
        stream, terminal = self._stream, self._terminal
        keys = 0 if self._loan.is_lent else select.POLLIN
        wanted = {IN: keys, self._signals.fileno(): select.POLLIN, self._attachment.fileno(): select.POLLIN}
        if terminal.behind:
            wanted[terminal.out] = select.POLLOUT
        if stream is not None:
            wanted[stream.fileno()] = (0 if terminal.full else select.POLLIN) | (
                select.POLLOUT if stream.has_unsent else 0
            )
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self._poll = select.poll()
        for fd, events in wanted.items():
            if fd >= 0 and events:
                self._poll.register(fd, events)
        self._handlers = {
            IN: self._read_keys,
            self._signals.fileno(): self._handle_signals,
            self._attachment.fileno(): self._read_items,
            terminal.out: terminal.flush,
            -1 if stream is None else stream.fileno(): self._relay,
        }

    # keys

    def _read_keys(self) -> None:
        self._on_keys(self._terminal.read())

    def _on_keys(self, data: bytes) -> None:
        self._typed_at = time.monotonic()
        self._loan.on_key()
        self._send_typed(self._keys.feed(data))
        gives_up = CTRL_C in data and not self._attachment.may_write
        if self._keys.left or gives_up:
            self._end = detached(self._attachment.name)

    def _send_typed(self, typed: bytes) -> None:
        if not typed:
            return
        if self._stream is None:
            if self._held is not None and len(self._held) < HELD_LIMIT:
                self._held += typed
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
            if self._stream.has_unsent:
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
                self._loan.on_data(len(payload))
            elif kind == FRAME_SHOWN:
                self._terminal.observe(payload)
            elif kind == FRAME_KEYS and self._end is None:
                self._on_keys(payload)
            elif kind == FRAME_RETURNED:
                self._loan.end(for_good=bool(payload))
            elif kind == FRAME_EXIT:
                self._ended = True

    def _break_off(self) -> None:
        """The stream has ended: with its run, with its keeper, or because we did not read fast enough."""
        assert self._stream is not None
        self._stream.close()
        self._stream = None
        self._loan.end()
        if not self._ended:
            self._rejoin_at = time.monotonic() + REJOIN

    # the loan of the terminal

    def _lend(self) -> None:
        """Nothing is going on: have the keeper serve the next keys."""
        if self._keys.holds_nothing:
            self._send(self._loan.offer(self._keys.special, time.monotonic()))
        else:  # the next key completes it, or not
            self._loan.defer()

    def _recall(self, now: float) -> None:
        """Ask for the terminal, once."""
        if self._loan.recall(now):
            self._send(recall_frame())

    def _look_after_loan(self, now: float) -> None:
        """Serve the person also when the keeper hangs: keys that it does not take are ours."""
        if self._loan.is_look_due(now) and self._terminal.has_unread_keys():
            self._recall(now)
        if self._loan.is_overdue(now):
            self._break_off()
            self._held = bytearray()

    def _leave_stream(self) -> None:
        """Have the terminal to ourselves, and close the stream: who finds it closed touches the terminal no more."""
        until = time.monotonic() + RECALL_LIMIT
        self._recall(until - RECALL_LIMIT)
        while self._stream is not None and self._loan.is_lent and (left := until - time.monotonic()) > 0:
            if select.select([self._stream], [], [], left)[0]:
                self._relay()
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        self._loan.end()

    # the supervisor

    def _read_items(self) -> None:
        while self._end is None and (item := self._attachment.next_item()) is not None:
            self._apply(item)

    def _apply(self, item: Json) -> None:
        match item["type"]:
            case "ready" | "run":
                if self._stream is None or item["run"] != self._run:
                    self._join(item)
            case "ended":
                self._drain()
                self._end = mission_ended(self._attachment.name, item)
            case "handing_back":
                self._drain()
                self._end = handed_back(self._attachment.name, item)
            case "detached":
                self._end = detached(self._attachment.name)

    def _drain(self) -> None:
        """What the run wrote last may still be on its way."""
        until = time.monotonic() + ANSWER_LIMIT
        while self._stream is not None and (left := until - time.monotonic()) > 0:
            if not select.select([self._stream], [], [], left)[0]:
                return
            self._relay()

    def _join(self, ready: Json) -> None:
        """Show what the run's terminal shows, and what comes from then on."""
        size = self._terminal.size()
        try:
            stream = KeeperStream(ready, size, self._attachment.place)
        except OSError:
            self._rejoin_at = time.monotonic() + REJOIN
            return
        self._leave_stream()
        self._rejoin_at = None
        held, self._held = (self._held if self._run == ready["run"] else None), None
        self._stream, self._run, self._ended = stream, ready["run"], False
        self._loan = TerminalLoan(self._terminal.identity if stream.takes_terminals else None)
        screen = screen_at(from_wire(ready["path"]), columns=ready["columns"], rows=ready["rows"], until=stream.offset)
        screen.resize(*size)
        if screen.modes.alternate:  # such a program owns each line, so the notice scrolls up with what stood here
            self._terminal.write(self._notice)
        self._terminal.clear()
        self._terminal.write(screen.redraw())
        if screen.modes.alternate:
            self._send(redraw_frame())
        elif self._notice:
            self._terminal.write((b"\r\n" if screen.cursor.x else b"") + self._notice)
        self._show(stream.take_early_frames())
        self._send_typed(bytes(held or b""))

    # time and signals

    def _timeout(self) -> float | None:
        """Seconds after which something is to be done whatever comes."""
        patience = self._keys.timeout
        is_lent = self._loan.is_lent
        if patience is None and self._rejoin_at is None and not self._attachment.is_lost and not is_lent:
            return None
        now = time.monotonic()
        waits = [self._attachment.try_reconnect(), self._loan.wait(now)]
        if patience is not None:
            waits.append(max(self._typed_at + patience - now, 0.0))
        if self._rejoin_at is not None and not self._attachment.is_lost:  # else the next supervisor comes first
            waits.append(max(self._rejoin_at - now, 0.0))
        return min((wait for wait in waits if wait is not None), default=None)

    def _handle_timers(self) -> None:
        if self._terminal.lost:
            self._end = signalled(self._attachment.name, signal.SIGHUP)
        now = time.monotonic()
        if (patience := self._keys.timeout) is not None and now >= self._typed_at + patience:
            self._send_typed(self._keys.tick())
        if self._rejoin_at is not None and now >= self._rejoin_at and not self._attachment.is_lost:
            self._rejoin_at = None
            columns, rows = self._terminal.size()
            self._attachment.request_again(columns=columns, rows=rows)
        self._look_after_loan(now)
        self._check_daemon_lost(now)

    def _check_daemon_lost(self, now: float) -> None:
        if self._stream is not None or not self._attachment.is_lost:
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = now
        elif now - self._alone_since > ANSWER_LIMIT:
            if self._attachment.place.keyed:  # a hive, whose link is lost more often than its daemon
                raise self._attachment.place.lost(ANSWER_LIMIT)
            raise OvermindError("daemon_lost", f"The daemon stopped and did not return within {ANSWER_LIMIT:.0f} s.")

    def _handle_signals(self) -> None:
        numbers = self._signals.take()
        for number in numbers:
            if number in ENDING:
                self._end = signalled(self._attachment.name, number)
            elif number == signal.SIGWINCH:
                self._send(resize_frame(*self._terminal.size()))
        if signal.SIGCONT in numbers and self._end is None:  # a shell continues also what it ends
            self._terminal.make_raw()
            self._send(redraw_frame())


HOW_TO_LEAVE = "ctrl-c gives up"


class TerminalWait:
    """The wait for a mission's terminal: shows what it waits for, until it is there."""

    def __init__(self, attachment: MissionAttachment, context: Context) -> None:
        self._attachment = attachment
        self._context = context
        self._name = display_safe(attachment.name)
        self._finishing = False
        self._line_is_open = False
        self._lost_at: float | None = None
        self._loss_said = False

    def ready(self) -> Json | SessionEnd:
        """Wait for the first run to join; or how the session ended before. ctrl-c raises KeyboardInterrupt."""
        try:
            return self._until_there()
        finally:
            self._end_line()

    def _until_there(self) -> Json | SessionEnd:
        while True:
            item = self._attachment.next_item()
            if item is None:
                self._wait()
                continue
            match item["type"]:
                case "ready" | "run":
                    return item
                case "ended":
                    return mission_ended(self._attachment.name, item)
                case "handing_back":
                    return handed_back(self._attachment.name, item)
                case "detached":
                    return detached(self._attachment.name)
            self._print_status(item)

    def _wait(self) -> None:
        """Until there may be news; Enter interrupts what is waited for, where that can be."""
        patience = self._attachment.try_reconnect()
        self._say_loss()
        sources: list[Any] = [self._attachment] if not self._attachment.is_lost else []
        sources += [IN] if self._finishing else []
        if IN in select.select(sources, [], [], patience)[0] and os.read(IN, READ):
            self._attachment.interrupt()

    def _say_loss(self) -> None:
        """Say once that it waits for the next daemon, where that takes long."""
        if not self._attachment.is_lost:
            self._lost_at, self._loss_said = None, False
            return
        if self._lost_at is None:
            self._lost_at = time.monotonic()
            self._end_line()
        if not self._loss_said:
            place = self._attachment.place
            line = place.comes_back(is_started=place.is_revived())
            self._loss_said = self._context.say_search(line, self._lost_at)

    def _print_status(self, item: Json) -> None:
        if item["type"] == "finishing":
            self._finishing = True
            since = format_uptime(item["seconds"])
            self._update(f"finishing the turn ({since} elapsed); Enter interrupts it, {HOW_TO_LEAVE}")
        elif item["type"] == "waiting":
            self._end_line()
            self._context.note(f"{self._name} is {item['status']}; {HOW_TO_LEAVE}")

    def _update(self, text: str) -> None:
        """Show it in the place of what was shown before."""
        sys.stderr.write(f"\r{text}\x1b[K")
        sys.stderr.flush()
        self._line_is_open = True

    def _end_line(self) -> None:
        if self._line_is_open:
            self._line_is_open = False
            self._context.note("")
