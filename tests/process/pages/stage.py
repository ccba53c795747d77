"""A page that is tried step by step, as somebody would who reads it from top to bottom."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping

from tests.house.test_docs import read
from tests.kit import claude
from tests.kit.attached import Attached
from tests.kit.killing import without_waiting
from tests.kit.overmind import Overmind
from tests.kit.repositories import AUTHOR, Repository
from tests.kit.standin.script import LINES
from tests.kit.transcript import Meanings, Step, steps
from tests.pages.scenes import Scene

PATIENCE = 30.0
"""Seconds after which what a page says has to be true."""
READINGS = (
    "board", "cat", "changes", "cost", "events", "inbox", "info", "logs", "messages", "ports", "ps", "quest list",
    "quest logs", "quest why", "queue", "result", "ritual history", "rituals", "screen", "wait", "worktrees",
)  # fmt: skip
"""Commands that may be given again until they show it."""


_PROGRESS = re.compile(r"^(?:Preparing|Merging) \S+: .*\n", re.MULTILINE)
"""Shown, on a busy machine, of what takes longer than a second."""
_ID = re.compile(r"\b[0-9a-f]{8}\b")
WIDE = (250, 40)
"""Columns and rows of a terminal on which no line is cut."""


class Stage:
    """One page, tried step by step.

    Args:
        om: The command line in a home.
        folder: For the programs that stand in.
        root: Stands for `/`; short, since what is long is cut in tables.
        scene: What has to be there.
    """

    def __init__(self, om: Overmind, folder: str, root: str, scene: Scene) -> None:
        self._om, self._scene = om, scene
        self._root = root
        self._person = os.path.join(root, "ada")
        self._work = self._here(scene.folder)
        self._meanings = Meanings()
        self._status = 0
        self._times: Counter[str] = Counter()
        for path in (self._person, self._work):
            os.makedirs(path, exist_ok=True)
        programs = os.path.join(folder, "programs")
        om.environment |= claude.environment(claude.install(programs)) | AUTHOR | self._world(folder, programs)
        with open(om.environment[LINES], "w", encoding="utf-8") as file:
            file.write(self._here(json.dumps(scene.lines)))
        self._write()
        for name, script in scene.programs.items():
            _executable(os.path.join(programs, name), script)
        claude.settle(om, self._work)
        for command in (["overmind start"] if scene.running else []) + list(scene.begin):
            self._prepare(command)

    def _world(self, folder: str, programs: str) -> dict[str, str]:
        path = os.pathsep.join((programs, os.path.dirname(sys.executable), os.environ["PATH"]))
        return {"HOME": self._person, "PATH": path, LINES: os.path.join(folder, "lines.json"), "TZ": "Europe/Berlin"}

    def _write(self) -> None:
        if self._scene.repository:
            os.rmdir(self._work)
            Repository(self._work).commit("first", self._scene.files)
            return
        for name, content in self._scene.files.items():
            path = os.path.join(self._work, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(content)

    def take(self, step: Step) -> None:
        """Do the step; what comes is what the page says."""
        self._times[step.command] += 1
        for command in self._scene.between.get(f"{step.command}@{self._times[step.command]}", ()):
            self._prepare(command)
        if step.command in self._scene.left_out:
            return
        command = self._here(self._meanings.command(step.command))
        if step.command in self._scene.typed:
            self._typed(step, command)
            return
        began = time.monotonic()
        while True:
            self._status, printed = self._run(command)
            if self._fits(step, printed) if step.said else not self._status:
                return
            again = command.removeprefix("overmind ").startswith(READINGS)
            refused = "Error: " in printed and not any("Error: " in line for line in step.said)
            if not (again or refused) or time.monotonic() > began + PATIENCE:
                break
            time.sleep(max(0.2, (time.monotonic() - began) / 5))
        said = "\n".join(step.said)
        raise AssertionError(f"line {step.line}: {command}\nshould say:\n{said}\nand says:\n{printed}")

    def _fits(self, step: Step, printed: str) -> bool:
        said = tuple(self._here(line) for line in step.said)
        # What takes a second says so: on a slow day more does than on the page.
        if not any(line.startswith("waits") for line in said):
            printed = without_waiting(printed)
        told = {_ID.sub("", line) for line in said}
        printed = _PROGRESS.sub(lambda found: found[0] if _ID.sub("", found[0].rstrip("\n")) in told else "", printed)
        return self._meanings.fits(
            step._replace(said=said), printed, sort=step.command.startswith(tuple(self._scene.unsorted))
        )

    def _here(self, text: str) -> str:
        """The text with the folders that it names as they are here."""
        named = re.compile(r"(?<![\w.~])(?:~|/home/ada|/src)(?=/|$)")
        return named.sub(lambda found: self._root + "/src" if found[0] == "/src" else self._person, text)

    def _prepare(self, command: str) -> None:
        if command.startswith("cd "):
            self._work = self._here(command[3:])
            return
        code, printed = self._run(command)
        assert code == 0, f"{command}: {printed}"

    def _run(self, command: str) -> tuple[int, str]:
        finished = subprocess.run(
            ["bash", "-c", f"(exit {self._status}); {command}"],
            cwd=self._work, env=self._om.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, encoding="utf-8", timeout=60, check=False,
        )  # fmt: skip
        return finished.returncode, finished.stdout

    def _typed(self, step: Step, command: str) -> None:
        program = ("bash", "-c", f"cd {shlex.quote(self._work)}; {command}")
        expected = [self._here(line).strip(" …") for line in step.said if line.strip()]
        seen = ""
        with Attached(self._om, program=program, size=WIDE) as terminal:
            for shown, keys in self._scene.typed[step.command][self._times[step.command] - 1]:
                terminal.shows(shown)
                seen += terminal.text() + "\n"
                terminal.type(keys.encode())
            self._status = terminal.end()
            seen += terminal.text()
        assert [line for line in expected if line not in seen] == [], f"line {step.line}: {seen}"


def _executable(path: str, script: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\n{script}\n")
    os.chmod(path, 0o755)


def try_page(om: Overmind, folder: str, page: str, scene: Scene, *, names: Mapping[str, str] | None = None) -> None:
    """Try a page from its first step to its last.

    Args:
        om: The command line in a home.
        folder: For the programs that stand in.
        page: Its path in the repository.
        scene: What has to be there.
        names: What stands in the page, and what is here instead.
    """
    text = read(page)
    for written, real in (names or {}).items():
        text = text.replace(written, real)
    with tempfile.TemporaryDirectory(prefix="p", dir="/tmp") as root:
        stage = Stage(om, folder, root, scene)
        for step in steps(text):
            stage.take(step)
