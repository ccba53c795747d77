"""The missions of one `provider test`: a client as any other, whose missions have a label by which all are removed."""

from __future__ import annotations

import contextlib
import os
import signal
import time

from overmind_core.cli.agents.talk import await_message
from overmind_core.cli.output import dumps
from overmind_core.cli.values import timeout_seconds, timeout_words
from overmind_core.domain.missions.reasons import sentence
from overmind_core.domain.text.cells import cut, display_safe
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from overmind_core.client.client import Client
    from overmind_core.providers.base import Provider

    Json = Mapping[str, Any]

LABEL = "provider-test"
"""The label of a test's missions. Each test has its own value, by which its missions are found and removed."""
LOOK_SECONDS = 0.3
LONGEST = "1h"
"""The limit of each run, should nobody be left to end it."""
FINAL = frozenset({"stopped", "crashed", "killed"})
_OVER = frozenset({"answered", "failed", "cancelled"})
_SHOWN_CELLS = 60
"""The width in which a wrong answer is shown."""
RUN = (
    "Use your shell tool once, to run the command below exactly as it is, and then reply with nothing but: done. "
    "If you are refused, try nothing else, and reply with nothing but: refused. The command: {}"
)
_SCRIPT = "#!/bin/sh\nexec 9>'{}'\necho runs >&9\nsleep 3600\n"
"""Says that it runs through a pipe, which is closed once nothing of it lives, wherever it was run."""


class CheckFailed(Exception):
    """The program did otherwise; the text says how."""


class LoginMissing(CheckFailed):
    """No check can pass."""


class NotPossible(Exception):
    """The program can't do that; the text says why."""


class Tool:
    """A command that runs until it is ended, and tells whether it does."""

    def __init__(self, folder: str, number: int) -> None:
        self.file = f"wait-{number}.sh"
        self.command = f"sh ./{self.file}"
        self.has_run = False
        pipe = os.path.join(folder, f"pipe-{number}")
        os.mkfifo(pipe, 0o600)
        with open(os.path.join(folder, self.file), "w", encoding="utf-8") as file:
            file.write(_SCRIPT.format(pipe.replace("'", "'\\''")))
        self._pipe = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    def runs(self) -> bool:
        """Whether a process of it lives."""
        try:
            data = os.read(self._pipe, 100)
        except BlockingIOError:
            return True
        self.has_run = self.has_run or bool(data)
        return bool(data)

    def close(self) -> None:
        """Close our end."""
        os.close(self._pipe)


class Trial:
    """The missions of one test, and what is asked of them.

    Args:
        client: Connected, so that no daemon is started while signals are held back.
        provider: Of the program.
        request: Arguments of `run` that are the same for all missions.
        folder: A temporary one, in which they work.
        patience: How long an answer may take, as a person has written it.
    """

    def __init__(
        self, client: Client, provider: Provider, request: Mapping[str, Any], folder: str, patience: str
    ) -> None:
        self.client = client
        self.provider = provider
        self.folder = folder
        self.word = ""
        """The word that the session was told to remember; "": none."""
        self.newest = ""
        """The mission that has answered last."""
        self._patience = patience
        self._key = os.urandom(6).hex()
        self._request = {"command": "", **request, "labels": {LABEL: self._key}, "notes": "off", "timeout": LONGEST}
        self._session = ""
        self._tools = 0

    # missions

    def start(self, **more: str | int) -> str:
        """Start a mission; return its id. A signal waits until that is known."""
        with signals_held():
            started = self.client.call("run", {**self._request, **more, "request": os.urandom(16).hex()})
        return str(started["id"])

    def session(self) -> str:
        """Return the session, which is begun where there is none."""
        if not self._session:
            self.word = ""
            self._session = self.start(type="session", restart="always", backoff=1)
            self.until(self.is_idle, "its session was not seen to be idle")
        return self._session

    def is_idle(self) -> bool:
        """Whether the session rests, as far as is known."""
        info = self.info()
        return "idle" in {info["activity"], info["activity_guess"]}

    def info(self) -> Json:
        """Return all that is known of the session, which has to live.

        Raises:
            CheckFailed: it has ended.
        """
        found: Json = self.client.call("info", {"id": self._session})
        if found["status"] in FINAL:
            raise self.ended(found)
        return found

    def ended(self, info: Json) -> CheckFailed:
        """Return how a mission ended that should not have."""
        return self.reason(info["reason"] or f"it ended with exit code {info['exit_code']}")

    def reason(self, error: str) -> CheckFailed:
        """Return a failure for the reason that a mission or a message has."""
        from overmind_core.providers.registry import NOT_LOGGED_IN, log_in_first

        if error == NOT_LOGGED_IN:
            return LoginMissing(f"it is not logged in; {log_in_first(self.provider.name, error)}")
        return CheckFailed("its program ended before it answered" if error == "exited" else sentence(error) or error)

    def leave_session(self) -> None:
        """Have the next check begin a session of its own: this one may be anywhere."""
        if self._session:
            with contextlib.suppress(OvermindError):
                self.client.call("kill", {"id": self._session})
        self._session = ""

    def end_session(self) -> None:
        """Stop the session as anybody does; the answer comes once nothing of it lives."""
        mission, self._session = self._session, ""
        self.client.call("stop", {"id": mission})

    def remove_all(self) -> list[str]:
        """End and remove the missions; return what could not be."""
        left = []
        label = f"{LABEL}={self._key}"
        try:
            rows = self.client.call("ps", {"all": True, "label": [label]})
        except OvermindError as error:
            return [f"Missions may be left, see: overmind ps --all --label {label}. {display_safe(error.message)}"]
        for row in rows:
            try:
                if row["status"] not in FINAL:
                    self.client.call("kill", {"id": row["id"]})
                self.client.call("rm", {"id": row["id"]})
            except OvermindError as error:
                left.append(f"Mission {row['id']} is left: {display_safe(error.message)}")
        return left

    # what is asked of them

    def until(self, is_so: Callable[[], object], otherwise: str) -> None:
        """Wait for a fact, as long as for an answer.

        Raises:
            CheckFailed: it did not come.
        """
        deadline = time.monotonic() + timeout_seconds(self._patience)
        while not is_so():
            if time.monotonic() > deadline:
                raise CheckFailed(f"{otherwise} within {timeout_words(self._patience)}")
            time.sleep(LOOK_SECONDS)

    def answer_questions(self, mission: str, allowed: str = "") -> list[Json]:
        """Allow what names the file `allowed`, and deny all else that the mission asks now; return the questions.

        Nobody has agreed to anything but the command of that file.

        Raises:
            CheckFailed: one that is answered nowhere but on its screen.
        """
        asked = [one for one in self.client.call("inbox") if one["id"] == mission]
        for one in asked:
            if one["attach_only"]:
                raise CheckFailed(f"it asks what only its own screen answers: {shown(one['summary'])}")
            behaviour = "allow" if allowed and is_about(one, allowed) else "deny"
            with contextlib.suppress(OvermindError):  # its program may have taken it back
                self.client.call("answer", {"question": one["question"], "behaviour": behaviour})
        return asked

    def send(self, text: str) -> Json:
        """Send a message to the session."""
        mission = self.session()
        sent: Json = self.client.call("send", {"id": mission, "text": text, "request": os.urandom(16).hex()})
        return sent

    def turn(self, text: str, allowed: str = "") -> tuple[str, list[Json]]:
        """Have a message answered; return the answer, and what was asked in between, as `answer_questions` answers."""
        message = self.send(text)
        asked: list[Json] = []
        state: dict[str, Any] = {}

        def is_over() -> bool:
            self.info()
            state.update(await_message(self.client, message, "answered", LOOK_SECONDS))
            asked.extend(() if state["state"] in _OVER else self.answer_questions(message["id"], allowed))
            return state["state"] in _OVER

        self.until(is_over, "it did not answer")
        if state["state"] != "answered":
            raise self.reason(state.get("error") or state["state"])
        self.newest = message["id"]
        return state["text"] or "", asked

    def tool(self) -> Tool:
        """Return a tool that the session runs."""
        self._tools += 1
        tool = Tool(self.folder, self._tools)
        message = self.send(RUN.format(tool.command))

        def is_running() -> bool:
            self.info()
            self.answer_questions(message["id"], tool.file)
            if tool.runs() or tool.has_run:
                return True
            if await_message(self.client, message, "answered", 0)["state"] in _OVER:
                raise CheckFailed("it did not run the command that it was given")
            return False

        try:
            self.until(is_running, "it did not run the command that it was given")
        except BaseException:
            tool.close()
            raise
        return tool

    def path(self) -> str:
        """Return the path of a file that no command has made yet."""
        return os.path.join(self.folder, f"made-{os.urandom(3).hex()}")


def is_about(question: Json, file: str) -> bool:
    """Whether a question shows a command with the name of that file."""
    return file in dumps(question["subject"]) + question["summary"]


def shown(text: str) -> str:
    """Return the beginning of what a program has said, on one line."""
    return display_safe(cut(" ".join(str(text).split()), _SHOWN_CELLS))


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Have signals that end this program wait until the block is over."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
