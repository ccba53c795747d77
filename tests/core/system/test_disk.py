"""Which file systems have no room."""

from __future__ import annotations

import os

import pytest

from overmind_core.system.disk import LEAST_ROOM, first_full

BLOCK = 4096


def disk(*, blocks=1000, free=500, inodes=100, free_inodes=50, flags=0):
    return os.statvfs_result((BLOCK, BLOCK, blocks, free, free, inodes, free_inodes, free_inodes, flags, 255))


DISKS = {
    "room": (disk(), False),
    "no block": (disk(free=0), True),
    "next to none": (disk(free=LEAST_ROOM // BLOCK - 1), True),
    "just enough": (disk(free=LEAST_ROOM // BLOCK), False),
    "no inode": (disk(free_inodes=0), True),
    "no number of inodes": (disk(inodes=0, free_inodes=0), False),
    "read-only": (disk(free=0, flags=os.ST_RDONLY), False),
    "of no size, such as /proc": (disk(blocks=0, free=0), False),
}


@pytest.mark.parametrize("name", DISKS)
def test_which_disk_has_no_room(monkeypatch, tmp_path, name):
    found, full = DISKS[name]
    gone = str(tmp_path / "gone" / "worktree")
    asked = []

    def statvfs(path):
        asked.append(path)
        return found if path == str(tmp_path) else disk()

    monkeypatch.setattr(os, "statvfs", statvfs)
    assert first_full([gone]) == (gone if full else None)
    assert asked[0] == str(tmp_path), "the nearest folder that is there"


def test_one_that_can_not_be_asked_is_not_full(monkeypatch):
    def refused(_path):
        raise PermissionError

    monkeypatch.setattr(os, "statvfs", refused)
    assert first_full(["/"]) is None
