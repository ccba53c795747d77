"""A state that was damaged while missions run: they run on, a start says what to do, and one command has all back."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
from contextlib import closing

import pytest

from overmind_core.daemon.state_copies import make_copy
from tests.kit import processes, torture
from tests.kit.killing import kill_both, without_waiting
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually

DAY = "2026-11-26"
PLAN = '[blueprint]\nname = "plan"\n[agents.one]\ncommand = "sleep 600"\n'


def garbage(om):
    with open(om.path("state.db"), "r+b") as file:
        file.write(random.Random(1).randbytes(os.path.getsize(om.path("state.db"))))


def flipped(om):
    chosen = random.Random(2)
    with open(om.path("state.db"), "r+b") as file:
        size = os.path.getsize(om.path("state.db"))
        for _ in range(200):
            file.seek(chosen.randrange(size))
            file.write(bytes([chosen.randrange(256)]))


def half(om):
    os.truncate(om.path("state.db"), os.path.getsize(om.path("state.db")) // 2)


def emptied(om):
    os.truncate(om.path("state.db"), 0)


def deleted(om):
    os.unlink(om.path("state.db"))


@pytest.mark.torture
@pytest.mark.parametrize("damage", torture.some([deleted, flipped, half, garbage, emptied], part=2))
def test_all_is_back_or_named_and_what_runs_runs_on(om, tmp_path, damage):
    code = tmp_path / "code"
    subprocess.run(["git", "init", "-q", str(code)], check=True)
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    subprocess.run(["git", "-C", str(code), *person, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    (tmp_path / "plan.toml").write_text(PLAN)
    api = om.mission("sleep 600", "--name", "api", "--restart", "always", "--label", "team=web")
    pid = om.pid(api)
    om.ok("queue", "pause")
    om.ok("quest", "add", "Tidy up", "--name", "tidy", "--", "true", cwd=str(code))
    om.ok("ritual", "create", "rare", "@yearly", "true")
    om.ok("spec", "new", "Carts", "--brief", "x", "--", "true", cwd=str(code))
    om.ok("apply", str(tmp_path / "plan.toml"))
    eventually(lambda: {"api", "plan/one"} <= {row["name"] for row in om.ps()})
    assert make_copy(om.path("state.db"), om.path("copies"), DAY) is not None
    after = om.mission("sleep 601", "--name", "after")
    om.ok("shutdown", "--keep")
    damage(om)
    for _ in range(2):
        told = om.refused("start", code="internal")
        assert om.path("state.db") in told
        assert "overmind state recover" in told
    (row,) = [one for one in json.loads(om("doctor", "--json").stdout) if one["check"] == "state"]
    assert (row["status"], row["mend"]) == ("fail", "overmind state recover")
    inside = om("state", "recover", env={"OVERMIND_MISSION_ID": api})
    assert without_waiting(inside.stderr).startswith("Error: forbidden: ")
    assert "repeat it with -y" in om.refused("state", "recover", code="invalid")
    report = om.ok("state", "recover", "-y")
    assert processes.alive(pid)
    rows = {one["name"]: one for one in om.ps()}
    assert (om.pid(api), rows["api"]["status"], rows["api"]["labels"]) == (pid, "running", {"team": "web"})
    assert "always" in str(om.info(api)["restart_policy"])
    assert "tidy" in om.ok("queue")
    assert "rare" in om.ok("rituals")
    assert "carts" in om.ok("spec", "list")
    assert {"plan", "plan/one"} <= set(rows)
    assert "after" in rows or after in report, "what came after the copy is there, or named"
    assert after in {one["id"] for one in rows.values()}, "its process is seen to anyway"
    assert om.ok("state").startswith(f"{om.path('state.db')} is whole")
    assert om.ok("state", "recover") == "The state is whole: there is nothing to recover\n"
    om.ok("queue", "resume")
    om.ok("quest", "wait", "tidy")


def test_a_log_that_is_damaged_or_gone_is_told(om, tmp_path):
    om.finished("true")
    om.ok("start")
    kept = tmp_path / "kept"
    mission = om.mission("sleep 600", "--name", "newest")
    pid = om.pid(mission)
    kept.mkdir()
    for ending in ("", "-wal", "-shm"):
        shutil.copy(om.path(f"state.db{ending}"), kept)
    om.ok("shutdown", "--keep")
    for ending in ("", "-shm"):
        shutil.copy(kept / f"state.db{ending}", om.path(f"state.db{ending}"))
    assert "newest changes" in om.refused("start", code="internal")
    assert mission in om("state", "recover", "-y").stdout, "what is lost is named"
    assert om.pid(mission) == pid
    om.ok("shutdown", "--keep")
    for ending in ("", "-wal", "-shm"):
        shutil.copy(kept / f"state.db{ending}", om.path(f"state.db{ending}"))
    with open(om.path("state.db-wal"), "r+b") as file:
        file.seek(4 * 4096)
        file.write(b"\xff" * 50)
    assert "its log is damaged" in om.refused("start", code="internal")
    om.ok("state", "recover", "-y")
    assert (om.info("newest")["id"], om.pid("newest")) == (mission, pid)


def test_a_state_that_is_gone_is_missed_only_where_something_tells_of_it(om):
    om.finished("echo said")
    kill_both(om)
    for name in os.listdir(om.home):
        if name.startswith("state.db"):
            os.unlink(om.path(name))
    assert "is gone, though there are logs of 1 mission" in om.refused("start", code="internal")
    assert "set aside" not in om.ok("state", "recover", "--empty", "-y")
    assert om.ps("--all") == []
    assert om.finished("exit 4")["exit_code"] == 4


LOST = {
    "records": ["isolations"],
    "missions": ["isolations", "missions", "runs", "environments"],
}


def lose(om, *tables):
    """Remove all rows of these tables, and damage a page beside them, so that a recovery is needed."""
    with closing(sqlite3.connect(om.path("state.db"))) as database:
        for name in tables:
            database.execute(f"DELETE FROM {name}")
        (root,) = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'isolations_name'").fetchone()
        database.commit()
    with open(om.path("state.db"), "r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)


@pytest.fixture
def code(tmp_path):
    made = Repository(str(tmp_path / "code"))
    made.git("config", "user.name", "Ada")
    made.git("config", "user.email", "ada@example.org")
    made.commit("first", {"a.txt": "a"})
    return made


def reviewed(om, code, *names):
    """Quests that wait for a person's review."""
    for name in names:
        words = ("--name", name, "--review", "person", "--into", "main", "--", f"echo {name} > {name}.txt")
        om.ok("quest", "add", name, *words, cwd=code.folder)
    eventually(lambda: len(om.json("inbox", "--json")) == len(names))
    om.ok("shutdown", "-y")


@pytest.mark.parametrize("tables", LOST.values(), ids=LOST)
def test_a_quest_in_review_lands_whose_worktree_has_lost_its_record(om, code, tables):
    reviewed(om, code, "yes", "no")
    lose(om, *tables)
    told = om.ok("state", "recover", "-y", cwd=code.folder)
    assert "isolations: 2 from worktrees and branches on disk" in told
    assert {row["name"] for row in om.json("worktrees", "--json")} == {"yes", "no"}
    om.ok("answer", "yes", "allow")
    om.ok("quest", "wait", "yes")
    assert code.git("show", "main:yes.txt") == "yes"
    om.ok("answer", "no", "deny", "-m", "once more")
    eventually(lambda: om.json("inbox", "--json"), timeout=15)
    om.ok("answer", "no", "allow")
    om.ok("quest", "wait", "no")
    assert code.git("show", "main:no.txt") == "no"


def test_a_quest_whose_worktree_and_branch_are_gone_does_its_work_again(om, code):
    reviewed(om, code, "lost")
    (row,) = os.listdir(code.path(".git", "worktrees"))
    code.git("worktree", "remove", "--force", code.path(".overmind", "worktrees", row))
    code.git("branch", "-D", "overmind/lost")
    lose(om, "isolations")
    assert "isolations: 1 lost (lost)" in om.ok("state", "recover", "-y", cwd=code.folder)
    assert "its work is lost" in om.refused("merge", "lost", code="work_lost")
    om.ok("answer", "lost", "allow")
    eventually(lambda: om.json("inbox", "--json"), timeout=15)
    om.ok("answer", "lost", "allow")
    om.ok("quest", "wait", "lost")
    assert code.git("show", "main:lost.txt") == "lost"


def test_a_state_of_which_nothing_can_be_read_is_said_to_be_empty(om, code):
    reviewed(om, code, "one")
    with open(om.path("state.db"), "wb") as file:
        file.write(bytes(100))
    recovered = om("state", "recover", "-y", cwd=code.folder)
    assert recovered.returncode == 1
    for words in ("Nothing could be read", "nobody knows how many", "Worktrees on disk that are known again: 1 (one)"):
        assert words in recovered.stdout
    om.ok("commit", "one", "-m", "work")
    om.ok("merge", "one", cwd=code.folder)
    assert code.git("show", "main:one.txt") == "one"
