"""What of a mission a person may change: shown as `run` would have it, and checked as `run` would check it. Pure."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from overmind_core.agents.validate import agent_of
from overmind_core.domain.agents.agent import RAW, Agent, AgentMode, with_program_of
from overmind_core.domain.missions.mission import Definition
from overmind_core.errors import OvermindError
from overmind_core.missions import validate
from overmind_core.missions.requests import AgentArgs, Start

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_core.definitions.answer_types import AgentTerms, MissionTerms
    from overmind_core.kernel.config import Settings
    from overmind_core.missions.requests import Terms

_SHELL_WORDS = 3
_encode = msgspec.json.Encoder(order="sorted").encode


class EditableMission(NamedTuple):
    """A mission as a person defines it. `agent` is None for plain programs, `chosen` was set for it alone."""

    definition: Definition
    agent: Agent | None
    chosen: Mapping[str, str]

    @property
    def talks(self) -> bool:
        """Whether it is an agent that has a prompt, rules and a model."""
        return self.definition.provider != RAW


def shown(whole: EditableMission) -> MissionTerms:
    """The terms that can be changed, by their names in the request `redefine`."""
    definition = whole.definition
    policy = definition.restart
    return {
        "name": definition.name,
        "command": None if whole.talks else _command(definition.argv),
        "cwd": definition.cwd,
        "columns": definition.columns,
        "rows": definition.rows,
        "labels": definition.labels,
        "env": dict(whole.chosen),
        "restart": policy.when.value.replace("_", "-"),
        "max_restarts": policy.max_restarts,
        "max_seconds": _time(policy.window),
        "backoff": _time(policy.backoff),
        "activity_timeout": _time(definition.activity_timeout),
        "stall_waiting": definition.stall_waiting,
        "grace": _time(definition.grace),
        "stop_signal": signal.Signals(definition.stop_signal).name.removeprefix("SIG"),
        "timeout": _time(definition.timeout),
        "leave_background": definition.leave_background,
        "max_children": definition.max_children,
        "max_depth": definition.max_depth,
        "max_cost": definition.max_cost,
        "max_tokens": definition.max_tokens,
        "notes": definition.notes,
        "agent": _agent(whole.agent) if whole.agent is not None and whole.talks else None,
    }


def fingerprint(whole: EditableMission) -> str:
    """Differs when anything differs that can be changed."""
    import hashlib  # noqa: PLC0415 - it loads OpenSSL: 4 MB, for those who edit

    return hashlib.sha256(_encode(shown(whole))).hexdigest()[:16]


def changed(before: EditableMission, after: EditableMission) -> list[str]:
    """The names of the terms that differ."""
    old, new = shown(before), shown(after)
    return [name for (name, value), earlier in zip(new.items(), old.values(), strict=True) if value != earlier]


def applied(before: EditableMission, terms: Terms, settings: Settings) -> EditableMission:
    """The mission with these terms; what can't be changed stays as it is.

    Raises:
        OvermindError: naming the first thing that is wrong.
    """
    request = _as_started(before, terms)
    agent = agent_of(request, settings) if before.talks else before.agent
    kept = before.definition
    name = kept.name if terms.name == kept.name else validate.checked_name(terms.name)  # a plan's agent has a `/` there
    made = validate.definition(request, agent, name=name, parent=kept.parent)
    definition = replace(
        made,
        argv=kept.argv if before.talks else made.argv,
        command=made.command if before.talks or made.argv != kept.argv else kept.command,
        tty=kept.tty,
        interactive=kept.interactive,
        isolated=kept.isolated,
    )
    if not before.talks or agent is None or before.agent is None:
        return EditableMission(definition, before.agent, terms.env)
    agent = with_program_of(replace(agent, folders=before.agent.folders), before.agent)
    return EditableMission(definition, agent, terms.env)


def _as_started(before: EditableMission, terms: Terms) -> Start:
    """The request that would begin such a mission."""
    definition, agent = before.definition, before.agent
    given = {name: value for name, value in msgspec.structs.asdict(terms).items() if name not in _OTHERWISE}
    return Start(
        command=_given_command(before, terms),
        env_set=terms.env,
        umask=definition.umask,
        type=definition.kind.value,
        provider=definition.provider,
        agent=_given_agent(before, terms),
        interactive=agent is not None and agent.home is AgentMode.INTERACTIVE
        if before.talks
        else definition.interactive,
        tty=True if before.talks else definition.tty,
        **given,
    )


_OTHERWISE = frozenset({"command", "env", "agent"})


def _given_command(before: EditableMission, terms: Terms) -> str | list[str]:
    if before.talks and terms.command is not None:
        raise OvermindError("invalid", "command: an agent has no command. Describe its task in agent.prompt.")
    if not before.talks and not terms.command:
        raise OvermindError("empty_command", "Missing command.")
    return terms.command or ""


def _given_agent(before: EditableMission, terms: Terms) -> AgentArgs | None:
    if not before.talks or before.agent is None:
        if terms.agent is not None:
            raise OvermindError("invalid", "agent: this mission is a plain command, not an agent.")
        return None
    given = terms.agent or AgentArgs()
    if before.agent.home is AgentMode.ONE_SHOT:
        return given
    if given.prompt is not None:
        raise OvermindError("invalid", "agent.prompt: a session takes messages instead. Use: overmind send")
    return msgspec.structs.replace(given, prompt=before.agent.prompt)


def _command(argv: tuple[str, ...]) -> str | list[str]:
    is_shell = len(argv) == _SHELL_WORDS and argv[:2] == (validate.SHELL, "-c")
    return argv[2] if is_shell else list(argv)


def _agent(agent: Agent) -> AgentTerms:
    return {
        "prompt": agent.prompt if agent.home is AgentMode.ONE_SHOT else None,
        "model": agent.model,
        "permission_mode": agent.permission_mode,
        "allowed_tools": list(agent.allowed_tools),
        "disallowed_tools": list(agent.disallowed_tools),
        "allow": list(agent.allow),
        "deny": list(agent.deny),
        "max_turns": agent.max_turns,
        "system_prompt": agent.system_prompt,
        "append_system_prompt": agent.append_system_prompt,
        "mcp_config": list(agent.mcp_config),
        "arguments": list(agent.arguments),
        "orchestrator": agent.orchestrator,
    }


def _time(seconds: float) -> str:
    """A duration as people write it, exact to the millisecond."""
    if 0 < seconds < 1:
        return f"{round(seconds * 1000)}ms"
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
