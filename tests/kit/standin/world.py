"""Where one process of the program works: its options, its person, its project, its conversation."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tests.kit.standin import ids, settings
from tests.kit.standin.conversation import Conversation, folder
from tests.kit.standin.events import Event, Events
from tests.kit.standin.hooks import Hooks
from tests.kit.standin.options import Options, Refused
from tests.kit.standin.permissions import Permissions
from tests.kit.standin.tools import Toolbox
from tests.kit.standin.usage import Meter

if TYPE_CHECKING:
    from overmind_core.demo.script_player import Player

MODELS = {"": "claude-opus-5-5", "opus": "claude-opus-5-5", "sonnet": "claude-sonnet-5-5", "haiku": "claude-haiku-5"}
MODES = {"": "default", "manual": "default"}
KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN")


class World:
    """Everything that a turn needs to know.

    Args:
        options: The command line.
        environment: Of the process.
        entrypoint: sdk-cli, or cli for the full-screen program.

    Raises:
        Refused: the command line asks for what cannot be.
        Unknown: there is no such conversation.
    """

    def __init__(self, options: Options, environment: Mapping[str, str], entrypoint: str) -> None:
        self.options = options
        self.environment = environment
        self.entrypoint = entrypoint
        self.home = environment["HOME"]
        self.cwd = os.getcwd()
        self.resumed = bool(options.resume or options.continue_newest)
        self.conversation = _conversation(options, self.home, self.cwd)
        self._settings = settings.load(self.home, self.cwd, options.settings)
        self.permissions = Permissions(
            _mode(options),
            self._rules("allow", options.allowed),
            self._rules("deny", options.denied),
            (self.cwd, *options.folders),
        )
        self.model = MODELS.get(options.model, options.model)
        self.meter = Meter(self.model, self.conversation.cost())
        self._spent_before = self.meter.dollars()
        self.player = _player(environment)
        self._enter()

    def clear(self) -> None:
        """Begin a new conversation in this process."""
        self.conversation = Conversation.new(self.home, self.cwd, ids.uuid4())
        self.meter = Meter(self.model, {})
        self._enter()

    def init(self) -> Event:
        """Return the first line of a turn."""
        return self.events.init(
            cwd=self.cwd, home=self.home, project=folder(self.cwd), mode=self.permissions.mode,
            key_source="ANTHROPIC_API_KEY" if self.environment.get(KEYS[0]) else "none",
            asks=self.options.prompt_tool == "stdio",
        )  # fmt: skip

    def logged_in(self) -> bool:
        """Whether there is any key."""
        return any(self.environment.get(key) for key in KEYS)

    def too_dear(self) -> bool:
        """Whether this process has spent what it may."""
        spent = self.meter.dollars() - self._spent_before
        return bool(self.options.max_cost) and spent >= self.options.max_cost

    def retries(self) -> int:
        """How often the API may be asked again."""
        return int(self.environment.get("CLAUDE_CODE_MAX_RETRIES", "10"))

    def gateway(self) -> str:
        """Where the API would be."""
        return self.environment.get("ANTHROPIC_BASE_URL", "https://api.anthropic.com").split("//")[-1]

    def keep(self, update: Mapping[str, Any]) -> None:
        """Let a permission hold from now on, as an answer asked for."""
        if update["type"] == "setMode":
            self.permissions.mode = update["mode"]
        for rule in update.get("rules", ()):
            text = f"{rule['toolName']}({rule['ruleContent']})" if rule.get("ruleContent") else rule["toolName"]
            self.permissions.allow(text)
            if update["destination"] == "localSettings":
                settings.keep_rule(self.cwd, text)

    def payload(self, event: str, **fields: Any) -> dict[str, Any]:
        """Return what a hook reads."""
        return {
            "session_id": self.conversation.id, "transcript_path": self.conversation.path, "cwd": self.cwd,
        } | ({"prompt_id": self.prompt_id} if self.prompt_id else {}) | {"hook_event_name": event} | fields  # fmt: skip

    def _enter(self) -> None:
        self.prompt_id = ""
        self.events = Events(self.conversation.id, self.model)
        children = {**self.environment, **self._variables()}
        self.tools = Toolbox(children, self.cwd)
        self.hooks = Hooks(self._settings, {**children, "CLAUDE_PROJECT_DIR": self.cwd}, self.cwd)

    def _variables(self) -> dict[str, str]:
        return {
            "CLAUDECODE": "1",
            "CLAUDE_CODE_ENTRYPOINT": self.entrypoint,
            "CLAUDE_CODE_SESSION_ID": self.conversation.id,
            "CLAUDE_PID": str(os.getpid()),
        }

    def _rules(self, kind: str, more: tuple[str, ...]) -> list[str]:
        return [rule for one in self._settings for rule in one.get("permissions", {}).get(kind, ())] + list(more)


def _conversation(options: Options, home: str, cwd: str) -> Conversation:
    resume = options.resume or (Conversation.newest(home, cwd) if options.continue_newest else "")
    if not resume:
        return Conversation.new(home, cwd, options.session_id or ids.uuid4())
    found = Conversation.resume(home, resume)
    if options.resume_at:
        found.cut(options.resume_at)
    return found.fork(home, cwd, options.session_id or ids.uuid4()) if options.fork else found


def _player(environment: Mapping[str, str]) -> Player | None:
    if "STAND_IN_SCRIPT" not in environment:
        return None
    from tests.kit.standin import scripted  # only then: it is a fifth of the start

    return scripted.player(environment)


def _mode(options: Options) -> str:
    if not options.skip_permissions:
        return MODES.get(options.mode, options.mode)
    if os.geteuid() == 0 and os.environ.get("IS_SANDBOX") != "1":
        raise Refused("--dangerously-skip-permissions cannot be used with root/sudo privileges for security reasons")
    return "bypassPermissions"
