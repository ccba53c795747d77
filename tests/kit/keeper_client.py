"""A real keeper process and a plain client of its socket, for tests."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from overmind_core.system.paths import Home, read_socket_address
from overmind_core.wire.framing import LineBuffer
from overmind_core.wire.keeper import PROTOCOL, FrameDecoder
from tests.kit import becoming, fork_server, tiers
from tests.kit.forked_process import ForkedProcess
from tests.kit.processes import MARKER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PATIENCE = 20.0
"""Seconds that any wait may take."""
ANSWER_LIMIT = 64 << 20


class Refusal(Exception):
    """The keeper answered with an error."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(f"{answer['error']}: {answer.get('message')}")
        self.code = answer["error"]
        self.answer = answer


class KeeperClient:
    """A connection that says hello, asks, and collects notices."""

    def __init__(self, home: Home, *, hello: bool = True, **introduction: object) -> None:
        self.home = home
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        try:
            self.socket.connect(read_socket_address(home.keeper_socket, home.keeper_socket_pointer))
        except OSError:  # else a later test of this worker is blamed for it
            self.socket.close()
            raise
        self.notices: deque[dict[str, Any]] = deque()
        self._lines = LineBuffer(ANSWER_LIMIT)
        self._answers: dict[int, dict[str, Any]] = {}
        self._next = 0
        if hello:
            self.hello = self.ask("hello", **{"protocol": PROTOCOL, "version": "test", "pid": 1, **introduction})

    def send(self, op: str, **fields: object) -> int:
        """Send a request; return its number."""
        self._next += 1
        self.socket.sendall(json.dumps({"op": op, "n": self._next, **fields}).encode() + b"\n")
        return self._next

    def ask(self, op: str, **fields: object) -> dict[str, Any]:
        """Return the `ok` part of the answer. Raises Refusal."""
        return self.answer(self.send(op, **fields))

    def answer(self, number: int) -> dict[str, Any]:
        """Wait for the answer to a request. Raises Refusal."""
        self._until(lambda: number in self._answers)
        answer = self._answers.pop(number)
        if "error" in answer:
            raise Refusal(answer)
        ok: dict[str, Any] = answer["ok"]
        return ok

    def notice(self, kind: str, run: str | None = None, **fields: object) -> dict[str, Any]:
        """Wait for a notice, and take it and none of the others."""
        wanted = {"notice": kind, **({"run": run} if run else {}), **fields}

        def match() -> dict[str, Any] | None:
            return next((notice for notice in self.notices if wanted.items() <= notice.items()), None)

        self._until(lambda: match() is not None)
        found = match()
        assert found is not None
        self.notices.remove(found)
        return found

    def spawn(self, run: str, command: str | Sequence[str], **fields: object) -> dict[str, Any]:
        """Spawn a shell command (a text) or an argv, with defaults for the rest."""
        return self.answer(self.begin_spawn(run, command, **fields))

    def begin_spawn(self, run: str, command: str | Sequence[str], **fields: object) -> int:
        """Send a spawn; return the request's number."""
        argv = ["sh", "-c", command] if isinstance(command, str) else list(command)
        program = "/bin/sh" if isinstance(command, str) else argv[0]
        env = {"PATH": os.environ["PATH"], "HOME": "/tmp", "LC_ALL": "C"}
        request = {"program": program, "argv": argv, "cwd": "/", "env": env, "tty": True, "stdin": "null"}
        return self.send("spawn", **{"run": run, **request, **fields})

    def run(self, run: str, command: str | Sequence[str], **fields: object) -> dict[str, Any]:
        """Spawn and wait for the exit notice."""
        self.spawn(run, command, **fields)
        return self.notice("exit", run)

    def row(self, run: str) -> dict[str, Any]:
        """What `list` says about one run."""
        return next(row for row in self.ask("list")["runs"] if row["run"] == run)

    def grown(self, run: str, enough: Callable[[bytes], bool], *, err: bool = False) -> bytes:
        """Wait until the log of a run is `enough`, told by notices; return it."""
        self.ask("watch", run=run, on=True)
        while not enough(log := read_log(self.home, run, err=err)):
            self.notice("grown", run)
        self.ask("watch", run=run, on=False)
        return log

    def at_end(self) -> bool:
        """Whether the keeper hangs up (waits for it)."""
        try:
            while data := self.socket.recv(65536):
                self._feed(data)
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Hang up without a word."""
        self.socket.close()

    def _until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not done():
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                raise TimeoutError("the keeper did not say what was waited for")
            data = self.socket.recv(1 << 20)
            if not data:
                raise ConnectionError("the keeper hung up")
            self._feed(data)

    def _feed(self, data: bytes) -> None:
        for line in self._lines.feed(data):
            message = json.loads(line)
            if "notice" in message:
                self.notices.append(message)
            else:
                self._answers[message["n"]] = message


class StreamClient:
    """A viewer."""

    def __init__(self, home: Home, ticket: str, **fields: object) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(read_socket_address(home.keeper_socket, home.keeper_socket_pointer))
        self.socket.sendall(json.dumps({"op": "stream", "n": 1, "ticket": ticket, **fields}).encode() + b"\n")
        self.frames: deque[tuple[int, bytes]] = deque()
        self._decoder = FrameDecoder()
        head = b""
        while b"\n" not in head:
            head += self.socket.recv(65536)
        line, _, rest = head.partition(b"\n")
        self.answer = json.loads(line)
        self.frames.extend(self._decoder.feed(rest))

    def frame(self) -> tuple[int, bytes]:
        """Wait for the next frame."""
        while not self.frames:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("the keeper hung up")
            self.frames.extend(self._decoder.feed(data))
        return self.frames.popleft()

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


class KeeperProcess:
    """A keeper of its own home, started as the supervisor starts it.

    Args:
        root: The home.
        marker: What every process of the test run inherits.
        linger: Seconds that it stays when nobody needs it.
        nofile: Limits of its files.
        modules: A folder whose modules its interpreter finds first.
        alone: It has its real start, for who judges its memory: a fork begins with all of the fork server's.
    """

    def __init__(
        self,
        root: str,
        *,
        marker: str = "",
        linger: float = 10.0,
        nofile: tuple[int, int] | None = None,
        modules: str = "",
        alone: bool = False,
    ) -> None:
        tiers.assert_may_start("a keeper")
        self.home = Home(root)
        os.makedirs(self.home.root, mode=0o700, exist_ok=True)
        self._linger = linger
        self._marker = marker
        self._nofile = nofile
        self._modules = modules
        self._alone = alone
        self.clients: list[KeeperClient | StreamClient] = []
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        ready, told = os.pipe()
        env = {"PATH": os.environ["PATH"], "HOME": self.home.root, MARKER: self._marker, **becoming.WORLD}
        if self._modules:
            env["PYTHONPATH"] = os.pathsep.join([self._modules, env["PYTHONPATH"]])
        is_fork = self._nofile is None and not self._alone and fork_server.serves(env, b"")
        kind, number = (ForkedProcess, fork_server.PASSED) if is_fork else (subprocess.Popen, told)
        argv = [*becoming.KEEPER, "--home", self.home.root]
        argv += ["--ready-fd", str(number), "--linger", str(self._linger)]
        if self._nofile is not None:
            argv = ["sh", "-c", f'ulimit -Sn {self._nofile[0]}; ulimit -Hn {self._nofile[1]}; exec "$@"', "sh", *argv]
        with open(self.home.keeper_log, "ab") as log:
            process = kind(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(told,),
                env=env,
                start_new_session=True,
            )
        os.close(told)
        try:
            assert os.read(ready, 1), f"the keeper did not start: {self.log()}"
        finally:
            os.close(ready)
        return process

    def client(self, **introduction: object) -> KeeperClient:
        """A new connection; the newest is the supervisor."""
        client = KeeperClient(self.home, **introduction)  # type: ignore[arg-type]
        self.clients.append(client)
        return client

    def stream(self, ticket: str, **fields: object) -> StreamClient:
        """A new viewer."""
        client = StreamClient(self.home, ticket, **fields)
        self.clients.append(client)
        return client

    def log(self) -> str:
        """What the keeper had to say about itself."""
        with open(self.home.keeper_log, encoding="utf-8") as file:
            return file.read()

    def wait(self) -> int:
        """Wait until the keeper has left."""
        return self.process.wait(PATIENCE)

    def end(self) -> None:
        """Let the keeper kill everything, as after a headless run, and leave."""
        for client in self.clients:
            client.close()
        if self.process.poll() is None:
            try:
                with contextlib.suppress(ConnectionError):  # a test has killed it; who started it may hear late
                    KeeperClient(self.home, kill_after=0.0).close()
                self.wait()
            except (OSError, TimeoutError, subprocess.TimeoutExpired):
                self.process.send_signal(signal.SIGKILL)
                self.process.wait()
                raise


def read_log(home: Home, run: str, *, err: bool = False) -> bytes:
    """All that is kept of a run's output."""
    folder = run_path(home, run)
    if not os.path.isdir(folder):
        return b""
    stream = "err." if err else "out."
    parts = []
    for name in sorted(os.listdir(folder)):
        if name.startswith(stream):
            with open(os.path.join(folder, name), "rb") as file:
                parts.append(file.read())
    return b"".join(parts)


def run_path(home: Home, run: str) -> str:
    """The folder of a run's log."""
    mission, number = run.split(".")
    return os.path.join(home.logs, mission, f"{int(number):06d}")
