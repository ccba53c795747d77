"""Homes whose sockets just fit into an address, just don't, and don't by far."""

from __future__ import annotations

import os

import pytest

from tests.kit import raw_socket, torture
from tests.kit.overmind import Overmind
from tests.kit.waiting import eventually

LENGTHS = [85, 86, 87, 88, 90, 96, 107, 108, 120, 240, 480]
"""Bytes of the home's path: around 100 for each of the two sockets, around the kernel's 108, and far beyond."""
EDGES = [86, 87, 90, 480]
"""The longest with which both fit, one, and none, and the longest of all."""


@pytest.mark.torture
@pytest.mark.parametrize("length", LENGTHS if torture.WHOLE else EDGES)
def test_a_home_works_however_long_its_path_is(om, marker, tmp_path, length):
    home = padded(om.home, length)
    os.makedirs(home, mode=0o700)
    other = Overmind(home, user_home=str(tmp_path), marker=marker)
    addresses = []
    try:
        assert other.finished("echo here; exit 4")["exit_code"] == 4
        mission = other.mission("sleep 600")
        pid = other.pid(mission)
        addresses = [raw_socket.address(home, name) for name in ("overmind.sock", "keeper.sock")]
        assert all(len(os.fsencode(address)) <= 107 and os.path.exists(address) for address in addresses)
        other.ok("start", "--replace")
        assert other.pid(mission) == pid
    finally:
        other.ok("shutdown", "-y")
    eventually(lambda: not any(map(os.path.exists, addresses)), what="the sockets are gone")


def test_a_path_that_no_database_can_have_is_a_clear_error(om, marker, tmp_path):
    home = padded(om.home, 481)
    other = Overmind(home, user_home=str(tmp_path), marker=marker)
    for made in (False, True):
        if made:
            os.makedirs(home, mode=0o700)
        sentence = other.refused("run", "true", code="forbidden", cwd="/")
        assert "shorter" in sentence
    other.refused("ps", code="daemon_not_running", cwd="/")


def padded(path, length):
    """A path below `path` that has `length` bytes, in parts that a file system takes."""
    rest = length - len(path) - 1
    parts = []
    while rest > 200:
        parts.append("x" * 100)
        rest -= 101
    return os.path.join(path, *parts, "x" * rest)
