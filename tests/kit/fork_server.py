"""The command line without its start-up: a process that has imported it already forks for each call.

A cold `overmind` spends three quarters of its time in the interpreter's start and in imports, which are the same for
each of the thousands of calls of a run. Here a server imports them once; each call is a fork of it that takes over
arguments, environment, folder, umask and standard files, and then runs `python -m overmind_core.cli` as always. What
needs the real start, or to be seen as a process of its own, is started the real way: see `Overmind.popen`.
"""

from __future__ import annotations

import functools
import gc
import json
import os
import runpy
import select
import selectors
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

LONGEST_INPUT = 4096
"""Bytes of standard input that surely fit into a pipe that nobody reads yet."""
_REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WORLD = {"LC_ALL": "C.UTF-8", "PYTHONPATH": _REPOSITORY}
"""What the server's interpreter has read."""
_READ_BY_OTHERS = ("LANG", "LC_", "PYTHON", "OVERMIND_MISSION_", "OVERMIND_PARENT_", "COVERAGE_")
"""Beginnings of names: the interpreter reads them when it starts, a supervisor reads its caller's in /proc."""
_EXEC = {"OVERMIND_TEST_EXEC"}
"""Set in the tests' own environment, each call has its real start."""
_FILES = 3
"""Standard files."""


class ForkServer:
    """One server; it ends with whoever started it.

    Args:
        variables: Its environment: what the interpreter itself reads, which no call can change.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tests.kit.fork_server", str(theirs.fileno())],
                env=dict(variables),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )

    def run(
        self, words: Sequence[str], *, env: Mapping[str, str], cwd: str, stdin: bytes, timeout: float
    ) -> tuple[int, bytes, bytes]:
        """Run `overmind <words>` to its end; return its exit status, negative for a signal, and what it printed.

        Raises:
            subprocess.TimeoutExpired: it was killed, as it had not ended after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        in_, feed = os.pipe()
        os.write(feed, stdin)
        os.close(feed)
        (out, out_), (err, err_) = os.pipe(), os.pipe()
        channel, theirs = socket.socketpair()
        with channel, theirs:
            socket.send_fds(self._control, [b"."], [theirs.fileno(), in_, out_, err_])
            theirs.close()
            for fd in (in_, out_, err_):
                os.close(fd)
            words = [*map(os.fspath, words)]
            request = {"words": words, "env": dict(env), "cwd": os.fspath(cwd), "umask": _umask()}
            channel.sendall(json.dumps(request).encode())
            channel.shutdown(socket.SHUT_WR)
            pid, told = channel.recv(16).split(b"\n")
            try:
                printed = _read_all((out, err), deadline)
                channel.settimeout(max(0.001, deadline - time.monotonic()))
                status = int(told or channel.recv(16))
            except TimeoutError:
                os.kill(int(pid), signal.SIGKILL)
                raise subprocess.TimeoutExpired(["overmind", *words], timeout) from None
            finally:
                os.close(out)
                os.close(err)
        return status, printed[out], printed[err]

    def close(self) -> None:
        """End it."""
        self._control.close()
        self._process.wait()


@functools.cache
def running() -> ForkServer:
    """The one of this test process, started by the first call."""
    return ForkServer({name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ} | WORLD)


def serves(env: Mapping[str, str], stdin: bytes) -> bool:
    """Whether this call may be a fork: nothing in its environment is for the interpreter's or the kernel's eyes."""
    for_others = {name: value for name, value in env.items() if name.startswith(_READ_BY_OTHERS)}
    return for_others == WORLD and len(stdin) <= LONGEST_INPUT and not _EXEC & os.environ.keys()


def end() -> None:
    """End the one of this test process, if there is one."""
    if running.cache_info().currsize:
        running().close()
        running.cache_clear()


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _read_all(fds: Sequence[int], deadline: float) -> dict[int, bytes]:
    """Read from all until each is closed by everybody.

    Raises:
        TimeoutError: not before the deadline.
    """
    read = {fd: bytearray() for fd in fds}
    with selectors.DefaultSelector() as selector:
        for fd in fds:
            selector.register(fd, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                data = os.read(key.fd, 1 << 16)
                read[key.fd] += data
                if not data:
                    selector.unregister(key.fd)
    return {fd: bytes(data) for fd, data in read.items()}


# the server's own side


def _serve(control: socket.socket) -> None:
    """Fork for each call, tell its pid and then how it ended, until the other side is gone."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    calls: dict[int, socket.socket] = {}
    while True:
        watched: list[socket.socket | int] = [control, woken]
        ready, _, _ = select.select(watched, [], [])
        if woken in ready:
            os.read(woken, 1 << 10)
        _reap(calls)
        if control not in ready:
            continue
        asked, fds, _, _ = socket.recv_fds(control, 1, 1 + _FILES)
        if not asked:
            return
        channel = socket.socket(fileno=fds[0])
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            _become(channel, fds[1:])
        for fd in fds[1:]:
            os.close(fd)
        channel.sendall(b"%d\n" % pid)
        calls[pid] = channel


def _reap(calls: dict[int, socket.socket]) -> None:
    while calls:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with calls.pop(pid) as channel:
            channel.sendall(b"%d" % os.waitstatus_to_exitcode(status))


def _become(channel: socket.socket, files: Sequence[int]) -> NoReturn:
    """Turn this fork into the process that the call describes."""
    try:
        for number, fd in enumerate(files):
            os.dup2(fd, number)
        with channel.makefile("rb") as request:
            _take_over(**json.load(request))
        os.closerange(_FILES, 256)
        runpy.run_module("overmind_core.cli", run_name="__main__", alter_sys=True)
    except BaseException:  # noqa: BLE001 - what would end an interpreter
        traceback.print_exc()
    os._exit(1)  # the command line itself ends the process


def _take_over(words: Sequence[str], env: Mapping[str, str], cwd: str, umask: int) -> None:
    for number in (signal.SIGCHLD, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL if number == signal.SIGCHLD else signal.default_int_handler)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.umask(umask)
    os.chdir(cwd)
    sys.argv = ["overmind", *words]
    sys.stdin, sys.stdout, sys.stderr = map(_opened_anew, (sys.stdin, sys.stdout, sys.stderr), "rww")


def _opened_anew(like: Any, mode: str) -> Any:
    """A standard file as the interpreter makes it: what is no terminal is buffered, but for stderr."""
    whole_lines = like.fileno() == _FILES - 1 or os.isatty(like.fileno())
    buffering = 1 if whole_lines and mode == "w" else -1
    return open(like.fileno(), mode, buffering, like.encoding, like.errors, closefd=False)


def _main() -> None:
    # What all commands import; a command's own module is found and loaded by each fork.
    import overmind_core.cli.headless.commands
    import overmind_core.cli.headless.runner
    import overmind_core.cli.output
    import overmind_core.cli.parser
    import overmind_core.client.client  # noqa: F401

    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ctrl-c in the shell that runs the tests
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    _main()
