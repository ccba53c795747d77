"""Agents' real programs on their own screens: how each is set up, what it shows, and how a person brings it there."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tests.kit.agent_world import AgentWorld
from tests.kit.agents import Agents
from tests.kit.messages_api import MessagesApi
from tests.kit.model_api import ModelApi
from tests.kit.overmind import Overmind
from tests.kit.processes import MARKER
from tests.kit.real_agents import KEY, SET_UPS, Environment
from tests.kit.waiting import eventually

PATIENCE = 60.0
"""Seconds that a program may take for anything: some start for half a minute on a busy machine."""
SAMPLES, EVERY = 8, 0.25
"""Looks at a state that is proven to hold, and seconds between two."""
TOLD = 5.0
"""Seconds within which a change is to be known."""
OUTCOMES = ("right", "wrong", "unknown")
COLOURS = ("red", "blue")


class Scene(NamedTuple):
    """A dialog: the prompt after which it comes, and what is then on the screen."""

    prompt: str
    shown: str


class Looks(NamedTuple):
    """What a test knows of a program's screens. Patterns are looked for in its lines, each by itself."""

    ready: str
    """An empty prompt."""
    permission: Scene
    interrupted: str
    """A turn was interrupted."""
    source: str = "screen"
    """Who tells its states."""
    gives_up: str = ""
    """It has given up after a 429; "": it tries again."""
    choice: Scene | None = None
    words: tuple[str, ...] = ()
    """Its arguments: among them those by which it asks before it runs a command."""
    setup: Mapping[str, tuple[str, ...]] = {}
    """Each dialog before its first prompt → the keys that end it."""


def _tool(name: str, **arguments: Any) -> str:
    return f"%tool {name} {json.dumps(arguments)}"


_OPTIONS = [{"label": colour, "description": "a colour"} for colour in COLOURS]
_QUESTION = {"question": "which colour", "header": "Colour", "options": _OPTIONS}
_ESCALATED = {"cmd": "touch made", "sandbox_permissions": "require_escalated", "justification": "a test"}
TOUCH = "%bash touch made"
LOOKS: Mapping[str, Looks] = {
    "claude": Looks(
        ready=r"^❯\s*(Try .*)?$",
        permission=Scene(TOUCH, r"Do you want to proceed"),
        choice=Scene(_tool("AskUserQuestion", questions=[_QUESTION | {"multiSelect": False}]), r"Enter to select"),
        interrupted=r"Interrupted",
        source="status",
        gives_up=r"API Error|429|[Rr]ate limit",
        words=("--permission-mode", "manual"),
    ),
    "cline": Looks(
        ready=r"^\s*❯ (Ask anything|What can I do)",
        permission=Scene(_tool("run_commands", commands=["touch made"]), r"Cline needs permission"),
        choice=Scene(_tool("ask_question", question="which colour", options=COLOURS), r"Cline is asking"),
        interrupted=r"^",
        words=("--auto-approve", "false"),
        setup={r"any other key to close": ("Escape",)},
    ),
    "codex": Looks(
        ready=r"^› Ask Codex to do anything",
        permission=Scene(_tool("exec_command", **_ESCALATED), r"Press enter to confirm|enter/esc confirm|Yes, proceed"),
        interrupted=r"Conversation interrupted",
        source="status",
        gives_up=r"exceeded retry limit",
        words=("-a", "on-request"),
    ),
    "copilot": Looks(
        ready=r"^┃\s*$",
        permission=Scene(TOUCH, r"enter to select"),
        choice=Scene(
            _tool(
                "ask_user",
                message="which colour",
                requestedSchema={
                    "type": "object",
                    "properties": {"colour": {"type": "string", "enum": COLOURS}},
                    "required": ["colour"],
                },
            ),
            r"Copilot needs information",
        ),
        interrupted=r"Operation cancelled",
        setup={r"Do you trust the files": ("Enter",)},
    ),
    "gemini": Looks(
        ready=r"^ >\s+Type your message",
        permission=Scene(TOUCH, r"Allow execution"),
        choice=Scene(_tool("ask_user", questions=[_QUESTION | {"type": "choice"}]), r"Answer Questions"),
        interrupted=r"Request cancelled",
        source="title",
        words=("--model", "gemini-2.5-flash"),
    ),
    "opencode": Looks(
        ready=r"ctrl\+p( commands)?$",
        permission=Scene(TOUCH, r"Permission required"),
        choice=Scene(_tool("question", questions=[_QUESTION]), r"enter submit"),
        interrupted=r"interrupted",
    ),
    "pi": Looks(
        ready=r"\(auto\)|\(manual\)",
        permission=Scene("%bash sudo touch made", r"Dangerous command"),
        interrupted=r"[Aa]borted",
        source="status",
    ),
    "qwen": Looks(
        ready=r"^>\s+Type your message",
        permission=Scene(TOUCH, r"Waiting for user confirmation"),
        choice=Scene(_tool("ask_user_question", questions=[_QUESTION | {"multiSelect": False}]), r"Enter: Select"),
        interrupted=r"[Cc]ancelled|[Ii]nterrupted",
        source="title",
        words=("--approval-mode", "default"),
    ),
}
"""Each program."""


class OwnScreen(Agents):
    """A mission that runs a real program as a person starts it, on its terminal, and the models it talks to.

    Args:
        om: The command line.
        folder: Empty; home and project are made in it.
        program: Its path; its name says which it is.
        api: What it talks to.
        marker: Of the processes of this test run.
    """

    def __init__(self, om: Overmind, folder: str, program: str, api: ModelApi | MessagesApi) -> None:
        super().__init__(om, folder, program="/bin/false", work=os.path.join(folder, "work"))
        self.name, self.api = os.path.basename(program), api
        self._world: AgentWorld | None = None
        self.looks = LOOKS[self.name]
        os.makedirs(self.folder, exist_ok=True)
        if self.name == "claude":
            self._world = AgentWorld(folder, program, api.url, om.environment[MARKER])
            om.environment |= self._world.environment
        else:
            home = os.path.join(folder, "home")
            os.makedirs(home)
            os.makedirs(self.work)
            om.environment |= {"HOME": home, "SHELL": "/bin/bash"} | _SET_UPS[self.name](home, api.url)
        extensions = os.path.join(os.path.dirname(os.path.realpath(program)), _PI_EXAMPLES)
        self.command = [program, *self.looks.words]
        if self.name == "pi":
            self.command += ["-e", f"{extensions}/permission-gate.ts"]
        self.mission = ""

    def distrust(self) -> None:
        """Have it ask whether it may trust its folder, where that was answered before."""
        self.om.environment.pop("GEMINI_CLI_TRUST_WORKSPACE", None)
        if self._world is not None:
            self._world.set_up(projects={})

    def launch(self) -> str:
        """Start it; return the mission."""
        self.mission = self.om.mission(self.command, "--type", "session", "--cwd", self.work)
        self.om.wait_status(self.mission, "running")
        return self.mission

    def begin(self) -> str:
        """Start it, answer what it asks before its first prompt, and wait for that; return the mission."""
        self.launch()
        self.settle()
        return self.mission

    def settle(self) -> None:
        """Get through its dialogs, to its empty prompt."""
        answered: set[str] = set()

        def look() -> bool:
            for dialog, keys in self.looks.setup.items():
                if dialog not in answered and self.shows(dialog):
                    answered.add(dialog)
                    self.press_keys(*keys)
            return len(answered) == len(self.looks.setup) and self.is_ready()

        eventually(look, timeout=PATIENCE, what="its prompt is there")

    # what is on its screen

    def lines(self) -> list[str]:
        """Its screen."""
        return self.om.ok("screen", self.mission).splitlines()

    def shows(self, pattern: str) -> bool:
        """Whether a line of its screen is like that."""
        return any(re.search(pattern, line) for line in self.lines())

    def is_ready(self) -> bool:
        """Whether its empty prompt is there."""
        return self.shows(self.looks.ready)

    def until(self, pattern: str) -> None:  # type: ignore[override] # of the screen, not of the mission's facts
        """Wait until a line of its screen is like that."""
        eventually(lambda: self.shows(pattern), timeout=PATIENCE, what=f"{pattern}\n" + "\n".join(self.lines()))

    # what a person does

    def press_keys(self, *keys: str) -> None:
        """Press keys, whatever is there."""
        self.om.ok("keys", self.mission, *keys)

    def type(self, text: str) -> None:
        """Type a text, and wait until it stands there."""
        self.om.ok("keys", self.mission, "-l", text)
        eventually(lambda: _bare(text) in _bare("".join(self.lines())), timeout=PATIENCE, what=f"{text!r} stands there")

    def enter(self, text: str) -> None:
        """Type a text and press Enter."""
        self.type(text)
        self.press_keys("Enter")

    # the truth of its models

    def asked(self, text: str) -> bool:  # type: ignore[override] # of its model, not of a person
        """Whether its model was asked this."""
        return text in self.texts()

    def texts(self) -> list[str]:
        """What its model was asked last, request by request."""
        if isinstance(self.api, MessagesApi):
            return self.api.texts
        return [one.asked.texts[-1] for one in self.api.requests if one.asked.texts]


class Hour:
    """The looks at what is told of a program: right, wrong, or unknown, by step and source."""

    def __init__(self, screen: OwnScreen) -> None:
        self._screen = screen
        self.found: Counter[tuple[str, str, str]] = Counter()
        self.wrong: list[tuple[str, str, str, list[str]]] = []

    def sees(self, step: str, *truth: str) -> None:
        """Look a few times while it is known to be in one of these states; the first sight of a change may be late."""
        with contextlib.suppress(AssertionError):
            eventually(lambda: self._told()[0] in truth, timeout=TOLD, what=step)
        for _ in range(SAMPLES):
            time.sleep(EVERY)
            told, source = self._told()
            known = "unknown" if told == "unknown" else "right" if told in truth else "wrong"
            self.found[step, source, known] += 1
            if known == "wrong":
                self.wrong.append((step, source, told, self._screen.lines()))

    def _told(self) -> tuple[str, str]:
        (row,) = self._screen.om.api("ps", ids=[self._screen.mission])
        return row["activity_guess"] or row["activity"], row["activity_source"] or self._screen.looks.source

    def count(self, known: str) -> int:
        """Looks with that outcome, except those before its first prompt."""
        return sum(number for (step, _, one), number in self.found.items() if one == known and step != "starting")

    def report(self) -> Iterator[str]:
        """Lines of a table."""
        for step, source in sorted({(step, source) for step, source, _ in self.found}):
            numbers = [self.found[step, source, known] for known in OUTCOMES]
            yield f"{self._screen.name:9}{step:13}{source:7}" + "".join(f"{number:5}" for number in numbers)
        total = [self.count(known) for known in OUTCOMES]
        yield f"{self._screen.name:9}{'all':13}{self._screen.looks.source:7}" + "".join(f"{one:5}" for one in total)


def _bare(text: str) -> str:
    """A text without what a box around it puts between its lines."""
    return re.sub(r"[\s│┃▌█]", "", text)


_PI_EXAMPLES = "node_modules/@earendil-works/pi-coding-agent/examples/extensions"


def _pi(home: str, url: str) -> Environment:
    stub = {"baseUrl": f"{url}/v1", "api": "openai-completions", "apiKey": KEY, "models": [{"id": "stub"}]}
    _write(os.path.join(home, ".pi", "agent", "models.json"), {"providers": {"stub": stub}})
    settings = {"defaultProvider": "stub", "defaultModel": "stub"}
    _write(os.path.join(home, ".pi", "agent", "settings.json"), settings)
    return {"PI_OFFLINE": "1"}


def _cline(home: str, url: str) -> Environment:
    name = "openai-compatible"
    settings = {"provider": name, "apiKey": KEY, "model": "stub", "baseUrl": f"{url}/v1"}
    stub = {"settings": settings, "updatedAt": "2026-11-30T18:46:46.829Z", "tokenSource": "manual"}
    kept = {"version": 1, "lastUsedProvider": name, "modes": {}, "providers": {name: stub}}
    _write(os.path.join(home, ".cline", "data", "settings", "providers.json"), kept)
    return {}


def _opencode(home: str, url: str) -> Environment:
    return {**SET_UPS["opencode"](home, url), "OPENCODE_PERMISSION": json.dumps({"bash": "ask"})}


_SET_UPS = {**SET_UPS, "pi": _pi, "cline": _cline, "opencode": _opencode}


def _write(path: str, value: Any) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file)
