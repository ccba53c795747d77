"""What an agent's keys make of the `run` request that starts it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from overmind_core.blueprint_file import values
from overmind_core.blueprint_file.dependencies import ALWAYS, EARLY, Scope, Waits, found_in, literal, resolved
from overmind_core.blueprint_file.keys import OPTIONS, Disk
from overmind_core.documents import reading
from overmind_core.documents.reading import FileValue
from overmind_core.domain.agents.agent import RAW, Agent, AgentMode
from overmind_core.domain.plans.references import ValueSource
from overmind_core.domain.replacing import replace
from overmind_core.errors import OvermindError
from overmind_core.providers import registry
from overmind_core.providers.base import Provider, limit_problem

LONGEST = 128 * 1024
"""Bytes of an argument or of NAME=VALUE from which on the kernel refuses it. Source: execve(2), MAX_ARG_STRLEN."""
ORCHESTRATOR = "claude"
"""The provider of an orchestrator, unless another one is named."""
_OPTION_WORD = re.compile(r"--([a-z][a-z-]*)")


class ReadContext(NamedTuple):
    """Where a blueprint is read."""

    folder: str
    """Its own, absolute."""
    disk: Disk
    scope: Scope
    elsewhere: bool = False
    """The agent runs on a hive of the swarm: folders are that machine's, and its account's home folder where none is
    named."""
    in_fleet: bool = False
    """It is none of the plan."""


def request(agent: FileValue, table: Mapping[str, FileValue], context: ReadContext, waits: Waits) -> dict[str, Any]:
    """The fields of the request, references in them; what is wrong is reported.

    Args:
        agent: The agent's table.
        table: What stands in it.
        context: Where it is read.
        waits: What the agent waits for; what its references imply is added.
    """
    return _Request(agent, table, context, waits).read()


class _Request:
    def __init__(self, agent: FileValue, table: Mapping[str, FileValue], context: ReadContext, waits: Waits) -> None:
        self.spot = agent
        self.table = table
        self.context = context
        self.waits = waits
        self.fields: dict[str, Any] = {}
        self.agent: dict[str, Any] = {}
        self.provider: Provider | None = None
        """None: it is named, but there is none of that name."""

    def read(self) -> dict[str, Any]:
        self._options()
        self.provider = self._provider()
        if self._talks and self.fields.get("interactive") and "type" not in self.table:
            self.fields["type"] = "session"
        self.fields["command"] = ""
        if "merge" not in self.table:
            self._command()
        self.fields["cwd"] = self._folder()
        self._environment()
        if "mcp_config" in self.table:
            self.agent["mcp_config"] = self._servers(self.table["mcp_config"])
        if self._talks:
            self._check_agent()
            self.fields["agent"] = self.agent
        elif self._is_raw:
            self._check_raw()
        return self.fields

    @property
    def _is_raw(self) -> bool:
        return self.provider is not None and not self.provider.speaks_json

    @property
    def _talks(self) -> bool:
        return self.provider is not None and self.provider.speaks_json

    # options

    def _options(self) -> None:
        for name, key in OPTIONS.items():
            spot = self.table.get(name)
            plain = spot if spot is None or key.open else resolved(spot, self.context.scope)
            value = None if plain is None else key.read(plain)
            if spot is None or value is None:
                continue
            if key.open:
                self._texts(spot)
            else:
                value = _literal(value)
            into = self.agent if key.for_agents else self.fields
            into.update({name: value} if key.fields is None else key.fields(value))

    def _provider(self) -> Provider | None:
        if "provider" in self.table:
            name = self.fields.get("provider")
            return None if name is None else registry.get(name)
        if self.agent.get("orchestrator"):
            self.fields["provider"] = ORCHESTRATOR
        return registry.get(self.fields.get("provider", RAW))

    # what it does

    def _command(self) -> None:
        spot = self.table.get("command")
        session = self.fields.get("type") == "session"
        if spot is None:
            if not session:
                what = "describe the agent's task" if self._talks else 'give one, as in command = "make test"'
                self.spot.notes.at_key(self.spot.path, f"{self.spot.key}: missing command: {what}")
            return
        words = self._words(spot)
        if words is None:
            return
        if self._talks:
            self.agent["prompt"] = words if isinstance(words, str) else " ".join(words)
        else:
            self.fields["command"] = words
        if not (words if isinstance(words, str) else "".join(words[:1])).strip() and not session:
            spot.wrong("missing command: it is empty")
        self._texts(spot, in_shell=self._is_raw and isinstance(words, str), limit=self._is_raw)

    @staticmethod
    def _words(spot: FileValue) -> str | list[str] | None:
        if isinstance(spot.value, str):
            return spot.value
        return reading.texts(spot)

    # where it runs

    def _folder(self) -> str:
        spot = self.table.get("cwd")
        written = None if spot is None else reading.text(spot)
        if spot is None or written is None:
            return "" if self.context.elsewhere else literal(self.context.folder)
        if self.context.elsewhere:
            self._texts(spot)
            return written
        if "${agents." in written:  # the folder is not known yet, so whoever starts it looks
            self._texts(spot)
            return self._joined(written)
        plain = resolved(spot, self.context.scope)
        if plain is None:
            return literal(self.context.folder)
        path = posixpath.join(self.context.folder, str(plain.value))
        path = path if ".." in path else posixpath.normpath(path)
        problem = self.context.disk.folder_problem(path)
        if problem is not None:
            spot.wrong(f"the folder {path} {problem}")
        return literal(path)

    def _joined(self, written: str) -> str:
        """A path that counts from the blueprint's folder; one that begins with a reference is taken as a whole."""
        if written.startswith(("/", "${")):
            return written
        return posixpath.join(literal(self.context.folder), written)

    # what it finds there

    def _environment(self) -> None:
        chosen = {name: literal(value) for name, value in self._files().items()}
        spot = self.table.get("env")
        pairs = None if spot is None else values.pairs(spot)
        if spot is not None and pairs is not None:
            chosen |= pairs
            self._texts(spot, limit=True)
        if chosen:
            self.fields["env_set"] = chosen

    def _files(self) -> dict[str, str]:
        """What stands in the files of `env_file`; they are read now, so that the plan stays what it was."""
        spot = self.table.get("env_file")
        plain = None if spot is None else resolved(spot, self.context.scope)
        paths = None if plain is None else reading.texts(plain)
        found: dict[str, str] = {}
        for path in paths or ():
            try:
                found |= self.context.disk.variables(posixpath.join(self.context.folder, path))
            except OvermindError as error:
                self.table["env_file"].wrong(error.message.rstrip("."))
        return found

    def _servers(self, spot: FileValue) -> list[str]:
        self._texts(spot)
        written = reading.texts(spot) or []
        if self.context.elsewhere and not all(one.lstrip().startswith("{") for one in written):
            spot.wrong("a file of this machine is not on the hives of the swarm: write its JSON itself")
        return [one if one.lstrip().startswith("{") else self._joined(one) for one in written]

    # references

    def _texts(self, spot: FileValue, *, in_shell: bool = False, limit: bool = False) -> None:
        """Look at all texts of a value.

        Args:
            spot: A text, a list or a table of them.
            in_shell: A shell will read them.
            limit: They become arguments or variables, which can't be endless.
        """
        for one in spot.texts():
            self._text(one, in_shell=in_shell, limit=limit)

    def _text(self, spot: FileValue, *, in_shell: bool, limit: bool) -> None:
        text = str(spot.value)
        if "\0" in text:
            spot.wrong("it contains a NUL character, which no program can be given")
        elif limit and len(text.encode(errors="replace")) >= LONGEST:
            spot.wrong(f"it is {len(text.encode(errors='replace'))} bytes long; the limit is {LONGEST - 1}")
        else:
            self._bind(spot, in_shell=in_shell)

    def _bind(self, spot: FileValue, *, in_shell: bool) -> None:
        for reference in found_in(spot, self.context.scope, str(self.spot.path[-1]), in_shell=in_shell):
            if reference.source is not ValueSource.AGENTS:
                continue
            waits = self.waits.on.get(reference.name)
            if waits is not None and waits.until in EARLY and reference.field in ALWAYS:
                spot.wrong_inside(
                    reference.start,
                    f"{reference.name} has no {reference.field} yet: depends_on waits only until it is {waits.until}",
                )
            self.waits.imply(reference.name, self.spot.notes.places.at_character(spot.path, reference.start))

    # what fits together

    def _check_raw(self) -> None:
        for name in [*(name for name, key in OPTIONS.items() if key.for_agents), "mcp_config"]:
            if name in self.table:
                self.spot.notes.at_key(
                    (*self.spot.path, name),
                    f'{name} is for agents, but this is a plain command. Add a provider, such as provider = "claude"',
                )
        if self.fields.get("interactive") and not self.fields.get("tty", True):
            self.table["no_tty"].wrong("interactive needs a terminal: remove this")

    def _check_agent(self) -> None:
        assert self.provider is not None
        if not self.fields.get("tty", True):
            self.table["no_tty"].wrong("it is for plain commands: Overmind chooses pipes or a terminal for an agent")
        mode = self._mode()
        if mode not in self.provider.modes:
            self.spot.notes.at_key(
                self.spot.path,
                f"{self.spot.key}: {self.provider.name} can't run as {mode.value.replace('_', '-')} here",
            )
        program = self._program(mode)
        cost, tokens = (self.fields.get(name, 0) for name in ("max_cost", "max_tokens"))
        problems = {  # whoever starts it knows the prices
            "agent_arg": self.provider.refuse(program),
            "max_cost": limit_problem(replace(program, max_cost=cost), 0, self.provider, None),
            "max_tokens": limit_problem(program, tokens, self.provider, None),
        }
        for name, problem in problems.items():
            if problem is not None:
                where = self.table.get(name, self.spot)
                self.spot.notes.at(where.place, _OPTION_WORD.sub(_as_key, problem))

    def _mode(self) -> AgentMode:
        interactive = self.fields.get("interactive")
        if self.fields.get("type") == "session":
            return AgentMode.INTERACTIVE if interactive else AgentMode.HEADLESS
        if interactive:
            self.table["interactive"].wrong('it is for sessions, and type is "task": leave out one of them')
        return AgentMode.ONE_SHOT

    def _program(self, mode: AgentMode) -> Agent:
        given: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in self.agent.items()}
        return Agent(home=mode, **given)


def _literal(value: Any) -> Any:  # noqa: ANN401 - of any kind
    """What means the same after references were replaced once more: all texts of a request are looked at."""
    if isinstance(value, list):
        return [_literal(one) for one in value]
    return literal(value) if isinstance(value, str) else value


def _as_key(option: re.Match[str]) -> str:
    """An option of ours as a blueprint has it; those of other programs stay."""
    name = option[1].replace("-", "_")
    return name if name in OPTIONS else option[0]
