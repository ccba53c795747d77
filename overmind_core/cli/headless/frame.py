"""A headless run, from nothing to nothing: host the supervisor, let something begin, attend to it, report, clean up."""

from __future__ import annotations

import os
import signal
import sys
import time

from overmind_core.cli.headless.attendance import Attendance, OutputHeld, newest_event
from overmind_core.cli.headless.hosting import Hosting, Place, live_missions
from overmind_core.cli.headless.outcome import Outcome, Result, lasted
from overmind_core.cli.headless.reports import Reports
from overmind_core.cli.headless.screen import Screen, Unheard, colourful
from overmind_core.cli.headless.warden import STOP_LIMIT, Warden
from overmind_core.cli.values import MILLISECONDS
from overmind_core.client.calls import Client
from overmind_core.domain.duration import parse_duration
from overmind_core.errors import FAILED, TIMED_OUT, OvermindError
from overmind_core.wire.bytestrings import from_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

    from overmind_core.cli.context import Context

    Begin = Callable[[Client], list[str]]
    Conclude = Callable[[Client, Result], Result]

GRACE = 3.0
"""Seconds that missions get when the runner is told to end; it has five in all."""
BROKEN_PIPE = 141
"""128 + SIGPIPE."""
_UMASK = 0o077


class Frame:
    """Everything around the work of one headless command.

    Args:
        args: its options.
        context: the world it runs in.
        command: what it is called, such as `run`.
        several: it is the work of several missions.
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
        several: bool = False,
        conclude: Conclude = lambda _, result: result,
    ) -> None:
        self._conclude = conclude
        self._warden = Warden()
        self._args = args
        self._reports = Reports(args, context, command)  # before the umask changes: these files are the caller's
        colour = colourful(context.environ, terminal=sys.stdout.isatty())
        self._screen = Screen(colour=colour, several=several)
        os.umask(_UMASK)
        self._place = Place(None if args.home is None else os.path.abspath(from_wire(args.home)))
        self._hosting = Hosting(self._place.home)
        self._mute = False
        self._recorded = False
        self._worktrees: dict[str, str] = {}
        """Path → branch, of missions that had one of their own."""

    def run(self, begin: Begin) -> int:
        """Let `begin` start missions, see them to their end, and return the exit status.

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
        self._reports.sum_up(result, kept, left)
        return status

    def _clean_up(self, *, keep: bool) -> str | None:
        """End everything, and return the folder that is left."""
        self._hosting.end()
        if keep or not self._place.temporary:
            return self._place.home.root
        self._place.remove()
        return None

    def _result(self, begin: Begin) -> Result:
        self._hosting.start()
        self._warden.guard(stop=lambda: self._hosting.stop(GRACE), kill=self._hosting.kill)
        client = Client(self._place.home)
        for stale in live_missions(client):  # of a run in this folder that was killed
            client.call("kill", {"id": stale})
        since = newest_event(client)
        try:
            asked = [] if self._warden.number else begin(client)
        except OvermindError:
            if not self._warden.number:
                raise
            asked = []
        if self._warden.number and not asked:
            return Result(self._warden.exit_status, (), self._interrupted)
        self._recorded = True
        self._screen.announce = self._reports.begin
        return self._attend(client, asked, since)

    def _attend(self, client: Client, asked: Sequence[str], since: int) -> Result:
        attendance = Attendance(client, self._screen, self._reports.event, since=since)
        try:
            trouble = self._follow(attendance, asked)
            self._see_out(attendance, GRACE if trouble else None)
        except ConnectionError:
            self._hosting.check()
            raise OvermindError("daemon_lost", "Somebody has shut this headless run down from outside.") from None
        client.close()
        outcomes = [found for one in attendance.missions if (found := self._outcome(client, one, asked)) is not None]
        statuses = (one.exit_status for one in outcomes if one.asked)
        status, words = trouble or (next(filter(None, statuses), 0), "")
        return self._conclude(client, Result(status, outcomes, words))

    def _follow(self, attendance: Attendance, asked: Sequence[str]) -> tuple[int, str] | None:
        """Show what happens until the work has ended; return exit status and words when something else ended it."""
        try:
            attendance.begin(asked)
            attendance.until_ended(asked, self._deadline())
        except TimeoutError:
            return TIMED_OUT, f"timed out after {lasted(self._total_timeout)}"
        except Unheard as unheard:
            self._silence()
            return (BROKEN_PIPE if unheard.nobody else FAILED), str(unheard)
        except OutputHeld as held:
            return FAILED, _held(held.reason, self._place.home.root)
        return (self._warden.exit_status, self._interrupted) if self._warden.number else None

    def _see_out(self, attendance: Attendance, grace: float | None) -> None:
        """Stop whatever the work has left behind, show its last words, and hand on the last events."""
        self._hosting.stop(grace)
        deadline = None if grace is None else time.monotonic() + STOP_LIMIT
        over = False
        while not over:
            try:
                attendance.until_ended(None, deadline)
                attendance.finish(deadline)
                over = attendance.over
            except Unheard:
                self._silence()
            except (TimeoutError, OutputHeld):
                return  # `Hosting.end` kills what is left

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
        return Outcome(info, asked=mission in asked, output=output, dropped=dropped)

    @property
    def _total_timeout(self) -> float:
        """Seconds; 0 = endless."""
        return parse_duration(self._args.total_timeout or "0", default_unit=MILLISECONDS)

    def _deadline(self) -> float | None:
        return time.monotonic() + self._total_timeout if self._total_timeout else None

    @property
    def _interrupted(self) -> str:
        return f"interrupted by {signal.Signals(self._warden.number).name}"

    def _silence(self) -> None:
        """Write to stdout no more; what is buffered for it goes nowhere."""
        self._mute = True
        self._screen.silence()
        nothing = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)


def _held(reason: str, folder: str) -> str:
    if reason == "disk_full":
        return f"the disk is full: the output can't be kept in {folder}"
    return f"the output can't be kept in {folder}: {reason}"
