"""The product as a user has it: a wheel in a virtual environment of its own, homes that end with the measurement."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from overmind_core.system.lock import holder_pid
from overmind_core.system.paths import Home as Layout
from overmind_core.system.paths import read_socket_address

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PATIENCE = 60.0
"""Seconds for anything to start, answer or end."""
LOOK_AGAIN = 0.002
"""Seconds between two looks at something that tells nobody."""
NONE: Mapping[str, str] = MappingProxyType({})


class Product:
    """An installation below `folder`. An editable install would make every start of its Python slower."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._venv = os.path.join(folder, "venv")
        subprocess.run([sys.executable, "-m", "venv", self._venv], check=True)
        self._install(REPOSITORY)

    def _install(self, what: str) -> None:
        install = [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", what]
        subprocess.run(install, check=True, stderr=subprocess.DEVNULL)

    def install_web(self) -> None:
        """Install what `overmind web` needs besides."""
        self._install(f"{REPOSITORY}[web]")

    def install_swarm(self) -> None:
        """Install what a hive of a swarm needs besides."""
        self._install(f"{REPOSITORY}[swarm]")

    @property
    def python(self) -> str:
        """The interpreter that the product runs in."""
        return os.path.join(self._venv, "bin", "python")

    @property
    def program(self) -> str:
        """The command `overmind`."""
        return os.path.join(self._venv, "bin", "overmind")

    @contextlib.contextmanager
    def home(self, *, keeps_files: bool = False, variables: Mapping[str, str] = NONE) -> Iterator[Home]:
        """A daemon in a home of its own; afterwards nothing of it is left.

        Args:
            variables: Of its environment, besides those of this process.
            keeps_files: Its files go with the installation. For rounds that make thousands of them: ext4 gives the
                place of a file to no other one for a minute or more after it was removed, and passes over each such
                place whenever it makes one, so a round would pay for the removal of the one before.
        """
        home = Home(self, tempfile.mkdtemp(prefix="home-", dir=self._folder))
        home.environment.update(variables)
        try:
            home.command("start")
            yield home
        finally:
            home.end(keeps_files=keeps_files)


class Home:
    """One home of an installed product."""

    def __init__(self, product: Product, path: str) -> None:
        self.product = product
        self.path = path
        self._layout = Layout(path)
        world = {name: value for name, value in os.environ.items() if not name.startswith(("OVERMIND", "PYTHON"))}
        self.environment = {**world, "OVERMIND_HOME": path}

    def command(self, *words: str) -> str:
        """Run `overmind <words>` and return what it printed."""
        argv = [self.product.program, *words]
        done = subprocess.run(
            argv, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"overmind {' '.join(words)}: {done.stderr}")
        return done.stdout

    def end_first_steps(self) -> None:
        """Have the full-screen program draw no tips: they come once in its life."""
        with open(os.path.join(self.path, "config.toml"), "w", encoding="utf-8") as file:
            file.write("[tui]\ncoach = false\n")

    def connect(self) -> Api:
        """A connection to the daemon."""
        return Api(read_socket_address(self._layout.socket, self._layout.socket_pointer))

    @property
    def supervisor(self) -> int:
        """The supervisor's pid."""
        return _present(holder_pid(self._layout.supervisor_lock))

    @property
    def keeper(self) -> int:
        """The keeper's pid."""
        return _present(holder_pid(self._layout.keeper_lock))

    def kill_supervisor(self) -> None:
        """Kill it with -9; returns when it is dead, for a dying one still accepts connections."""
        pid = self.supervisor
        os.kill(pid, signal.SIGKILL)
        while holder_pid(self._layout.supervisor_lock) == pid:
            time.sleep(LOOK_AGAIN)

    def sleepers(self, count: int) -> None:
        """Start missions that do nothing."""
        with contextlib.closing(self.connect()) as api:
            api.call_each("run", [self.mission(["sleep", "100000"])] * count)

    def mission(self, command: Sequence[str]) -> dict[str, Any]:
        """The arguments of `run` as the command line would send them, with the whole environment."""
        return {"command": list(command), "cwd": "/", "env": self.environment}

    def end(self, *, keeps_files: bool = False) -> None:
        """Stop everything and remove the home, whatever state it is in."""
        with contextlib.suppress(RuntimeError, subprocess.TimeoutExpired):
            self.command("shutdown", "--yes")
        for lock in (self._layout.supervisor_lock, self._layout.keeper_lock):
            pid = holder_pid(lock)
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
        if not keeps_files:
            shutil.rmtree(self.path, ignore_errors=True)


class Api:
    """Newline-delimited JSON over the daemon's socket, without any client of ours in between."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(PATIENCE)
        self._socket.connect(address)
        self._answers = self._socket.makefile("rb")

    def call(self, command: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - an answer is any JSON
        """Ask one thing."""
        return self.call_each(command, [arguments])[0]

    def call_each(self, command: str, requests: Sequence[dict[str, Any]]) -> list[Any]:
        """Ask many things at once; return their answers as they come."""
        answers, _ = self.timed(command, requests)
        return answers

    def timed(self, command: str, requests: Sequence[dict[str, Any]]) -> tuple[list[Any], float]:
        """As `call_each`, and the seconds from the first byte sent to the last answer."""
        began = time.perf_counter()
        lines = self._lines(command, requests)
        took = time.perf_counter() - began
        return [_ok(line) for line in lines], took

    def answers(self, command: str, requests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Ask many things at once; return all answers, those that refuse too."""
        return [json.loads(line) for line in self._lines(command, requests)]

    def _lines(self, command: str, requests: Sequence[dict[str, Any]]) -> list[bytes]:
        numbered = ({"cmd": command, "id": number, "args": args} for number, args in enumerate(requests))
        lines = b"".join(json.dumps(request).encode() + b"\n" for request in numbered)
        sender = threading.Thread(target=self._socket.sendall, args=(lines,))
        sender.start()
        answers = [self._answers.readline() for _ in requests]
        sender.join()
        return answers

    def until_ended(self, missions: Sequence[str], *, command: str = "wait") -> list[dict[str, Any]]:
        """Wait for missions, or with `quest_wait` for quests; return how each ended."""
        request = {"cmd": command, "args": {"ids": list(missions)}}
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        _ok(self._answers.readline())
        ended = [json.loads(self._answers.readline())["item"] for _ in missions]
        self._answers.readline()  # that nothing more comes
        return ended

    def close(self) -> None:
        """Hang up."""
        self._answers.close()
        self._socket.close()


def _ok(line: bytes) -> Any:  # noqa: ANN401 - an answer is any JSON
    answer = json.loads(line)
    if "ok" not in answer:
        raise RuntimeError(f"the daemon refused: {answer}")
    return answer["ok"]


def _present(pid: int | None) -> int:
    if pid is None:
        raise RuntimeError("a process of the product is not there")
    return pid
