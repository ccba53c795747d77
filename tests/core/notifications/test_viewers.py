"""Who of those that look calls its person."""

from __future__ import annotations

from overmind_core.notifications.service import Viewers
from tests.kit.cases import tabled

FIRST, SECOND = 1, 2


def two_who_look():
    viewers = Viewers()
    assert [viewers.enter(10.0), viewers.enter(11.0)] == [FIRST, SECOND]
    return viewers


CALLED = [
    ("the one that was begun last", [], SECOND),
    ("the one that was used last", [(FIRST, 20.0, None)], FIRST),
    ("the one that was used last, though the other is told later", [(FIRST, 20.0, None), (SECOND, 15.0, None)], FIRST),
    ("the one that shows the mission, though the other was used later", [(FIRST, 5.0, "api")], FIRST),
    ("of two that show it the one used last", [(FIRST, 20.0, "api"), (SECOND, 15.0, "api")], FIRST),
    ("the one that shows another mission", [(FIRST, 20.0, "docs")], FIRST),
    ("no longer the one that showed it", [(FIRST, 5.0, "api"), (FIRST, 5.0, None)], SECOND),
]


@tabled(("uses", "called"), [row[1:] for row in CALLED], ids=[row[0] for row in CALLED])
def test_called_is(uses, called):
    viewers = two_who_look()
    assert all(viewers.used(*use) for use in uses)
    assert viewers.called("api") == called


def test_who_has_left_neither_calls_nor_is_used():
    viewers = two_who_look()
    viewers.leave(SECOND)
    assert viewers.called("api") == FIRST
    assert not viewers.used(SECOND, 99.0, None)
    viewers.leave(FIRST)
    assert not viewers
    assert viewers.called("api") is None
