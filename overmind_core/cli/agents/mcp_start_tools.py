"""MCP tools that start missions: `run` any program, `run_agent` an agent. As children of whoever runs the server."""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from overmind_core.cli import caller_environment
from overmind_core.cli.agents.mcp_calls import Calls, Named, picked
from overmind_core.client.skill import system_prompt

_REQUEST_KEY = 16
"""Random bytes that make the request's repetition recognisable."""
Name = Annotated[str | None, Field(description="name (default: generated)")]
Folder = Annotated[str | None, Field(description="working directory (default: this server's)")]
Labels = Annotated[dict[str, str] | None, Field(description="labels to select it by")]
Kind = Annotated[Literal["task", "session"], Field(description="task: runs until it ends; session: takes messages")]
Limit = Annotated[float | None, Field(ge=0, description="end it for good after this many seconds of wall clock")]
Isolate = Annotated[
    bool | None,
    Field(
        description=(
            "true: its own git worktree and branch, so that it can't collide with others; default: the project's "
            "setting"
        )
    ),
]
Base = Annotated[
    str | None, Field(description="the branch that its worktree begins at, and that its work is merged into")
]
Restart = Annotated[Literal["never", "on-failure", "always"], Field(description="when to restart it after it ends")]
Count = Annotated[int | None, Field(ge=0)]
Tokens = Annotated[int | None, Field(gt=0, description="limit for all agents of its tree together, in tokens")]
Money = Annotated[float | None, Field(gt=0, description="limit for all agents of its tree together, in US dollars")]


class CommonArguments(NamedTuple):
    """What may be said of every mission. `timeout`: seconds of wall clock."""

    name: str | None
    cwd: str | None
    kind: str
    labels: dict[str, str] | None
    restart: str
    timeout: float | None
    isolate: bool | None
    base: str | None


class StartTools:
    """The tools that start missions, over the daemon that `calls` reaches."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def run(
        self,
        command: Annotated[
            str | list[str], Field(description="a string: a shell command; a list: a program and its arguments")
        ],
        *,
        name: Name = None,
        cwd: Folder = None,
        type: Kind = "task",  # noqa: A002  (the tool's argument is called so)
        labels: Labels = None,
        env: Annotated[dict[str, str] | None, Field(description="variables to set")] = None,
        restart: Restart = "never",
        timeout_seconds: Limit = None,
        isolate: Isolate = None,
        base: Base = None,
    ) -> Named:
        """Start any program as a mission, and return at once. Follow it with `wait` and `logs`."""
        given = {"command": command, "env_set": {} if env is None else caller_environment.checked_variables(env)}
        return await self._start(
            given, CommonArguments(name, cwd, type, labels, restart, timeout_seconds, isolate, base)
        )

    async def run_agent(
        self,
        prompt: Annotated[str, Field(description="the task, with everything that the agent needs to know")],
        *,
        name: Name = None,
        cwd: Folder = None,
        type: Kind = "task",  # noqa: A002  (as above)
        labels: Labels = None,
        provider: str = "claude",
        model: str | None = None,
        restart: Restart = "never",
        timeout_seconds: Limit = None,
        isolate: Isolate = None,
        base: Base = None,
        max_turns: Annotated[int, Field(ge=0, description="limit of model turns; 0: no limit")] = 0,
        max_cost_usd: Money = None,
        max_tokens: Tokens = None,
        max_children: Count = None,
        max_depth: Count = None,
        allow: Annotated[
            list[str] | None, Field(description="rules that answer its questions with yes, such as Bash(git status)")
        ] = None,
        deny: Annotated[
            list[str] | None, Field(description="rules that answer its questions with no; they win over allow")
        ] = None,
        allowed_tools: list[str] | None = None,
        disallowed_tools: list[str] | None = None,
        permission_mode: str | None = None,
        append_system_prompt: str | None = None,
        orchestrator: Annotated[bool, Field(description="give it instructions for running agents")] = False,
    ) -> Named:
        """Start an agent with a prompt, and return at once.

        A task answers and ends: `wait`, `result`. A session takes messages (`send`) until you `stop` it.
        """
        agent = {
            "prompt": prompt,
            "model": model,
            "max_turns": max_turns,
            "allow": allow or [],
            "deny": deny or [],
            "allowed_tools": allowed_tools or [],
            "disallowed_tools": disallowed_tools or [],
            "permission_mode": permission_mode,
            "append_system_prompt": system_prompt(append_system_prompt) if orchestrator else append_system_prompt,
            "orchestrator": orchestrator,
        }
        limits = {
            "max_cost": max_cost_usd,
            "max_tokens": max_tokens,
            "max_children": max_children,
            "max_depth": max_depth,
        }
        given: dict[str, Any] = {"command": "", "provider": provider, "agent": agent}
        given |= {key: value for key, value in limits.items() if value is not None}
        return await self._start(
            given, CommonArguments(name, cwd, type, labels, restart, timeout_seconds, isolate, base)
        )

    async def _start(self, given: dict[str, Any], common: CommonArguments) -> Named:
        request = {
            "cwd": caller_environment.working_directory(common.cwd),
            "umask": caller_environment.current_umask(),
            "env": caller_environment.inherited_variables(os.environ, clean=False),
            "name": common.name,
            "type": common.kind,
            "labels": common.labels or {},
            "restart": common.restart,
            "timeout": f"{common.timeout or 0}s",
            "isolate": common.isolate,
            "base": common.base,
            "request": os.urandom(_REQUEST_KEY).hex(),
            **given,
        }
        return Named(**picked(Named, await self._calls.ask("run", start=True, **request)))
