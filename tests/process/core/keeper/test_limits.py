"""Full disks, no descriptors, no terminals: one run's trouble, never everybody's."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess

import psutil
import pytest

from tests.kit.keeper_client import Refusal, read_log
from tests.kit.waiting import eventually

RUN = "a1b2c3d4.1"
OTHER = "bbbbbbbb.1"


@pytest.fixture
def limit_files(keeper):
    """Make the disk full at so many bytes per file, or give it room again."""

    def limit(size):
        hard = resource.prlimit(keeper.process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(keeper.process.pid, resource.RLIMIT_FSIZE, (size, hard))

    return limit


@pytest.mark.linux
def test_on_a_full_disk_the_agent_waits_and_nothing_is_lost(keeper, client, limit_files):
    limit_files(100_000)
    client.spawn(RUN, "seq 200000; exit 5")
    assert client.notice("trouble", RUN)["reason"] == "disk_full"
    assert client.row(RUN)["trouble"] == "disk_full"
    assert client.run(OTHER, "echo fine; exit 2")["code"] == 2
    before = client.ask("status")["cpu"]
    assert client.run("bbbbbbbb.2", "sleep 0.5")["code"] == 0
    assert client.ask("status")["cpu"] - before < 0.25
    limit_files(resource.RLIM_INFINITY)
    assert client.notice("trouble", RUN, reason=None)
    assert client.notice("exit", RUN)["code"] == 5
    assert read_log(keeper.home, RUN) == b"".join(b"%d\r\n" % number for number in range(1, 200001))


@pytest.mark.linux
def test_an_exit_on_a_full_disk_is_told_and_its_bytes_come_later(keeper, client, limit_files, tmp_path):
    limit_files(20_000)
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    program = f"head -c 25000 /dev/zero; read x < {gate}; head -c 5000 /dev/zero; exit 5"
    client.spawn(RUN, program, tty=False)
    assert client.notice("trouble", RUN)["reason"] == "disk_full"
    gate.write_text("go\n", encoding="ascii")  # what comes now stays in the pipe
    assert client.notice("exit", RUN)["code"] == 5
    client.ask("ack", runs=[RUN])
    client.ask("release", run=RUN)
    assert client.row(RUN)["trouble"] == "disk_full"
    limit_files(resource.RLIM_INFINITY)
    client.notice("trouble", RUN, reason=None)
    eventually(lambda: len(read_log(keeper.home, RUN)) == 30000, what="the rest, piece by piece")
    eventually(lambda: client.ask("list")["runs"] == [])


@pytest.mark.linux
def test_a_journal_that_can_not_be_written_is_written_later(keeper, client, limit_files):
    client.run(OTHER, "true")
    limit_files(os.path.getsize(keeper.home.exits) + 5)
    assert client.run(RUN, "exit 5")["code"] == 5
    limit_files(resource.RLIM_INFINITY)
    client.run("cccccccc.1", "sleep 1.2; exit 6")
    with open(keeper.home.exits, encoding="utf-8") as file:
        assert [json.loads(line)["code"] for line in file] == [0, 5, 6]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
@pytest.mark.linux
def test_a_real_full_file_system(start_keeper, client, tmp_path):
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(tmp_path)], check=False)
    if mounted.returncode:
        pytest.skip("no mounts here")
    logs = client.home.logs
    os.symlink(tmp_path, logs)
    try:
        client.spawn(RUN, "head -c 5000000 /dev/zero; exit 3", tty=False)
        assert client.notice("trouble", RUN)["reason"] == "disk_full"
        subprocess.run(["mount", "-o", "remount,size=20m", str(tmp_path)], check=True)
        assert client.notice("exit", RUN)["code"] == 3
        assert read_log(client.home, RUN) == bytes(5_000_000)
        client.ask("ack", runs=[RUN])
        client.ask("release", run=RUN)
    finally:
        os.unlink(logs)
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_runs_beyond_the_limit_of_files_are_refused_and_the_others_live(start_keeper):
    keeper = start_keeper(nofile=(100, 100))
    client = keeper.client()
    for number in range(1, 9):
        client.spawn(f"a1b2c3d4.{number}", "read x; echo $x; exit 3", stdin="tty")
    requests = [client.begin_spawn(f"a1b2c3d4.{number}", "sleep 100") for number in range(9, 30)]
    for request in requests:
        with pytest.raises(Refusal) as refusal:
            client.answer(request)
        assert refusal.value.code == "too_many"
    client.ask("write", run="a1b2c3d4.1", seq=1, data="aGkK")
    assert client.notice("exit", "a1b2c3d4.1")["code"] == 3
    client.ask("ack", runs=["a1b2c3d4.1"])
    assert client.spawn("bbbbbbbb.1", "sleep 100")["pid"]


def test_more_clients_than_files_make_nobody_spin(start_keeper):
    keeper = start_keeper(nofile=(40, 40))
    client = keeper.client()
    strangers = []
    for _ in range(60):
        stranger = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stranger.connect(keeper.home.keeper_socket)
        strangers.append(stranger)
    before = resource_used(keeper)
    client.socket.settimeout(0.6)
    with pytest.raises(TimeoutError):
        client.socket.recv(1)
    assert resource_used(keeper) - before < 0.3
    for stranger in strangers:
        stranger.close()
    assert keeper.client().ask("list")["runs"] == []


def resource_used(keeper):
    times = psutil.Process(keeper.process.pid).cpu_times()
    return times.user + times.system


@pytest.mark.linux
def test_no_more_files_for_a_log_blocks_that_run_until_there_are(keeper, client):
    pid = keeper.process.pid
    client.spawn(RUN, "read x; echo hello; exit 4", stdin="pipe")
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = max(map(int, os.listdir(f"/proc/{pid}/fd")))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 1, before[1]))
    client.ask("write", run=RUN, seq=1, data="Cg==")
    assert client.notice("trouble", RUN)["reason"] == "log_error"
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    assert client.notice("trouble", RUN, reason=None)
    client.notice("exit", RUN)
    assert read_log(keeper.home, RUN) == b"hello\r\n"


def test_a_log_folder_that_is_in_the_way_is_that_runs_trouble(keeper, client):
    os.makedirs(keeper.home.logs)
    blocked = f"{keeper.home.logs}/a1b2c3d4"
    with open(blocked, "w", encoding="utf-8"):
        pass
    client.spawn(RUN, "echo hello; exit 4")
    assert client.notice("trouble", RUN)["reason"] == "log_error"
    assert client.run(OTHER, "exit 2")["code"] == 2
    os.unlink(blocked)
    assert client.notice("trouble", RUN, reason=None)
    assert read_log(keeper.home, RUN) == b"hello\r\n"
