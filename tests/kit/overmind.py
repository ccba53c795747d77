"""The command line as a person meets it: a subprocess, in a home and a world of its own."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any

from overmind_core.cli.context import GIT_WAITS
from overmind_core.system.lock import holder_pid
from tests.kit import fork_server, tiers
from tests.kit.forked_process import ForkedProcess
from tests.kit.processes import MARKER, alive
from tests.kit.raw_socket import RawSocket

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = [sys.executable, "-P", "-m", "overmind_core.cli"]
INHERITED = ("PATH", "TMPDIR", "TZ", "USER", "LOGNAME", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")
WAITS = ("waits", *(text.partition("{")[0] for text in GIT_WAITS.values()))
"""Beginnings of lines that a busy machine has before an error: for what a command waits after a second."""
FINAL = ("stopped", "crashed", "killed")

Finished = subprocess.CompletedProcess[str]


class Overmind:
    """One home and the commands given in it.

    Attributes:
        since: Number of the newest event that was there before us; `events` and `wait_status` know later ones only.
    """

    def __init__(self, home: str, *, user_home: str, marker: str, since: int = 0) -> None:
        tiers.assert_may_start("a home")
        self.home = home
        self.since = since
        self._clients: list[subprocess.Popen[str]] = []
        self.environment = {name: os.environ[name] for name in INHERITED if name in os.environ} | {
            "HOME": user_home,
            "LC_ALL": "C.UTF-8",
            "OVERMIND_HOME": home,
            "PYTHONPATH": REPOSITORY,
            "SHELL": "/bin/sh",
            "TERM": "xterm-256color",
            MARKER: marker,
        }

    # any command

    def __call__(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        stdin: str | None = None,
        timeout: float = 60.0,
    ) -> Finished:
        """Run `overmind <words>` to its end, whatever its exit code.

        Args:
            words: Arguments of the command line.
            env: Added to the environment.
            cwd: Working directory; None = the home, which is there for certain.
            stdin: Text; None = nothing to read.
            timeout: Seconds.
        """
        status, out, err = self._ended(words, env or {}, cwd, os.fsencode(stdin or ""), timeout)
        return Finished([*PROGRAM, *words], status, _text(out), _text(err))

    def ok(self, *words: str, **how: Any) -> str:
        """Run a command that must succeed and return what it printed."""
        finished = self(*words, **how)
        assert finished.returncode == 0, f"{words}: exit {finished.returncode}: {finished.stdout}{finished.stderr}"
        return finished.stdout

    def refused(self, *words: str, code: str, exit_code: int = 1, **how: Any) -> str:
        """Run a command that must fail with the error `code`, and return its sentence, without what it waited for."""
        finished = self(*words, **how)
        assert finished.returncode == exit_code, f"{words}: {finished}"
        said = "".join(
            itertools.dropwhile(lambda line: line.startswith(WAITS), finished.stderr.splitlines(keepends=True))
        )
        start = f"Error: {code}: "
        assert said.startswith(start), f"{words}: {finished.stderr}"
        return said.removeprefix(start)

    def json(self, *words: str, **how: Any) -> Any:
        """Run a command that prints one JSON value, and return that."""
        return json.loads(self.ok(*words, **how))

    def ndjson(self, *words: str, **how: Any) -> list[Any]:
        """Run a command that prints a JSON value per line, and return them."""
        return [json.loads(line) for line in self.ok(*words, **how).splitlines()]

    def raw(self, *words: str, timeout: float = 60.0) -> bytes:
        """Run a command that must succeed and return the bytes it printed."""
        status, out, err = self._ended(words, {}, None, b"", timeout)
        assert status == 0, f"{words}: exit {status}: {_text(err)}"
        return out

    def _ended(
        self, words: Sequence[str], env: Mapping[str, str], cwd: str | None, stdin: bytes, timeout: float
    ) -> tuple[int, bytes, bytes]:
        """Run it to its end; its exit status and what it printed."""
        how: Any = {"env": {**self.environment, **env}, "cwd": cwd or self.home, "timeout": timeout}
        if fork_server.serves(how["env"], stdin):
            return fork_server.running().run(words, stdin=stdin, **how)
        done = subprocess.run([*PROGRAM, *words], input=stdin, capture_output=True, check=False, **how)
        return done.returncode, done.stdout, done.stderr

    def popen(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        stdin: int | IO[str] | None = None,
    ) -> subprocess.Popen[str]:
        """Start `overmind <words>` with pipes for its output; what still runs at the test's end is killed then."""
        world = {**self.environment, **(env or {})}
        kind = ForkedProcess if fork_server.serves(world, b"") else subprocess.Popen
        client = kind(
            [*PROGRAM, *words],
            env=world,
            cwd=cwd or self.home,
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="surrogateescape",
        )
        self._clients.append(client)
        return client

    def end_clients(self) -> None:
        """Kill what `popen` started and close its pipes."""
        for client in self._clients:
            client.kill()
            client.wait()
            for pipe in (client.stdin, client.stdout, client.stderr):
                if pipe and not pipe.closed:
                    pipe.close()
        self._clients.clear()

    # missions

    def run(self, command: str | Sequence[str], *options: str, **how: Any) -> Finished:
        """Run `overmind run <options> -- <command>`; text is a shell string, a list an argv."""
        return self("run", *options, "--", *_words(command), **how)

    def mission(self, command: str | Sequence[str], *options: str, **how: Any) -> str:
        """Start a mission and return its id; without that process where a daemon answers and few options are given."""
        words = _words(command)
        if not how and (asked := _plain(options)) is not None:
            command = words[0] if len(words) == 1 else list(words)
            with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
                world = {"cwd": self.home, "env": self.environment, "umask": fork_server.umask()}
                return str(self.api("run", command=command, **world, **asked)["id"])
        started = self.json("run", "--json", *options, "--", *words, **how)
        return str(started["id"])

    def finished(self, command: str | Sequence[str], *options: str, timeout: float = 30.0) -> dict[str, Any]:
        """Start a mission, wait for its end and return its `info`."""
        return self.wait_status(self.mission(command, *options), *FINAL, timeout=timeout)

    def info(self, mission: str) -> dict[str, Any]:
        """Everything known of a mission, as `overmind info` prints it; without that process while a daemon answers."""
        try:
            return dict(self.api("info", id=mission))
        except (OSError, EOFError):
            return dict(self.json("info", mission))

    def ps(self, *options: str) -> list[dict[str, Any]]:
        """Return the rows of `overmind ps --json`."""
        return list(self.json("ps", "--json", *options))

    def pid(self, mission: str) -> int:
        """Pid of the mission's root process, which must be there."""
        pid = self.info(mission)["os_pid"]
        assert isinstance(pid, int), f"{mission} has no process"
        return pid

    def logs(self, mission: str, *options: str) -> str:
        """Return the mission's log as text."""
        return self.ok("logs", mission, *options)

    def events(self, *types: str, mission: str | None = None) -> list[dict[str, Any]]:
        """Return what has happened since we have the home: of these types, or of any; to that mission, or to all."""
        with RawSocket.connect(self.home) as api:
            api.ok("events", since=self.since)
            found = [line["item"] for line in itertools.takewhile(lambda line: "end" not in line, api.lines())]
        return [
            event
            for event in found
            if (not types or event["type"] in types) and (mission is None or event.get("mission") == mission)
        ]

    def wait_status(self, mission: str, *statuses: str, timeout: float = 20.0) -> dict[str, Any]:
        """Return the mission's `info` as soon as its status is one of `statuses`.

        Looks again at each of its events, so that it also sees a status that lasts a moment only while it still holds;
        a new supervisor in between is not noticed.
        """
        deadline = time.monotonic() + timeout
        seen: Any = None
        while time.monotonic() < deadline:
            try:
                with RawSocket.connect(self.home) as events:
                    events.ok("events", follow=True, since=self.since)
                    while time.monotonic() < deadline:
                        seen = self.api("info", id=mission)
                        if seen["status"] in statuses:
                            return dict(seen)
                        _next_event(events, mission)
            except (OSError, EOFError):
                time.sleep(0.05)  # nobody listens for a moment: the next supervisor is on its way
        raise AssertionError(f"{mission} is not {' or '.join(statuses)} after {timeout} s: {seen}")

    # processes and files

    def api(self, cmd: str, /, **args: Any) -> Any:
        """Ask the daemon, on a connection of its own, for what must succeed."""
        with RawSocket.connect(self.home) as connection:
            return connection.ok(cmd, **args)

    def path(self, *names: str) -> str:
        """Return a path below the home."""
        return os.path.join(self.home, *names)

    def holder(self, lock: str) -> int | None:
        """Return the living process that wrote its pid into `lock`, such as "keeper.lock"."""
        try:
            with open(self.path(lock)) as file:
                pid = int(file.read().strip() or 0)
        except FileNotFoundError:
            return None
        return pid if pid and alive(pid) else None

    def locked_by(self, lock: str) -> int | None:
        """Return who holds a lock now; a process that has let go of it may live for a moment longer."""
        return holder_pid(self.path(lock))

    def supervisor_pid(self) -> int:
        """Pid of the supervisor, which must be there."""
        return _present(self.holder("supervisor.lock"), "supervisor")

    def keeper_pid(self) -> int:
        """Pid of the keeper, which must be there."""
        return _present(self.holder("keeper.lock"), "keeper")

    def diagnosis(self, lines: int = 40) -> str:
        """Return the ends of what daemon and keeper logged, for the report of a failed test."""
        parts = []
        for name in ("daemon.log", "keeper.log"):
            if os.path.exists(self.path(name)):
                with open(self.path(name), errors="replace") as file:
                    parts.append(f"{name}:\n" + "".join(file.readlines()[-lines:]))
        return "\n".join(parts)


def _plain(options: Sequence[str]) -> dict[str, str] | None:
    """The arguments of a request for options of `run` that have one value, and nothing to do with the caller."""
    names, values = options[::2], options[1::2]
    if len(names) != len(values) or not set(names) <= {"--name", "--parent"}:
        return None
    return {name.removeprefix("--"): value for name, value in zip(names, values, strict=True)}


def _text(printed: bytes) -> str:
    """Printed text, with the ends of its lines as Python's own text files have them."""
    return printed.decode(errors="surrogateescape").replace("\r\n", "\n").replace("\r", "\n")


def _words(command: str | Sequence[str]) -> Sequence[str]:
    return [command] if isinstance(command, str) else command


def _present(pid: int | None, name: str) -> int:
    assert pid is not None, f"there is no {name}"
    return pid


def _next_event(events: RawSocket, mission: str) -> None:
    """Return at the mission's next event, at the latest after a second."""
    deadline = time.monotonic() + 1.0
    while (left := deadline - time.monotonic()) > 0:
        try:
            if events.read_line(timeout=left).get("item", {}).get("mission") == mission:
                return
        except TimeoutError:
            return
