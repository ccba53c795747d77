"""The stage of the scripted agent: what it may do in front of a person or a program, and what it needs for that.

It remembers a conversation, so that it goes on where it was when it is started again; it calls the hooks that its
settings name for each event; and it reads keys, and text, also of a paste, from what a terminal sends.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

QUESTION = "AskUserQuestion"
"""The tool that is a question."""


class TurnInterrupted(Exception):
    """A person has ended the turn."""


class QuestionReply(NamedTuple):
    """The answer to a question."""

    allowed: bool
    said: str = ""
    """Words that came with a refusal."""
    chosen: str = ""
    """The option, where there were some; or the person's own words."""


class Stage(Protocol):
    """What the scripted agent can do; each method raises `TurnInterrupted` when a person interrupts."""

    def say(self, text: str) -> None:
        """Show a text of the agent."""

    def call(self, tool: str, subject: Mapping[str, Any]) -> str:
        """Announce the use of a tool; returns the call's name."""

    def returned(self, call: str, text: str, *, failed: bool = False) -> None:
        """What the tool gave back."""

    def ask(self, call: str, tool: str, subject: Mapping[str, Any]) -> QuestionReply:
        """Ask whether the tool may be used, and wait for the answer."""

    def wait(self, seconds: float) -> None:
        """Take time."""


def question(text: str, options: Mapping[str, str]) -> dict[str, Any]:
    """What a choice is about: a question, and each option with its meaning."""
    choices = [{"label": label, "description": about} for label, about in options.items()]
    return {"questions": [{"question": text, "header": "Choice", "options": choices, "multiSelect": False}]}


class ConversationMemory:
    """How far it has come.

    Args:
        folder: Of all conversations.
        session: The conversation's id.
    """

    def __init__(self, folder: str, session: str) -> None:
        self._path = os.path.join(folder, f"{re.sub('[^A-Za-z0-9-]', '_', session)}.json")
        self.step = self._read()
        """Steps of the plan that are done."""

    def advance(self) -> None:
        """One more is done; a disk that takes nothing only means that it is done again after a restart."""
        self.step += 1
        try:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            with open(self._path, "w", encoding="utf-8") as file:
                json.dump({"step": self.step}, file)
        except OSError:
            return

    def _read(self) -> int:
        try:
            with open(self._path, encoding="utf-8") as file:
                return int(json.load(file)["step"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0


_PATIENCE = 10.0
"""Seconds for a hook whose answer nobody needs."""


class HookCommands:
    """Calls them.

    Args:
        settings: JSON, as the option `--settings` carries it.
        session: The conversation's id.
    """

    def __init__(self, settings: str, session: str) -> None:
        try:
            self._by_event: Mapping[str, Any] = json.loads(settings).get("hooks", {})
        except (ValueError, AttributeError):
            self._by_event = {}
        self._session = session
        self.turn = ""
        """Names the turn under way."""

    def run(self, event: str, **fields: Any) -> None:  # noqa: ANN401 - any JSON
        """Run the commands of an event, and wait for them."""
        for hook in self.begin(event, **fields):
            try:
                hook.communicate(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                stop([hook])

    def begin(self, event: str, **fields: Any) -> list[subprocess.Popen[bytes]]:  # noqa: ANN401 - any JSON
        """The same without waiting: the processes."""
        payload = {
            "hook_event_name": event,
            "session_id": self._session,
            "cwd": os.getcwd(),
            "prompt_id": self.turn,
            **fields,
        }
        return [_started(command, json.dumps(payload).encode()) for command in self._commands(event)]

    def _commands(self, event: str) -> list[str]:
        entries = self._by_event.get(event, [])
        return [str(hook["command"]) for entry in entries for hook in entry.get("hooks", []) if "command" in hook]


def _started(command: str, payload: bytes) -> subprocess.Popen[bytes]:
    hook = subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )
    assert hook.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # it wants to know nothing
        hook.stdin.write(payload)
        hook.stdin.close()
    hook.stdin = None
    return hook


def decision(data: bytes) -> Mapping[str, Any] | None:
    """The decision over a permission that a hook printed; None when it printed none."""
    try:
        found = json.loads(data)["hookSpecificOutput"]["decision"]
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, dict) else None


def stop(hooks: Sequence[subprocess.Popen[bytes]]) -> None:
    """End those that still wait, with what their shells started."""
    for hook in hooks:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(hook.pid, signal.SIGKILL)
        hook.wait()
        if hook.stdout is not None:
            hook.stdout.close()


ESCAPE, ENTER, BACKSPACE, CANCEL, END = "escape", "enter", "backspace", "cancel", "end"
NAMES = {"\x1b": ESCAPE, "\r": ENTER, "\n": ENTER, "\x7f": BACKSPACE, "\x08": BACKSPACE, "\x03": CANCEL, "\x04": END}
_BEGIN, _CLOSE = "\x1b[200~", "\x1b[201~"
_TOKEN = re.compile(
    r"\x1b\[200~(?P<paste>.*?)\x1b\[201~|\x1b\[[0-?]*[ -/]*[@-~]|\x1bO."
    r"|(?P<key>[\x00-\x1f\x7f])|(?P<text>[^\x00-\x1f\x7f]+)",
    re.DOTALL,
)


class Keys:
    """Remembers half a character, and a paste whose end has not come."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, data: bytes) -> Iterator[tuple[str, str]]:
        """Pairs: the name of a key and "", or "" and a text."""
        said = self._rest + self._decoder.decode(data)
        self._rest = ""
        if _BEGIN in said and _CLOSE not in said.rpartition(_BEGIN)[2]:
            said, _, rest = said.rpartition(_BEGIN)
            self._rest = _BEGIN + rest
        for found in _TOKEN.finditer(said):
            text = found["paste"] if found["paste"] is not None else found["text"]
            if text is not None:
                yield "", text
            elif found["key"] in NAMES:
                yield NAMES[found["key"]], ""


_TAIL = 4000
"""Characters of a program's output that are shown, its last."""
_LONGEST_RUN = 60.0
"""Seconds."""


def run_program(argv: Sequence[str], folder: str) -> tuple[int | None, str]:
    """Run a program to its end: its exit code and output. Without a code it did not run, and the text is why."""
    try:
        done = subprocess.run(
            argv,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=_LONGEST_RUN,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, str(error)
    return done.returncode, done.stdout.strip()[-_TAIL:]
