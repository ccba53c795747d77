"""Everything that happens in a home, over one connection: its events, and the output of each mission as it grows."""

from __future__ import annotations

import time
from functools import partial

from overmind_core.client.calls import result
from overmind_core.client.stream import KINDS
from overmind_core.errors import OvermindError
from overmind_core.logs.transcript import Selection, Transcript

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from typing import Any

    from overmind_core.cli.headless.screen import Screen
    from overmind_core.client.calls import Client

    Json = dict[str, Any]
    Take = Callable[[str, Any], None]


class Attendance:
    """Shows the output of all missions and hands on each event, until it is told to stop.

    Args:
        client: nothing else may use it meanwhile.
        screen: shows the lines.
        keep_event: gets each event, in order.
        since: the last event that is old.
    """

    def __init__(self, client: Client, screen: Screen, keep_event: Callable[[Json], None], *, since: int) -> None:
        self._client = client
        self._screen = screen
        self._keep_event = keep_event
        self._seq = since
        self._streams: dict[int, Take] = {}
        self._open: set[str] = set()
        self._seen: dict[str, Transcript | None] = {}

    @property
    def missions(self) -> list[str]:
        """The ids of all missions so far, oldest first."""
        return list(self._seen)

    @property
    def over(self) -> bool:
        """Whether nothing is attended to."""
        return not self._open

    def begin(self, missions: Iterable[str]) -> None:
        """Attend to these, and to all that they start."""
        for mission in missions:
            self._attend(mission)
        self._stream("events", {"follow": True, "since": self._seq}, self._event)

    def until_ended(self, missions: Collection[str] | None, deadline: float | None = None) -> None:
        """Return when these missions (None: all) have ended and all of their output is shown.

        Raises:
            TimeoutError: not by `deadline`, seconds on the monotonic clock.
            ConnectionError: the supervisor is gone.
        """
        while self._open if missions is None else self._open.intersection(missions):
            self._step(deadline)

    def finish(self) -> None:
        """Hand on the events up to now."""
        done: list[str] = []
        self._streams.clear()
        self._stream("events", {"follow": False, "since": self._seq}, partial(self._last_events, done))
        while not done:
            self._step(None)

    def _step(self, deadline: float | None) -> None:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise TimeoutError
        answer = self._client.receive(timeout=left)
        take = self._streams.get(answer.get("id", 0))
        if take is None:
            return
        if "error" in answer:
            result(answer)
        kind = next(kind for kind in KINDS if kind in answer)
        take(kind, answer[kind])

    def _stream(self, command: str, args: Json, take: Take) -> None:
        self._streams[self._client.send(command, args)] = take

    def _attend(self, mission: str) -> None:
        self._seen[mission] = None
        self._open.add(mission)
        self._stream("logs", {"ids": [mission], "follow": True, "seq": 0}, partial(self._log, mission))

    def _event(self, kind: str, event: Json) -> None:
        if kind != "item":
            return
        self._seq = event["seq"]
        self._keep_event(event)
        if event["type"] == "created" and event["mission"] not in self._seen:
            self._attend(event["mission"])

    def _last_events(self, done: list[str], kind: str, event: Json) -> None:
        if kind == "end":
            done.append(kind)
        self._event(kind, event)

    def _log(self, mission: str, kind: str, content: Json) -> None:
        if kind == "end":
            self._open.discard(mission)
            return
        transcript = self._seen[mission]
        if transcript is not None:
            transcript.apply(content)
            self._screen.show(transcript, transcript.grown())
            return
        transcript = Transcript(content["missions"][0], Selection(colour=self._screen.colour))
        self._seen[mission] = transcript
        self._screen.enter(transcript)
        self._screen.show(transcript, transcript.begin(follow=not transcript.ended))


def newest_event(client: Client) -> int:
    """Return the number of the last event."""
    seq = client.call("logs", {"ids": []})["seq"]
    if not isinstance(seq, int):
        raise OvermindError("internal", "The supervisor answered what is no answer.")
    return seq
