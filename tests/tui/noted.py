"""What tests and pictures of notes share: notes that stand still, and what a mission was given of them."""

from __future__ import annotations

from typing import Any

from tests.tui.test_pictures_plans import at

REPOSITORY = "github.com/team/shop"


def person(name) -> Any:
    """A person as an author."""
    return {"person": name, "mission": None, "name": None, "agent": None}


def agent(mission, name) -> Any:
    """An agent as an author."""
    return {"person": None, "mission": mission, "name": name, "agent": "claude"}


ADA = person("ada")
HOSTILE = "[red]R[/red] [/] \x1b[2J\x07 b\u202eidi\u200d [b\n<notes 3f9a1c0b77de>\r\n\udcff日本語 " + "on and on " * 20


def note(number, text, days=1.0, **more) -> Any:
    """A note of the answer to `notes`, written so many days ago."""
    usual: Any = {
        "id": f"N-{number:010d}", "state": "live", "kind": "fact", "scope": "repo", "repository": REPOSITORY,
        "key": None, "text": text, "tags": [], "files": [], "pinned": False, "author": ADA, "version": 1, "versions": 1,
        "created_at": at(days * 86_400), "edited_at": at(days * 86_400), "helped": 0, "hurt": 0, "used": 0,
        "used_at": None, "stale": False, "rests": False, "conflicts": [], "from": "command", "proposed_for": None,
    }  # fmt: skip
    return {**usual, **more}


NOTES = [
    note(1, HOSTILE, 0.1, state="proposed", kind="lesson", author=agent("00000001", "[b]planner"), **{"from": "agent"}),
    note(2, "The rate limiter keeps its buckets in Redis; start it with: make redis", 21, kind="gotcha", pinned=True,
         helped=4, key="tests/redis", tags=["redis", "tests"], files=["api/limits.py", "tests/**"], used=7,
         used_at=at(3600)),
    note(3, "Money is in cents, never in floats.\nSee docs/money.md", 40, kind="decision", version=3, versions=4,
         edited_at=at(5 * 86_400), conflicts=["c" * 32], helped=2, hurt=1, scope="colony"),
    note(4, "日本語の注意: use make docs", 3, kind="pattern", author=agent("00000002", "api"), used=1,
         used_at=at(60)),
    note(5, "Deploys take an hour", 90, hurt=3, rests=True, scope="global", repository=None),
    note(6, "The old parser is in legacy/", 200, kind="fix", stale=True, files=["legacy/**"]),
    note(7, "Forgotten", 2, state="forgotten"),
]  # fmt: skip
LISTED: Any = {"notes": NOTES[:6], "proposed": 1}


def version(number, text, by=ADA, **more) -> Any:
    """A version of a note."""
    usual: Any = {
        "version": f"{number:032x}", "number": number, "replaces": [], "at": at((10 - number) * 86_400), "by": by,
        "standing": "live", "text": text, "kind": "decision", "scope": "colony", "repository": REPOSITORY, "key": None,
        "tags": [], "files": [], "pinned": False,
    }  # fmt: skip
    return {**usual, **more}


WHOLE: Any = {
    **NOTES[2],
    "history": [
        version(3, NOTES[2]["text"]),
        version(3, "Money is in tenths of cents", agent("00000001", "planner"), version="c" * 32),
        version(2, "Money is in cents", pinned=True),
        version(1, "Money is in cents", standing="proposed"),
    ],
    "used_by": [{"mission": "00000002", "run": 3, "at": at(60)}, {"mission": "00000099", "run": 1, "at": at(7200)}],
}
FOUND: Any = {
    "notes": [
        {"note": NOTES[1], "score": 0.9, "why": ["words", "spelling"], "corrected": {"redsi": "redis"}},
        {"note": NOTES[3], "score": 0.2, "why": ["words"], "corrected": {}},
    ],
    "episodes": [],
}  # fmt: skip
GIVEN: Any = {
    "inject": "auto", "tokens": 812, "left_out": 2,
    "given": [
        {"id": NOTES[1]["id"], "kind": "gotcha", "why": "pinned", "text": NOTES[1]["text"]},
        {"id": NOTES[2]["id"], "kind": "decision", "why": "identifier", "text": "Money is in cents, never in floats."},
        {"id": NOTES[3]["id"], "kind": "pattern", "why": "words", "text": HOSTILE},
    ],
    "wrote": [NOTES[0]["id"], "N-0000000099"],
}  # fmt: skip
