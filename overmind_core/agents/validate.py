"""From a `run` request to an agent: what can be refused is refused by name, before anything exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent import Agent, AgentMode, is_own
from overmind_core.domain.agents.permission import InvalidRule, check
from overmind_core.domain.missions.mission import Kind
from overmind_core.errors import OvermindError
from overmind_core.missions.requests import AgentArgs
from overmind_core.missions.validate import kind_of
from overmind_core.providers import registry
from overmind_core.providers.base import chosen_program, limit_problem

if TYPE_CHECKING:
    from overmind_core.kernel.config import Settings
    from overmind_core.missions.requests import Start
    from overmind_core.providers.base import Provider

LONGEST_PROMPT = 15 * 1024 * 1024
"""Bytes."""


def agent_of(request: Start, settings: Settings) -> Agent | None:
    """The agent that is asked for; None for a plain task.

    Raises:
        OvermindError: naming the first thing that is wrong.
    """
    provider = _provider(request.provider, settings)
    kind = kind_of(request)
    if not provider.speaks_json:
        if request.agent is not None:
            raise OvermindError("invalid", "These options are for agents: add --provider claude")
        return Agent(home=AgentMode.INTERACTIVE) if kind is Kind.SESSION and request.tty else None
    given = request.agent or AgentArgs()
    mode = _mode(request, kind, provider)
    prompt = _prompt(request, given)
    if mode is AgentMode.ONE_SHOT and not prompt:
        raise OvermindError("empty_command", "Missing prompt: describe the agent's task.")
    own = next((one for one in settings.own if one.provider == provider.name), None)
    found = Agent(
        home=mode,
        prompt=prompt,
        model=given.model,
        allowed_tools=tuple(given.allowed_tools),
        disallowed_tools=tuple(given.disallowed_tools),
        permission_mode=given.permission_mode,
        allow=_rules(given.allow, "--allow"),
        deny=_rules(given.deny, "--deny"),
        max_turns=given.max_turns,
        max_cost=request.max_cost,
        system_prompt=given.system_prompt,
        append_system_prompt=given.append_system_prompt,
        mcp_config=tuple(given.mcp_config),
        arguments=tuple(given.arguments),
        orchestrator=given.orchestrator,
        program=_program(request, settings, provider),
        program_arguments=() if own is None else own.arguments,
        answer="" if own is None else own.answer,
    )
    _check_texts(found)
    problem = provider.refuse(found)
    if problem is not None:
        raise OvermindError("invalid", problem)
    check_limits(found, request.max_tokens, provider, settings)
    return found


class UnheldLimit(OvermindError):
    """A limit of money or tokens that nobody could hold."""


def check_limits(agent: Agent, max_tokens: int, provider: Provider, settings: Settings) -> None:
    """Refuse a limit that nobody could hold.

    Raises:
        UnheldLimit: `invalid`; says what to do.
    """
    problem = limit_problem(agent, max_tokens, provider, settings.prices)
    if problem is not None:
        raise UnheldLimit("invalid", problem)


def _check_texts(agent: Agent) -> None:
    """Refuse what no program can be given as an argument."""
    texts = {
        "The prompt": (agent.prompt,),
        "--model": (agent.model,),
        "--permission-mode": (agent.permission_mode,),
        "--allowed-tools": agent.allowed_tools,
        "--disallowed-tools": agent.disallowed_tools,
        "--system-prompt": (agent.system_prompt,),
        "--append-system-prompt": (agent.append_system_prompt,),
        "--mcp-config": agent.mcp_config,
        "--agent-arg": agent.arguments,
    }
    for name, given in texts.items():
        if any("\0" in text for text in given if text is not None):
            raise OvermindError("invalid", f"{name} contains a NUL character, which can't be passed to a program.")


def _provider(name: str, settings: Settings) -> Provider:
    own = [one.provider for one in settings.own]
    protocol, _, alone = name.rpartition(":")
    called = next((one for one in own if one.partition(":")[2] == alone and one != name), None)
    if called is not None and name not in registry.names():
        raise OvermindError("unknown_provider", f"An agent of your own is called with its protocol: write {called}.")
    if not registry.is_known(name):
        raise OvermindError("unknown_provider", registry.unknown(name))
    if is_own(name) and name not in own:
        how = f'write [providers.{alone}] with program and protocol = "{protocol}", then: overmind start --replace'
        raise OvermindError("unknown_provider", f"config.toml has no agent {alone}: {how}")
    return registry.get(name)


def _mode(request: Start, kind: Kind, provider: Provider) -> AgentMode:
    if not request.tty:
        raise OvermindError(
            "invalid", "--no-tty is for plain commands: Overmind chooses pipes or a terminal for an agent."
        )
    mode = AgentMode.ONE_SHOT
    if kind is Kind.SESSION:
        mode = AgentMode.INTERACTIVE if request.interactive else AgentMode.HEADLESS
    elif request.interactive:
        raise OvermindError("invalid", "--interactive is for sessions, and this is a task: leave out one of them")
    if mode is AgentMode.INTERACTIVE and provider.modes >= {AgentMode.HEADLESS} and mode not in provider.modes:
        on_terminal = f"overmind run --type session -- {provider.program or 'PROGRAM'}"
        message = (
            f"{provider.name} does not run with --interactive. Omit that, or run it on its terminal: {on_terminal}"
        )
        raise OvermindError("invalid", message)
    if mode not in provider.modes:
        option = "--type session" if request.type else "--interactive"
        raise OvermindError("invalid", f"{provider.name} only runs tasks: omit {option}.")
    return mode


def _prompt(request: Start, given: AgentArgs) -> str | None:
    prompt = given.prompt
    if prompt is None and request.command:
        prompt = request.command if isinstance(request.command, str) else " ".join(request.command)
    return _checked_length(prompt)


def checked_prompt(prompt: str | None) -> str | None:
    """The first message of a session; None for one without a character that is seen.

    Raises:
        OvermindError: `too_large`; `invalid`, it has a NUL character.
    """
    if prompt is not None and "\0" in prompt:
        raise OvermindError("invalid", "The prompt contains a NUL character, which can't be passed to a program.")
    return _checked_length(prompt)


def _checked_length(prompt: str | None) -> str | None:
    if prompt is not None and len(prompt.encode()) > LONGEST_PROMPT:
        raise OvermindError("too_large", f"The prompt is {len(prompt.encode())} bytes long; the limit is 15 MiB.")
    return prompt if prompt and prompt.strip() else None


def _rules(rules: list[str], option: str) -> tuple[str, ...]:
    for rule in rules:
        try:
            check(rule)
        except InvalidRule as error:
            raise OvermindError("invalid", f"{option}: {error}") from None
    return tuple(rules)


def _program(request: Start, settings: Settings, provider: Provider) -> str:
    """The caller's choice, else the configuration's, else what PATH has."""
    if is_own(provider.name):
        return next(one.program for one in settings.own if one.provider == provider.name)
    return chosen_program(provider, {**request.env, **request.env_set}, dict(settings.programs))
