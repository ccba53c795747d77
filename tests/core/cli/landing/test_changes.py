"""How changes and worktrees look, against a scripted daemon; and that no diff drives a person's terminal."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from overmind_core.cli.landing import changes
from overmind_core.errors import INTERRUPTED

DIFF = """diff --git a/x b/x
--- a/x
+++ b/x
@@ -1,3 +1,3 @@
 same
--- was a rule
+++ is \x1b]0;owned\x07\x9b2J\u202e
+\ttab\r
diff --git a/y b/y
new file mode 100644
"""
ROW = {
    "mission": "a1b2c3d4", "name": "red", "status": "running", "branch": "overmind/red", "base": "main", "ahead": 2,
    "behind": 1, "files": 3, "insertions": 40, "deletions": 5, "dirty": False, "merged": False,
    "ports": {"": 3100, "web": 3101}, "containers": {"db": "healthy"}, "size_bytes": 2_000_000, "problem": None,
    "path": "/shop/.overmind/worktrees/a1b2c3d4", "source": os.getcwd(),
}  # fmt: skip
BROKEN = {
    **ROW, "name": "odd", "status": None, **dict.fromkeys(("ahead", "behind", "files", "dirty", "merged")),
    "ports": {}, "containers": {}, "problem": "Git refused: \x1b[2J.",
}  # fmt: skip
FILES: list[dict[str, Any]] = [
    {"path": "a", "old_path": "\x1bb", "status": "R", "added": 2, "removed": 0, "binary": False},
    {"path": "b", "old_path": None, "status": "?", "added": 0, "removed": 0, "binary": True},
]


def test_a_diff_for_a_person_keeps_its_tabs_and_drives_nothing():
    lines = list(changes.diff_lines(DIFF, colour=False))
    assert lines[6] == r"+++ is \x1b]0;owned\x07\x9b2J\u202e"
    assert lines[7] == "+\ttab\\r"
    assert len(lines) == 10


def test_what_looks_like_a_head_inside_of_a_file_is_coloured_as_its_line():
    colours = [line.split("m")[0].removeprefix("\x1b[") for line in changes.diff_lines(DIFF, colour=True)]
    assert colours == ["1", "1", "1", "36", " sa", "31", "32", "32", "1", "1"]


def test_files_are_counted_and_named_with_where_they_were():
    lines = list(changes.stat_lines(FILES, colour=False))
    assert lines == [r" R \x1bb => a | +2 -0", " ? b          | binary",
                     " 2 files changed, 2 lines added, 0 lines removed"]  # fmt: skip


def test_who_takes_a_diff_along_is_told_what_is_not_in_it(overmind):
    answer = {"changes": [{"ok": {"name": "red", "files": [*FILES, FILES[1]], "diff": DIFF, "cut": ""}}]}
    said = overmind(answer, "changes", "red")
    assert (said.out, said.err) == (DIFF, "b, b are binary: only commits and merges include binary files.\n")
    assert overmind(answer, "changes", "red", "--stat").err == ""


def test_where_nothing_has_changed_the_note_about_that_is_shown(overmind, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    found = {"name": "red", "files": [], "diff": "", "cut": "", "base": "HEAD"}
    why = "Its state at the start of the attempt is not known: it is gone."
    assert overmind({"changes": [{"ok": {**found, "note": why}}]}, "changes", "red").err == f"{why}\n"
    for note in ({}, {"note": ""}):
        said = overmind({"changes": [{"ok": {**found, **note}}]}, "changes", "red")
        assert said.err == "red has no changes since HEAD.\n"


def test_each_worktree_has_a_line_and_a_broken_one_says_why(overmind):
    answer = {"worktrees": [{"ok": {"worktrees": [ROW, BROKEN]}}]}
    status, out, err, requests = overmind(answer, "worktrees")
    titles, red, odd = out.splitlines()
    assert (status, requests) == (0, [("worktrees", {"sizes": False})])
    assert red.split() == ["a1b2c3d4", "red", "running", "overmind/red", "main", "+2", "-1", "3", "+40", "-5",
                           "unmerged", "3100", "web:3101", "db:healthy", ROW["path"]]  # fmt: skip
    assert odd.split()[5:9] == ["-", "-", "-", "broken"]
    assert err == "odd: Git refused: \\x1b[2J.\n"
    elsewhere = {"worktrees": [{"ok": {"worktrees": [{**BROKEN, "source": "/elsewhere"}]}}]}
    assert "Git refused" not in overmind(elsewhere, "worktrees")[2], "it is of another repository"
    assert "2.0 MB" in overmind(answer, "worktrees", "--sizes")[1]
    assert json.loads(overmind(answer, "worktrees", "--json")[1])[0] == ROW
    assert overmind({"worktrees": [{"ok": {"worktrees": []}}]}, "worktrees")[1].split() == titles.split()


def test_what_would_be_lost_by_a_clean_up_is_named_before_it_is(overmind):
    gone = {"mission": "a1b2c3d4", "name": "red", "worktree": "/w", "branch": "b", "containers": ["x"], "volumes": []}
    answer = {"removed": [{**gone, "lost": "1 uncommitted file"}], "kept": [{**gone, "name": "blue", "why": "live"}]}
    script = {"worktrees_prune": lambda _: [{"ok": answer}]}
    status, out, _, requests = overmind(script, "worktrees", "prune", "--force", "--yes")
    assert (status, [args["dry_run"] for _, args in requests]) == (0, [False])
    assert out == "Removed red: worktree, branch b, 1 container (1 uncommitted file lost)\nKept blue: live\n"


@pytest.mark.parametrize(
    ("lost", "more"), [(["1 uncommitted file"], []), ([None, None], ["--all"]), ([None, None], [])]
)
def test_a_script_says_y_before_work_is_lost_or_several_worktrees_go(overmind, lost, more):
    gone = {"mission": "a1b2c3d4", "worktree": "/w", "branch": "b", "containers": [], "volumes": []}
    answer = {"removed": [{**gone, "name": f"n{at}", "lost": one} for at, one in enumerate(lost)], "kept": []}
    status, out, err, requests = overmind({"worktrees_prune": lambda _: [{"ok": answer}]}, "worktrees", "prune", *more)
    assert (status, out, [args["dry_run"] for _, args in requests]) == (1, "", [True])
    assert "n0" in err
    assert "repeat it with -y" in err


def test_one_worktree_whose_work_has_landed_is_removed_unasked(overmind):
    gone = {"mission": "a1b2c3d4", "name": "red", "worktree": "/w", "branch": "b", "containers": [], "volumes": []}
    answer = {"removed": [{**gone, "lost": None}], "kept": []}
    status, _, _, requests = overmind({"worktrees_prune": lambda _: [{"ok": answer}]}, "worktrees", "prune")
    assert (status, [args["dry_run"] for _, args in requests]) == (0, [True, False])


def test_a_prune_sends_back_what_it_has_shown_unless_nobody_was_to_be_asked_or_the_daemon_is_an_older_one(overmind):
    gone = {"mission": "a1b2c3d4", "name": "red", "worktree": "/w", "branch": "b", "containers": [], "volumes": []}
    old: dict[str, Any] = {"removed": [{**gone, "lost": ""}], "kept": []}
    new: dict[str, Any] = {**old, "as_shown": {"a1b2c3d4": "12ab"}}
    for answer, words, sent in (
        (new, (), [None, new["as_shown"]]), (old, (), [None, None]), (new, ("-y",), [None]),
    ):  # fmt: skip
        ran = overmind({"worktrees_prune": [{"ok": answer}]}, "worktrees", "prune", *words)
        assert [args.get("as_shown") for _, args in ran.requests] == sent


BEGUN = "Cancelled: the merge may have begun in the worktree of red. Repeat it with: overmind merge red"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Cancelled: merging red changed nothing."),
        (["--resolve"], f"{BEGUN} --resolve"),
        (["--resolve", "--into", "a b"], f"{BEGUN} --into 'a b' --resolve"),
    ],
    ids=["merge", "resolve", "into"],
)
def test_after_ctrl_c_a_merge_says_no_more_than_it_knows(overmind, monkeypatch, words, said):
    def follow(*_arguments, **_named):
        raise KeyboardInterrupt

    monkeypatch.setattr("overmind_core.client.stream.follow", follow)
    ran = overmind({}, "merge", "red", *words)
    assert ran.status == INTERRUPTED
    assert said in ran.err


@pytest.mark.parametrize("option", [["--verify-timeout", "5m"], ["--verify", "true"], ["--squash"]])
def test_what_is_said_about_a_merge_is_refused_where_nothing_is_merged_yet(overmind, option):
    ran = overmind({}, "merge", "red", "--resolve", *option)
    assert (ran.status, ran.requests) == (2, [])
    assert f"--resolve merges nothing yet: use {option[0]} when the agent has finished" in ran.err


@pytest.mark.parametrize(
    ("waits_for", "said"),
    [
        ({}, "red resolves them (message 5)."),
        ({"waits_for": None}, "red resolves them (message 5)."),
        ({"waits_for": "thaw"}, "red resolves them once it is thawed (message 5)."),
        ({"waits_for": "terminal"}, "red resolves them once its terminal is given back (message 5)."),
    ],
    ids=["older daemon", "idle", "frozen", "in a terminal"],
)
def test_an_agent_that_gets_the_conflicts_later_is_not_said_to_resolve_them_now(overmind, waits_for, said):
    item = {"ok": True, "merged": False, "mission": "a1b2c3d4", "name": "red", "target": "main", "resolving": ["a"],
            "message": 5, "restarted": False, **waits_for}  # fmt: skip
    frames = [{"ok": {"mission": "a1b2c3d4", "name": "red"}}, {"item": item}, {"end": True}]
    world = {"SSH_AUTH_SOCK": "/new", "MINE": "1"}
    ran = overmind({"merge": lambda _: frames}, "merge", "red", "--resolve", environ=world)
    assert said in ran.out
    assert ran.requests[0][1]["session_env"] == {"SSH_AUTH_SOCK": "/new"}


def test_a_merge_is_asked_for_again_with_the_key_of_the_first_when_the_daemon_was_lost(overmind):
    done = {"ok": True, "merged": True, "preview": False, "name": "red", "target": "main", "before": "0" * 40,
            "after": "1" * 40, "commits": [{}], "files": []}  # fmt: skip
    lines = iter([None, [{"ok": {"mission": "a1b2c3d4", "name": "red"}}, {"item": done}, {"end": True}]])
    status, out, _, requests = overmind({"merge": lambda _: next(lines)}, "merge", "red", "-m", "one", "-m", "two")
    assert (status, out) == (0, "Merged red into main: 1 commit, 0 files (000000000..111111111)\n")
    assert len(requests) == 2
    assert requests[0] == requests[1]
    assert requests[0][1]["message"] == "one\n\ntwo"
    assert len(requests[0][1]["request"]) == 32
