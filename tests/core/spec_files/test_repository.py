"""The files that documents may name: those that are there, and neither ignored nor ours."""

from __future__ import annotations

import os
import subprocess
from hashlib import sha256

import pytest

from overmind_core.spec_files import repository
from overmind_core.spec_files.repository import files_of, hashes_of, repository_around


@pytest.fixture
def shop(tmp_path):
    for name in ("a.py", "shop/b.py", "shop/.hidden/c.py", "gone.py", "ignored.log", ".overmind/specs/carts/tasks.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / ".gitignore").write_text("*.log\n")
    return tmp_path


def commit_all(top):
    for words in (["init", "-q"], ["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"]):
        subprocess.run(["git", *words], cwd=top, check=True)


def test_git_tells_the_files_that_are_there_and_new_ones(shop):
    commit_all(shop)
    (shop / "gone.py").unlink()
    (shop / "new ü.py").write_text("")
    assert files_of(str(shop)) == frozenset({"a.py", "shop/b.py", "shop/.hidden/c.py", ".gitignore", "new ü.py"})


def test_without_git_they_are_looked_for(shop):
    os.symlink("/etc", shop / "etc")
    os.symlink("a.py", shop / "link.py")
    assert files_of(str(shop)) == frozenset({"a.py", "shop/b.py", "gone.py", "ignored.log", ".gitignore", "link.py"})


def linked(top):
    """The links among the files of a checkout."""
    return {name for name in files_of(str(top)) or () if os.path.islink(top / name)}


def test_a_link_out_of_the_checkout_is_no_file_of_it(shop):
    os.symlink("/etc/passwd", shop / "passwd")
    os.symlink("../../../../../../etc/passwd", shop / "shop" / "far")
    os.symlink("../a.py", shop / "shop" / "near")
    os.symlink("nowhere", shop / "dangling")
    assert linked(shop) == {"shop/near", "dangling"}
    subprocess.run(["git", "init", "-q", str(shop)], check=True)
    assert linked(shop) == {"shop/near", "dangling"}


def test_too_many_of_them_are_not_known(shop, monkeypatch):
    monkeypatch.setattr(repository, "MOST_FILES", 3)
    assert files_of(str(shop)) is None


def test_where_git_refuses_they_are_not_known(shop):
    (shop / ".git").write_text("gitdir: /nowhere/at/all\n")
    assert files_of(str(shop)) is None
    assert files_of(str(shop), {"PATH": "/nowhere"}) is None


def test_a_repository_is_found_from_anywhere_in_it(shop):
    assert repository_around(str(shop / "shop")) is None
    commit_all(shop)
    assert repository_around(str(shop / "shop" / ".hidden")) == str(shop)


def test_what_is_in_files_is_known_by_hashes_and_nothing_else_is_read(shop):
    os.mkfifo(shop / "pipe")
    os.symlink("a.py", shop / "link.py")
    found = hashes_of(str(shop), ["a.py", "nowhere.py", "pipe", "link.py", "shop", "a.py/b"])
    assert found == {
        "a.py": sha256(b"a.py").hexdigest(),
        "nowhere.py": "",
        "pipe": "",
        "link.py": "",
        "shop": "",
        "a.py/b": "",
    }
