"""Homes and folders: where they are, and when they are refused."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import pytest

from overmind_core.system import paths
from overmind_core.system.paths import (
    LONGEST_SOCKET_PATH,
    Home,
    HomeUnsafe,
    check_sockets,
    ensure_home,
    file_system,
    read_socket_address,
    runtime_folder,
    runtime_trouble,
    socket_address,
    write_private,
)
from tests.kit.overmind import REPOSITORY

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
STRANGER = 54321


@pytest.fixture
def no_umask():
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.parametrize(
    ("environ", "root"),
    [
        ({"OVERMIND_HOME": "/srv/x", "HOME": "/h"}, "/srv/x"),
        ({"OVERMIND_HOME": "/srv//y/../x/", "HOME": "/h"}, "/srv/x"),
        ({"OVERMIND_HOME": "", "HOME": "/h"}, "/h/.overmind"),
        ({"HOME": "/h"}, "/h/.overmind"),
    ],
)
def test_the_environment_decides_which_home(environ, root):
    assert Home.resolve(environ).root == root


def test_a_relative_home_is_of_the_caller_s_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Home.resolve({"OVERMIND_HOME": "x"}).root == str(tmp_path / "x")


def test_without_home_in_the_environment_the_user_s_record_counts():
    assert Home.resolve({}).root.endswith("/.overmind")


def test_two_ways_to_one_home_are_one(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert Home(str(tmp_path / "link")).root == Home(str(tmp_path / "real")).root


def test_every_path_is_in_the_home_and_its_own():
    home = Home("/h")
    names = [name for name in vars(Home) if isinstance(vars(Home)[name], property) and name != "is_in_swarm"]
    paths = {getattr(home, name) for name in names}
    assert len(paths) == len(names) == 28
    assert all(os.path.dirname(path) == "/h" for path in paths)


def test_a_home_is_made_for_us_alone_whatever_the_umask(tmp_path, no_umask):
    home = Home(str(tmp_path / "some" / "where"))
    ensure_home(home)
    ensure_home(home)
    assert os.stat(home.root).st_mode & 0o777 == 0o700


def test_a_home_of_ours_that_others_may_enter_is_closed(tmp_path):
    tmp_path.chmod(0o777)
    ensure_home(Home(str(tmp_path)))
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_a_file_in_place_of_the_home_is_refused(tmp_path):
    (tmp_path / "h").touch()
    with pytest.raises(HomeUnsafe, match="is not a folder"):
        ensure_home(Home(str(tmp_path / "h")))


@as_root
def test_somebody_else_s_home_is_refused_and_left_alone(tmp_path):
    os.mkdir(tmp_path / "h", 0o755)
    os.chown(tmp_path / "h", STRANGER, STRANGER)
    with pytest.raises(HomeUnsafe, match=f"belongs to user {STRANGER}"):
        ensure_home(Home(str(tmp_path / "h")))
    assert os.stat(tmp_path / "h").st_mode & 0o777 == 0o755


def test_a_home_on_a_network_file_system_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("overmind_core.system.paths.file_system", lambda _: "nfs4")
    with pytest.raises(HomeUnsafe, match=r"network file system \(nfs4\)"):
        ensure_home(Home(str(tmp_path)))


@pytest.mark.linux
def test_the_file_system_is_told_by_device():
    assert file_system("/proc") == "proc"
    assert file_system("/proc/self/fd") == "proc"


@pytest.fixture
def places(tmp_path):
    """Stand-ins for /run/user and /tmp."""
    (tmp_path / "run").mkdir()
    (tmp_path / "tmp").mkdir()
    return {"run": str(tmp_path / "run"), "temporary": str(tmp_path / "tmp")}


def test_the_runtime_folder_is_in_the_session_s_when_that_is_ours(places, no_umask):
    uid = os.geteuid()
    os.mkdir(f"{places['run']}/{uid}")
    path = runtime_folder(uid, **places)
    assert path == f"{places['run']}/{uid}/overmind"
    assert os.stat(path).st_mode & 0o777 == 0o700


def test_the_runtime_folder_is_a_temporary_one_otherwise(places, no_umask):
    path = runtime_folder(os.geteuid(), **places)
    assert path == runtime_folder(os.geteuid(), **places) == f"{places['temporary']}/overmind-{os.geteuid()}"
    assert os.stat(path).st_mode & 0o777 == 0o700


def test_a_link_in_place_of_the_session_s_folder_is_not_followed(places, tmp_path):
    os.symlink(tmp_path / "tmp", f"{places['run']}/{os.geteuid()}")
    assert runtime_folder(os.geteuid(), **places).startswith(places["temporary"])


def test_a_link_in_place_of_the_runtime_folder_is_refused(places, tmp_path):
    (tmp_path / "trap").mkdir(mode=0o755)
    os.symlink(tmp_path / "trap", f"{places['temporary']}/overmind-{os.geteuid()}")
    with pytest.raises(HomeUnsafe, match="symbolic link"):
        runtime_folder(os.geteuid(), **places, account="/nowhere")
    assert "symbolic link" in runtime_trouble(os.geteuid(), **places)
    assert (tmp_path / "trap").stat().st_mode & 0o777 == 0o755


def test_a_file_in_place_of_the_runtime_folder_is_refused(places):
    with open(f"{places['temporary']}/overmind-{os.geteuid()}", "w", encoding="ascii"):
        pass
    with pytest.raises(HomeUnsafe, match="is not a folder"):
        runtime_folder(os.geteuid(), **places, account="/nowhere")


def test_where_the_runtime_folder_is_taken_it_is_one_in_the_account_s_own_folder(places, tmp_path, no_umask):
    with open(f"{places['temporary']}/overmind-{os.geteuid()}", "w", encoding="ascii"):
        pass
    with tempfile.TemporaryDirectory() as account:  # a short path
        path = runtime_folder(os.geteuid(), **places, account=account)
        assert path == runtime_folder(os.geteuid(), **places, account=account) == f"{account}/.overmind-run"
        assert os.stat(path).st_mode & 0o777 == 0o700
        assert "is not a folder" in runtime_trouble(os.geteuid(), **places)
        os.rmdir(path)
        os.symlink(places["run"], path)
        with pytest.raises(HomeUnsafe, match="is not a folder"):
            runtime_folder(os.geteuid(), **places, account=account)
    long = tmp_path / ("deep" * 40)
    long.mkdir()
    with pytest.raises(HomeUnsafe, match="is not a folder"):  # no socket would fit
        runtime_folder(os.geteuid(), **places, account=str(long))


@as_root
def test_a_runtime_folder_of_somebody_else_is_refused(places):
    path = f"{places['temporary']}/overmind-0"
    os.mkdir(path, 0o777)
    os.chown(path, STRANGER, STRANGER)
    with pytest.raises(HomeUnsafe, match=f"belongs to user {STRANGER}"):
        runtime_folder(0, **places, account="/nowhere")


@pytest.fixture
def long_home(tmp_path):
    home = Home(str(tmp_path / ("deep" * 40)))
    ensure_home(home)
    return home


def test_a_short_socket_path_stays_and_an_old_pointer_goes(tmp_path):
    path, pointer = "/tmp/x/overmind.sock", str(tmp_path / "pointer")
    with open(pointer, "w", encoding="ascii") as file:
        file.write("/nowhere")
    assert socket_address(path, pointer) == path
    assert not os.path.exists(pointer)
    assert read_socket_address(path, pointer) == path


def test_a_long_socket_path_moves_and_the_pointer_says_where(long_home):
    address = socket_address(long_home.socket, long_home.socket_pointer)
    assert os.path.dirname(address) == runtime_folder(os.geteuid())
    assert len(os.fsencode(address)) <= LONGEST_SOCKET_PATH
    assert read_socket_address(long_home.socket, long_home.socket_pointer) == address
    assert os.stat(long_home.socket_pointer).st_mode & 0o777 == 0o600
    assert socket_address(long_home.socket, long_home.socket_pointer) == address
    assert socket_address(long_home.keeper_socket, long_home.keeper_socket_pointer) != address


def test_bytes_count_not_characters(tmp_path):
    path = "/tmp/" + "ä" * 50 + "/overmind.sock"
    assert len(path) < LONGEST_SOCKET_PATH
    assert socket_address(path, str(tmp_path / "pointer")) != path


def test_a_long_path_without_a_pointer_says_that_nobody_listens(long_home):
    with pytest.raises(FileNotFoundError):
        read_socket_address(long_home.socket, long_home.socket_pointer)


def test_a_pointer_counts_also_for_a_client_that_knows_a_shorter_path(tmp_path):
    pointer = tmp_path / "pointer"
    pointer.write_text("/elsewhere/x.sock")
    assert read_socket_address("/tmp/x.sock", str(pointer)) == "/elsewhere/x.sock"


LOADED = """
import re, sys
before = set(sys.modules)
from overmind_core.domain.missions import names
from overmind_core.domain.text import duration
from overmind_core.system import lock, paths, unixsocket
print(*(name for name in set(sys.modules) - before if not name.startswith("overmind_core")))
"""


def test_what_every_command_imports_is_cheap():
    """Nothing beyond `re`, which argparse loads anyway, and these extension modules."""
    loaded = subprocess.check_output([sys.executable, "-c", LOADED], text=True, env={"PYTHONPATH": REPOSITORY})
    assert set(loaded.split()) <= {"__future__", "_socket", "fcntl", "time"}


def test_a_long_path_whose_sockets_have_no_place_is_told_with_how_long_it_may_be(monkeypatch):
    def taken(uid):
        raise HomeUnsafe("/tmp/overmind-7", f"belongs to user 8, not to user {uid}")

    monkeypatch.setattr(paths, "runtime_folder", taken)
    check_sockets(Home("/short"))
    with pytest.raises(HomeUnsafe) as refused:
        check_sockets(Home(f"/{'x' * 100}"))
    assert str(refused.value).startswith(
        f"/tmp/overmind-7 belongs to user 8, not to user {os.geteuid()}, and the sockets"
    )
    assert str(refused.value).endswith("Remove it, or set OVERMIND_HOME to a path at least 15 bytes shorter")


@pytest.mark.linux
def test_what_is_private_is_on_the_disk_before_it_takes_the_place_of_the_old_and_its_name_before_that_is_said(
    tmp_path, monkeypatch
):
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def synced(fd: int) -> None:
        done.append(os.readlink(f"/proc/self/fd/{fd}"))
        fsync(fd)

    def replaced(old: str, new: str) -> None:
        done.append("replace")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    path = tmp_path / "vault.json"
    write_private(str(path), "{}")
    assert done == [f"{path}.new", "replace", str(tmp_path)]
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("{}", 0o600)


def test_a_home_that_nobody_could_make_is_known_without_making_it(tmp_path, monkeypatch):
    there, new = tmp_path / "there", tmp_path / "a" / "b"
    there.mkdir()
    assert paths.can_exist(Home(str(there)))
    assert paths.can_exist(Home(str(new)))
    assert not new.parent.exists()
    assert not paths.can_exist(Home("/proc/x/y")) or paths.file_system("/proc") != "proc"
    monkeypatch.setattr("os.access", lambda *_: False)
    assert paths.can_exist(Home(str(there))), "who made it can say more"
    assert not paths.can_exist(Home(str(new)))
