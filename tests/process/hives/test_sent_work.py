"""Work that is sent to a hive, done there in a worktree, looked at from here, and landed here."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.kit.repositories import AUTHOR, Repository
from tests.kit.waiting import eventually
from tests.process.hives.conftest import gate_words


class Sender:
    """A checkout of a person's, and a hive to which its work is sent."""

    def __init__(self, hives, folder, hive="eu1"):
        self.hives = hives
        self.hive = hive
        self.there = hives.home(hive)
        for home in (hives.om, self.there):
            home.environment |= AUTHOR
        self.own = Repository(str(folder))
        self.own.commit("first", {"a.txt": "one\n", "sub/b.txt": "b\n", ".gitignore": "*.log\n"})

    def __call__(self, *words, cwd=None, **how):
        return self.hives(*words, cwd=cwd or self.own.folder, **how)

    def refused(self, *words, **how):
        return self.hives.om.refused(*words, cwd=self.own.folder, **how)

    def run(self, command, *options, cwd=None):
        """Run a command there to its end; the mission."""
        words = ("run", "-H", self.hive, "--isolate", "--json", *options, "--", "sh", "-c", command)
        mission = json.loads(self(*words, cwd=cwd))["id"]
        self("wait", f"{self.hive}/{mission}")
        return f"{self.hive}/{mission}"

    def log(self, mission):
        """What it has printed, without our own lines."""
        return [line for line in self("logs", mission).splitlines() if not line.startswith("---")]

    def facts(self):
        """All that is the person's own: branches, names, what is staged and what is changed."""
        return [self.own.git("for-each-ref"), self.own.git("status", "--porcelain"), self.own.git("diff", "--cached")]

    @property
    def bare(self):
        """The repository there."""
        (bare,) = Path(self.there.home, "repositories").glob("*.git")
        return Repository(str(bare))

    def sent(self):
        """The branches that were sent."""
        return self.bare.git("for-each-ref", "--format=%(refname:short)", "refs/heads/sent").split()


@pytest.fixture
def sender(hives, tmp_path):
    """A hive behind a gate's command."""
    made = Sender(hives, tmp_path / "shop")
    hives.add("eu1")  # with the author's variables, which a gate's command names
    return made


def test_a_commit_is_sent_worked_on_there_and_merged_here(sender):
    before = sender.facts()
    mission = sender.run("cat a.txt && echo two >> a.txt && git commit -qam 'more of a'")
    assert sender.log(mission) == ["one"]
    assert sender.facts() == before
    assert "+two" in sender("changes", mission)
    assert "can be merged into main: 1 commit, 1 file" in sender("merge", mission, "--preview")
    assert sender.facts() == before
    done = json.loads(sender("merge", mission, "--json", "-m", "Land it"))
    assert (done["merged"], done["target"], [one["subject"] for one in done["commits"]]) == (
        True,
        "main",
        ["more of a"],
    )
    assert sender.own.read("a.txt") == "one\ntwo\n"
    assert sender.own.git("log", "-1", "--format=%s") == "Land it"
    assert sender.own.git("for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert sender.own.git("worktree", "list").count("\n") == 0
    assert "already has all changes" in sender.refused("merge", mission, code="nothing_to_merge")


def test_it_begins_in_the_folder_that_the_caller_stands_in(sender):
    mission = sender.run("pwd; cat b.txt", cwd=sender.own.path("sub"))
    where, content = sender.log(mission)
    assert where.startswith(os.path.realpath(sender.there.home) + "/repositories/shop-")
    assert (where.endswith(f"/.overmind/worktrees/{mission.partition('/')[2]}/sub"), content) == (True, "b")


def test_what_is_not_committed_is_named_and_goes_along_only_when_that_is_asked_for(sender):
    sender.own.write({"a.txt": "changed\n", "new.txt": "new\n", "x.log": "ignored\n"})
    sender.own.git("add", "new.txt")
    before = sender.facts()
    said = sender.refused("run", "-H", "eu1", "--isolate", "true", code="dirty")
    assert "a.txt, new.txt" in said
    assert "--dirty" in said
    mission = sender.run("cat a.txt new.txt; ls -1", "--dirty")
    assert sender.log(mission) == ["changed", "new", "a.txt", "new.txt", "sub"]
    assert sender.facts() == before


def test_dirty_and_base_and_cwd_mean_something_only_where_they_can(sender):
    sender.refused("run", "--dirty", "true", code="invalid", exit_code=2)
    sender.refused("run", "-H", "eu1", "--isolate", "--cwd", "/", "--dirty", "true", code="invalid", exit_code=2)
    sender.refused("run", "-H", "eu1", "--base", "main", "--dirty", "true", code="invalid")
    assert "no branch 'nope'" in sender.refused("run", "-H", "eu1", "--base", "nope", "true", code="invalid")
    sender.own.git("branch", "other")
    sender.own.commit("second", {"c.txt": "c\n"})
    mission = sender.run("ls -1; echo x > x.txt; git add x.txt; git commit -qm x", "--base", "other")
    assert sender.log(mission) == ["a.txt", "sub"]
    sender("merge", mission)
    assert sender.own.git("log", "-1", "--format=%s", "other").startswith("Merge eu1/")
    assert not os.path.exists(sender.own.path("x.txt"))


def test_outside_of_a_repository_nothing_is_sent(sender, tmp_path):
    said = sender.hives.om.refused("run", "-H", "eu1", "--isolate", "true", cwd=str(tmp_path), code="invalid")
    assert "is not in a git repository" in said
    empty = Repository(str(tmp_path / "empty"))
    said = sender.hives.om.refused("run", "-H", "eu1", "--isolate", "true", cwd=empty.folder, code="invalid")
    assert "no commits yet" in said
    assert not os.path.exists(sender.there.path("repositories"))


def test_a_conflict_is_named_and_changes_nothing(sender):
    mission = sender.run("echo theirs > a.txt && git commit -qam theirs")
    sender.own.commit("mine", {"a.txt": "mine\n"})
    before = sender.facts()
    done = sender.hives.om("merge", mission, cwd=sender.own.folder)
    assert done.stderr.startswith("CONFLICT a.txt: eu1/")
    assert "Error: conflicts: 1 file of eu1/" in done.stderr
    assert done.returncode == 1
    assert sender.facts() == before


def test_marks_of_a_conflict_that_were_committed_there_land_only_where_that_is_wanted(sender):
    mission = sender.run(r"printf '<<<<<<< HEAD\n1\n=======\n2\n>>>>>>> main\n' > a.txt && git commit -qam resolved")
    before = sender.facts()
    said = sender.refused("merge", mission, code="conflict_left")
    assert "left the marks of a conflict in a.txt. Resolve and commit them, or merge them as they are:" in said
    assert sender.facts() == before
    assert "1 commit" in sender("merge", mission, "--with-marks")


def test_work_that_is_not_committed_there_is_committed_from_here(sender):
    mission = sender.run("echo two > two.txt")
    assert f"overmind commit {mission}" in sender.refused("merge", mission, code="dirty")
    assert "Committed 1 file" in sender("commit", mission, "-m", "Two")
    assert "1 commit, 1 file" in sender("merge", mission, "--squash")
    assert sender.own.read("two.txt") == "two\n"
    assert sender.own.git("log", "-1", "--format=%s") == "Two"


def test_what_is_kept_there_says_how_to_go_on_from_here(sender):
    mission = sender.run("echo two > two.txt")
    said = sender.hives.om("rm", mission, cwd=sender.own.folder).stderr
    assert "is uncommitted: two.txt. Commit with: overmind -H eu1 commit " in said
    assert f"remove it with: overmind -H eu1 discard {mission.partition('/')[2]} --force" in said


def test_what_landed_here_counts_as_merged_there_and_all_of_it_goes_with_the_mission(sender):
    first, second = (sender.run(f"echo {name} > {name} && git add -A && git commit -qm {name}") for name in "xy")
    sender.refused("discard", first, code="unmerged")
    sender("merge", first, "--rebase")
    assert "Discarded" in sender("discard", first)
    sender("rm", first)
    eventually(lambda: len(sender.sent()) == 1, what="the branch of the first is gone, that of the second is not")
    sender("rm", second)
    assert len(sender.sent()) == 1, "it has work that is nowhere else"
    assert "branch overmind/" in sender("worktrees", "prune", "-H", "eu1", "--all", "--force", "--yes")
    eventually(lambda: not sender.sent(), what="nothing that was sent is left")
    assert sender.bare.git("worktree", "list").count("\n") == 1, "the repository, and its checkout"


def test_a_merge_is_refused_where_the_work_was_not_sent_from(sender, tmp_path):
    mission = sender.run("echo x > x && git add x && git commit -qm x")
    other = Repository(str(tmp_path / "other"))
    other.commit("first", {"a": "a"})
    said = sender.hives.om.refused("merge", mission, cwd=other.folder, code="invalid")
    assert "was not sent from" in said


@pytest.mark.parametrize("words", [["worktrees", "--here"], ["worktrees", "prune"], ["merge", "x", "--verify", "true"]])
def test_what_is_about_this_machine_is_refused_for_another(sender, words):
    sender.refused(*words, "-H", "eu1", code="invalid", exit_code=2)


def test_a_viewer_neither_sends_nor_fetches(sender):
    words = gate_words(sender.there, "--role", "viewer")
    Path(sender.hives.om.home, "config.toml").write_text(f"[hives.eu1]\ngate = {json.dumps(words)}\n")
    sender.refused("run", "-H", "eu1", "--isolate", "true", code="forbidden")


@pytest.mark.parametrize(
    "wish",
    [
        {"service": "receive-pack", "repository": "../x"},
        {"service": "receive-pack", "repository": "a.git"},
        {"service": "receive-pack", "repository": "-x"},
        {"service": "receive-pack", "repository": ["a"]},
        {"service": "receive-pack", "repository": "a", "format": "--template=/"},
        {"service": "sh", "repository": "a"},
        {"service": ["upload-pack"], "repository": "a"},
        {"service": "upload-pack"},
        {"service": "checkout", "repository": "a", "commit": "--help"},
    ],
)
def test_the_channel_for_git_takes_names_and_nothing_else(sender, wish):
    line = json.dumps({"channel": "git", **wish}) + "\n"
    done = subprocess.run(gate_words(sender.there), input=line, capture_output=True, text=True, timeout=60, check=False)
    assert json.loads(done.stdout.splitlines()[-1])["error"] == "invalid"
    assert not os.path.exists(sender.there.path("repositories"))
