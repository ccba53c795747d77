"""The follower of logs: the newest lines of what is shown, as they grow, in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import tzinfo
from typing import Any

from textual.message import Message

from overmind_core.client.client import Client, answer_result
from overmind_core.client.unreadable import FAULTS, unreadable
from overmind_core.errors import OvermindError
from overmind_core.log_pages.index import LogPage, LogScope
from overmind_core.log_pages.page_worker import PageRead, PagesIndexed, PageWorker, Result
from overmind_core.log_pages.pattern import Pattern
from overmind_core.log_pages.reader import Reader
from overmind_core.system.selectable_event import SelectableEvent
from overmind_tui.shell.messages import LogCounted, LogFailed, LogGrew, LogIndexed, LogRead, LogShown
from overmind_tui.shell.requests import Located

FRAME = 1 / 15
"""Seconds between two messages: more often nobody can read."""
REST = 0.03
"""Seconds that the eyes rest on a row before its log is read."""
PAUSE = 0.3
"""Seconds before the supervisor is asked again after it was lost."""
JUMP = 128 << 10
"""Bytes of growth from which on only the newest lines are read: more than anybody reads in a moment."""
QUIET = 1.0
"""Seconds after which nobody expects that what came at once goes on, and its pages are looked for."""
HELD = 4000
"""Newest lines from which on the older of them are given back to the pages."""
SILENT = "hive_silent"
PASSING = frozenset({"daemon_not_running", "daemon_lost", "busy", SILENT})
"""Errors that are others a moment later."""
Json = dict[str, Any]


class LogFollower:
    """Posts what is to be shown of the wanted logs, until `close`.

    Args:
        locate: Where missions are; raises OvermindError where they can't be asked for together, or just now.
        post: Where messages go; may be called from any thread.
        zone: Of the times in logs; None is the machine's.
    """

    def __init__(
        self, locate: Callable[[Sequence[str]], Located], post: Callable[[Message], object], *,
        zone: tzinfo | None = None,
    ) -> None:  # fmt: skip
        self._locate = locate
        self._post = post
        self._zone = zone
        self._wanted = LogScope()
        self._changed = threading.Event()
        self._stirred = SelectableEvent()
        """Set with `_changed`, and when what was held back is wanted."""
        self._held = self._stale = False
        self._ruled = 0.0
        self._closed = False
        self._reader: Reader | None = None
        self._jumped = 0.0
        self._seen = self._lines = 0
        """Bytes that had been told of when lines were read last, and lines since the newest ones were begun."""
        self._why = ""
        """The reason why nothing is shown, as it was said; "": something is."""
        self._page_worker = PageWorker(lambda result: post(_message(result)))
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._page_worker.start()
        self._thread.start()

    def close(self) -> None:
        """Post nothing more."""
        self._closed = True
        self._page_worker.close()
        self._stir()

    # what is wanted

    def show(self, look: LogScope) -> None:
        """Look at this from now on."""
        self._held = False
        if look != self._wanted:
            self._wanted = look
            self.follow_again()

    def follow_again(self) -> None:
        """Ask again for the logs that are shown, since a mission that had ended runs again."""
        self._reader, self._jumped = None, 0.0
        self._page_worker.take(None)
        self._stir()

    def hold(self, *, back: bool) -> None:
        """Whether to post nothing for now: somebody reads what is there already, and may go on to what is before."""
        self._held = back
        self._stirred.set()
        if back and self._reader is not None:
            self._page_worker.take(self._reader)

    def draw_ruler(self, wall: float) -> None:
        """Draw a line below what is there now."""
        self._ruled = wall
        self._stirred.set()

    def want(self, pages: Sequence[LogPage]) -> None:
        """Read these pages next."""
        self._page_worker.want(pages)

    def count(self, pattern: Pattern | None, *, keep: bool) -> None:
        """Count the lines that match; `keep`: from now on, pages show only these."""
        self._page_worker.count(pattern, keep=keep)

    def stop_counting(self) -> None:
        """Count no further."""
        self._page_worker.stop()

    def _stir(self) -> None:
        self._changed.set()
        self._stirred.set()

    # following

    def _run(self) -> None:
        while not self._closed:
            look = self._wanted
            if not look.missions:
                self._changed.wait()
            self._rest()
            if look.missions and look == self._wanted and not self._closed:
                self._follow_until_changed(look)
        self._stirred.close()

    def _rest(self) -> None:
        """Wait until the same has been wanted for a moment."""
        self._changed.clear()
        while self._changed.wait(REST) and not self._closed:
            self._changed.clear()

    def _follow_until_changed(self, look: LogScope) -> None:
        try:
            place, ids = self._locate(look.missions)
            with closing(Client(place)) as client:
                self._follow(client, look, ids)
        except (ConnectionError, TimeoutError, OSError):
            self._changed.wait(PAUSE)
        except OvermindError as error:
            if error.code == SILENT and self._reader is None:
                self._send(LogFailed(look, error.message))
            if error.code in PASSING:
                self._changed.wait(PAUSE)
            else:
                self._send(LogFailed(look, error.message))
                self._changed.wait()
        except FAULTS:  # a hive answers what it likes, and this thread reads all other logs, too
            self._send(LogFailed(look, unreadable().message))
            self._changed.wait()

    def _follow(self, client: Client, look: LogScope, ids: Sequence[str]) -> None:
        client.connect()
        number = client.send("logs", {"ids": list(ids), "follow": True})
        reader: Reader | None = None
        while not (self._changed.is_set() or self._closed):
            try:
                answer = client.receive(woken=self._stirred)
            except TimeoutError:
                self._stirred.clear()
                self._deliver(reader, stale=False)
                continue
            if answer.get("id") != number:
                continue
            if "ok" in answer or "error" in answer:
                reader = Reader(answer_result(answer)["missions"], look, zone=self._zone)
                self._show(reader)
                self._deliver(reader, stale=False)  # a line was wanted before there was a log
            elif "end" in answer:
                self._rest_of(reader)
            elif reader is not None:
                self._grow(client, number, reader, answer["item"])

    def _rest_of(self, reader: Reader | None) -> None:
        """Nothing more comes; what is held back may still be wanted."""
        while not self._changed.is_set():
            self._deliver(reader, stale=False)
            self._stirred.wait()
            self._stirred.clear()

    def _grow(self, client: Client, number: int, reader: Reader, item: Json) -> None:
        """Take over what comes within a frame, and show it at once."""
        began = time.monotonic()
        reader.apply(item)
        ended = False
        while (left := began + FRAME - time.monotonic()) > 0:
            try:
                answer = client.receive(timeout=left, woken=self._stirred)
            except TimeoutError:
                break
            if answer.get("id") == number and "item" in answer:
                reader.apply(answer["item"])
            elif answer.get("id") == number and "end" in answer:
                ended = True
                break
            if self._changed.is_set():
                return
        self._deliver(reader, stale=True)
        if ended:
            self._rest_of(reader)

    def _deliver(self, reader: Reader | None, *, stale: bool) -> None:
        """Post what came since the last time, unless somebody reads back."""
        if reader is None:
            return
        if self._ruled:
            reader.draw_ruler(self._ruled)
            self._ruled, stale = 0.0, True
        self._stale = stale or self._stale
        if self._held or not self._stale:
            return
        if reader.reached - self._seen > JUMP or self._lines > HELD:
            self._jumped = time.monotonic()
            self._show(reader)
            return
        if self._jumped and time.monotonic() - self._jumped > QUIET:
            self._jumped = 0.0
            self._page_worker.take(reader)
        lines = reader.grown()
        self._lines += len(lines)
        if self._why and not lines and not reader.partial and self._why != _reason(reader):
            self._show(reader)
            return
        self._seen, self._stale = reader.reached, False
        self._send(LogGrew(reader, lines, partial=reader.partial, runs=reader.newest_runs))

    def _show(self, reader: Reader) -> None:
        lines = reader.open()
        self._seen, self._lines, self._stale = reader.reached, len(lines), False
        each = max(sum(len(text) for _, _, text in lines) // max(len(lines), 1), 1) + 1
        reason = self._why = "" if lines or reader.partial else _reason(reader)
        self._send(
            LogShown(
                reader.look,
                lines,
                partial=reader.partial,
                runs=reader.newest_runs,
                ended=reader.ended,
                before=reader.bytes_before() // each,
                reader=reader,
                reason=reason,
                last_written=reader.last_written if not lines else 0.0,
            )
        )
        self._reader = reader
        if not self._jumped or self._held:  # held since these lines were begun, with the pages before others
            self._page_worker.take(reader, awaited=True)

    def _send(self, message: Message) -> None:
        if not self._closed:
            self._post(message)


def _message(result: Result) -> Message:
    """A result of the reader of pages, for the program's own thread."""
    if isinstance(result, PageRead):
        return LogRead(result)
    return LogIndexed(result) if isinstance(result, PagesIndexed) else LogCounted(result)


def _reason(reader: Reader) -> str:
    """Why there is nothing to show."""
    if reader.missing:
        return f"the log was removed: {reader.missing} does not exist"
    if reader.look.since is not None and reader.last_written:
        return ""
    return "no output" if reader.is_over else "no output yet"
