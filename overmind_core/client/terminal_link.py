"""The link to a mission's terminal: a thread that holds the connections, and joins again what broke off.

The program is never waited for: what it has not taken when too much waits is skipped, and the screen is drawn anew from
the log, which has everything (`output`).
"""

from __future__ import annotations

import contextlib
import select
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from overmind_core.client.attach import KeeperStream, MissionAttachment
from overmind_core.client.connection import ANSWER_LIMIT
from overmind_core.client.place import LocalPlace, place_of
from overmind_core.client.terminal_output import RunOutput
from overmind_core.client.terminal_stream import (
    Away,
    Exited,
    Failed,
    Item,
    Json,
    LinkQueue,
    Severed,
    Sized,
    StateChange,
)
from overmind_core.client.unreadable import FAULTS, unreadable
from overmind_core.errors import OvermindError
from overmind_core.system.selectable_event import SelectableEvent
from overmind_core.terminal.screen import SCROLLBACK
from overmind_core.wire.keeper import (
    FRAME_DATA,
    FRAME_EXIT,
    FRAME_RESIZE,
    FrameError,
    data_frame,
    parse_exit,
    parse_resize,
    redraw_frame,
    resize_frame,
)

if TYPE_CHECKING:
    from overmind_core.client.place import Place
    from overmind_core.system.paths import Home

REJOIN = 0.1
"""Seconds after which a run is joined again whose stream broke off, unless the supervisor says something before."""
GONE_SECONDS = 5.0
"""How long a stream may be broken off until what is typed has nowhere to go."""
FAR_GONE_SECONDS = 10.0
"""The same of a hive's, whose connection may have to be made anew."""
TYPED_LIMIT = 1 << 16
"""Bytes that are kept for a stream that is being joined."""


class Link:
    """Begins at once, and lasts until `close` or until the mission ends.

    Args:
        home: Whose supervisor.
        request: The arguments of `attach`; `columns` and `rows` are those of the pane.
        notify: Called in this thread when `take` has something new.
        scrollback: How many rows above its screens are wanted, too.
        scrollback_again: The same, of a screen that is drawn anew since not everything was taken.
        by: In whose name, as in `Client`.
    """

    def __init__(
        self,
        home: Home | Place,
        request: Json,
        notify: Callable[[], None],
        *,
        scrollback: int = SCROLLBACK,
        scrollback_again: int | None = None,
        by: str | None = None,
    ) -> None:
        self._home = home
        self._patience = GONE_SECONDS if isinstance(place_of(home), LocalPlace) else FAR_GONE_SECONDS
        self._by = by
        self._request = dict(request)
        self._woken = SelectableEvent()
        self._inbox = LinkQueue(notify, self._woken.set)
        self._output = RunOutput(self._inbox, self._woken.set, scrollback=scrollback, scrollback_again=scrollback_again)
        self._guard = threading.Lock()
        """Around the stream and what is to be sent on it."""
        self._stream: KeeperStream | None = None
        self._early = bytearray()
        """Typed before there was a stream."""
        self._size = (int(request["columns"]), int(request["rows"]))
        self._rejoin_at: float | None = None
        self._broken_at: float | None = None
        self._exited = False
        self._interrupt = False
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="terminal-link", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    # for the program's thread

    @property
    def joined(self) -> bool:
        """Whether there is a stream now, on which what is typed arrives."""
        return self._stream is not None

    def take(self) -> Item | None:
        """The next thing that came; None when there is none."""
        return self._inbox.take()

    def type(self, data: bytes) -> None:
        """Send what was typed; no escape sequence is cut at its end."""
        waits = False
        with self._guard:
            if self._stream is not None:
                self._send(data_frame(data))
                waits = self._stream.has_unsent
            elif len(self._early) + len(data) <= TYPED_LIMIT:
                self._early += data
        if waits:
            self._woken.set()  # else the keeper has it, and the thread would only be in the way of the echo

    @property
    def unsent(self) -> int:
        """Bytes that were typed and wait, as the program in the terminal reads nothing."""
        stream = self._stream
        return len(self._early) if stream is None else stream.unsent

    def resize(self, columns: int, rows: int) -> None:
        """The pane has another size."""
        with self._guard:
            self._size = (columns, rows)
            if self._stream is not None:
                self._send(resize_frame(columns, rows))
        self._woken.set()

    def redraw(self) -> None:
        """Have the program in the terminal draw everything."""
        with self._guard:
            if self._stream is not None:
                self._send(redraw_frame())
        self._woken.set()

    def replay(self) -> None:
        """Draw the screen anew from the log: not everything was taken."""
        self._output.replay()
        self._woken.set()

    def forget(self) -> None:
        """What was typed so far is not for the terminal that will be there."""
        with self._guard:
            self._early.clear()

    def keep(self) -> None:
        """Have an agent that got its terminal for us stay in it when we leave."""
        self._request["keep"] = True
        threading.Thread(target=self._keep, name="terminal-keep", daemon=True).start()

    def _keep(self) -> None:
        """A second seat for a moment: the wish of who sits down last counts."""
        with contextlib.suppress(OvermindError, OSError):
            seat = MissionAttachment(self._home, {**self._request, "rejoin": True}, by=self._by)
            until = time.monotonic() + ANSWER_LIMIT
            while (item := seat.next_item()) is None and time.monotonic() < until and not seat.is_lost:
                select.select([seat], [], [], 0.2)
            del item
            seat.close()

    def interrupt(self) -> None:
        """Break off what the mission does, so that its terminal is there sooner."""
        self._interrupt = True
        self._woken.set()

    def close(self) -> None:
        """Leave; what was typed before is still sent."""
        self._closed = True
        self._woken.set()

    def _send(self, frame: bytes) -> None:
        assert self._stream is not None
        with contextlib.suppress(ConnectionError):  # noticed where it is read
            self._stream.send(frame)

    # the thread

    def _run(self) -> None:
        attachment: MissionAttachment | None = None
        try:
            attachment = MissionAttachment(self._home, self._request, by=self._by)
            self._session(attachment)
        except OvermindError as error:
            self._inbox.put(Failed(error.code, error.message))
        except OSError as error:
            self._inbox.put(Failed("internal", str(error)))
        except FAULTS:  # a hive answers what it likes
            said = unreadable()
            self._inbox.put(Failed(said.code, said.message))
        finally:
            self._drop()
            if attachment is not None:
                attachment.close()
            self._closed = True
            self._woken.close()

    def _session(self, attachment: MissionAttachment) -> None:
        while not self._closed:
            self._obey(attachment)
            while (
                item := attachment.next_item()
            ) is not None:  # before waiting: one may have come with the answer before
                if self._apply(item):
                    return
            self._wait(attachment)
            self._relay()
            self._let_time_pass(attachment)

    def _obey(self, attachment: MissionAttachment) -> None:
        if self._interrupt:
            self._interrupt = False
            attachment.interrupt()

    def _wait(self, attachment: MissionAttachment) -> None:
        """Until something comes, or is due."""
        seconds = self._poll_seconds(attachment)  # it may connect again: before it is said what is waited for
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        if not attachment.is_lost:
            poll.register(attachment.fileno(), select.POLLIN)
        stream = self._stream
        if stream is not None:
            poll.register(stream.fileno(), select.POLLIN | (select.POLLOUT if stream.has_unsent else 0))
        poll.poll(None if seconds is None else seconds * 1000)
        self._woken.clear()

    def _poll_seconds(self, attachment: MissionAttachment) -> float | None:
        now = time.monotonic()
        looks = attachment.try_reconnect()
        rejoin_at = None if attachment.is_lost else self._rejoin_at  # the next supervisor comes first
        due = [rejoin_at, self._broken_at and self._broken_at + self._patience, self._output.due]
        waits = [max(moment - now, 0.0) for moment in due if moment]
        return min([*waits, *([] if looks is None else [looks])], default=None)

    def _relay(self) -> None:
        """What came on the stream."""
        if self._stream is None:
            return
        try:
            with self._guard:
                self._stream.flush()
            frames = self._stream.receive()
        except (ConnectionError, FrameError):
            self._break_off()
        else:
            self._show(frames)

    def _show(self, frames: Iterable[tuple[int, bytes]]) -> None:
        for kind, payload in frames:
            if kind == FRAME_DATA:
                self._output.data(payload)
            elif kind == FRAME_RESIZE:
                self._output.resize(Sized(*parse_resize(payload)))
            elif kind == FRAME_EXIT:
                self._exited = True
                self._output.finish()
                self._inbox.put(Exited(parse_exit(payload)))

    def _break_off(self) -> None:
        """The stream has ended: with its run, with its keeper, or because we did not read fast enough."""
        self._drop()
        if not self._exited:
            self._inbox.put(Away())
            self._rejoin_at = time.monotonic() + REJOIN
            self._broken_at = self._broken_at or time.monotonic()

    def _drop(self) -> None:
        with self._guard:
            if self._stream is not None:
                self._stream.close()
            self._stream = None

    def _apply(self, item: Json) -> bool:
        """Something of the supervisor; whether the stay is over with it."""
        match item["type"]:
            case "ready" | "run":
                if self._stream is None or item["run"] != self._output.run:
                    self._join(item)
                return False
            case "ended" | "handing_back" | "detached":
                self._take_the_rest()
                self._output.finish()
                self._inbox.put(StateChange(item))
                return True
        self._inbox.put(StateChange(item))
        return False

    def _take_the_rest(self) -> None:
        """What the run wrote last may still be on its way."""
        until = time.monotonic() + ANSWER_LIMIT
        while self._stream is not None and (left := until - time.monotonic()) > 0:
            if not select.select([self._stream], [], [], left)[0]:
                return
            self._relay()

    def _join(self, ready: Json) -> None:
        """Show what the run's terminal shows, and what comes from then on."""
        self._rejoin_at = None
        with self._guard:
            size = self._size
        try:
            stream = KeeperStream(ready, size, place_of(self._home))
        except OSError:
            self._rejoin_at = time.monotonic() + REJOIN
            return
        self._drop()
        self._exited, self._broken_at = False, None
        with self._guard:
            self._stream = stream
            if self._size != size:  # `resize` found no stream to tell it on
                self._send(resize_frame(*self._size))
            if self._early and ready["write"]:
                self._send(data_frame(bytes(self._early)))
            self._early.clear()
        self._output.begin(ready, stream.offset)
        self._show(stream.take_early_frames())

    def _let_time_pass(self, attachment: MissionAttachment) -> None:
        now = time.monotonic()
        self._output.tick(now)
        if self._rejoin_at is not None and now >= self._rejoin_at and not attachment.is_lost:
            self._rejoin_at = None
            attachment.request_again(columns=self._size[0], rows=self._size[1])
        if self._broken_at is not None and now >= self._broken_at + self._patience:
            self._broken_at = None
            self._early.clear()
            self._inbox.put(Severed())
