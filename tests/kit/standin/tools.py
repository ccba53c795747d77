"""The tools of the stand-in; Bash really runs its command, in a session of its own as the real one does."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

ROUND_TRIP = 0.5
"""Seconds: the real one asks its API about each result, and a signal that was sent to both is faster than that."""


class Outcome(NamedTuple):
    """What a tool did."""

    content: str
    """For the model."""
    detail: Any
    """For the program that reads the lines."""
    is_error: bool = False


class NotBegun(Exception):
    """The turn was stopped before the tool began."""


class Toolbox:
    """Runs tools, one at a time.

    Args:
        environment: Of commands.
        cwd: Of commands, and what paths are relative to.
    """

    def __init__(self, environment: Mapping[str, str], cwd: str) -> None:
        self._environment = dict(environment)
        self._cwd = cwd
        self._running: subprocess.Popen[bytes] | None = None
        self._beginning = threading.Lock()
        """A command that has begun is known before it can be killed, and none begins after that."""
        self._stopped = threading.Event()
        self._tools: dict[str, Callable[[Mapping[str, Any]], Outcome]] = {
            "Bash": self._bash,
            "Read": self._read,
            "Write": self._write,
            "Edit": self._edit,
            "AskUserQuestion": _ask,
            "ExitPlanMode": _plan,
        }

    def run(self, tool: str, arguments: Mapping[str, Any], stopped: threading.Event) -> Outcome:
        """Run one to its end.

        Args:
            tool: Its name.
            arguments: What the model has chosen.
            stopped: Set, and then `kill` called, by whoever stops the turn.

        Raises:
            NotBegun: the turn was stopped first.
        """
        self._stopped = stopped
        if tool not in self._tools:
            return _failed(f"<tool_use_error>Error: No such tool available: {tool}</tool_use_error>")
        try:
            return self._tools[tool](arguments)
        except (OSError, KeyError) as error:
            return _failed(str(error))

    def kill(self) -> None:
        """Kill the command that runs, with its process group."""
        with self._beginning:
            running = self._running
        if running and running.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)

    def _bash(self, arguments: Mapping[str, Any]) -> Outcome:
        import tempfile  # a tenth of the start of all that never use it

        with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            with self._beginning:
                if self._stopped.is_set():
                    raise NotBegun
                running = self._running = subprocess.Popen(
                    ["/bin/bash", "-c", arguments["command"]], env=self._environment, cwd=self._cwd,
                    stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True,
                )  # fmt: skip
            code = running.wait()
            self._running = None
            printed = [_contents(stdout), _contents(stderr)]
        said = "\n".join(text for text in printed if text)
        if code == -signal.SIGTERM:
            time.sleep(ROUND_TRIP)
        if code:
            return _failed("\n".join(filter(None, [f"Exit code {code if code > 0 else 128 - code}", said])))
        detail = {
            "stdout": printed[0], "stderr": printed[1], "interrupted": False, "isImage": False,
            "noOutputExpected": arguments["command"].startswith("touch "),
        }  # fmt: skip
        return Outcome(said or "(Bash completed with no output)", detail)

    def _read(self, arguments: Mapping[str, Any]) -> Outcome:
        with open(self._path(arguments), encoding="utf-8", errors="replace") as file:
            content = file.read()
        return Outcome(content, {"type": "text", "file": {"filePath": self._path(arguments), "content": content}})

    def _write(self, arguments: Mapping[str, Any]) -> Outcome:
        path = self._path(arguments)
        with open(path, "w", encoding="utf-8") as file:
            file.write(arguments["content"])
        detail = {"type": "create", "filePath": path, "content": arguments["content"]}
        return Outcome(f"File created successfully at: {path}", detail)

    def _edit(self, arguments: Mapping[str, Any]) -> Outcome:
        path = self._path(arguments)
        with open(path, encoding="utf-8") as file:
            before = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(before.replace(arguments["old_string"], arguments["new_string"], 1))
        return Outcome(f"The file {path} has been updated.", {"filePath": path, **arguments})

    def _path(self, arguments: Mapping[str, Any]) -> str:
        return os.path.join(self._cwd, arguments["file_path"])


def _ask(arguments: Mapping[str, Any]) -> Outcome:
    said = ", ".join(f'"{question}"="{answer}"' for question, answer in arguments["answers"].items())
    told = f"Your questions have been answered: {said}. You can now continue with these answers in mind."
    return Outcome(told, dict(arguments))


def _plan(arguments: Mapping[str, Any]) -> Outcome:
    plan = arguments.get("plan")
    approved = "User has approved exiting plan mode. You can now proceed."
    return Outcome(approved, {"plan": plan, "isAgent": False})


def _failed(message: str) -> Outcome:
    return Outcome(message, f"Error: {message}", is_error=True)


def _contents(file: Any) -> str:
    file.seek(0)
    return str(file.read().decode(errors="replace")).rstrip("\n")
