"""The observer of a home: its events, and the output of each mission as it grows, over one connection."""

from __future__ import annotations

import time
from functools import partial

from overmind_core.cli.follow_logs import IDLE_SECONDS, line_renderer
from overmind_core.client.client import answer_result
from overmind_core.client.stream import KINDS, SHORTEST
from overmind_core.errors import OvermindError
from overmind_core.logs.transcript import LogSelection, Transcript

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from typing import Any

    from overmind_core.cli.headless.output import OutputScreen
    from overmind_core.client.client import Client

    Json = dict[str, Any]
    Take = Callable[[str, Any], None]


HELD_LIMIT = 10.0
"""Seconds that output may be held back by a full disk: nobody makes room on a machine that runs a job."""


class OutputHeld(Exception):
    """The keeper can't write the output of a mission, which therefore stands still.

    Attributes:
        reason: such as disk_full.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class HomeObserver:
    """Shows the output of all missions and hands on each event, until all have ended.

    Args:
        client: nothing else may use it meanwhile.
        screen: shows the lines.
        keep_event: gets each event, in order.
        since: the last event that is old.
    """

    def __init__(self, client: Client, screen: OutputScreen, keep_event: Callable[[Json], None], *, since: int) -> None:
        self._client = client
        self._screen = screen
        self._keep_event = keep_event
        self._seq = since
        self._streams: dict[int, Take] = {}
        self._open: set[str] = set()
        self._held: dict[str, tuple[float, str]] = {}
        """Since when, and why."""
        self._seen: dict[str, Transcript | None] = {}
        self._next_look = 0.0
        """When lines are looked at that stand unfinished."""

    @property
    def missions(self) -> list[str]:
        """The ids of all missions so far, oldest first."""
        return list(self._seen)

    @property
    def is_done(self) -> bool:
        """Whether nothing is followed any more."""
        return not self._open

    def begin(self, missions: Iterable[str]) -> None:
        """Follow these, and all that they start."""
        for mission in missions:
            self._follow_log(mission)
        self._stream("events", {"follow": True, "since": self._seq}, self._event)

    def until_ended(self, missions: Collection[str] | None, deadline: float | None = None) -> None:
        """Return when these missions (None: all) have ended and all of their output is shown.

        Raises:
            TimeoutError: not by `deadline`, seconds on the monotonic clock.
            OutputHeld: output could not be kept for too long.
            ConnectionError: the supervisor is gone.
        """
        while self._open if missions is None else self._open.intersection(missions):
            self._step(deadline)

    def finish(self, deadline: float | None = None) -> None:
        """Hand on the events up to now.

        Raises:
            TimeoutError: not by `deadline`.
        """
        done: list[str] = []
        self._streams.clear()
        self._stream("events", {"follow": False, "since": self._seq}, partial(self._last_events, done))
        while not done:
            self._step(deadline)
        self._screen.finish()

    def _step(self, deadline: float | None) -> None:
        self._look_at_unfinished()
        try:
            answer = self._client.receive(timeout=self._left(deadline))
        except TimeoutError:
            self._left(deadline)
            return
        take = self._streams.get(answer.get("id", 0))
        if take is None:
            return
        if "error" in answer:
            answer_result(answer)
        kind = next(kind for kind in KINDS if kind in answer)
        take(kind, answer[kind])

    def _left(self, deadline: float | None) -> float:
        """Seconds until something is due."""
        now = time.monotonic()
        if deadline is not None and deadline <= now:
            raise TimeoutError
        since = min((since for since, _ in self._held.values()), default=None)
        if since is not None and since + HELD_LIMIT <= now:
            _, reason = next(iter(self._held.values()))
            self._held.clear()  # said once
            raise OutputHeld(reason)
        ends = (deadline, None if since is None else since + HELD_LIMIT, self._next_look)
        return max(min(end for end in ends if end is not None) - now, SHORTEST)

    def _look_at_unfinished(self) -> None:
        """Show each second what stands unfinished of the missions that go on."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + IDLE_SECONDS
        for transcript in map(self._seen.get, self._open):
            if transcript is not None:
                self._screen.look(transcript)

    def _stream(self, command: str, args: Json, take: Take) -> None:
        self._streams[self._client.send(command, args)] = take

    def _follow_log(self, mission: str) -> None:
        self._seen[mission] = None
        self._open.add(mission)
        self._stream("logs", {"ids": [mission], "follow": True, "seq": 0}, partial(self._log, mission))

    def _event(self, kind: str, event: Json) -> None:
        if kind != "item":
            return
        self._seq = event["seq"]
        self._keep_event(event)
        if event["type"] == "created" and event["mission"] not in self._seen:
            self._follow_log(event["mission"])

    def _last_events(self, done: list[str], kind: str, event: Json) -> None:
        if kind == "end":
            done.append(kind)
        self._event(kind, event)

    def _log(self, mission: str, kind: str, content: Json) -> None:
        if kind == "end":
            self._open.discard(mission)
            self._held.pop(mission, None)
            return
        if kind == "item" and content["type"] == "trouble":
            self._hold(mission, content["reason"])
            return
        transcript = self._seen[mission]
        if transcript is not None:
            transcript.apply(content)
            self._screen.show(transcript, transcript.new_lines())
            return
        transcript = Transcript(
            content["missions"][0], LogSelection(colour=self._screen.colour, renderers=line_renderer)
        )
        self._seen[mission] = transcript
        self._screen.enter(transcript)
        self._screen.show(transcript, transcript.begin(follow=not transcript.ended))

    def _hold(self, mission: str, reason: str | None) -> None:
        if reason is None:
            self._held.pop(mission, None)
        else:
            self._held.setdefault(mission, (time.monotonic(), reason))


def newest_event(client: Client) -> int:
    """Return the number of the last event."""
    seq = client.call("logs", {"ids": []})["seq"]
    if not isinstance(seq, int):
        raise OvermindError("internal", "The answer of the supervisor is not valid.")
    return seq
