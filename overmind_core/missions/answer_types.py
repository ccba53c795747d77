"""The types of answers about missions and their logs; docs/api.md and docs/api.schema.json are made of them.

Only annotations name them: no daemon loads this file.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from overmind_core.domain.agents.agent import ActivityKind, ActivitySource, AgentMode, AgentNeed
from overmind_core.domain.memory.giving import Injection
from overmind_core.domain.memory.notes import NoteKind
from overmind_core.domain.missions.mission import Kind, Restart, Status
from overmind_core.domain.missions.outcome import Outcome
from overmind_core.domain.missions.standing import WorkState


class MissionBrief(TypedDict):
    """A mission by its id and name."""

    id: str
    name: str


class StartedMission(MissionBrief):
    """A mission that was asked for."""

    status: NotRequired[Status]
    """Only of one that is prepared first: its worktree, its services; or of a repeat that found it so."""
    note: NotRequired[str | None]
    """Notes for the person."""


class ForkedMission(StartedMission):
    """A session that begins with the conversation of another mission."""

    source: str | None
    """The id of that mission."""
    source_name: str | None
    """Null: it was removed meanwhile."""
    at: int | None
    """The number of the last message in the copy; null: not known, as of a task."""


class RemovedMission(MissionBrief):
    """A mission that was removed."""

    note: NotRequired[str]
    """Only where work of it is kept, which would be lost: where it is, why, and how it is removed."""


class RestartedMission(MissionBrief):
    """A mission that was started again."""

    status: NotRequired[Status]
    """Only of one that is prepared first."""
    note: NotRequired[str]
    """Only where its last run had to be killed, or its agent's conversation was found to be gone."""


class LostMissions(TypedDict):
    """With `lost`: the missions that were lost with a keeper or a machine, and that a person starts again."""

    missions: list[MissionBrief]
    """Those that were started, or with `dry_run` would be."""
    problems: list[str]
    """A sentence for each that could not be."""


class StoppedMission(MissionBrief):
    """A mission that was stopped."""

    status: Status
    also: list[MissionBrief]
    """Its descendants that ended with it."""
    note: NotRequired[str]
    """Only where something had to be killed after its grace, and on a full disk: how far the end counts although it
    could not be stored."""


class KilledMissions(TypedDict):
    """The missions that were killed."""

    killed: list[MissionBrief]
    hidden: list[str]
    """The ids of those that had ended before: plain `ps` no longer lists them, and how they ended is kept."""
    already: NotRequired[list[str]]
    """The ids of those that an earlier kill had ended."""
    background: NotRequired[list[str]]
    """`pid command` of each process that the mission had left in the background, and that ended with this."""
    note: NotRequired[str]
    """Only on a full disk, as of one that is stopped."""


class PrunedMissions(TypedDict):
    """The finished missions that were removed, or would be."""

    missions: list[MissionBrief]
    bytes: int
    """Of their logs."""
    as_of: float
    """The moment of the answer, in seconds since the epoch; pass it on from a dry run, so that no more is removed."""
    note: NotRequired[str]
    """Only where work of them is kept, as in the answer of `rm`; where one stays because something that it has left
    in the background goes on: what, and how it is ended; and where some stay because something is asked about them, or
    because missions below them live. A line for each."""


class Tokens(TypedDict):
    """Tokens of all turns so far."""

    input: int
    output: int


class AgentState(TypedDict):
    """The activity and the cost of an agent; null for a plain program."""

    activity: ActivityKind | None
    need: AgentNeed | None
    """The kind of answer it needs from a person."""
    activity_since: str | None
    activity_guess: ActivityKind | None
    """While the activity is unknown: what it seems to be doing, by the words on its screen."""
    activity_source: ActivitySource | None
    attempt: int | None
    """While it is limited: the number of its own retries."""
    resume_at: str | None
    """While it is limited: when it tries again."""
    failed_message: str | None
    """While it is idle: how its last message has failed, in words; null: it has not, or a person interrupted it."""
    handover: Literal["handing_back", "handed_over", "finishing"] | None
    """Its place between pipes and a person's terminal."""
    mode: AgentMode | None
    cost_usd: float | None
    """US dollars, as far as prices are known; null if no price is known."""
    cost_source: Literal["reported", "estimated"] | None
    """Where the cost is from: its program, or in part the prices in config.toml; null if there is no cost."""
    cost_partial: bool
    """Part of the cost is unknown: `cost_usd` is the rest."""
    tokens: Tokens | None


class MissionCore(MissionBrief):
    """A mission as it was defined, and how it stands."""

    type: Kind
    status: Status
    reason: str | None
    """A code: why it ended, or is not running."""
    restart_count: int
    parent: str | None
    """The id of the mission that started it."""
    children: list[str]
    """Ids."""
    exit_code: int | None
    """Of the newest finished run, 128+N for a signal; null when it was killed or nobody knows."""
    outcome: Outcome | None
    """Whether it did what it was for; null while it has not ended. Of an ended mission of a quest, how that ended. Null
    for an attempt of a plan's agent that is tried again, or was: the newest one says it."""
    quest_state: WorkState | None
    """How the quest stands whose ended mission it is. Of an attempt of a plan's agent that has failed: `queued` until
    the next one begins, `tried again` from then on. Null while it lives, and for every other mission."""
    next_try_at: str | None
    """The earliest time at which the quest, or the plan's agent, is tried again whose attempt this was; null: it is
    not."""
    quest_failure: str | None
    """A code: why that quest failed where its program ended well; `no_verdict` of a review without a verdict."""
    started_at: str
    """Of its first run."""
    run: int
    """The number of its newest run; 0 before the first."""
    run_started_at: str | None
    """When its newest run began."""
    ended_at: str | None
    uptime_seconds: float
    """Since its newest run began; of a finished one, until that ended. `started_at` is when its first run began."""
    command: str
    """One line for people."""
    cwd: str
    labels: dict[str, str]
    provider: str
    """`raw` for a plain program."""
    interactive: bool
    tty: bool
    """Its output goes to a terminal, not to pipes."""
    unseen: bool
    """Something happened to it since a person last looked."""
    conversation_lost: bool
    """Its agent's conversation was gone, so it began a new one, and nobody has looked since."""
    lost: bool
    """It was lost with its keeper, or with the machine, and `restart` with `lost` starts it again."""
    hidden: bool
    """Plain lists leave it out: it was killed, or had ended before that and keeps how it did."""


class MissionSummary(MissionCore, AgentState):
    """The fields that a list and the details of a mission share."""


class IsolationSummary(TypedDict):
    """The isolated resources of a mission."""

    source: str
    """The project that it was made of."""
    worktree: str | None
    no_worktree: str | None
    """Why it has no worktree, in words, such as `it was discarded`; null: it has one."""
    branch: str | None
    base: str | None
    """Where its branch begins."""
    ports: dict[str, int]
    """By service; `minio/9001` for a further port of the service `minio`."""
    ports_held: bool
    """Nobody else gets them now; false: it has them again at its next start, if they are still free."""
    containers: dict[str, str]
    """Service to the name of its container."""
    services: dict[str, str]
    """Service to the id of the mission that runs it."""
    step: str | None
    """The current step of its preparation."""


class ChangedLines(TypedDict):
    """Lines that a mission has changed in its worktree since its branch began, uncommitted and new files included."""

    added: int
    removed: int


class ListedMission(MissionSummary):
    """A mission in a list."""

    attached: int
    """How many are attached to its terminal."""
    isolation: IsolationSummary | None
    changed_lines: ChangedLines | None
    """Null without a worktree of its own, and while nobody has counted since it did something."""


class Load(TypedDict):
    """The load of a mission. Null for one that does not run."""

    cpu_percent: float | None
    memory_bytes: int | None
    output_bytes_per_second: float | None
    next_restart_at: str | None
    now: str | None
    """One line about its current activity, or its end."""


class WideMission(ListedMission, Load):
    """With `wide`: a mission in a list, with its load."""


class MissionFigures(Load):
    """The load of a mission, how much its newest run has written, and the lines that it has changed."""

    id: str
    output_bytes: int
    changed_lines: ChangedLines | None
    """As `ps` has them."""


class FiguresRead(TypedDict):
    """The figures of all missions that were asked for."""

    missions: list[MissionFigures]
    gone: list[str]
    """With `known`: ids of those that are there no more."""


class FiguresChanged(TypedDict):
    """The figures of the missions of which one is another than the caller was told."""

    missions: list[MissionFigures]
    gone: list[str]
    """Ids of those that were removed meanwhile."""


class LoadSamples(TypedDict):
    """The load of a mission in the last minutes, the newest sample last."""

    step_seconds: float
    """Between two samples, at least."""
    cpu_percent: list[float]
    memory_bytes: list[int]
    output_bytes_per_second: list[float]


class MissionWithHistory(WideMission):
    """With `history`: a wide row, and its load in the last minutes."""

    history: LoadSamples


class RunSummary(TypedDict):
    """One run of a mission."""

    number: int
    """From 1."""
    os_pid: int | None
    """While it runs."""
    started_at: str | None
    ended_at: str | None
    exit_code: int | None
    """As a shell shows it: 128+N for a signal."""
    signal: int | None
    reason: str | None
    output_bytes: int


class MissionDetails(MissionSummary):
    """A mission with its limits and runs."""

    os_pid: int | None
    argv: list[str]
    model: str | None
    turns: int | None
    """How often its model was called, as far as its program says; null for a command, and where nobody counted."""
    permission_mode: str | None
    """The permission mode of the agent; null for the program's default."""
    restart_policy: Restart
    run_reason: str | None
    """The reason of its last run, where its own is `restart_budget_spent`; null: that run had none."""
    limit_seconds: float | None
    """Of the limit of time or silence that ended it; null: none did."""
    max_restarts: int
    """Within `max_seconds`; 0: no limit."""
    max_seconds: float
    backoff_ms: float
    next_restart_at: str | None
    activity_timeout_seconds: float
    """Silence after which it is killed; 0: never."""
    grace_seconds: float
    """Between its stop signal and SIGKILL."""
    stop_signal: int
    timeout_ms: float
    """For one run; 0: none."""
    columns: int
    rows: int
    leave_background: bool
    max_children: int | None
    max_depth: int | None
    max_cost_usd: float | None
    max_tokens: int | None
    tree_cost_usd: float | None
    """The cost of its tree, if the tree has a limit of cost."""
    tree_cost_source: Literal["reported", "estimated"] | None
    tree_cost_partial: bool
    tree_tokens: int | None
    """The tokens of its tree, if the tree has a limit of tokens."""
    created_at: str
    session_id: str | None
    """The agent program's id of the conversation."""
    attached: int
    """How many are attached to its terminal."""
    now: str | None
    """One line about its current activity, or its end."""
    last_activity_at: str | None
    """When its newest run wrote last, or began if it never did; of a plan its start, then its end. Null: it never
    ran, or its log is gone."""
    kill_at: str | None
    """Only of one that is asked to end: when what is left of it is killed."""
    killed_after_seconds: float | None
    """How long its last run was given to end before it had to be killed; null: it did not come to that."""
    survivors: list[str]
    """`pid command` of each process that could not be ended."""
    background: list[str]
    """`pid command` of each process that it has left in the background, with `leave_background`, and that goes on."""
    runs: list[RunSummary]
    """Oldest first."""


class GivenNote(TypedDict):
    """A note that the newest run was given."""

    id: str
    kind: NoteKind
    why: Literal["pinned", "identifier", "path", "words"]
    text: str
    """Its first line."""


class MissionNotes(TypedDict):
    """The notes of a mission."""

    inject: Injection
    given: list[GivenNote]
    """Those that its newest run was given."""
    tokens: int
    left_out: int
    wrote: list[str]
    """Ids of the notes that it has written."""


class MissionInfo(MissionDetails):
    """All fields of one mission."""

    isolation: IsolationSummary | None
    changed_lines: ChangedLines | None
    """Null without a worktree of its own, and while nobody has counted since it did something."""
    own_rules: list[str]
    """The rules of ours by which an agent uses the folders of its quest without asking, and `memory`, the notes."""
    notes: MissionNotes | None
    """Null for a command that was not to be given any, and where there is no memory."""


class MissionInfoWithEnvironment(MissionInfo):
    """With `env` or `reveal`: the same, and its environment."""

    env: list[str] | dict[str, str]
    """The names; with `reveal` also the values."""


class MissionUsage(MissionBrief):
    """The load of one live mission, and what its state is."""

    status: Status
    activity: ActivityKind | None
    activity_guess: ActivityKind | None
    next_restart_at: str | None
    resume_at: str | None
    cpu_percent: float | None
    memory_bytes: int | None
    output_bytes_per_second: float
    processes: int
    cost_usd: float | None
    cost_source: Literal["reported", "estimated"] | None
    cost_partial: bool
    tokens: Tokens | None


class MissionsFollowed(TypedDict):
    """The missions that are waited for."""

    missions: list[MissionBrief]


class MissionEnd(MissionBrief):
    """A mission has ended for good."""

    status: Status
    exit_code: int | None
    shell_exit: int
    """The exit code of a shell that waited for it: 137 if it was killed."""
    reason: str | None
    outcome: Outcome | None
    """Of the work of a quest that of the whole quest, as `info` says it; null: it goes on."""
    quest_state: WorkState | None
    quest_text: str | None
    """What its quest says of it, in a line for people."""
    run_reason: str | None
    """The reason of its last run, where its own is `restart_budget_spent`; null: that run had none."""
    limit_seconds: float | None
    """Of the limit of time or silence that ended it; null: none did."""
    restart_policy: Restart
    max_restarts: int
    """Its limit of restarts, within `max_seconds`; 0: it has none."""
    max_seconds: float
    restart_count: int


class LogAnnotation(TypedDict):
    """An event, and its place between the lines of the log."""

    seq: int
    """Number of the event."""
    at: float
    """Seconds since the epoch."""
    mission: str
    run: int
    out: int
    """Bytes of standard output before it."""
    err: int
    kind: str
    """Type of the event."""
    text: str


class LoggedRun(TypedDict):
    """Where the log of one run is."""

    number: int
    path: str
    """Its folder."""
    tty: bool
    format: str | None
    """The provider whose lines of JSON it wrote; null: plain ones."""
    columns: int
    rows: int
    started_at: str
    ended_at: str | None
    out: int
    """Bytes of standard output, or of the terminal."""
    err: int


class LoggedMission(MissionBrief):
    """Where the logs of one mission are."""

    provider: str
    type: Kind
    status: Status
    exit_code: int | None
    reason: str | None
    seen_at: str | None
    """The time a person last looked."""
    runs: list[LoggedRun]
    annotations: list[LogAnnotation]


class LogPlaces(TypedDict):
    """Where the logs are."""

    missions: list[LoggedMission]
    seq: int
    """The newest event; pass it as `seq` next time."""


class LogRunBegan(TypedDict):
    """A run has begun."""

    type: Literal["run"]
    mission: str
    run: LoggedRun


class LogGrew(TypedDict):
    """A log has grown to so many bytes."""

    type: Literal["grown"]
    mission: str
    run: int
    out: int
    err: int


class LogAnnotated(LogAnnotation):
    """Something happened that belongs between the lines."""

    type: Literal["annotation"]


class LogTrouble(TypedDict):
    """Output is interrupted; a null reason: it continues."""

    type: Literal["trouble"]
    mission: str
    reason: str | None


class LogEnd(TypedDict):
    """The log of this mission is complete."""

    type: Literal["end"]
    mission: str
    status: Status
    exit_code: int | None
    reason: str | None


LogItem = LogRunBegan | LogGrew | LogAnnotated | LogTrouble | LogEnd
