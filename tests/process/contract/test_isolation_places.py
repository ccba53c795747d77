"""Repositories and folders of every kind, and project files that nobody should trust."""

from __future__ import annotations

import os
import subprocess

import pytest

from overmind_core.domain.text.bytestrings import to_wire
from tests.kit.isolated import Project
from tests.kit.overmind import FINAL
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

SPAN = "isolation: { port_range: 27000-27999%s }\n"
SHOW = "pwd; echo $OVERMIND_BRANCH; echo $PORT; exec sleep 1000"


def prepared(om, shop, command=SHOW, **how):
    mission = shop.run(command, **how)
    info = om.wait_status(mission, "running", *FINAL)
    assert info["status"] == "running", om.logs(mission)
    return info


def gone(om, shop, mission):
    om.api("kill", id=mission)
    shop.assert_nothing_left()


NAMES = ("a b", "größe ☃", "-x", "a'b\"c$d", "new\nline", "caf\udce9")


def test_names_of_any_kind(om, cases):
    for name in NAMES:
        with cases(repr(name)):
            shop = Project(om, None, name)
            folder = f"sub {name}"
            shop.commit("more", {f"{folder}/x.txt": "x\n"})
            shop.before = shop.facts()
            info = prepared(om, shop, cwd=to_wire(shop.path(folder)), isolate=True)
            own = info["isolation"]
            assert own["worktree"] == to_wire(shop.worktree_of(info["id"]))
            assert info["cwd"] == f"{own['worktree']}/{to_wire(folder)}"
            gone(om, shop, info["id"])


def test_what_is_checked_out_is_where_it_begins(om):
    shop = Project(om, SPAN % "")
    second = shop.commit("second", {"a.txt": "two\n"})
    shop.git("checkout", "-q", "--detach", "HEAD~1")
    shop.before = shop.facts()
    detached = prepared(om, shop, name="detached")
    assert shop.git("rev-parse", "overmind/detached") == shop.before["head"] != second
    gone(om, shop, detached["id"])

    shop.git("checkout", "-q", "main")
    shop.git("worktree", "add", "-q", "-b", "feature", shop.path("..", "linked"))
    linked = Repository(shop.path("..", "linked"))
    om.ok("trust", linked.folder)
    third = linked.commit("third", {"a.txt": "three\n"})
    mission = shop.run(SHOW, name="linked", cwd=linked.folder)
    info = om.wait_status(mission, "running", *FINAL)
    assert (info["isolation"]["base"], shop.git("rev-parse", "overmind/linked")) == ("feature", third)
    om.api("kill", id=mission)
    assert linked.git("status", "--porcelain") == ""
    assert "overmind/linked" not in shop.branches()


def test_where_no_worktree_can_be_nothing_is_recorded_or_there_is_none(om, tmp_path):
    (tmp_path / "empty").mkdir()
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    subprocess.run(["git", "init", "-q", str(tmp_path / "empty")], env=environ, check=True)
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "bare.git")], env=environ, check=True)
    om.ok("start")
    told = om.refused("run", "--isolate", "true", cwd=str(tmp_path / "empty"), code="git_failed")
    assert "has no commits yet" in told
    assert om.ps("--all") == []

    plain = tmp_path / "plain"
    plain.mkdir()
    for folder in (plain, tmp_path / "bare.git"):
        finished = om("run", "--isolate", "--json", SHOW, cwd=str(folder))
        if finished.returncode:
            assert "git_failed" in finished.stderr, finished
            continue
        mission = om.ps()[-1]["id"]
        info = om.wait_status(mission, "running", *FINAL)
        assert (info["cwd"], info["isolation"]["worktree"]) == (str(folder), None)
        assert info["isolation"]["ports"][""]
        om.api("kill", id=mission)
    assert sorted(os.listdir(plain)) == []


def test_submodules_are_checked_out_and_nothing_of_them_is_left(om):
    inner = Project(om, None, "inner")
    shop = Project(om, None)
    shop.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.folder, "lib")
    shop.commit("with lib", {})
    shop.before = shop.facts()
    info = prepared(om, shop, "cat lib/a.txt; exec sleep 1000", isolate=True)
    eventually(lambda: om.logs(info["id"]).endswith("one\n"), what="it has the submodule")
    gone(om, shop, info["id"])
    inner.assert_untouched()


def test_what_a_worktree_can_not_have_is_in_the_log_and_in_the_check(om):
    inner = Project(om, None, "inner")
    shop = Project(om, None)
    shop.git("update-index", "--add", "--cacheinfo", f"160000,{inner.git('rev-parse', 'HEAD').strip()},cam")
    shop.write({".gitmodules": '[submodule "cam"]\npath = cam\nurl = D:/cam/\n', ".gitignore": ".hooks\n"})
    shop.git("add", ".gitmodules", ".gitignore")
    shop.git("commit", "-qm", "with a submodule that nobody has")
    shop.git("config", "core.hooksPath", ".hooks")
    shop.write({".hooks/pre-commit": "#!/bin/sh\n"})
    os.chmod(shop.path(".hooks", "pre-commit"), 0o755)
    info = prepared(om, shop, "exec sleep 1000", isolate=True)
    lines = om.logs(info["id"])
    assert "--- submodule cam stays empty, as in your checkout ---\n" in lines
    assert "--- no hook of git runs here: .hooks is not in the worktree." in lines
    notes = om.api("isolate", cwd=shop.folder)["notes"]
    assert "Submodule cam stays empty, as in your checkout." in notes
    assert any(note.startswith(".hooks: core.hooksPath names it") for note in notes)


def test_what_git_wrote_is_in_the_log_and_its_cause_in_the_error(om):
    shop = Project(om, None)
    shop.commit("with a filter", {"x.bin": "1\n"})
    shop.commit("and its attribute", {".gitattributes": "*.bin filter=lost\n"})
    shop.git("config", "filter.lost.process", "sh -c no-such-program")
    shop.git("config", "filter.lost.required", "true")
    id_ = shop.run(isolate=True)
    om.wait_status(id_, "crashed")
    *written, end = om.logs(id_).splitlines()
    assert end.startswith("--- could not start: Git refused: ")
    assert "no-such-program: not found" in end
    assert any(line.startswith("git | ") and line.endswith("no-such-program: not found") for line in written)


def test_a_filter_that_can_not_be_had_is_a_line_in_the_log(om):
    shop = Project(om, None)
    shop.commit("with a filter", {"x.bin": "1\n"})
    shop.commit("and its attribute", {".gitattributes": "*.bin filter=lost\n"})
    shop.git("config", "filter.lost.process", "no-such-program now")
    shop.git("config", "filter.lost.required", "true")
    info = prepared(om, shop, "exec sleep 1000", isolate=True)
    about = "x.bin: git's filter lost needs no-such-program, which is not on PATH: such files stay as committed"
    assert any(about in line for line in om.logs(info["id"]).splitlines())
    assert any(one.startswith(about) for one in om.api("isolate", cwd=shop.folder)["notes"])
    assert om.api("isolate", cwd=shop.folder)["problems"] == []
    worktree = info["isolation"]["worktree"]
    assert open_text(f"{worktree}/x.bin") == "1\n"


def test_a_file_counts_only_as_it_was_trusted_and_only_the_persons(om):
    shop = Project(om, SPAN % ', setup: ["echo trusted"]')
    info = prepared(om, shop, "echo 'isolation: { setup: [\"touch ~/evil\"] }' > .overmind.yml; exec sleep 1000")
    worktree = info["isolation"]["worktree"]
    eventually(lambda: "evil" in open_text(f"{worktree}/.overmind.yml"), what="the agent has written its own")
    om.api("restart", id=info["id"])
    om.wait_status(info["id"], "running", *FINAL)
    nested = shop.run(name="nested", cwd=worktree)
    own = shop.run(name="own", cwd=worktree, isolate=True)
    for mission in (nested, own):
        assert om.wait_status(mission, "running", *FINAL)["status"] == "running"
    assert "trusted" in om.logs(own)
    om.api("kill", all=True)
    om.api("discard", id=info["id"], force=True)

    shop.write({".overmind.yml": SPAN % ', setup: ["touch ~/evil"]'})
    assert "has changed since it was trusted" in om.refused("run", "true", cwd=shop.folder, code="untrusted_project")
    kept = shop.run(name="kept", isolate=False)
    assert om.wait_status(kept, "running")["isolation"] is None
    om.api("kill", id=kept)
    shop.git("checkout", "-q", ".overmind.yml")
    gone(om, shop, own)
    assert not os.path.exists(shop.path("..", "evil"))


HOSTILE: dict[str, str | bytes] = {
    "a bomb": "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nservices: *c\n",
    "a path out of the repository": SPAN % ", copy: [../secret]",
    "an absolute path": SPAN % ", link: [/etc/passwd]",
    "a pattern out of the repository": SPAN % ', copy: ["sub/../../*"]',
    "ports that are none": "isolation: { port_range: 0-99999999999999999999 }\n",
    "a branch that is an option": SPAN % ', branch: "--upload-pack={name}"',
    "a mount of the machine": "services: { db: { docker: x, volumes: { /etc: /etc } } }\n",
    "a name that is a path": "services: { ../../x: { command: 'true' } }\n",
    "a timeout without end": "services: { a: { command: x, ready: { exec: x, timeout: 1e999 } } }\n",
    "too much": "# " + "x" * 2_000_000 + "\n",
    "python": "a: !!python/object/apply:os.system ['touch ~/evil']\n",
    "no text": b"\x00\xff\xfe",
}


def test_hostile_files_are_refused_with_their_place_and_run_nothing(om, cases):
    shop = Project(om, None)
    for name, content in HOSTILE.items():
        with cases(name):
            shop.write({".overmind.yml": content})
            finished = om("trust", shop.folder)
            assert finished.returncode == 1, finished
            assert ".overmind.yml" in finished.stderr
            assert om("run", "true", cwd=shop.folder).returncode == 1
    os.unlink(shop.path(".overmind.yml"))
    os.symlink("/etc/passwd", shop.path(".overmind.yml"))
    assert om("run", "true", cwd=shop.folder).returncode == 1
    assert om.ps("--all") == []
    os.unlink(shop.path(".overmind.yml"))
    assert not os.path.exists(shop.path("..", "evil"))
    shop.assert_nothing_left()


def open_text(path):
    with open(path) as file:
        return file.read()
