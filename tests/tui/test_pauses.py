"""How long the program waits from one question to the next: an answer that was late once is no reason to wait long."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from overmind_tui.pages.table import LONGEST_PAUSE as LONGEST_OF_A_PAGE
from overmind_tui.pages.table import TableSource
from overmind_tui.shell import missions_stream
from overmind_tui.shell.messages import InboxChanged, RowsChanged
from overmind_tui.shell.missions_stream import LONGEST_PAUSE, MissionsStream, pause_after


@pytest.mark.parametrize(("took", "pause"), [(0.0, 0.0), (0.07, 2.0), (29.0, LONGEST_PAUSE), (1e9, LONGEST_PAUSE)])
def test_the_load_is_asked_for_again_within_a_minute_also_after_a_daemon_that_stood_still(took, pause):
    assert pause_after(took) == pytest.approx(pause)


@pytest.mark.parametrize(("took", "pause"), [(0.0, 0.0), (0.2, 1.0), (10.0, LONGEST_OF_A_PAGE)])
def test_a_page_asks_again_soon_after_an_answer_that_was_late(took, pause):
    source: Any = TableSource.__new__(TableSource)
    source._took = took
    assert source._pause == pytest.approx(pause)


FOR_ALL = {"question": 1, "need": "merge", "about": {"kind": "queue"}, "part": "main"}
OF_ONE = {"question": 2, "need": "merge", "about": {"kind": "quest"}, "part": ""}


@pytest.mark.parametrize(
    ("asked", "happened", "again"),
    [(FOR_ALL, {"quest"}, 1), (FOR_ALL, {"started"}, 0), (OF_ONE, {"quest"}, 0), (OF_ONE, {"answered"}, 1)],
)
def test_what_is_asked_is_read_again_as_a_quest_moves_where_one_answer_decides_about_several(asked, happened, again):
    posted: list[object] = []
    stream: Any = SimpleNamespace(
        send=posted.append, _waits_with_others=False, _midnight=0.0, _costs_more=False, _spent_due=0.0
    )
    answers = {"inbox": [asked], "cost": []}
    session: Any = SimpleNamespace(ask=lambda request, _arguments: answers[request])
    MissionsStream._refresh_inbox_and_cost(stream, session, {"asked"})
    posted.clear()
    MissionsStream._refresh_inbox_and_cost(stream, session, happened)
    assert [type(one) for one in posted] == [InboxChanged] * again


def test_what_was_spent_today_is_asked_for_again_as_a_row_costs_more_within_a_turn(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    stream: Any = Pressed()
    stream._midnight = missions_stream._midnight()
    told = []
    for at, cost in [(0.0, None), (1.0, 0.06), (2.0, 0.07), (3.0, 0.08), (4.0, 0.08), (9.0, 0.08), (10.0, 0.09)]:
        clock[0] = 100.0 + at
        stream.send(RowsChanged([{"id": "a", "cost_usd": cost}]))
        stream._refresh_inbox_and_cost(stream, set())
        told.append((at, stream.asked.count("cost")))
    assert told == [(0.0, 0), (1.0, 1), (2.0, 1), (3.0, 2), (4.0, 2), (9.0, 2), (10.0, 3)]


class Pressed(MissionsStream):
    """A stream at whose other end nothing happens; ctrl-r is pressed while it waits, once."""

    def __init__(self) -> None:
        self.posted: list[Any] = []
        self.asked: list[str] = []
        super().__init__(self.posted.append, "feed")
        self.heard_at = 0.0
        self.waits = [self.retry, self.close]

    def open(self) -> Any:
        return self

    def connected(self, daemon: Any) -> None:
        pass

    def refused(self, error: Any) -> bool:
        del error
        return False

    def looked(self, session: Any) -> None:
        pass

    def heard(self, kinds: set[str]) -> None:
        pass

    def ask(self, command: str, _arguments: Any) -> Any:
        self.asked.append(command)
        return []

    def items(self, *, until: float) -> Any:
        del until
        self.waits.pop(0)()
        return []


def test_what_is_refreshed_is_asked_for_anew_and_no_event_is_forgotten():
    stream: Any = Pressed()
    stream._seq = 41
    stream._follow(stream)
    assert [one.everything for one in stream.posted if isinstance(one, RowsChanged)] == [False, True, False]
    assert stream.asked.count("inbox") == 1
    assert stream.reached == 41, "what happened before it is known"
