"""The words of the browser about missions: the head of one; before they are ended or removed, what goes with them."""

from __future__ import annotations

import pytest

from overmind_core.view.missions import removed_with
from overmind_web.pages.mission import head
from overmind_web.pages.missions import answered, hanging


def mission(name, kind="task", parent=None, status="running"):
    """A mission whose id is its name."""
    more = {"activity": None, "activity_since": None, "ended_at": None, "exit_code": None, "reason": None}
    return {
        "id": name,
        "name": name,
        "type": kind,
        "parent": parent,
        "status": status,
        "started_at": "2026-11-20T12:00:00Z",
        **more,
    }


@pytest.mark.parametrize(("unseen", "tone"), [(True, "wait"), (False, "quiet")])
def test_an_answer_that_was_read_calls_nobody_any_more(unseen, tone):
    about = {"provider": "claude", "tty": False, "interactive": False, "cwd": "/", "run_started_at": None}
    shown = head({**mission("docs", "session"), **about, "activity": "idle", "unseen": unseen}, 0.0)
    assert (shown["state"], shown["mark"], shown["tone"]) == ("your turn", "your turn", tone)


ROWS = [
    mission("docs"),
    mission("spell", parent="docs"),
    mission("links", parent="docs"),
    mission("old", parent="docs", status="stopped"),
    mission("release", kind="blueprint"),
    mission("build", parent="release"),
    mission("alone"),
]
HANGING = [
    (["docs"], ["2 live children keep running: spell, links."]),
    (["release"], ["1 live child ends with it: build."]),
    (["docs", "links"], ["1 live child keeps running: spell."]),
    (["docs", "release"], ["1 live child ends with it: build.", "2 live children keep running: spell, links."]),
    (["release", "build"], []),
    (["alone", "nobody"], []),
    ([], []),
]


@pytest.mark.parametrize(("meant", "said"), HANGING)
def test_it_is_said_what_hangs_on_those_that_are_to_end(meant, said):
    assert hanging(frozenset(meant), {row["id"]: row for row in ROWS}, 1_000.0) == said


PLAIN = mission("plain", status="stopped")
OWN = mission("own", status="stopped") | {"isolation": {"worktree": "/w/own", "containers": {}}}
SERVED = mission("served", status="stopped") | {"isolation": {"worktree": None, "containers": {"db": "om-db"}}}
DISCARDED = mission("discarded", status="stopped") | {"isolation": {"worktree": None, "containers": {}}}
PLAN = mission("plan", kind="blueprint", status="stopped")
ITS_OWN = "So is what it had of its own, unless work would be lost:"
THEIR_OWN = "So is what they had of their own, unless work would be lost: worktree, branch, containers and volumes."
REMOVED = [
    ([PLAIN], "Its record and its log are removed."),
    ([DISCARDED], "Its record and its log are removed."),
    ([OWN], f"Its record and its log are removed. {ITS_OWN} worktree and branch."),
    ([SERVED], f"Its record and its log are removed. {ITS_OWN} containers and volumes."),
    ([PLAN], f"Its record and its log are removed, with those of its agents. {THEIR_OWN}"),
    ([PLAIN, PLAIN], "Their records and logs are removed."),
    ([PLAIN, OWN, SERVED], f"Their records and logs are removed. {THEIR_OWN}"),
    ([PLAIN, PLAN], f"Their records and logs are removed, with those of the plans' agents. {THEIR_OWN}"),
]


@pytest.mark.parametrize(("meant", "said"), REMOVED)
def test_it_is_said_all_that_goes_with_those_that_are_removed(meant, said):
    assert removed_with(meant) == said


def test_an_answer_in_words_has_allowed_nothing():
    subject = {"kind": "question"}
    asked = {7: {"id": "api", "need": "report", "part": "", "subject": subject, "about": {"kind": "mission"}}}
    event = {"type": "answered", "question": 7, "by": "web:phone", "behaviour": "allow"}
    assert answered([event], "web:phone", asked) == {"api": "answer yes"}
    assert answered([{**event, "answer": "no, never"}], "web:phone", asked) == {"api": "answered"}
