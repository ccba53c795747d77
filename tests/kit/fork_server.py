"""The command line without its start-up: a process that has imported it already forks for each call.

A cold `overmind` spends three quarters of its time in the interpreter's start and in imports, and a daemon that it
starts nearly all of it; both are the same for each of the thousands of calls of a run. Here a server imports them
once. Each call is a fork of it that takes over arguments, environment, folder, umask and standard files, and then runs
`python -m overmind_core.cli` as always; where that would execute `python -m` of ours, it goes on as that module, and
so does the child that is to become a daemon's keeper. In /proc all look as if they had been executed, so that the
product and the tests find them.

What is started on a terminal, by a mission or by a keeper has its real start.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
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
import termios
import time
import traceback
import warnings
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
PASSED = _FILES
"""The descriptor of the one file that a call may have beside these."""
_SWITCH_SECONDS = sys.getswitchinterval()
_ROOM = 8192
"""Bytes for the words, and as many for the variables, that /proc shows of a fork; what is longer is cut off there."""
_REAL_EXECVE = os.execve
_REAL_FORK_EXEC = subprocess._fork_exec  # type: ignore[attr-defined] # what all of `subprocess` comes down to
INTERPRETER = (sys.executable, "-P", "-m")
"""How each of ours is executed, before its module and words."""
_PRELOADED = {"overmind_core.cli", "overmind_core.daemon", "overmind_core.keeper"}
"""What ends its process by itself; the full-screen program leaves that to the interpreter."""
KEEPER = (*INTERPRETER, "overmind_core.keeper")


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
                [*INTERPRETER, "tests.kit.fork_server", str(theirs.fileno()), "-" * _ROOM],
                env={**variables, "ROOM": "-" * _ROOM},
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
        channel, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [b"."], [theirs.fileno(), *files])
        words = [*map(os.fspath, words)]
        how = {"env": dict(env), "cwd": os.fspath(cwd), "umask": umask(), "session": session}
        channel.sendall(json.dumps({"module": module, "words": words, **how}).encode())
        channel.shutdown(socket.SHUT_WR)
        return Call(channel)

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
    usual = for_others == WORLD and len(stdin) <= LONGEST_INPUT
    return usual and sys.platform == "linux" and not _EXEC & os.environ.keys()


def end() -> None:
    """End the one of this test process, if there is one."""
    if running.cache_info().currsize:
        running().close()
        running.cache_clear()


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
    while calls:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with calls.pop(pid) as channel, contextlib.suppress(OSError):  # whoever asked may have stopped waiting
            channel.sendall(b"%d" % os.waitstatus_to_exitcode(status))


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
    os.execve = _execute  # type: ignore[assignment] # what this process does from now on is the product's
    subprocess._fork_exec = _fork_keeper  # type: ignore[attr-defined]
    _run(request["module"], request["words"], request["env"])


def _execute(path: str, argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Like `os.execve`; a module of ours takes over this process as it is."""
    if tuple(argv[: len(INTERPRETER)]) != INTERPRETER or argv[len(INTERPRETER)] not in _PRELOADED:
        _REAL_EXECVE(path, list(argv), env)
    for fd in map(int, os.listdir("/proc/self/fd")):
        with contextlib.suppress(OSError):
            if not os.get_inheritable(fd):
                os.close(fd)
    gc.freeze()  # what held a file closes nothing any more
    _run(argv[3], argv[4:], env)


def _fork_keeper(argv: Sequence[Any], *how: Any) -> int:
    """Like what `subprocess` starts all with; a keeper goes on as a child of the daemon that would execute it."""
    if tuple(argv[: len(KEEPER)]) != KEEPER:
        return int(_REAL_FORK_EXEC(argv, *how))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # no thread of the daemon holds what the keeper will need
        pid = os.fork()
    if pid == 0:
        _become_keeper(argv, how)
    return pid


def _become_keeper(argv: Sequence[Any], how: Sequence[Any]) -> NoReturn:
    """Turn this fork of a daemon into what would be executed; `how`: what `subprocess` says of files and variables."""
    try:
        _, _, kept, cwd, env, in_, _, _, out, _, err, _, report = how[:13]
        signal.set_wakeup_fd(-1)
        for number in signal.valid_signals():
            if callable(signal.getsignal(number)):
                signal.signal(number, signal.SIG_DFL)
        os.execve, subprocess._fork_exec = _REAL_EXECVE, _REAL_FORK_EXEC  # type: ignore[attr-defined]
        sys.setswitchinterval(_SWITCH_SECONDS)
        os.setsid()
        os.chdir(cwd)
        for target, fd in enumerate((in_, out, err)):
            os.dup2(fd, target)
        for fd in {int(name) for name in os.listdir("/proc/self/fd")} - {*range(_FILES), *kept} | {report}:
            with contextlib.suppress(OSError):
                os.close(fd)
        gc.freeze()  # what held a file closes nothing any more
        variables = dict(os.fsdecode(one).split("=", 1) for one in env)
        _run(KEEPER[-1], [os.fsdecode(word) for word in argv[len(KEEPER) :]], variables)
    finally:
        os._exit(1)


def _run(module: str, words: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Be `python -m <module> <words>`, as the interpreter begins it."""
    try:
        environ = dict(env)
        os.environ.clear()
        os.environ.update(environ)
        time.tzset()
        _show((*INTERPRETER, module, *words), [f"{name}={value}" for name, value in environ.items()])
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        sys.argv = [module, *words]
        sys.stdin, sys.stdout, sys.stderr = map(_opened_anew, (sys.stdin, sys.stdout, sys.stderr), "rww", range(_FILES))
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except BaseException:  # noqa: BLE001 - what would end an interpreter
        traceback.print_exc()
    os._exit(1)  # each of ours ends the process by itself


def _show(*shown: Sequence[str]) -> None:
    """Write words and variables over those with which this process was started, where /proc reads them."""
    with open("/proc/self/stat", "rb") as file:
        places = [int(field) for field in file.read().rpartition(b")")[2].split()[45:49]]
    for texts, start, end in zip(shown, places[::2], places[1::2], strict=True):
        data = b"".join(os.fsencode(text) + b"\0" for text in texts)[: end - start - 1]
        ctypes.memmove(start, data.ljust(end - start, b"\0"), end - start)


def _opened_anew(like: Any, mode: str, fd: int) -> Any:
    """A standard file as the interpreter makes it: what is no terminal is buffered, but for stderr."""
    whole_lines = mode == "w" and (fd == _FILES - 1 or os.isatty(fd))
    return open(fd, mode, 1 if whole_lines else -1, like.encoding, like.errors, closefd=False)


def _main() -> None:
    # What all commands and the daemon import; a command's own module is found and loaded by each fork.
    import overmind_core.cli.headless.commands
    import overmind_core.cli.headless.runner
    import overmind_core.cli.output
    import overmind_core.cli.parser
    import overmind_core.client.client
    import overmind_core.keeper.main  # noqa: F401

    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ctrl-c in the shell that runs the tests
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    _main()
