"""Files that travel by a branch of a remote, and branches that are kept alike here and there."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from overmind_core.git import remote, remote_files
from overmind_core.git.run import Git, GitFailed
from tests.kit.repositories import Repository

ODD = {"spec/design.md": b"a\r\nb\n", "partial/x.json": b"\xff\x00", "needs/a b/é.txt": b""}
"""Ends of lines that a filter would change, bytes that are no text, and nothing."""


@pytest.fixture
def shop(tmp_path):
    """A repository whose remote has its branch main; its attributes would change what is added in the usual way."""
    made = Repository(str(tmp_path / "shop"))
    made.commit("first", {"app.py": "one\n", ".gitattributes": "* text=auto eol=lf\n", ".gitignore": "*.json\n"})
    made.git("init", "-q", "--bare", "-b", "main", str(tmp_path / "shop.git"))
    made.git("remote", "add", "origin", str(tmp_path / "shop.git"))
    made.git("push", "-q", "origin", "main")
    return made


@pytest.fixture
def url(tmp_path):
    return str(tmp_path / "shop.git")


@pytest.fixture
def git():
    return Git(os.environ)


def folder(tmp_path, files, name="files"):
    """A folder with these files."""
    top = tmp_path / name
    for path, data in files.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_bytes(data)
    top.mkdir(exist_ok=True)
    return str(top)


@pytest.mark.parametrize("files", [ODD, {}], ids=["odd", "none"])
def test_files_arrive_as_they_were_and_touch_nothing_of_the_checkout(shop, url, git, tmp_path, files):
    before = shop.git("status", "--porcelain"), shop.git("rev-parse", "HEAD")
    commit = remote_files.send(git, shop.folder, url, "overmind/x", folder(tmp_path, files), message="files")
    other = Repository(str(tmp_path / "other"))
    remote.fetch(git, other.folder, url)
    assert remote_files.received(git, other.folder, commit) == files
    assert (shop.git("status", "--porcelain"), shop.git("rev-parse", "HEAD")) == before


def test_several_that_send_at_once_all_arrive(shop, url, git, tmp_path):
    folders = [folder(tmp_path, {"n": str(number).encode()}, f"f{number}") for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        sent = list(
            pool.map(lambda one: remote_files.send(git, shop.folder, url, "overmind/x", one, message="m"), folders)
        )
    there = shop.git("--git-dir", url, "rev-list", "overmind/x").split()
    assert set(sent) == set(there)
    found = [remote_files.received(git, shop.folder, commit)["n"] for commit in sent]
    assert found == [b"0", b"1", b"2", b"3"]


def test_what_is_no_file_or_too_much_is_refused(shop, git, tmp_path, monkeypatch):
    os.symlink("/etc/passwd", os.path.join(shop.folder, "link"))
    shop.commit("a link", {})
    with pytest.raises(remote_files.UnfitFiles, match="something else"):
        remote_files.received(git, shop.folder, shop.git("rev-parse", "HEAD"))
    with pytest.raises(GitFailed):
        remote_files.received(git, shop.folder, "0" * 40)
    monkeypatch.setattr(remote_files, "LARGEST", 3)
    with pytest.raises(remote_files.UnfitFiles, match="more than"):
        remote_files.send(git, shop.folder, "/nosuch", "x", folder(tmp_path, {"a": b"1234"}), message="m")


def test_a_branch_that_only_one_side_has_is_had_by_both(shop, url, git):
    shop.git("branch", "spec/a")
    commit = remote.align(git, shop.folder, url, "spec/a")
    assert shop.git("--git-dir", url, "rev-parse", "spec/a") == commit
    shop.git("branch", "-D", "spec/a")
    assert remote.align(git, shop.folder, url, "spec/a") == commit
    assert shop.git("rev-parse", "spec/a") == commit


def test_who_is_behind_follows_and_a_checkout_goes_along(shop, url, git):
    shop.git("checkout", "-q", "-b", "spec/a")
    shop.commit("here", {"a.txt": "a"})
    ahead = remote.align(git, shop.folder, url, "spec/a")
    shop.git("reset", "-q", "--hard", "HEAD~1")
    assert remote.align(git, shop.folder, url, "spec/a") == ahead
    assert os.path.exists(os.path.join(shop.folder, "a.txt"))
    assert shop.git("rev-parse", "HEAD") == ahead


def test_branches_that_have_both_gone_on_are_left_as_they_are(shop, url, git):
    shop.git("checkout", "-q", "-b", "spec/a")
    shop.commit("there", {"a.txt": "a"})
    there = remote.align(git, shop.folder, url, "spec/a")
    shop.git("reset", "-q", "--hard", "HEAD~1")
    shop.commit("here", {"b.txt": "b"})
    here = shop.git("rev-parse", "HEAD")
    with pytest.raises(remote.BranchesDiffer):
        remote.align(git, shop.folder, url, "spec/a")
    assert (shop.git("rev-parse", "spec/a"), shop.git("--git-dir", url, "rev-parse", "spec/a")) == (here, there)


def test_a_branch_of_neither_and_a_remote_that_is_away_are_told(shop, url, git):
    for place, branch in ((url, "nosuch"), ("/nosuch", "main")):
        with pytest.raises(GitFailed):
            remote.align(git, shop.folder, place, branch)
