"""Commands that settings attach to events: all of an event at once, one JSON object on stdin."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tests.kit.standin import ids
from tests.kit.standin.questions import Decision, parse

TIMEOUT = 600.0
"""Seconds for a hook that names none."""

Payload = Mapping[str, Any]


class Finished:
    """What one hook said."""

    def __init__(self, process: subprocess.Popen[str], stdout: str, stderr: str) -> None:
        self.stdout, self.stderr = stdout, stderr
        self.exit_code = process.returncode

    def decision(self) -> Decision | None:
        """Return its answer to a permission question; None = it has none."""
        try:
            said = json.loads(self.stdout)["hookSpecificOutput"]
            return parse(said["decision"], "hook") if said["hookEventName"] == "PermissionRequest" else None
        except (ValueError, LookupError, TypeError):
            return None


class Hooks:
    """The hooks of one process.

    Args:
        settings: Each may have some.
        environment: Of the hooks.
        cwd: Where they run.
    """

    def __init__(self, settings: Sequence[Payload], environment: Mapping[str, str], cwd: str) -> None:
        self._groups = [one.get("hooks", {}) for one in settings]
        self._environment = dict(environment)
        self._cwd = cwd

    def commands(self, event: str, subject: str) -> Iterator[Payload]:
        """Yield the hooks of an event; `subject`: what a matcher looks at."""
        for groups in self._groups:
            for group in groups.get(event, ()):
                if group.get("matcher", "") in {"", "*"} or subject in group["matcher"].split("|"):
                    yield from group["hooks"]

    def run(self, event: str, payload: Payload, subject: str = "") -> list[Finished]:
        """Run all of an event side by side, to their ends."""
        started = [(self._start(hook, payload), hook) for hook in self.commands(event, subject)]
        return [_finish(process, hook) for process, hook in started]

    def race(self, event: str, payload: Payload, subject: str, decide: Callable[[Decision], Any]) -> Race:
        """Start all of an event and come back; the decision of whoever answers first goes to `decide`."""
        return Race([(self._start(hook, payload), hook) for hook in self.commands(event, subject)], decide)

    def _start(self, hook: Payload, payload: Payload) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            ["/bin/sh", "-c", hook["command"]], env=self._environment, cwd=self._cwd, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        with contextlib.suppress(BrokenPipeError):  # a hook need not read
            _stdin(process).write(json.dumps(payload) + "\n")
            _stdin(process).flush()
        with contextlib.suppress(BrokenPipeError):
            _stdin(process).close()
        process.stdin = None
        return process


class Race:
    """Hooks that answer one question, beside the person who may answer too."""

    def __init__(
        self, started: Sequence[tuple[subprocess.Popen[str], Payload]], decide: Callable[[Decision], Any]
    ) -> None:
        self._decide = decide
        self._processes = [process for process, _ in started]
        self._threads = [threading.Thread(target=self._follow, args=pair, daemon=True) for pair in started]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Wait until all have ended."""
        for thread in self._threads:
            thread.join()

    def stop(self) -> None:
        """End those that still run, since the turn was stopped."""
        for process in self._processes:
            _terminate(process)

    def _follow(self, process: subprocess.Popen[str], hook: Payload) -> None:
        decision = _finish(process, hook).decision()
        if decision:
            self._decide(decision)


def lines(system: Callable[..., dict[str, Any]], name: str, event: str, finished: Finished) -> list[dict[str, Any]]:
    """Return the two lines about one hook."""
    about = {"hook_id": ids.uuid4(), "hook_name": name, "hook_event": event}
    outcome = "success" if finished.exit_code == 0 else "error"
    said = {"output": finished.stdout + finished.stderr, "stdout": finished.stdout, "stderr": finished.stderr}
    return [
        system("hook_started", **about),
        system("hook_response", **about, **said, exit_code=finished.exit_code, outcome=outcome),
    ]


def _finish(process: subprocess.Popen[str], hook: Payload) -> Finished:
    try:
        stdout, stderr = process.communicate(timeout=float(hook.get("timeout", TIMEOUT)))
    except subprocess.TimeoutExpired:
        _terminate(process)
        stdout, stderr = process.communicate()
    return Finished(process, stdout, stderr)


def _terminate(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)


def _stdin(process: subprocess.Popen[str]) -> Any:
    return process.stdin
