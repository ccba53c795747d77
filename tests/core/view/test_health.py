"""Health: who changes the same files is named in the row, in the description, and on the command line alike."""

from __future__ import annotations

from overmind_core.cli.missions.health import why_cell
from overmind_core.view import health
from overmind_core.view.describe import Rendering
from tests.kit.cases import tabled

TERM = {"term": "drift", "cost": 0.25, "holds": True, "evidence": "web/cart.py"}


def row(*overlaps, terms=()):
    return {
        "id": "a1b2c3d4", "name": "one", "level": "ok", "silent_seconds": None, "missed": None, "cpu_percent": None,
        "alignment": None, "terms": list(terms), "steers": 0, "overlaps": list(overlaps), "status": "running",
        "activity": None, health.ASKED: "", health.AT: 0.0,
    }  # fmt: skip


def shared(name, *files, more=0):
    return {"id": "b1b2c3d4", "name": name, "files": list(files), "more": more}


@tabled(
    ("found", "text"),
    [
        (row(shared("two", "a.py")), "two changes a.py, too"),
        (
            row(shared("two", "a", "b", "c", "d"), shared("web", "e")),
            "two changes a, b, c and 1 more, too; web changes e, too",
        ),
        (row(shared("two", "a", "b", "c", "d", more=80)), "two changes a, b, c and 81 more, too"),
        (row(shared("two", "a.py"), terms=[TERM]), "drift: web/cart.py; two changes a.py, too"),
    ],
)
def test_who_changes_the_same_files_is_named_in_every_list(found, text):
    assert (health.why(found), why_cell(found)) == (text, text)


def test_a_daemon_that_names_nobody_leaves_it_empty():
    old = row()
    del old["overlaps"]
    assert (health.why(old), why_cell(old)) == ("", "-")


def test_the_description_has_all_files():
    found = row(shared("two", "a", "b", "c", "d", more=1))
    lines = ["".join(cell.text for cell in line).strip() for line in health.description(found, Rendering(now=0.0))]
    at = lines.index("two b1b2c3d4 changes, too:")
    assert lines[at + 1 : at + 6] == ["a", "b", "c", "d", "and 1 more"]


@tabled(
    ("counts", "text"),
    [
        ({"live": 1, "unwatched": 1}, "2 running · 1 not watched"),
        ({"live": 0, "unwatched": 1}, "1 running · 1 not watched"),
        ({"live": 3, "unwatched": 0, "low": 1}, "3 running · 1 low"),
        ({"live": 3}, "3 running"),
        ({"live": 0}, ""),
    ],
)
def test_all_that_run_are_counted_whether_they_are_watched_or_not(counts, text):
    assert health.summary({"low": 0, "steered": 0, "sharing": 0, **counts}) == text
