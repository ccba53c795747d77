"""The command line without its start-up: a process that has imported it already forks for each call.

A cold `overmind` spends three quarters of its time in the interpreter's start and in imports, and a daemon that it
starts nearly all of it; both are the same for each of the thousands of calls of a run. Here a server imports them
once. Each call is a fork of it that takes over arguments, environment, folder, umask and standard files, and then runs
`python -m overmind_core.cli` as always; what follows from it without a real start, `becoming.py` tells.

What is started on a terminal or by a mission has its real start.

The server adopts what its calls leave behind, as the first process of a machine does, and buries it: so all that a test
process starts by it stays below it (`processes.py`), and what it has used of the processor is counted here in the end.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import functools
import gc
import importlib
import json
import os
import pkgutil
import resource
import select
import selectors
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import NoReturn

import overmind_core
from tests.kit import forked_memory, tiers
from tests.kit.becoming import INTERPRETER, ROOM, WEB, WORLD, become, is_usual

LONGEST_INPUT = 4096
"""Bytes of standard input that surely fit into a pipe that nobody reads yet."""
_READ_BY_OTHERS = ("OVERMIND_MISSION_", "OVERMIND_PARENT_")
"""Beginnings of names: a supervisor reads its caller's in /proc, whose parent a fork of the server is not."""
_EXEC = {"OVERMIND_TEST_EXEC"}
"""Set in the tests' own environment, each call has its real start."""
_RARE = (
    "overmind_core.cortex.",
    "overmind_core.cli.agents.mcp_",
    "overmind_core.cli.service_unit.",
    "overmind_core.memory.vectors",
    "overmind_core.system.process_table_portable",
    *(() if os.environ.get("OVERMIND_TEST_POSTGRES") else ("overmind_core.swarm.",)),
)
"""How the names begin of modules that few calls need, with libraries that take long to load."""
_ABOUT_WEB = {"link", "token", "sessions", "revoke", "stop"}
"""Commands that only tell the web server, or ask about it."""
_PLAIN, _WEB = b".", b"w"
"""What is needed for a call: what all have, or the web server as well, which most runs never start."""
_COST = b"c"
"""No call: a question for the processor time used."""
PR_SET_CHILD_SUBREAPER = 36
"""prctl(2)."""
_FILES = 3
"""Standard files."""
PASSED = _FILES
"""The descriptor of the one file that a call may have beside these."""


class Call:
    """One call under way.

    Attributes:
        pid: Its process, a child of the server's.
    """

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        pid, self._told = channel.recv(16).split(b"\n")
        self.pid = int(pid)

    def status(self, timeout: float | None) -> int:
        """Wait for its end; its exit status, negative for a signal. Raises TimeoutError."""
        if not self._told:
            self._channel.settimeout(timeout)
            try:
                self._told = self._channel.recv(16)
            except BlockingIOError:
                raise TimeoutError from None
        return int(self._told)

    def close(self) -> None:
        """Wait for nothing more."""
        self._channel.close()


class ForkServer:
    """One server; it ends with whoever started it.

    Args:
        variables: Its environment: what the interpreter itself reads, which no call can change.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [*INTERPRETER, "tests.kit.fork_server", str(theirs.fileno()), "-" * ROOM],
                env={**variables, "ROOM": "-" * ROOM},
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
        try:
            call = self.start(words, env=env, cwd=cwd, files=(in_, out_, err_))
            for fd in (in_, out_, err_):
                os.close(fd)
            try:
                printed = _read_all((out, err), deadline)
                status = call.status(max(0.001, deadline - time.monotonic()))
            except TimeoutError:
                os.kill(call.pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(["overmind", *words], timeout) from None
            finally:
                call.close()
        finally:
            os.close(out)
            os.close(err)
        return status, printed[out], printed[err]

    def start(
        self,
        words: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: str,
        files: Sequence[int],
        module: str = "overmind_core.cli",
        session: bool = False,
    ) -> Call:
        """Start `python -m <module> <words>`.

        Args:
            words: Arguments.
            env: Environment.
            cwd: Working directory.
            files: What it has as its descriptors 0, 1, 2, and perhaps 3; they stay open here.
            module: The program.
            session: Whether it gets a session of its own.
        """
        tiers.assert_may_start(f"{module} {' '.join(map(os.fspath, words[:1]))}".strip())
        channel, theirs = socket.socketpair()
        with theirs:
            ours = _serves_web(module, words)
            socket.send_fds(self._control, [_WEB if ours else _PLAIN], [theirs.fileno(), *files])
        words = [*map(os.fspath, words)]
        how = {"env": dict(env), "cwd": os.fspath(cwd), "umask": umask(), "session": session}
        channel.sendall(json.dumps({"module": module, "words": words, **how}).encode())
        channel.shutdown(socket.SHUT_WR)
        return Call(channel)

    @property
    def pid(self) -> int:
        """The server's process, which adopts what its calls leave behind."""
        return self._process.pid

    def used(self) -> float:
        """Return the processor seconds of the server and of all that it has buried, with what those had buried."""
        channel, theirs = socket.socketpair()
        with channel:
            with theirs:
                socket.send_fds(self._control, [_COST], [theirs.fileno()])
            return float(channel.recv(64))

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
    usual = is_usual(env) and not any(name.startswith(_READ_BY_OTHERS) for name in env)
    short = len(stdin) <= LONGEST_INPUT
    return usual and short and sys.platform == "linux" and not _EXEC & os.environ.keys()


def end() -> None:
    """End the one of this test process, if there is one."""
    if running.cache_info().currsize:
        running().close()
        running.cache_clear()


def used_by_running() -> float:
    """Return the processor seconds of the one of this test process, with all that it has buried; 0: there is none."""
    return running().used() if running.cache_info().currsize else 0.0


def umask() -> int:
    """Return this process's own."""
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
        asked, fds, _, _ = socket.recv_fds(control, 1, 1 + _FILES + 1)
        if not asked:
            return
        channel = socket.socket(fileno=fds[0])
        if asked == _COST:
            with channel, contextlib.suppress(OSError):
                channel.sendall(repr(used()).encode())
            continue
        if asked == _WEB:
            _load_web()
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            _become(channel, fds[1:])
        for fd in fds[1:]:
            os.close(fd)
        with contextlib.suppress(OSError):
            channel.sendall(b"%d\n" % pid)
        calls[pid] = channel


def _reap(calls: dict[int, socket.socket]) -> None:
    """Bury the dead: calls, and orphans that were adopted, of which nobody wants to hear."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            pid, status = ended
            if pid in calls:
                with calls.pop(pid) as channel, contextlib.suppress(OSError):  # whoever asked may have stopped waiting
                    channel.sendall(b"%d" % os.waitstatus_to_exitcode(status))


def used() -> float:
    """Return the processor seconds of this process and of all children that it has buried, with theirs."""
    found = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in found)


def _adopt() -> None:
    """Become the parent of whoever loses its own below us; only Linux has this."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _become(channel: socket.socket, files: Sequence[int]) -> NoReturn:
    """Turn this fork into the process that the call describes."""
    for number, fd in enumerate(files):
        os.dup2(fd, number)
    with channel.makefile("rb") as told:
        request = json.load(told)
    os.closerange(len(files), 256)
    if request["session"]:
        os.setsid()
        if os.isatty(0):
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.umask(request["umask"])
    os.chdir(request["cwd"])
    become(request["module"], request["words"], request["env"])


def _load_all(package: ModuleType = overmind_core) -> None:
    """Import what commands and daemons load once they need it: each fork would load it anew."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("__main__") and not module.name.startswith(_RARE):
            importlib.import_module(module.name)


def _serves_web(module: str, words: Sequence[str]) -> bool:
    """Whether this call is the web server, or becomes or starts it."""
    return module == WEB or (bool(words) and words[0] == "web" and not {*words} & _ABOUT_WEB)


@functools.cache
def _load_web() -> None:
    """The same for the web server, with its libraries."""
    import overmind_web

    _load_all(overmind_web)
    gc.freeze()


def _main() -> None:
    _adopt()
    _load_all()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ctrl-c in the shell that runs the tests
    gc.freeze()
    forked_memory.settle()
    _serve(socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    _main()
