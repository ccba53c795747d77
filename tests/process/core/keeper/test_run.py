"""Runs from their spawn to their exit, by both ways."""

from __future__ import annotations

import json
import os
import signal
import sys
from functools import partial

import pytest

from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.logs import time_index
from overmind_core.logs.layout import index_numbers
from overmind_core.system import process_table
from overmind_core.system.machine import boot_id
from tests.kit.keeper_client import Refusal, read_log, run_path
from tests.kit.processes import alive
from tests.kit.waiting import eventually

RUN = "a1b2c3d4.1"


def index(home, run):
    folder = run_path(home, run)
    records = []
    for number in index_numbers(os.listdir(folder)):
        with open(f"{folder}/index.{number:06d}", "rb") as file:
            records += time_index.unpack(file.read())
    return records


def test_hello_introduces_the_keeper(keeper, client):
    assert client.hello["pid"] == keeper.process.pid
    assert client.hello["boot"] == boot_id()
    assert (client.hello["protocol"], client.hello["runs"]) == (1, 0)


def test_a_protocol_that_it_does_not_speak_is_refused(keeper):
    client = keeper.client(hello=False)
    with pytest.raises(Refusal, match="protocol") as refusal:
        client.ask("hello", protocol=999)
    assert refusal.value.answer["protocol"] == 1


@pytest.mark.linux
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="start times are read in /proc")
def test_the_start_time_told_is_the_one_that_the_system_tells(client, way):
    for number in range(1, 41):
        answer = client.spawn(f"a1b2c3d4.{number}", ["/bin/sleep", "100"], method=way)
        process = process_table.read(answer["pid"])
        assert process is not None
        assert answer["ticks"] == process.ticks


def test_every_exit_code_is_true(client, way):
    for code in range(256):
        client.begin_spawn(f"a1b2c3d4.{code + 1}", f"exit {code}", method=way)
    seen = {}
    for code in range(256):
        seen[code] = client.notice("exit", f"a1b2c3d4.{code + 1}")["code"]
    assert seen == {code: code for code in range(256)}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE])
def test_a_signal_is_a_negative_code(client, way, number):
    client.spawn(RUN, ["/bin/sleep", "100"], method=way)
    assert client.ask("signal", run=RUN, signal=int(number)) == {"delivered": True}
    assert client.notice("exit", RUN)["code"] == -number
    assert client.ask("signal", run=RUN, signal=int(number)) == {"delivered": False}


def test_an_exit_is_on_disk_before_anybody_is_told(keeper, client):
    notice = client.run(RUN, "echo hi; exit 7")
    with open(keeper.home.exits, encoding="utf-8") as file:
        (record,) = map(json.loads, file)
    del notice["notice"], notice["left"]
    assert record == {**notice, "boot": boot_id()}
    assert (record["code"], record["out"]) == (7, 4)


def test_the_notice_comes_after_the_last_byte(keeper, client, way):
    for number in range(1, 21):
        notice = client.run(f"a1b2c3d4.{number}", "head -c 30000 /dev/zero | tr '\\0' x; exit 3", method=way)
        assert (notice["out"], len(read_log(keeper.home, f"a1b2c3d4.{number}"))) == (30000, 30000)


def test_pipes_are_drained_to_the_last_byte_too(keeper, client, way):
    notice = client.run(RUN, "head -c 60000 /dev/zero; head -c 50000 /dev/zero >&2", tty=False, method=way)
    assert (notice["out"], notice["err"]) == (60000, 50000)
    assert len(read_log(keeper.home, RUN, err=True)) == 50000


def test_spawn_is_idempotent_by_run(client):
    first = client.spawn(RUN, "sleep 100")
    assert client.spawn(RUN, "echo something else") == first
    assert client.ask("status")["runs"] == 1


def test_spawns_in_one_breath_are_idempotent_as_well(client):
    numbers = [client.begin_spawn(RUN, "sleep 100") for _ in range(10)]
    assert len({client.answer(number)["pid"] for number in numbers}) == 1


@pytest.mark.parametrize(
    ("fields", "number", "step"),
    [
        ({"program": "/nowhere"}, 2, "exec"),
        ({"cwd": "/nowhere"}, 2, "cwd"),
        ({"program": "/etc/passwd"}, 13, "exec"),
    ],
)
def test_a_failed_spawn_says_why_and_holds_nothing(client, way, fields, number, step):
    before = client.ask("status")["fds"]
    for tty in (True, False):
        with pytest.raises(Refusal) as refusal:
            client.spawn(RUN, "true", method=way, tty=tty, **fields)
        answer = refusal.value.answer
        assert (answer["error"], answer["errno"], answer["step"]) == ("spawn_failed", number, step)
    # The lease of marks is one more, once.
    assert client.ask("status")["fds"] <= before + 1
    assert client.ask("list")["runs"] == []


@pytest.mark.parametrize(
    "fields",
    [
        {"stdin": "socket"},
        {"tty": False, "stdin": "tty"},
        {"method": "magic"},
        {"argv": None},
        {"env": ["A"]},
        {"argv": ["a\0b"]},
        {"env": {"A=B": "c"}},
        {"umask": "x"},
    ],
)
def test_a_spawn_of_the_wrong_shape_is_refused(client, fields):
    with pytest.raises(Refusal):
        client.spawn(RUN, "true", **fields)
    assert client.run("ffffffff.1", "exit 3")["code"] == 3


@pytest.mark.parametrize("run", ["../../x.1", "a1b2c3d4", "", "a1b2c3d4.x", 7])
def test_a_run_id_that_is_none_is_refused(client, run):
    with pytest.raises(Refusal) as refusal:
        client.spawn(run, "true")
    assert refusal.value.code == "invalid"


def test_the_folder_of_a_spawn_does_not_stay_the_keepers(keeper, client):
    client.run(RUN, "true", cwd="/tmp")
    assert os.readlink(f"/proc/{keeper.process.pid}/cwd") == "/"


def test_arguments_folders_and_variables_are_any_bytes(keeper, client, way, tmp_path):
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe")
    os.mkdir(folder)
    argv = ["sh", "-c", 'printf "%s|%s|" "$1" "$V"; pwd', "x", to_wire(os.fsdecode(b"\xe9\x80"))]
    env = {"V": to_wire(os.fsdecode(b"\xff")), "PATH": os.environ["PATH"]}
    client.run(RUN, argv, program="/bin/sh", cwd=to_wire(folder), env=env, method=way)
    assert read_log(keeper.home, RUN) == b"\xe9\x80|\xff|" + os.fsencode(folder) + b"\r\n"


def test_umask_and_limits_are_those_of_before_the_keeper(start_keeper, way):
    keeper = start_keeper(nofile=(256, 4096))
    client = keeper.client()
    client.run(RUN, "umask; ulimit -Sn; ulimit -Hn", umask=0o027, method=way)
    assert read_log(keeper.home, RUN).split() == [b"0027", b"256", b"4096"]


def test_a_resize_reaches_program_and_index(keeper, client, way):
    program = "trap 'stty size; exit' WINCH; stty size; echo ready; while :; do sleep 0.05; done"
    client.spawn(RUN, program, stdin="tty", columns=100, rows=40, method=way)
    client.grown(RUN, lambda log: b"ready" in log)
    client.ask("resize", run=RUN, columns=90, rows=30)
    client.notice("exit", RUN)
    assert read_log(keeper.home, RUN).split() == [b"40", b"100", b"ready", b"30", b"90"]
    (record,) = [record for record in index(keeper.home, RUN) if record.kind == time_index.RESIZE]
    assert time_index.resize_size(record.extra) == (90, 30)


def test_the_order_of_out_and_err_is_in_the_index(keeper, client):
    program = "for i in 1 2 3 4 5; do echo out$i; sleep 0.02; echo err$i >&2; sleep 0.02; done"
    client.run(RUN, program, tty=False)
    out, err = read_log(keeper.home, RUN), read_log(keeper.home, RUN, err=True)
    at, lines = [0, 0], []
    for record in index(keeper.home, RUN):
        if record.kind in {time_index.OUT, time_index.ERR}:
            lines += (out, err)[record.kind][at[record.kind] : record.offset].split()
            at[record.kind] = record.offset
    assert lines == [b"%s%d" % (stream, number) for number in range(1, 6) for stream in (b"out", b"err")]


def test_list_tells_all_about_a_run(client):
    spawned = client.spawn(RUN, "echo hi; read x; exit 5", stdin="tty")
    client.grown(RUN, lambda log: b"hi" in log)
    row = client.row(RUN)
    assert {key: row[key] for key in spawned} == spawned
    assert (row["out"], row["err"], row["exit"], row["in_seq"]) == (4, 0, None, 0)
    client.ask("write", run=RUN, seq=1, data="Cg==")
    client.notice("exit", RUN)
    row = client.row(RUN)
    assert (row["exit"]["code"], row["in_seq"], row["in_written"]) == (5, 1, 1)


def test_changed_tells_only_the_news_newest_first(client):
    client.run("aaaaaaaa.1", "echo 1")
    client.run("bbbbbbbb.1", "echo 2")
    first = client.ask("changed", since=0)
    assert [row["run"] for row in first["runs"]] == ["bbbbbbbb.1", "aaaaaaaa.1"]
    assert client.ask("changed", since=first["seq"]) == {"seq": first["seq"], "runs": []}
    client.run("cccccccc.1", "true")
    second = client.ask("changed", since=first["seq"])
    assert [row["run"] for row in second["runs"]] == ["cccccccc.1"]


def test_an_acknowledged_run_at_its_end_is_forgotten_with_all_its_files(client):
    before = client.ask("status")
    client.run("aaaaaaaa.1", "echo hi")
    client.run("aaaaaaaa.2", "echo hi", tty=False)
    client.ask("ack", runs=["aaaaaaaa.1", "aaaaaaaa.2", "unknown.1"])
    assert client.ask("list")["runs"] == []
    after = client.ask("status")
    assert after["fds"] <= before["fds"] + 1
    assert after["runs"] == 0


def test_a_background_process_keeps_its_terminal_until_the_release(keeper, client, way):
    # The shell that stays ignores the hang-up which the end of the session's leader sends.
    program = "trap '' HUP; (echo child; while ! test -e go; do sleep 0.02; done; echo later; sleep 100) & sleep 0.1"
    notice = client.run(RUN, program, cwd=keeper.home.root, method=way)
    assert notice["left"] is True
    client.ask("ack", runs=[RUN])
    with open(f"{keeper.home.root}/go", "w", encoding="utf-8"):
        pass
    client.grown(RUN, lambda log: b"later" in log)
    assert client.ask("orphans", run=RUN) == {"left": True}
    assert client.ask("purge", run=RUN)["killed"] >= 1
    assert client.ask("orphans", run=RUN) == {"left": False}
    client.ask("release", run=RUN)
    assert client.ask("list")["runs"] == []


def test_an_exit_in_a_flood_of_a_background_process_is_told_at_once(client):
    notice = client.run(RUN, "trap '' HUP; yes & sleep 0.2; exit 9")
    assert (notice["code"], notice["left"]) == (9, True)
    client.ask("ack", runs=[RUN])
    client.ask("purge", run=RUN)
    client.ask("release", run=RUN)
    assert client.ask("list")["runs"] == []


def test_a_program_that_closes_its_terminal_is_not_hung_up_and_may_open_it_again(keeper, client, way):
    reopen = "exec 2>&- 1>&- 0>&- 3<>/dev/null; sleep 0.3; exec 1>/dev/tty; echo again; exit 4"
    notice = client.run(RUN, f"echo first; {reopen}", method=way)
    assert notice["code"] == 4
    assert read_log(keeper.home, RUN).split() == [b"first", b"again"]


def test_orphans_are_adopted_and_reaped(client):
    notice = client.run(RUN, "trap '' HUP; setsid sleep 0.3 & sleep 0.05; exit 0")
    assert notice["left"] is True
    eventually(lambda: not client.ask("orphans", run=RUN)["left"])


def test_purge_ends_what_escaped_and_spares_another_mission(client):
    other = client.spawn("bbbbbbbb.1", "setsid env -i sleep 100 & wait")
    notice = client.run(
        RUN, "trap '' HUP; setsid env -i sh -c 'setsid sleep 100 & setsid sleep 100 & wait' & sleep 0.1"
    )
    assert notice["left"] is True
    answer = client.ask("purge", run=RUN)
    assert answer["killed"] >= 1
    assert "survivors" not in answer
    assert client.ask("orphans", run=RUN) == {"left": False}
    assert alive(other["pid"])


def test_purge_of_nothing_is_answered_at_once(client):
    assert client.ask("purge", run="ffffffff.9") == {"killed": 0}


def test_rotation_and_retention_keep_the_newest_output(keeper, client):
    program = "i=0; while test $i -lt 20000; do echo line $i; i=$((i+1)); done"
    client.run(RUN, program, tty=False, log_limit=40000, segment=5000)
    log = read_log(keeper.home, RUN)
    assert len(log) <= 40000 + 2 * 65536
    assert log.endswith(b"line 19999\n")
    assert not log.startswith(b"line 0\n")
    assert index(keeper.home, RUN)[-1].offset in {client.row(RUN)["out"], 0}


def test_a_held_cursor_holds_the_log(keeper, client):
    program = "head -c 100000 /dev/zero; read x; head -c 1000000 /dev/zero"
    client.spawn(RUN, program, tty=False, stdin="pipe", log_limit=400_000, segment=50_000, hold=True)
    client.grown(RUN, lambda log: len(log) == 100_000)
    client.ask("cursor", run=RUN, out=100_000, err=0)
    client.ask("write", run=RUN, seq=1, data="Cg==")
    client.notice("exit", RUN)
    starts = sorted(int(name[4:]) for name in os.listdir(run_path(keeper.home, RUN)) if name.startswith("out."))
    assert 0 < starts[0] <= 100_000


def test_thousands_of_lines_from_twenty_writers_are_there_once(keeper, client):
    runs = [f"aaaaaa{number:02x}.1" for number in range(20)]
    numbers = [client.begin_spawn(run, "seq 5000") for run in runs]
    for number in numbers:
        client.answer(number)
    for run in runs:
        client.notice("exit", run)
        assert read_log(keeper.home, run) == b"".join(b"%d\r\n" % number for number in range(1, 5001))


def test_exits_that_are_reaped_together_have_a_moment_each(keeper, client):
    """Who ends because another one has ended may be seen at once with it: the order of ends is that of the moments."""
    runs = ["a1b2c3d4.1", "a1b2c3d4.2"]
    pids = [client.spawn(run, "exec sleep 100")["pid"] for run in runs]
    os.kill(keeper.process.pid, signal.SIGSTOP)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        eventually(partial(_dead, pid), what=f"{pid} is dead")
    os.kill(keeper.process.pid, signal.SIGCONT)
    first, second = [client.notice("exit", run) for run in runs]
    assert first["end"] != second["end"]
    assert first["mono"] != second["mono"]


def _dead(pid):
    return not alive(pid)


def test_status_counts(lone_keeper):
    keeper, client = lone_keeper, lone_keeper.client()
    client.spawn(RUN, "sleep 100")
    status = client.ask("status")
    assert status["pid"] == keeper.process.pid
    assert status["runs"] == 1
    assert 4 << 20 < status["rss"] < 64 << 20
    assert status["cpu"] > 0
