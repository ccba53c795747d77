"""The keys of a blueprint: what each takes, and which fields of a `run` request it fills.

Reading one has questions to the machine (`Disk`); whoever reads one brings the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from overmind_core.blueprint_file import values
from overmind_core.blueprint_file.values import as_written
from overmind_core.documents.reading import FileValue, Read, choice, flag, milliseconds, seconds, text, texts, whole
from overmind_core.domain.agents.agent import is_own
from overmind_core.domain.memory.giving import Injection
from overmind_core.domain.plans.blueprint import OnFailure, When
from overmind_core.domain.plans.genome import GenomeAddress
from overmind_core.providers.registry import names

RESTARTS = ("never", "on-failure", "always")


class Key(NamedTuple):
    """One option of `run` under its long name."""

    read: Read
    fields: Callable[[Any], Mapping[str, Any]] | None = None
    """What it fills of the request; None: the field of its own name."""
    for_agents: bool = False
    """It means something for agents only, and is one of the request's `agent`."""
    open: bool = False
    """References stay in it until the agent starts; else they are read with the file, and may not name agents."""


def _provider(spot: FileValue) -> str | None:
    """A provider, or an agent of somebody's own: whether there is one, the machine that runs the blueprint knows."""
    return spot.value if isinstance(spot.value, str) and is_own(spot.value) else choice(names(), "provider")(spot)


OPTIONS: Mapping[str, Key] = {
    "provider": Key(_provider),
    "type": Key(choice(("task", "session"), "type")),
    "restart": Key(choice(RESTARTS, "restart policy")),
    "max_restarts": Key(whole),
    "max_seconds": Key(values.window),
    "backoff": Key(as_written(milliseconds)),
    "activity_timeout": Key(as_written(seconds)),
    "grace": Key(as_written(seconds)),
    "stop_signal": Key(values.stop_signal),
    "timeout": Key(as_written(values.limit)),
    "leave_background": Key(flag),
    "max_children": Key(whole),
    "max_depth": Key(whole),
    "max_cost": Key(values.dollars),
    "max_tokens": Key(values.tokens),
    "stall_waiting": Key(flag),
    "size": Key(values.terminal_size, lambda size: {"columns": size[0], "rows": size[1]}),
    "interactive": Key(flag),
    "no_tty": Key(flag, lambda no: {"tty": not no}),
    "isolate": Key(flag),
    "notes": Key(choice([one.value for one in Injection])),
    "labels": Key(values.pairs, open=True),
    "model": Key(text, for_agents=True, open=True),
    "allowed_tools": Key(texts, for_agents=True, open=True),
    "disallowed_tools": Key(texts, for_agents=True, open=True),
    "permission_mode": Key(text, for_agents=True),
    "allow": Key(values.rules, for_agents=True),
    "deny": Key(values.rules, for_agents=True),
    "max_turns": Key(whole, for_agents=True),
    "system_prompt": Key(text, for_agents=True, open=True),
    "append_system_prompt": Key(text, for_agents=True, open=True),
    "orchestrator": Key(flag, for_agents=True),
    "agent_arg": Key(texts, lambda words: {"arguments": words}, for_agents=True, open=True),
}
"""Those that need nothing but their value."""
SPECIAL = ("command", "cwd", "env", "env_file", "clean_env", "mcp_config")
"""Options that also need the folder, the disk or each other."""
PLAN = ("depends_on", "outputs", "ready", "service", "when", "retries")
"""What makes an agent a part of a plan."""
MERGE = ("merge", "into", "verify", "squash", "rebase")
"""Of an agent that lands what others have done, instead of a command."""
BESIDE_MERGE = ("depends_on", "when", "retries", "backoff", "timeout", "labels")
"""What such an agent may have besides."""
SWARM = ("on", "cpu", "memory")
"""Where an agent runs that is posted to the swarm, and what is reserved for it there."""
AGENT = (*SPECIAL, *OPTIONS, *PLAN, *MERGE, *SWARM)
"""All keys of an agent."""
ROOT = ("blueprint", "vars", "agents", "fleets", "sentinels")
WHOLE: Mapping[str, Read] = {
    "name": text,
    "max_parallel": whole,
    "on_failure": choice([one.value for one in OnFailure]),
    "timeout": values.limit,
}
"""Keys of [blueprint]."""
WHEN: Read = choice([one.value for one in When])


class Disk(Protocol):
    """The files that a blueprint names. Paths and texts are in wire form."""

    def folder_problem(self, path: str) -> str | None:
        """Why nothing can run in this folder, as in `does not exist`; None when it can."""

    def variables(self, path: str) -> Mapping[str, str]:
        """What a file of NAME=VALUE lines holds.

        Raises:
            OvermindError: it can't be read, or has a mistake.
        """

    def genome(self, address: GenomeAddress) -> FetchedFile:
        """Fetch a file from git.

        Raises:
            OvermindError: it can't be had.
        """


class FetchedFile(Protocol):
    """A file of a repository."""

    @property
    def commit(self) -> str:
        """At which it is so."""

    @property
    def data(self) -> bytes:
        """What it holds."""
