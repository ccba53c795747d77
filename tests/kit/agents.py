"""Agents as a person has them: missions that run the stand-in, what they hear, what they do."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import shlex
import signal
import time
from collections.abc import Callable
from typing import Any, TypeVar

from tests.kit import claude
from tests.kit.attached import Attached
from tests.kit.overmind import FINAL, Overmind
from tests.kit.processes import alive, with_word
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

Seen = TypeVar("Seen")
Json = dict[str, Any]

PATIENCE = 20.0
"""Seconds that anything may take that an agent does."""
LEAVE = b"\x1c"
"""Ctrl-\\, by which a person leaves a terminal."""
_BETWEEN_LOOKS = 0.5
"""Seconds after which is looked again where no event came: not everything that is shown is one."""


class Gate:
    """A turn that lasts until the test opens the gate: the agent runs a command that waits for a file."""

    def __init__(self, path: str, patience: float) -> None:
        self._path, self._patience = path, patience
        self.command = f"while [ ! -e {shlex.quote(path)} ]; do sleep 0.02; done; echo through"
        self.prompt = f"!bash {self.command}"

    def runs(self, processes: int = 1) -> list[int]:
        """Wait until at least so many processes run the command; return their pids."""

        def look() -> list[int] | None:
            found = with_word(self.command)
            return found if len(found) >= processes else None

        return eventually(look, timeout=self._patience, what=f"a tool runs {self.command}") or []

    def open(self) -> None:
        """Let it go on."""
        with open(self._path, "w"):
            pass


class Agents:
    """A `claude` as everybody's, in the home and world of `om`.

    Args:
        om: The command line.
        folder: Where the program is put, and the tests' own files.
        program: Path of another program than the stand-in.
        work: Where agents work; "" = the home.
    """

    patience = PATIENCE
    """Seconds that anything may take that one of them does."""

    def __init__(self, om: Overmind, folder: str, *, program: str = "", work: str = "") -> None:
        self.om = om
        self.folder = folder
        self.program = program or claude.install(folder)
        self.work = work or om.home
        om.environment |= claude.environment(self.program)
        self._gates = 0
        self._first_number = 0

    def gate(self) -> Gate:
        """A new gate; the session needs `--allowed-tools Bash`."""
        self._gates += 1
        return Gate(os.path.join(self.folder, f"gate-{self._gates}"), self.patience)

    # missions

    def start(self, prompt: str, *options: str) -> str:
        """Start a task; return its id."""
        return self.om.mission([prompt], "--provider", "claude", "--cwd", self.work, *options)

    def task(self, prompt: str, *options: str) -> Json:
        """Run a task to its end; return its `info`."""
        return self.om.wait_status(self.start(prompt, *options), *FINAL, timeout=self.patience)

    def session(self, *options: str, prompt: str | None = None) -> str:
        """Start a session; return its id as soon as it runs."""
        command = [] if prompt is None else [prompt]
        where = ("--cwd", self.work)
        mission = self.om.mission(command, "--type", "session", "--provider", "claude", *where, *options)
        self.om.wait_status(mission, "running")
        return mission

    # messages

    def say(self, mission: str, text: str, *options: str) -> str:
        """Send a message and return its answer."""
        return self.om.ok("send", mission, "--wait", *options, "--", text).removesuffix("\n")

    def post(self, mission: str, text: str, **args: Any) -> Json:
        """Send a message and wait for nothing; return what the socket answers."""
        return dict(self.om.api("send", id=mission, text=text, **args))

    def number(self, count: int) -> int:
        """Return the number, among all that the home has seen, of this test's first, second, … message."""
        if not self._first_number:
            missions = [row["id"] for row in self.om.api("ps", all=True) if row["provider"] != "raw"]
            self._first_number = min(one["message"] for mission in missions for one in self.messages(mission))
        return self._first_number + count - 1

    def answer(self, message: Json | int, *, timeout: float | None = None) -> Json:
        """Wait until a message has ended, over any death of the daemon; return how it stands.

        Args:
            message: What `post` returned, or 1, 2, … for this test's first, second, …
            timeout: Seconds; None: as long as for anything.
        """

        def look() -> Json | None:
            with contextlib.suppress(OSError, EOFError, ValueError):  # ValueError: there is none yet
                number = self.number(message) if isinstance(message, int) else message["message"]
                found = self.om.api("await_message", message=number, until="answered", timeout=1)
                return dict(found) if found["state"] in {"answered", "failed", "cancelled"} else None
            return None

        return eventually(look, timeout=timeout or self.patience, what=f"message {message} has ended") or {}

    def messages(self, mission: str) -> list[Json]:
        """All messages of a mission, as `overmind messages` prints them."""
        return list(self.om.api("messages", id=mission))

    def states(self, mission: str) -> list[str]:
        """How they stand."""
        return [one["state"] for one in self.messages(mission)]

    # what is seen

    def until(self, mission: str, look: Callable[[Json], Seen], *, what: str = "") -> Seen:
        """Return the first true answer of `look` to the mission's `info`, asked at each of its events."""
        deadline = time.monotonic() + self.patience
        with RawSocket.connect(self.om.home) as events:
            events.ok("events", follow=True, since=self.om.since)
            while True:
                info = dict(self.om.api("info", id=mission))
                if seen := look(info):
                    return seen
                hopeless = info["status"] in FINAL or time.monotonic() > deadline
                assert not hopeless, f"not seen: {what}\n{info}"
                _await_event(events, mission)

    def doing(self, mission: str, *words: str) -> Json:
        """Wait until the mission's activity is one of `words`; return its `info`."""
        return self.until(mission, lambda info: info["activity"] in words and info, what=" or ".join(words)) or {}

    def asked(self, mission: str, count: int = 1) -> list[Json]:
        """Wait until the mission asks so many questions; return them as `inbox` shows them, oldest first."""

        def look(_: Json) -> list[Json] | None:
            mine = [one for one in self.om.api("inbox") if one["id"] == mission]
            return mine if len(mine) == count else None

        return self.until(mission, look, what=f"{count} questions") or []

    def events(self, mission: str, *types: str) -> list[Json]:
        """The mission's events of these types, oldest first."""
        return self.om.events(*types, mission=mission)

    def press(self, mission: str, keys: bytes) -> None:
        """Sit down at the mission's terminal, press keys, and leave again."""
        with Attached(self.om, mission) as person:
            person.joined()
            person.type(keys + LEAVE)
            assert person.end() == 0, person.text()

    # the program's own side

    def heard(self, mission: str) -> list[str]:
        """Every prompt that got into the mission's conversation, in order, as the program itself has stored it."""
        session = self.om.api("info", id=mission)["session_id"]
        return self.transcript(session)

    def transcript(self, session: str) -> list[str]:
        """The same of one conversation."""
        texts = []
        for path in self.records(session):
            with open(path, encoding="utf-8") as file:
                texts += [text for line in file for text in _texts(json.loads(line))]
        return texts

    def records(self, session: str) -> list[str]:
        """Paths of the files in which the program keeps a conversation."""
        return glob.glob(os.path.join(self.om.environment["HOME"], ".claude", "projects", "*", f"{session}.jsonl"))

    def kill(self, mission: str) -> int:
        """SIGKILL the agent's process; return its pid."""
        pid = self.om.pid(mission)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not alive(pid), what=f"{pid} is dead")
        return pid

    def again(self, mission: str, restarts: int = 1) -> Json:
        """Wait until it runs after so many restarts; return its `info`."""
        return self.until(
            mission,
            lambda info: info["status"] == "running" and info["restart_count"] >= restarts and info,
            what=f"restart #{restarts}",
        ) or {}  # fmt: skip


def _texts(entry: Json) -> list[str]:
    if entry["type"] != "user" or entry.get("isMeta"):
        return []
    content = entry["message"]["content"]
    if isinstance(content, str):
        return [content]
    return [block["text"] for block in content if block["type"] == "text"]


def _await_event(events: RawSocket, mission: str) -> None:
    """Return at the mission's next event, or after a while."""
    deadline = time.monotonic() + _BETWEEN_LOOKS
    while (left := deadline - time.monotonic()) > 0:
        try:
            if events.read_line(timeout=left).get("item", {}).get("mission") == mission:
                return
        except TimeoutError:
            return
