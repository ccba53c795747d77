"""The runner of a headless command: hosts the supervisor, starts the work, observes it, reports, cleans up.

`SignalHandler` ends it: the first signal lets everything end gracefully, the second kills, and neither is ever waited
for. The kernel's notice goes to a pipe that a thread reads, so it is handled also while the main thread is blocked, be
it by a reader that takes no output. Whatever is stuck, the process is gone within seconds, and its keeper ends the
rest.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time

from overmind_core.cli.headless.host import HeadlessHome, HostThread, live_missions
from overmind_core.cli.headless.observer import HomeObserver, OutputHeld, newest_event
from overmind_core.cli.headless.outcome import Outcome, Result, lasted, out_of_time
from overmind_core.cli.headless.output import DivertedStdout, OutputLost, OutputScreen, wants_colour
from overmind_core.cli.headless.reports import Reports
from overmind_core.cli.values import MILLISECONDS
from overmind_core.client.client import Client
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.domain.text.duration import parse_duration
from overmind_core.errors import FAILED, TIMED_OUT, OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence
    from typing import NoReturn

    from overmind_core.cli.context import Context

    Begin = Callable[[Client], list[str]]
    Conclude = Callable[[Client, Result], Result]


STOP_LIMIT = 5.0
"""Seconds from the first signal to the end of this process, come what may."""
CLEAN_UP_LIMIT = 320.0
"""Seconds likewise, while something of a plan cleans up: the daemon gives it a little less."""
LOOK = 0.5
"""Seconds between two looks whether something still cleans up."""
KILL_LIMIT = 2.0
"""Seconds from the second signal."""
ECHO = 0.2
"""Seconds in which a second signal is the first one's echo: timeout(1), for one, signals its child and its group."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_OFFSET = 128


class SignalHandler:
    """The signals of this process, handled in a thread; made in the main thread."""

    def __init__(self) -> None:
        self.number = 0
        """The first signal; 0 while there was none."""
        self._stop: Callable[[], None] | None = None
        self._kill: Callable[[], None] | None = None
        self._cleans_up: Callable[[], bool] = lambda: False
        self._busy = 0.0
        """When something was seen to clean up, on the monotonic clock."""
        self._notices, notify = os.pipe()
        os.set_blocking(notify, False)
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or a shell's background job
                signal.signal(number, _ignore)
        signal.set_wakeup_fd(notify, warn_on_full_buffer=False)
        threading.Thread(target=self._watch, name="signals", daemon=True).start()

    @property
    def exit_status(self) -> int:
        """128 + the first signal."""
        return _OFFSET + self.number

    def arm(self, *, stop: Callable[[], None], kill: Callable[[], None], cleans_up: Callable[[], bool]) -> None:
        """From now on there is something to end; no call may block. `cleans_up` tells whether that takes longer."""
        self._kill = kill
        self._cleans_up = cleans_up
        self._stop = stop
        if self.number:
            stop()

    def _watch(self) -> NoReturn:
        began = self._first()
        _do(self._stop)
        if self._is_repeated(began):
            _do(self._kill)
            threading.Event().wait(KILL_LIMIT)
        os._exit(self.exit_status)

    def _first(self) -> float:
        """Wait for the first signal; return when it came, in seconds on the monotonic clock."""
        self.number = self._next(None) or 0
        return time.monotonic()

    def _is_repeated(self, began: float) -> bool:
        """Wait for a second signal that means it; False when there was none until the limit."""
        last = began
        while (left := self._time_left(began)) > 0:
            number = self._next(left)
            if number is None or number == signal.SIGHUP:  # a terminal's or a shell's end comes with another signal
                continue
            if self.number == signal.SIGHUP:
                self.number, last = number, time.monotonic()
            elif time.monotonic() - last > ECHO:
                return True
        return False

    def _time_left(self, began: float) -> float:
        """Seconds until the limit, or until it is time to see whether something still cleans up."""
        now = time.monotonic()
        if self._cleans_up() and now - began < CLEAN_UP_LIMIT:
            self._busy = now
        return min(max(began, self._busy) + STOP_LIMIT - now, LOOK)

    def _next(self, timeout: float | None) -> int | None:
        """Return the next signal, None when there was none for `timeout` seconds."""
        ready, _, _ = select.select([self._notices], [], [], timeout)
        return os.read(self._notices, 1)[0] if ready else None


def _ignore(_number: int, _frame: object) -> None:
    """Nothing: its number is on the pipe."""


def _do(call: Callable[[], None] | None) -> None:
    if call is not None:
        call()


GRACE = 3.0
"""Seconds that missions get when the runner is to end; it has five in all."""
BROKEN_PIPE = 141
"""128 + SIGPIPE."""
_UMASK = 0o077


class HeadlessRunner:
    """The run of one headless command, with everything around its work.

    Args:
        args: its options.
        context: the command line's.
        command: what it is called, such as `run`.
        names: of the missions to come, where there are several.
        conclude: makes what is reported of the ends of all missions; default: just these.

    Raises:
        OvermindError: a report can't be written.
    """

    def __init__(
        self,
        args: Namespace,
        context: Context,
        command: str,
        *,
        names: Sequence[str] = (),
        conclude: Conclude = lambda _, result: result,
    ) -> None:
        self._conclude = conclude
        self._signals = SignalHandler()
        self._args = args
        self._diverted = DivertedStdout() if args.json else None
        self._reports = Reports(args, context, command)  # before the umask changes: these files are the caller's
        colour = wants_colour(context.environ, terminal=sys.stdout.isatty())
        self._screen = OutputScreen(colour=colour, names=names)
        os.umask(_UMASK)
        self._home = HeadlessHome(None if args.home is None else os.path.abspath(from_wire(args.home)))
        self._host = HostThread(self._home.home)
        self._mute = False
        self._recorded = False
        self._timed_out: frozenset[str] = frozenset()
        """Missions that ran when the time of all was over."""
        self._until: float | None = None
        """End of the time for everything, on the monotonic clock; None: it has none."""
        self._worktrees: dict[str, str] = {}
        """Path → branch, of missions that had one of their own."""

    def run(self, begin: Begin) -> int:
        """Let `begin` start missions, observe them to their end, and return the exit status.

        Raises:
            OvermindError: nothing could be started, or something failed that isn't the missions' doing.
        """
        try:
            result = self._result(begin)
        except OvermindError as error:
            worth_a_look = self._recorded or error.code == "internal"
            kept = self._clean_up(keep=worth_a_look)
            self._reports.end(Result(error.exit_status, (), error.message), mute=self._mute)
            self._reports.name_kept(kept if worth_a_look else None)
            raise
        except BaseException:
            self._clean_up(keep=True)  # whoever sees the traceback wants to look
            raise
        kept = self._clean_up(keep=bool(result.exit_status) and self._recorded)
        status = self._reports.end(result, mute=self._mute)
        left = {path: branch for path, branch in self._worktrees.items() if os.path.isdir(from_wire(path))}
        if self._diverted is not None:
            self._diverted.restore()
        self._reports.sum_up(result, kept, left)
        return status

    def _clean_up(self, *, keep: bool) -> str | None:
        """End everything, and return the folder that is left."""
        self._screen.end_line()
        self._host.end()
        if keep or not self._home.temporary:
            return self._home.home.root
        self._home.remove()
        return None

    def _result(self, begin: Begin) -> Result:
        self._host.start()
        self._signals.arm(
            stop=lambda: self._host.stop(GRACE), kill=self._host.kill, cleans_up=lambda: self._host.cleans_up
        )
        client = Client(self._home.home)
        for stale in live_missions(client):  # of a run in this folder that was killed
            client.call("kill", {"id": stale})
        since = newest_event(client)
        try:
            asked = [] if self._signals.number else begin(client)
        except OvermindError:
            if not self._signals.number:
                raise
            asked = []
        if self._signals.number and not asked:
            return Result(self._signals.exit_status, (), self._interrupted)
        self._recorded = True
        self._screen.announce = self._reports.begin
        return self._follow_log(client, asked, since)

    def _follow_log(self, client: Client, asked: Sequence[str], since: int) -> Result:
        observer = HomeObserver(client, self._screen, self._reports.event, since=since)
        try:
            trouble = self._follow(client, observer, asked)
            trouble = self._end_rest(client, observer, GRACE if trouble else None) or trouble
        except ConnectionError:
            self._host.check()
            raise OvermindError("daemon_lost", "Another process shut this headless run down.") from None
        client.close()
        outcomes = [found for one in observer.missions if (found := self._outcome(client, one, asked)) is not None]
        statuses = (one.exit_status for one in outcomes if one.asked)
        status, words = trouble or (next(filter(None, statuses), 0), "")
        return self._conclude(client, Result(status, outcomes, words, self._timed_out))

    def _follow(self, client: Client, observer: HomeObserver, asked: Sequence[str]) -> tuple[int, str] | None:
        """Show what happens until the work has ended; return exit status and words when something else ended it."""
        try:
            observer.begin(asked)
            self._until = self._deadline()
            observer.until_ended(asked, self._until)
        except TimeoutError:
            return self._out_of_time(client)
        except OutputLost as unheard:
            self._silence()
            return (BROKEN_PIPE if unheard.reader_gone else FAILED), str(unheard)
        except OutputHeld as held:
            return FAILED, _held_message(held.reason, self._home.home.root)
        return (self._signals.exit_status, self._interrupted) if self._signals.number else None

    def _out_of_time(self, client: Client) -> tuple[int, str]:
        """Note what runs still at the end of the time for everything."""
        self._timed_out = frozenset(live_missions(client))
        return TIMED_OUT, f"timed out after {lasted(self._total_timeout)}"

    def _end_rest(self, client: Client, observer: HomeObserver, grace: float | None) -> tuple[int, str] | None:
        """Stop whatever the work has left behind, show its last words, and hand on the last events.

        `grace`: seconds; None: each mission's own, within the time for everything. Returns exit status and words when
        that was over before.
        """
        self._host.stop(grace)
        deadline = self._until if grace is None else time.monotonic() + STOP_LIMIT
        late: tuple[int, str] | None = None
        over = False
        while not over:
            try:
                observer.until_ended(None, deadline)
                observer.finish(deadline)
                over = observer.is_done
            except OutputLost:
                self._silence()
            except OutputHeld:
                return late  # `HostThread.end` kills what is left
            except TimeoutError:
                if grace is None and late is None:
                    late = self._out_of_time(client)
                    self._host.kill()
                elif not self._host.cleans_up:
                    return late  # likewise
                deadline = time.monotonic() + STOP_LIMIT
        return late

    def _outcome(self, client: Client, mission: str, asked: Sequence[str]) -> Outcome | None:
        try:
            info = client.call("info", {"id": mission})
        except OvermindError as error:
            if error.code == "not_found":  # somebody inside has removed it
                return None
            raise
        own = info.get("isolation") or {}
        if own.get("worktree"):
            self._worktrees[own["worktree"]] = own["branch"]
        tail = self._screen.tails.get(mission)
        output, dropped = ("", 0) if tail is None else (tail.text, tail.dropped)
        info = out_of_time(info, mission, self._timed_out)
        return Outcome(info, asked=mission in asked, output=output, dropped=dropped)

    @property
    def _total_timeout(self) -> float:
        """Seconds; 0 = endless."""
        return parse_duration(self._args.total_timeout or "0", default_unit=MILLISECONDS)

    def _deadline(self) -> float | None:
        return time.monotonic() + self._total_timeout if self._total_timeout else None

    @property
    def _interrupted(self) -> str:
        return f"interrupted by {signal.Signals(self._signals.number).name}"

    def _silence(self) -> None:
        """Write to stdout no more; what is buffered for it goes nowhere."""
        self._mute = True
        self._screen.silence()
        nothing = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)


def _held_message(reason: str, folder: str) -> str:
    if reason == "disk_full":
        return f"the disk is full: the output can't be stored in {folder}"
    return f"the output can't be stored in {folder}: {reason}"
