"""A program in a session of its own, by either way the same."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import signal
import sys

import psutil
import pytest

from overmind_core.system.run_mark import mark_of, unmarked_limit
from overmind_core.system.spawn import AUTO, POSIX_SPAWN, PTYPROCESS, SpawnError, SpawnPlan, spawn, spawn_detached

WAYS = [POSIX_SPAWN, PTYPROCESS] if sys.platform.startswith("linux") else [PTYPROCESS]


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


@pytest.fixture(autouse=True)
def _same_world():
    """A spawn leaves nothing open and gives folder, umask and limits back (the folder is `/`)."""
    folder, umask = os.getcwd(), os.umask(0o027)
    files = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    assert os.umask(umask) == 0o027
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == limit
    if files:
        assert set(os.listdir("/proc/self/fd")) == files
    os.chdir(folder)


def plan(command, **fields):
    argv = [b"sh", b"-c", command.encode()] if isinstance(command, str) else command
    defaults = {
        "program": b"/bin/sh",
        "argv": argv,
        "env": {b"PATH": os.environb[b"PATH"]},
        "cwd": b"/",
        "umask": 0o022,
        "tty": True,
        "stdin": "null",
        "columns": 80,
        "rows": 24,
        "nofile": resource.getrlimit(resource.RLIMIT_NOFILE),
    }
    return SpawnPlan(**{**defaults, **fields})


def read_all(fd):
    os.set_blocking(fd, True)
    parts = []
    # A terminal ends in EIO, a pipe in nothing.
    with contextlib.suppress(OSError):
        while part := os.read(fd, 65536):
            parts.append(part)
    os.close(fd)
    return b"".join(parts).replace(b"\r\n", b"\n")


def run(the_plan, way, given=b""):
    spawned = spawn(the_plan, way)
    if spawned.stdin >= 0:
        os.write(spawned.stdin, given)
        os.close(spawned.stdin)
    out = read_all(spawned.out)
    err = read_all(spawned.err) if spawned.err >= 0 else b""
    return out, err, os.waitstatus_to_exitcode(os.waitpid(spawned.pid, 0)[1])


@pytest.mark.parametrize("tty", [True, False])
@pytest.mark.parametrize("code", [0, 1, 42, 255])
def test_the_exit_code_is_true(way, tty, code):
    assert run(plan(f"exit {code}", tty=tty), way)[2] == code


@pytest.mark.parametrize("stdin", ["null", "tty", "pipe"])
def test_the_terminal_is_the_controlling_one_whatever_stdin_is(way, stdin):
    out, _, _ = run(plan("tty </dev/tty; tty <&1; test -t 1 && test -t 2 && echo both", stdin=stdin), way)
    controlling, standard, both = out.split()
    assert controlling == b"/dev/tty"
    assert standard.startswith(b"/dev/")
    assert both == b"both"


def test_the_child_leads_a_session_and_the_foreground(way):
    out, _, _ = run(plan("ps -o pid=,pgid=,sid=,tpgid= -p $$"), way)
    assert len(set(out.split())) == 1


def test_the_size_is_there_from_the_start(way):
    assert run(plan("stty size <&1", columns=132, rows=50), way)[0] == b"50 132\n"


@pytest.mark.parametrize("tty", [True, False])
def test_stdin_from_null_is_at_its_end_at_once(way, tty):
    assert run(plan("cat; echo done", tty=tty), way)[0] == b"done\n"


@pytest.mark.parametrize("tty", [True, False])
def test_stdin_can_be_a_pipe(way, tty):
    assert run(plan("cat", stdin="pipe", tty=tty), way, b"given")[0] == b"given"


def test_pipes_keep_the_streams_apart(way):
    assert run(plan("echo out; echo err >&2", tty=False), way)[:2] == (b"out\n", b"err\n")


@pytest.mark.parametrize("tty", [True, False])
def test_folder_umask_and_environment_are_the_plans(way, tty, tmp_path):
    the_plan = plan("pwd; umask; env", cwd=os.fsencode(tmp_path), umask=0o137, env={b"ONLY": b"\xff"}, tty=tty)
    lines = run(the_plan, way)[0].splitlines()
    assert lines[:2] == [os.fsencode(os.path.realpath(tmp_path)), b"0137"]
    assert b"ONLY=\xff" in lines
    assert not any(line.startswith((b"HOME=", b"PATH=")) for line in lines)


def test_arguments_are_any_bytes_and_argv_0_is_free(way):
    argv = [b"my name", b"-c", b'printf "%s|" "$0" "$@"', b"\xff\xfe", b"", b"a b\n"]
    assert run(plan(argv), way)[0] == b"\xff\xfe||a b\n|"


@pytest.mark.parametrize("tty", [True, False])
def test_the_child_inherits_no_file_of_ours(way, tty):
    with open(os.devnull, "rb"):
        out, _, _ = run(plan("ls /dev/fd | sort -n", tty=tty), way)
    assert [int(fd) for fd in out.split()][:3] == [0, 1, 2]
    # `ls` has the folder itself open; what pytest leaves inheritable is not ours.
    inherited = {fd for fd in map(int, os.listdir("/dev/fd")) if fd > 2 and _is_inheritable(fd)}
    assert set(map(int, out.split())) - inherited - {0, 1, 2} <= {3, 4}


def _is_inheritable(fd):
    try:
        return os.get_inheritable(fd)
    except OSError:
        return False


@pytest.mark.linux
@pytest.mark.parametrize("tty", [True, False])
def test_no_signal_is_ignored_or_blocked(way, tty):
    before = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    try:
        out, _, _ = run(plan("exec grep -E 'SigBlk|SigIgn' /proc/self/status", tty=tty), way)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
        signal.signal(signal.SIGUSR2, before)
    # The C library ignores its own two signals (32 and 33) between vfork and exec.
    internal = 0b11 << 31
    assert [int(line.split()[1], 16) & ~internal for line in out.splitlines()] == [0, 0]


@pytest.mark.linux
@pytest.mark.parametrize("tty", [True, False])
def test_the_limits_are_the_plans(way, tty):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    spawned = spawn(plan("read x", stdin="pipe", tty=tty, nofile=(123, hard), mark=unmarked_limit() - 7), way)
    assert mark_of(spawned.pid) == unmarked_limit() - 7
    assert resource.prlimit(spawned.pid, resource.RLIMIT_NOFILE) == (123, hard)
    assert mark_of(os.getpid()) == unmarked_limit()
    for fd in (spawned.stdin, spawned.out, spawned.err):
        if fd >= 0:
            os.close(fd)
    os.waitpid(spawned.pid, 0)


@pytest.mark.linux
def test_many_open_files_of_ours_do_not_hinder_a_child_with_a_low_limit(way):
    mine = [os.open(os.devnull, os.O_RDONLY) for _ in range(100)]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        for tty in (True, False):
            for stdin in ("null", "pipe"):
                assert run(plan("echo x", tty=tty, stdin=stdin, nofile=(32, hard)), way)[0] == b"x\n"
    finally:
        for fd in mine:
            os.close(fd)


@pytest.mark.parametrize("tty", [True, False])
@pytest.mark.parametrize(
    ("fields", "number", "step"),
    [
        ({"program": b"/nowhere/at/all"}, errno.ENOENT, "exec"),
        ({"program": b"/etc/passwd"}, errno.EACCES, "exec"),
        ({"program": b"/etc"}, errno.EACCES, "exec"),
        ({"cwd": b"/nowhere"}, errno.ENOENT, "cwd"),
        ({"cwd": b"/etc/passwd"}, errno.ENOTDIR, "cwd"),
        ({"argv": [b"sh", b"-c", b"x" * 3_000_000]}, errno.E2BIG, "exec"),
    ],
)
def test_a_failure_names_its_step_and_leaves_nothing(way, tty, fields, number, step):
    before = psutil.Process().children()
    with pytest.raises(SpawnError) as failure:
        spawn(plan("true", tty=tty, **fields), way)
    assert (failure.value.errno, failure.value.step) == (number, step)
    assert psutil.Process().children() == before


@pytest.mark.parametrize("tty", [True, False])
def test_no_descriptors_is_a_failure_that_leaves_nothing(way, tty):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    refused = []
    for spare in range(6):
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + spare, hard))
        try:
            spawned = spawn(plan("exit 3", tty=tty, nofile=(soft, hard)), way)
        except SpawnError as failure:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            refused.append(failure.errno)
        else:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for fd in (spawned.out, spawned.err):
                if fd >= 0:
                    os.close(fd)
            assert os.waitpid(spawned.pid, 0)[1]
    assert set(refused) == {errno.EMFILE}


def test_letting_go_of_the_result_hangs_nobody_up(way):
    spawned = spawn(plan("echo a; read x; echo $x", stdin="tty"), way)
    out, pid = spawned.out, spawned.pid
    del spawned
    os.write(out, b"b\n")
    assert read_all(out).split() in ([b"a", b"b", b"b"], [b"b", b"a", b"b"])
    assert os.waitpid(pid, 0)[1] == 0


@pytest.mark.linux
@pytest.mark.parametrize(("way", "calls"), [(AUTO, "posix_spawn"), (POSIX_SPAWN, "posix_spawn"), (PTYPROCESS, "fork")])
def test_each_name_is_the_way_that_it_says(monkeypatch, way, calls):
    called = []

    def note(name, call):
        def noted(*args, **options):
            called.append(name)
            return call(*args, **options)

        monkeypatch.setattr(os, name, noted)

    note("posix_spawn", os.posix_spawn)
    note("fork", os.fork)
    assert run(plan("echo x", tty=False), way)[0] == b"x\n"
    assert called == [calls]


def test_a_daemon_is_detached_and_its_output_appended(tmp_path):
    log = tmp_path / "daemon.log"
    log.write_text("before\n")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    argv = ["/bin/sh", "-c", "echo $MESSAGE; echo err >&2; pwd; ps -o pid=,sid= -p $$"]
    env = {"MESSAGE": "hello", "PATH": os.environ["PATH"]}
    pid = spawn_detached(argv, env, log=str(log), nofile=limits)
    assert os.waitpid(pid, 0)[1] == 0
    lines = log.read_text().split("\n")
    assert lines[:4] == ["before", "hello", "err", "/"]
    assert len(set(lines[4].split())) == 1
