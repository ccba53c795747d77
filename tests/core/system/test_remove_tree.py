"""A folder is removed whatever a program has made of it, and nothing beside it."""

from __future__ import annotations

import os

import pytest

from overmind_core.system.remove_tree import remove_tree

DEEP = 3000


@pytest.fixture
def beside(tmp_path):
    (tmp_path / "beside").mkdir(mode=0o751)
    (tmp_path / "beside" / "kept").write_text("kept")
    return tmp_path / "beside"


def assert_kept(beside):
    assert (beside / "kept").read_text() == "kept"
    assert beside.stat().st_mode & 0o777 == 0o751


def test_links_are_removed_and_not_followed(tmp_path, beside):
    top = tmp_path / "top"
    (top / "a" / "b").mkdir(parents=True)
    for place in (top, top / "a", top / "a" / "b"):
        (place / "link").symlink_to(beside)
        (place / "hard").hardlink_to(beside / "kept")
    remove_tree(str(top))
    assert not top.exists()
    assert_kept(beside)


def test_a_link_in_the_place_of_the_folder_is_removed_itself(tmp_path, beside):
    (tmp_path / "top").symlink_to(beside)
    remove_tree(str(tmp_path / "top"))
    assert not os.path.lexists(tmp_path / "top")
    assert_kept(beside)


def test_no_depth_is_in_the_way(tmp_path):
    top = tmp_path / "top"
    top.mkdir()
    folder = os.open(top, os.O_RDONLY)
    for _ in range(DEEP):
        os.mkdir("d" * 200, dir_fd=folder)
        inside = os.open("d" * 200, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inside
    os.close(folder)
    remove_tree(str(top))
    assert not top.exists()


def test_what_its_owner_has_shut_is_removed_too(tmp_path):
    top = tmp_path / "top"
    (top / "a" / "b" / "c").mkdir(parents=True)
    os.mkfifo(top / "a" / "pipe")
    for folder in (top / "a" / "b", top / "a", top):
        folder.chmod(0)
    remove_tree(str(top))
    assert not top.exists()


def test_names_like_our_own_are_removed_as_others(tmp_path):
    top = tmp_path / "top"
    for number in (0, 1, 3):
        (top / f".removed-{number}" / ".removed-0").mkdir(parents=True)
    (top / ".removed-2").write_text("a file")
    remove_tree(str(top))
    assert not top.exists()


def test_what_is_not_there_is_removed_already(tmp_path):
    remove_tree(str(tmp_path / "nothing"))


def test_beside_what_cannot_be_removed_the_rest_is(tmp_path, monkeypatch):
    top = tmp_path / "top"
    (top / "a").mkdir(parents=True)
    for name in ("a/stays", "a/goes", "goes"):
        (top / name).write_text("")
    unlink = os.unlink

    def refused(path, *, dir_fd=None):
        if path == "stays":
            raise PermissionError(1, "immutable", path)
        unlink(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", refused)
    with pytest.raises(PermissionError, match="immutable"):
        remove_tree(str(top))
    assert [name for _, _, names in os.walk(top) for name in names] == ["stays"]
