"""The work of missions: seen, committed, landed whole or not at all, pushed, thrown away; whoever dies meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import stat
import subprocess

import pytest

from tests.kit.killing import kill_both, kill_supervisor
from tests.kit.overmind import FINAL, PROGRAM
from tests.kit.raw_socket import RawSocket
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

HOLD = "while ! test -e {go}; do sleep 0.02; done"


class Shop:
    """A repository, and missions that work in worktrees of it."""

    def __init__(self, om, name="shop"):
        self.om = om
        self.code = Repository(om.path(name))
        self.base = self.code.commit("first", {"a": "1\n", "b": "1\n"})
        om.environment.update({name: value for name, value in self.code.environ.items() if name.startswith("GIT_")})
        om.ok("start")

    def begin(self, name, script="true", **how):
        asked = {"command": ["/bin/sh", "-c", script], "cwd": self.code.folder, "env": self.om.environment, **how}
        return self.om.api("run", name=name, isolate=True, **asked)["id"]

    def done(self, name, script):
        """A mission that has ended, and left its work."""
        mission = self.begin(name, f"set -e; {script}")
        assert self.om.wait_status(mission, *FINAL)["status"] == "stopped"
        return mission

    def committed(self, name, *files, content=None):
        """The same with one commit that writes `files`."""
        writes = "; ".join(f"echo {content or name} > {file}" for file in files)
        return self.done(name, f"{writes}; git add -A; git commit -qm 'work of {name}'")

    def worktree(self, mission):
        return Repository(self.code.path(".overmind", "worktrees", mission))

    def log(self, branch="main"):
        return self.code.git("log", "--topo-order", "--format=%s", branch).splitlines()

    def left(self):
        """Names of the worktrees that are there, by their folders and as git knows them; and what is locked."""
        folder = self.code.path(".overmind", "worktrees")
        there = {name for name in os.listdir(folder) if not name.startswith(".") and "." not in name}
        known = {os.path.basename(line.split()[0]) for line in self.code.git("worktree", "list").splitlines()[1:]}
        assert there == known
        return there

    @contextlib.contextmanager
    def merging(self, mission, **how):
        """A merge whose answers are read one by one."""
        with RawSocket.connect(self.om.home, timeout=30) as api:
            api.ok("merge", id=mission, **how)
            yield api

    def merged(self, mission, **how):
        """What comes of a merge: its last item, or its refusal."""
        with self.merging(mission, **how) as api:
            return last(api)


def last(api):
    while True:
        answer = api.read_line()
        if "error" in answer or answer["item"].get("ok"):
            return answer.get("item") or answer


def until(api, key):
    """The first item that has this."""
    while True:
        item = api.read_line()["item"]
        if key in item:
            return item[key]


@pytest.fixture
def shop(om):
    return Shop(om)


@pytest.mark.own_home
def test_work_from_its_first_line_to_the_branch_and_away(om, shop):
    assert om("worktrees").stdout.split() == ["MISSION", "NAME", "STATUS", "BRANCH", "BASE", "COMMITS", "FILES",
                                              "LINES", "WORK", "PORTS", "CONTAINERS", "PATH"]  # fmt: skip
    red = shop.done("red", "echo 2 > a; git commit -qam one; echo x > new")
    (row,) = om.json("worktrees", "--sizes", "--json")
    known = {name: row[name] for name in ("mission", "branch", "base", "ahead", "behind", "files", "dirty", "merged")}
    assert known == {"mission": red, "branch": "overmind/red", "base": "main", "ahead": 1, "behind": 0, "files": 2,
                     "dirty": True, "merged": False}  # fmt: skip
    assert row["size_bytes"] > 0
    assert om.ok("changes", "red", "--name-only") == "a\nnew\n"
    assert " ? new | +1 -0\n 2 files changed, 2 lines added, 1 line removed\n" in om.ok("changes", "red", "--stat")
    assert "+++ b/new\n@@ -0,0 +1 @@\n+x\n" in om.ok("changes", red[:4])

    said = "1 file of red is not committed: new. Commit with: overmind commit red -m "
    assert om.refused("merge", "red", code="dirty").startswith(said)
    preview = om("merge", "red", "--preview")
    assert preview.stdout.startswith("red can't be merged into main yet: 1 commit, 1 file\n")
    assert preview.stderr.startswith(said)
    assert om.ok("commit", "red", "-m", "the rest").startswith("Committed 1 file of red: the rest (")
    assert om.refused("commit", "red", "-m", "again", code="nothing_to_commit") == "red has nothing to commit.\n"
    shop.code.git("-C", row["path"], "update-index", "--assume-unchanged", "a")
    with open(os.path.join(row["path"], "a"), "a") as file:
        file.write("overlooked\n")
    refusal = om.refused("commit", "red", "-m", "again", code="nothing_to_commit")
    assert refusal.startswith("Git is told to overlook changes of a in red. Let it look first: git -C ")
    subprocess.run(refusal.split(": ")[1].partition(" (or")[0], shell=True, check=True)
    shop.code.git("-C", row["path"], "checkout", "a")
    assert shop.log() == ["first"]

    checks = "echo checked $OVERMIND_WORKTREE $PORT; test -e new"
    assert om.ok("merge", "red", "--verify", checks).startswith("Merged red into main: 2 commits, 2 files (")
    assert shop.log() == ["Merge overmind/red into main", "the rest", "one", "first"]
    assert (shop.code.read("new"), shop.code.git("status", "--porcelain")) == ("x\n", "")
    assert stat.filemode(os.stat(shop.code.path("new")).st_mode) == "-rw-r--r--", "the home's own umask is stricter"
    scratch = shop.code.path(".overmind", "worktrees", f"merge-{red}")
    assert om.logs("red/verify").startswith(f"checked {scratch} 3")
    assert shop.left() == {red}
    (landed,) = om.events("landed")
    counted = shop.code.git("diff", "--numstat", landed["before"], landed["after"])
    sums = [sum(int(line.split()[at]) for line in counted.splitlines()) for at in (0, 1)]
    assert (landed["target"], landed["added"], landed["removed"]) == ("main", *sums)
    om.refused("merge", "red", code="nothing_to_merge")

    assert "has no remote" in om.refused("push", "red", code="git_failed")
    shop.code.git("init", "-q", "--bare", om.path("there.git"))
    shop.code.git("remote", "add", "origin", om.path("there.git"))
    assert om.ok("push", "red").startswith("Pushed overmind/red to origin (")
    assert om.ok("discard", "red") == "Discarded red: worktree, branch overmind/red\n"
    assert (shop.left(), shop.code.git("branch", "--list", "overmind/*")) == (set(), "")
    om.refused("changes", "--stat", "nosuch", code="not_found")


def test_conflicts_name_whose_work_meets_and_nothing_is_changed(om, shop):
    shop.committed("red", "a")
    assert shop.merged("red", squash=True)["merged"]
    blue = shop.committed("blue", "c")
    shop.worktree(blue).git("reset", "-q", "--hard", shop.base)
    shop.worktree(blue).commit("late", {"a": "blue\n", "b": "blue\n"})
    mine = shop.code.commit("mine", {"b": "mine\n"})
    refused = shop.merged("blue", verify="touch never")
    assert (refused["error"], refused["target"]) == ("conflicts", "main")
    assert {one["path"]: [side["name"] for side in one["missions"]] for one in refused["files"]} == {
        "a": ["blue", "red"], "b": ["blue", "your own commits"],
    }  # fmt: skip
    said = om("merge", "blue", "--preview")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.startswith("CONFLICT a: blue and red\nCONFLICT b: blue and your own commits\nError: conflicts: ")
    assert shop.code.git("rev-parse", "main") == mine
    assert f"merge-{blue}" not in shop.left()


def test_conflicts_that_no_agent_takes_are_resolved_with_the_commands_that_the_refusals_name(om, shop):
    blue = shop.committed("blue", "a")
    shop.code.commit("mine", {"a": "mine\n"})
    folder = shop.worktree(blue).folder
    begin = f"git -C {shlex.quote(folder)} merge main"
    way = f"Resolve them there with: {begin}, and merge again once that is committed"
    assert om("merge", "blue").stderr.rstrip().endswith(f". {way}")
    subprocess.run(shlex.split(begin), env=shop.code.environ, check=False, capture_output=True)
    go_on = f"git -C {shlex.quote(folder)}"
    said = (
        f"A merge in the worktree of blue has unresolved conflicts: a. Resolve them, then stage them with: "
        f"{go_on} add -- a, then finish it with: {go_on} merge --continue, or take it back with: {go_on} merge --abort"
    )
    assert said in om.refused("commit", "blue", "-m", "both", code="conflicts")
    assert said in om.refused("merge", "blue", code="dirty")
    shop.worktree(blue).write({"a": "both\n"})
    for command in (f"{go_on} add -- a", f"{go_on} merge --continue"):
        subprocess.run(shlex.split(command), env={**shop.code.environ, "GIT_EDITOR": "true"}, check=True)
    om.ok("merge", "blue")
    assert shop.code.read("a") == "both\n"


def test_what_cannot_land_is_refused_and_nothing_is_changed(om, shop, cases):
    red = shop.committed("red", "a", "fresh")
    plain = om.mission("true")

    def refused(code, told, mission="red", **how):
        with cases(f"{code}: {told}"):
            answer = shop.merged(mission, **how)
            assert (answer["error"], told in answer["message"]) == (code, True), answer
            assert (shop.log(), shop.left()) == (["first"], {red})

    refused("invalid", "no branch 'nosuch'", into="nosuch")
    refused("invalid", "branch of red itself", into="overmind/red")
    refused("verify_failed", "overmind logs", verify="exit 7")
    refused("verify_failed", "took more than 0.2 s", verify="exec sleep 1000", verify_timeout="200ms")
    shop.code.write({"a": "mine\n"})
    refused("dirty", "1 file that the landing changes is not committed: a.", verify="touch never")
    assert shop.code.read("a") == "mine\n"
    shop.code.git("checkout", "-q", "a")
    shop.code.write({"fresh": "mine\n"})
    refused("dirty", "are untracked files", rebase=True)
    os.unlink(shop.code.path("fresh"))
    shop.code.write({".git/hooks/pre-merge-commit": "#!/bin/sh\necho 'line one'; echo 'line two'; exit 1\n"})
    os.chmod(shop.code.path(".git/hooks/pre-merge-commit"), 0o755)
    refused("git_failed", "line one")
    with cases("all that the hook says is shown"):
        said = om("merge", "red")
        assert said.stderr.startswith("line one\nline two\n")
        assert said.stderr.endswith("\nError: git_failed: Git refused: line one.\n")
    with cases("commands that make no sense, and missions without a worktree"):
        om.refused("merge", "red", "--squash", "--rebase", code="invalid", exit_code=2)
        om.refused("merge", "red", "--verify", " ", code="empty_command", exit_code=2)
        om.refused("commit", "red", code="invalid", exit_code=2)
        for command in ("merge", "push"):
            om.refused(command, plain, code="not_isolated")
    with cases("a branch that nobody has checked out moves by its name"):
        shop.code.git("branch", "release")
        assert shop.merged("red", into="release", rebase=True)["merged"]
        assert (shop.log("release"), shop.log()) == (["work of red", "first"], ["first"])


def test_work_that_would_be_lost_is_named_first(om, shop):
    shop.committed("red", "a")
    shop.done("blue", "echo x > new")
    live = shop.begin("live", "exec sleep 1000")
    broken = shop.committed("odd", "b")
    shutil.rmtree(shop.worktree(broken).folder)
    om.wait_status(live, "running")

    rows = {row["name"]: row for row in om.json("worktrees", "--json")}
    assert rows["odd"]["problem"]
    assert rows["red"]["problem"] is None
    assert om("worktrees").returncode == 0
    assert "1 unmerged commit (work of red)" in om.refused("discard", "red", code="unmerged")
    assert "1 uncommitted file (new)" in om.refused("discard", "blue", code="unmerged")
    om.refused("discard", "live", "--force", code="not_finished")
    om.refused("changes", "odd", code="gone")
    assert shop.merged("odd", preview=True)["files"][0]["path"] == "b", "what was committed is there all the same"
    other = Shop(om, "other")
    other.done("clean", "echo x > new")
    assert om.ok("worktrees", "--here", cwd=other.code.folder).count("\n") == 2
    kept = om.ok("worktrees", "prune", cwd=shop.code.folder).splitlines()
    assert sorted(line.split(": ")[0] for line in kept) == ["Kept blue", "Kept live", "Kept odd", "Kept red"]
    om.refused("worktrees", "prune", "--force", code="not_found")
    forced = om.ok("worktrees", "prune", "--force", "--dry-run", "--all")
    assert "Would remove red: worktree, branch overmind/red (1 unmerged commit lost)\n" in forced
    assert "Would remove clean: worktree, branch overmind/clean (1 uncommitted file lost)\n" in forced
    om.ok("worktrees", "prune", "--force", "-y", cwd=shop.code.folder)
    assert [row["name"] for row in om.json("worktrees", "--json")] == ["live", "clean"]
    assert om.ok("ports", "--here", cwd=other.code.folder).count("\n") == 1
    assert om.ok("ports", "--here", cwd=shop.code.path(".overmind")).count(" live ") == 1
    assert shop.code.git("branch", "--list", "overmind/*").split()[-1:] == ["overmind/live"]
    om.ok("kill", live)


def test_a_repository_that_an_agent_made_is_never_thrown_away_and_no_bare_hash_lands(om, shop):
    inside = "mkdir app; cd app; git init -q; echo 1 > 1; git add .; git commit -qm one; cd .."
    new = shop.done("new", inside)
    linked = shop.done("linked", f"{inside}; git add app; git commit -qm all")
    ignored = shop.done("ignored", f"echo app > .gitignore; git add .gitignore; git commit -qm all; {inside}")
    refusal = om.refused("commit", "new", "-m", "x", code="invalid")
    assert "app in the worktree of new is a git repository of its own" in refusal
    for name in ("new", "linked"):
        assert f"app in the worktree of {name} is a git repo" in om.refused("merge", name, code="invalid")
    om.ok("merge", "ignored")
    for name in ("new", "linked", "ignored"):
        assert "app" in om.refused("discard", name, code="unmerged")
    assert om.ok("worktrees", "prune", cwd=shop.code.folder).count("Kept ") == 3
    for mission in (new, linked, ignored):
        assert os.path.isfile(shop.worktree(mission).path("app", "1"))
    om.ok("discard", "linked", "--force")
    assert shop.log() == ["Merge overmind/ignored into main", "all", "first"]


def test_commits_of_a_submodule_that_would_be_nowhere_are_named_with_the_command_that_helps(om, shop):
    lib = Repository(om.path("li b"))
    lib.commit("first of lib", {"l": "1\n"})
    shop.code.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", lib.folder, "lib")
    shop.code.git("commit", "-qm", "with lib")
    bump = "cd lib; git checkout -qb own; echo 2 > l; git commit -qam two; cd ..; git commit -qam bump"
    mission = shop.done("red", bump)
    refusals = (
        om.refused("merge", "red", code="dirty"),
        om.refused("commit", "red", "-m", "x", code="nothing_to_commit"),
    )
    for refusal in refusals:
        assert "lib of red has commits that neither its origin nor your checkout has" in refusal
    fetch = refusals[0].rpartition(" or: ")[2].strip()
    subprocess.run(shlex.split(fetch), check=True, env=shop.code.environ, cwd="/")
    om.ok("merge", "red")
    tip = shop.worktree(mission).git("-C", "lib", "rev-parse", "HEAD")
    assert shop.code.git("rev-parse", "main:lib") == shop.code.git("-C", "lib", "rev-parse", "overmind/red") == tip


def test_merges_of_one_repository_take_turns_and_one_that_is_called_off_leaves_nothing(om, shop):
    first, second, third = (shop.committed(name, name) for name in ("one", "two", "three"))
    hold = HOLD.format(go=om.path("go"))
    with shop.merging(first, verify=hold) as one:
        check = until(one, "verify")
        with shop.merging(second) as two, shop.merging(third, verify=hold) as three:
            assert two.read_line()["item"] == three.read_line()["item"] == {"step": "waiting"}
            one.close()  # as ctrl-c does
            assert om.wait_status(check, *FINAL)["status"] == "killed"
            assert last(two)["merged"]
            check = until(three, "verify")
            shop.code.commit("meanwhile", {"b": "2\n"})
            with open(om.path("go"), "w"):
                pass
            assert last(three)["merged"], "done again on top of what moved"
    assert shop.log() == ["Merge overmind/three into main", "work of three", "meanwhile",
                          "Merge overmind/two into main", "work of two", "first"]  # fmt: skip
    assert shop.left() == {first, second, third}
    assert shop.merged(first)["merged"]


@pytest.mark.own_home
def test_whoever_kills_the_supervisor_finds_the_branch_before_or_after(om, shop):
    red, blue = shop.committed("red", "a"), shop.committed("blue", "b")
    hold = HOLD.format(go=om.path("go"))
    with shop.merging(red, verify=hold) as merging:
        check = until(merging, "verify")
        kill_supervisor(om)
    om.wait_status(check, "killed")
    eventually(lambda: shop.left() == {red, blue}, what="the scratch worktree is gone")
    assert shop.log() == ["first"]

    # The target has moved, and nobody has written that down yet.
    here = "case $PWD in */worktrees/*) exit;; esac"
    shop.code.write({".git/hooks/post-merge": f"#!/bin/sh\n{here}\ntouch {om.path('moved')}\n{hold}\n"})
    os.chmod(shop.code.path(".git/hooks/post-merge"), 0o755)
    live = om.mission("exec sleep 1000")
    with shop.merging(blue):
        eventually(lambda: os.path.exists(om.path("moved")), what="the target has moved")
        kill_supervisor(om)
    with open(om.path("go"), "w"):
        pass

    def landed():
        return [event["mission"] for event in om.events("landed")]

    assert eventually(landed) == [blue]
    assert shop.log()[0] == "Merge overmind/blue into main"
    eventually(lambda: shop.left() == {red, blue}, what="the scratch worktree is gone")
    om.ok("kill", live)


def test_a_merge_that_landed_is_told_as_landed_whoever_dies_meanwhile(om, shop):
    checked, moved = shop.committed("checked", "a"), shop.committed("moved", "b")
    live = om.mission("exec sleep 1000")
    merge = om.popen("merge", checked, "--verify", f"touch {om.path('verifying')}; {HOLD.format(go=om.path('go'))}")
    eventually(lambda: os.path.exists(om.path("verifying")), what="the check runs")
    kill_supervisor(om)
    with open(om.path("go"), "w"):
        pass
    assert merge.communicate(timeout=30)[0].startswith("Merged checked into main: 1 commit, 1 file ("), merge

    # The target has moved, and whoever was to say so is gone.
    here = "case $PWD in */worktrees/*) exit;; esac"
    hold = HOLD.format(go=om.path("go-on"))
    shop.code.write({".git/hooks/post-merge": f"#!/bin/sh\n{here}\ntouch {om.path('moved')}\n{hold}\n"})
    os.chmod(shop.code.path(".git/hooks/post-merge"), 0o755)
    merge = om.popen("merge", moved, "--json")
    eventually(lambda: os.path.exists(om.path("moved")), what="the target has moved")
    kill_both(om)
    with open(om.path("go-on"), "w"):
        pass
    told = json.loads(merge.communicate(timeout=30)[0])
    assert (merge.returncode, told["merged"], told["after"]) == (0, True, shop.code.git("rev-parse", "main"))
    assert [one["subject"] for one in told["commits"]] == ["work of moved"]
    assert [one["path"] for one in told["files"]] == ["b"]
    landed = [event["mission"] for event in om.events("landed")]
    assert landed == [checked, moved]
    eventually(lambda: shop.left() == {checked, moved}, what="the scratch worktrees are gone")
    assert om.info(live)["status"] in FINAL


def test_a_mission_may_land_the_work_of_its_own_children_only_and_only_into_branches_of_its_tree(om, shop):
    shop.committed("stranger", "a")
    overmind = shlex.join(PROGRAM)
    inner = "echo y > b; git add -A; git commit -qm child"
    script = (
        f"o() {{ {overmind} \"$@\"; }}; o run --isolate --name child --wait -- /bin/sh -c '{inner}';"
        "o merge child --into main; o merge child --into main --resolve; o merge child --preview --into main;"
        "o merge child; o merge stranger; o push child; o worktrees prune; o discard child"
    )
    om.ok("run", "--isolate", "--name", "parent", "--wait", "--", "/bin/sh", "-c", script, cwd=shop.code.folder)
    said = om.logs("parent")
    refusal = "may merge only into overmind/parent. A person can land it: overmind merge child --into main"
    assert said.count(refusal) == 2, "also where the agent would be told to resolve conflicts with it"
    assert "Merged child into overmind/parent: 1 commit, 1 file" in said
    assert "may not merge the work of" in said
    assert "may not push branches" in said
    assert "may not prune worktrees" in said
    assert "Discarded child" in said
    assert shop.log() == ["first"]
    assert shop.log("overmind/parent") == ["Merge overmind/child into overmind/parent", "child", "first"]


def test_a_mission_in_a_persons_checkout_moves_no_branch_of_theirs(om, shop):
    overmind = shlex.join(PROGRAM)
    script = (
        f"{overmind} run --isolate --name child --wait -- /bin/sh -c 'echo y > b; git add -A; git commit -qm child';"
        f"{overmind} merge child"
    )
    parent = om.mission(["/bin/sh", "-c", script], cwd=shop.code.folder)
    om.wait_status(parent, *FINAL)
    assert "may merge into no branch, since it has none of its own" in om.logs(parent)
    assert shop.log() == ["first"]
    assert om.ok("merge", "child", cwd=shop.code.folder).startswith("Merged child into main")
