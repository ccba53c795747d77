"""The programs of a supervisor's own wear its mark before they can start anything."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from overmind_core.git.run import Git
from overmind_core.system import marked_program
from overmind_core.system.marked_program import start_own
from overmind_core.system.run_mark import OWN_MARK, unmarked_limit
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually

pytestmark = pytest.mark.linux
LIMITS = "grep 'Max msgqueue' /proc/self/limits"
OWN = [str(OWN_MARK), str(OWN_MARK)]


@pytest.fixture(params=["prlimit", "the child itself"])
def set_by(request, monkeypatch):
    """Who sets the limits: a program, or where there is none, the child between fork and exec."""
    if request.param != "prlimit":
        monkeypatch.setattr(marked_program, "SETTERS", ())


def limits(text):
    """The soft and the hard limit, of a line of /proc/PID/limits."""
    return text.split()[3:5]


def start(*argv, **more):
    return start_own(argv, stdout=subprocess.PIPE, text=True, **{"cwd": "/", "env": dict(os.environ), **more})


def test_it_and_what_it_starts_at_once_wear_the_mark_and_can_not_raise_it(set_by):
    with start("sh", "-c", f"({LIMITS}) & {LIMITS}; wait") as program:
        said = program.communicate()[0]
    assert [limits(line) for line in said.splitlines()] == [OWN, OWN]


def test_arguments_folder_and_variables_are_its_own(set_by, tmp_path):
    with start(
        "sh", "-c", 'pwd; echo "$1 $WORD"', "-", "--", cwd=str(tmp_path), env={"WORD": "x", "PATH": os.defpath}
    ) as program:
        assert program.communicate()[0] == f"{tmp_path}\n-- x\n"


def test_it_is_found_in_its_own_path_from_its_own_folder(set_by, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "tool").write_text("#!/bin/sh\necho found\n")
    (tmp_path / "bin" / "tool").chmod(0o700)
    for name, path in (("tool", "bin:/bin"), ("bin/tool", "/bin")):
        with start(name, cwd=str(tmp_path), env={"PATH": path}) as program:
            assert program.communicate()[0] == "found\n"


def test_a_program_or_a_folder_that_is_not_there_is_an_error(set_by, tmp_path):
    with pytest.raises(FileNotFoundError):
        start("no-such-program")
    with pytest.raises(FileNotFoundError):
        start("sh", cwd=str(tmp_path / "none"))


def test_the_mark_of_a_mission_is_inherited():
    mark = unmarked_limit() - 7
    code = (
        "from overmind_core.system.marked_program import start_own\n"
        f"start_own(['sh', '-c', {LIMITS!r}], cwd='/', env={{'PATH': '/bin:/usr/bin'}}).wait()"
    )
    command = ["prlimit", f"--msgqueue={mark}:{unmarked_limit()}", sys.executable, "-c", code]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert limits(said)[0] == str(mark)


def test_a_hook_of_git_that_is_faster_than_we_are_wears_it_too(tmp_path, monkeypatch):
    """It runs, here, before we have heard that git was started."""
    shop = Repository(str(tmp_path / "shop"))
    shop.commit("first", {"a.txt": "1\n"})
    told = tmp_path / "told"
    shop.write({"a.txt": "2\n", ".git/hooks/pre-commit": f"#!/bin/sh\n{LIMITS} > {told}.new; mv {told}.new {told}\n"})
    os.chmod(shop.path(".git", "hooks", "pre-commit"), 0o700)
    begin = subprocess.Popen.__init__

    def begin_late(process, *words, **options):
        begin(process, *words, **options)
        eventually(told.exists, what="the hook has run")

    monkeypatch.setattr(subprocess.Popen, "__init__", begin_late)
    Git(shop.environ)(shop.folder, "commit", "-qam", "second")
    assert limits(told.read_text()) == OWN
