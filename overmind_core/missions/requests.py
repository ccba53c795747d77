"""The arguments of requests about missions, their terminals and definitions; docs/api.md is generated from them.

A bare number is milliseconds for `timeout` and `backoff` and seconds elsewhere; texts may carry a unit (`5m`).
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from overmind_core.domain.memory.giving import Injection
from overmind_core.kernel.request import Args, RequestKey

Amount = int | float | str
Whole = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""A number that is not negative and that everybody can hold, JavaScript too."""


class Nothing(Args, frozen=True):
    """No arguments."""


class AgentArgs(Args, frozen=True):
    """The options of an agent in `run`; see `overmind run --help`. 0 turns: no limit."""

    prompt: str | None = None
    model: str | None = None
    allowed_tools: list[str] = []
    disallowed_tools: list[str] = []
    permission_mode: str | None = None
    allow: list[str] = []
    deny: list[str] = []
    max_turns: Whole = 0
    system_prompt: str | None = None
    append_system_prompt: str | None = None
    mcp_config: list[str] = []
    arguments: list[str] = []
    orchestrator: bool = False
    """It runs agents of its own: plain `overmind` commands of its shell that do no more are allowed unasked."""


class ConversationArgs(Args, frozen=True):
    """A conversation that an agent's program keeps already, and that a session goes on with."""

    id: str
    """By its program's name for it."""
    said: list[str] = []
    """Its last lines, for the log; at most 64 KiB together."""
    cost_usd: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """The program's own sum until now, which is not the mission's; null: nobody knows."""


class Start(Args, frozen=True):
    """`run`: the command, its environment and its policy."""

    command: str | list[str]
    cwd: str
    name: str | None = None
    env: dict[str, str] = {}
    """The caller's environment."""
    env_set: dict[str, str] = {}
    """Variables set for this mission alone; they override every default."""
    umask: Whole = 0o022
    columns: Whole = 80
    rows: Whole = 24
    type: str | None = None
    """task or session; null: a session for an agent with `interactive`, else a task."""
    parent: str | None = None
    provider: str = "raw"
    agent: AgentArgs | None = None
    """With a provider other than raw; without `prompt` the command is the prompt."""
    restart: str = "never"
    max_restarts: Whole = 5
    max_seconds: Amount = 60
    backoff: Amount = 1000
    activity_timeout: Amount = 0
    grace: Amount = 10
    stop_signal: str | int = "TERM"
    timeout: Amount = 0
    interactive: bool = False
    tty: bool = True
    leave_background: bool = False
    stall_waiting: bool = False
    max_children: Whole | None = None
    """The limit of live children for each mission of its tree; null: 10 for missions started by agents."""
    max_depth: Whole | None = None
    """The limit of generations below it; null: 3 for missions started by agents."""
    max_cost: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """US dollars for all agents of its tree together; 0: no limit."""
    max_tokens: Whole = 0
    """Tokens, read and written, for all agents of its tree together; 0: no limit."""
    labels: dict[str, str] = {}
    notes: Injection | None = None
    """The notes that it is given at its beginning; null: an agent those of the configuration, a command none."""
    isolate: bool | None = None
    """A worktree, ports and services of its own; null: where the project has an `.overmind.yml`, or with `base`."""
    base: str | None = None
    """The branch that its worktree begins at, and `merge` lands on; null: the project's, or what is checked out."""
    conversation: ConversationArgs | None = None
    """For a session of an agent: what it goes on with; null: it begins a conversation."""
    request: RequestKey | None = None
    """A key of the caller's choice, without `:`; a repeat with the same key answers the same mission."""


class ForkArgs(Args, frozen=True):
    """`fork`: whose conversation is copied, up to which message, and what the copy is called and told first."""

    id: str
    at: Whole | None = None
    """The number of a message: the copy ends with its answer; null: with the last finished one."""
    name: str | None = None
    prompt: str | None = None
    request: RequestKey | None = None
    """A key of the caller's choice, without `:`; a repeat with the same key answers the same mission."""


class Ps(Args, frozen=True):
    """Which missions to list."""

    all: bool = False
    children: str | None = None
    status: list[str] = []
    outcome: list[str] = []
    """Of these outcomes: `succeeded`, `failed`, `timed out`, `stopped`, `killed`, `lost`."""
    label: list[str] = []
    wide: bool = False
    history: bool = False
    """With `wide`: the load of the last minutes, too."""
    ids: list[str] = []
    known: bool = False
    """The ids are exact, and of missions that were there: those removed since are left out, not refused."""
    recent: Whole | None = None
    """Without a filter at most so many that have ended, all lost ones, and with a plan its agents that were killed."""


class Figures(Args, frozen=True):
    """The load of these missions, and of each again as soon as it is another one."""

    ids: Annotated[list[str], msgspec.Meta(max_length=1000)]
    every: Amount | None = None
    """Seconds between two looks, from 0.5 to 60; null: one look, and the end."""
    known: bool = False
    """The ids are exact, and of missions that were there: those removed since are named as gone, not refused."""
    key: str | None = None
    """A word of the caller's choice. A stream of the same connection that was asked for with the same word ends as soon
    as this one begins: so the missions are changed of which it tells."""


class Info(Args, frozen=True):
    """`env`: also the names of its environment; `reveal`: with values."""

    id: str
    env: bool = False
    reveal: bool = False


class Logs(Args, frozen=True):
    """Where the logs of these missions are; null means all. `seq`: only annotations after that event."""

    ids: list[str] | None = None
    follow: bool = False
    run: Whole | None = None
    seq: Whole = 0
    kinds: list[str] | None = None
    """Only annotations that are events of these types; null means any."""
    hidden: bool = False
    """Of all missions, also those that lists leave out."""


class One(Args, frozen=True):
    """One mission."""

    id: str


class Stop(Args, frozen=True):
    """Stop one mission, with its descendants when `cascade`."""

    id: str
    cascade: bool = False
    grace: Amount | None = None


class Kill(Args, frozen=True):
    """Kill one mission (with its descendants when `cascade`), or all that live."""

    id: str | None = None
    all: bool = False
    cascade: bool = False
    alone: bool = False
    """The mission that `rm` would remove: a name that several have had which have ended is refused as `ambiguous`."""


class RestartArgs(Args, frozen=True):
    """Restart one mission, or all that were lost; `dry_run` only lists those."""

    id: str | None = None
    lost: bool = False
    dry_run: bool = False
    fresh: bool = False
    """With a new worktree, new ports and new containers; the old ones are discarded."""
    force: bool = False
    """Also when that loses work."""
    session_env: dict[str, str] = {}
    """`SSH_AUTH_SOCK`, `DISPLAY`, `WAYLAND_DISPLAY` and `KRB5CCNAME` of a person at this machine: the next runs get
    them. From anybody else they mean nothing."""


class Signal(Args, frozen=True):
    """Send a signal, by name or number, to every process of the mission."""

    id: str
    signal: str | int


class Update(Args, frozen=True):
    """Change a mission without a restart; absent fields stay. A label set to null is removed."""

    id: str
    name: str | None = None
    labels: dict[str, str | None] = {}
    restart: str | None = None
    max_restarts: Whole | None = None
    max_seconds: Amount | None = None
    backoff: Amount | None = None
    activity_timeout: Amount | None = None
    grace: Amount | None = None
    stop_signal: str | int | None = None
    timeout: Amount | None = None
    leave_background: bool | None = None


class Terms(Args, frozen=True):
    """The new definition of a mission, with the fields of `run`; absent fields get their default."""

    name: str
    cwd: str
    command: str | list[str] | None = None
    """Null for an agent, which has a prompt."""
    columns: Whole = 80
    rows: Whole = 24
    labels: dict[str, str] = {}
    env: dict[str, str] = {}
    """Variables set for this mission alone; its caller's environment stays."""
    restart: str = "never"
    max_restarts: Whole = 5
    max_seconds: Amount = 60
    backoff: Amount = 1000
    activity_timeout: Amount = 0
    stall_waiting: bool = False
    grace: Amount = 10
    stop_signal: str | int = "TERM"
    timeout: Amount = 0
    leave_background: bool = False
    max_children: Whole | None = None
    max_depth: Whole | None = None
    max_cost: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    max_tokens: Whole = 0
    notes: Injection | None = None
    agent: AgentArgs | None = None


class Redefine(Args, frozen=True):
    """Change what a mission is, for its next run; `as_of` is what `definition` answered: a later change is kept."""

    id: str
    as_of: str
    definition: Terms


class Prune(Args, frozen=True):
    """Remove finished missions, those that ended at least `older` ago."""

    older: Amount = 0
    dry_run: bool = False
    as_of: float | None = None
    """The time in the answer to a dry run: those that have ended since then stay."""


class Wait(Args, frozen=True):
    """Tell as each mission ends; `any`: only the first."""

    ids: list[str]
    any: bool = False


class Attach(Args, frozen=True):
    """Join a mission's terminal, of which the caller has `columns` and `rows`; `rejoin`: it was attached already."""

    id: str
    read_only: bool = False
    columns: Whole = 80
    rows: Whole = 24
    keep: bool = False
    """Leave an agent that was given a terminal for this in it."""
    rejoin: bool = False
    looks: bool = False
    """Only look, which leaves no trace: nothing can be typed, nobody counts as attached, and no event is written."""

    @property
    def types(self) -> bool:
        """Whether the caller does more than watch."""
        return not (self.read_only or self.looks)
