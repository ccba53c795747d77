"""Unix sockets between real processes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from overmind_core.system.paths import LONGEST_SOCKET_PATH, Home, ensure_home, read_socket_address, socket_address
from overmind_core.system.unixsocket import connect, listen, peer
from tests.kit.overmind import REPOSITORY

WORLD = os.environ | {"PYTHONPATH": REPOSITORY}
CONNECT = """
import os, sys
from overmind_core.system.unixsocket import connect
from tests.kit.overmind import REPOSITORY
if len(sys.argv) > 2:
    os.setuid(int(sys.argv[2]))
try:
    connection = connect(sys.argv[1], 5.0)
except PermissionError:
    sys.exit(13)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "x.sock")


def test_a_socket_is_for_its_owner_whatever_the_umask(path):
    before = os.umask(0)
    try:
        with listen(path):
            assert os.umask(0) == 0
            mode = os.stat(path).st_mode
    finally:
        os.umask(before)
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


def test_the_kernel_names_the_other_end(path):
    with listen(path) as server:
        client = subprocess.Popen([sys.executable, "-c", CONNECT, path], stdin=subprocess.PIPE, env=WORLD)
        connection, _ = server.accept()
        with connection:
            other = peer(connection)
            assert (other.pid, other.uid) == (client.pid, os.geteuid())
        client.communicate(timeout=30)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_can_t_connect(tmp_path):
    folder = f"/tmp/overmind-test-{os.getpid()}"
    os.mkdir(folder, 0o755)
    os.chmod(folder, 0o755)
    try:
        with listen(f"{folder}/x.sock"):
            done = subprocess.run(
                [sys.executable, "-c", CONNECT, f"{folder}/x.sock", "65534"], stdin=subprocess.DEVNULL
            )
            assert done.returncode == 13
    finally:
        os.unlink(f"{folder}/x.sock")
        os.rmdir(folder)


def test_a_stale_socket_is_replaced_in_one_step(path):
    listen(path).close()
    with pytest.raises(ConnectionRefusedError):
        connect(path, 1.0)
    with open(path + "~", "w", encoding="ascii"):
        pass  # what a crash between the two steps leaves
    with listen(path) as server:
        connect(path, 1.0).close()
        server.accept()[0].close()
    assert not os.path.exists(path + "~")


def test_where_nobody_has_listened_there_is_no_file(path):
    with pytest.raises(FileNotFoundError):
        connect(path, 1.0)


def test_a_full_backlog_is_a_timeout(path, monkeypatch):
    monkeypatch.setattr("overmind_core.system.unixsocket.BACKLOG", 0)
    with listen(path):
        first = connect(path, 0.05)
        with pytest.raises(TimeoutError):
            connect(path, 0.05)
        first.close()


def test_an_operation_that_takes_too_long_is_a_timeout(path):
    with listen(path):
        client = connect(path, 0.05)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.close()


def test_a_socket_in_a_home_on_a_long_path_is_reached(tmp_path):
    home = Home(str(tmp_path / ("deep" * 40)))
    ensure_home(home)
    address = socket_address(home.socket, home.socket_pointer)
    try:
        with listen(address) as server:
            connect(read_socket_address(home.socket, home.socket_pointer), 1.0).close()
            server.accept()[0].close()
    finally:
        os.unlink(address)


def test_the_longest_path_that_doesn_t_move_can_be_bound(tmp_path):
    folder = f"/tmp/overmind-test-long-{os.getpid()}"
    os.mkdir(folder)
    path = f"{folder}/".ljust(LONGEST_SOCKET_PATH, "x")
    assert socket_address(path, str(tmp_path / "pointer")) == path
    try:
        with listen(path):
            connect(path, 1.0).close()
    finally:
        os.unlink(path)
        os.rmdir(folder)
