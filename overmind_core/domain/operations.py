"""Operations, one row each: name and words, how dangerous it is, who may ask for it, whether it may be repeated.

An operation is what somebody can ask for: a request of the API, a command of the command line, or both. Who shows or
does one reads its row: the API (`daemon/routes.py`), the client, the command line, the tools of agents, the full-screen
program's keys and verbs. `tests/house/test_operations.py` walks the table.

Imports nothing slow: the client reads it where a daemon was lost, the command line where it shows help.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final

FIRST_RELEASE = "0.1.0"


class Danger:
    """The danger of an operation to work: one of three. No enumeration, for help would import all that makes these."""

    __slots__ = ("value",)

    NONE: Danger
    CHANGES: Danger
    ENDS_WORK: Danger

    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        """Return its word."""
        return self.value


DANGERS = Danger.NONE, Danger.CHANGES, Danger.ENDS_WORK = Danger("none"), Danger("changes"), Danger("ends work")
"""All of them, the worst last."""


class Operation:
    """What somebody can ask for.

    Args:
        name: The request of the API; for what is none, the command, with underscores.
        summary: One line, no full stop, begins with a verb. The command line shows it.
        danger: What it does to work. An argument that makes a change of a reading is named beside the row.
        repeatable: A request that may be sent again when the connection was lost before the answer: twice is as once.
        already_done: Errors that mean, when it was sent again, that the first one did it.
        forbidden: What is said to a process inside a mission that asks for it ("… may not <forbidden>."); None: it may.
        within: For which missions a process inside a mission may ask, where that is not all.
        commands: How the command line calls it, where that is not its name with spaces; the first is the one whose help
            says the summary.
        asks_keeper: It waits for the keeper, and is answered without it where that does not answer.
        request: Whether the API has it; what it has not is made of other requests, or needs no daemon.
        since: The release in which it came.
    """

    __slots__ = (
        "already_done", "asks_keeper", "commands", "danger", "forbidden", "name", "repeatable", "request", "since",
        "summary", "within",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        summary: str,
        danger: Danger = Danger.NONE,
        *,
        repeatable: bool = False,
        already_done: tuple[str, ...] = (),
        forbidden: str | None = None,
        within: str = "",
        commands: tuple[str, ...] | None = None,
        asks_keeper: bool = False,
        request: bool = True,
        since: str = FIRST_RELEASE,
    ) -> None:
        self.name: Final = name
        self.summary: Final = summary
        self.danger: Final = danger
        self.repeatable: Final = repeatable
        self.already_done: Final = already_done
        self.forbidden: Final = forbidden
        self.within: Final = within
        self.commands: Final = (name.replace("_", " "),) if commands is None else commands
        self.asks_keeper: Final = asks_keeper
        self.request: Final = request
        self.since: Final = since

    def __repr__(self) -> str:
        return f"<{self.name}: {self.danger}>"


_CHANGES, _ENDS = Danger.CHANGES, Danger.ENDS_WORK
_DESCENDANTS = "its own descendants"
_OWN_NOTES = "notes of its own that nobody else has changed"
_PLAN = "its own descendants, and the other missions of its plan"

REQUESTS: tuple[Operation, ...] = (
    Operation("hello", "introduce a client, and get the daemon's version", commands=()),
    Operation("status", "show the daemon, its keeper, and counts of missions", repeatable=True),
    Operation("run", "start a mission", _CHANGES,
              repeatable=True,  # its `request` key makes the second one a question
              commands=("run", "claude run"), asks_keeper=True),
    Operation("ps", "list the missions", repeatable=True),
    Operation("info", "print every field of a mission, as JSON", repeatable=True),
    Operation("logs", "show the output of missions", repeatable=True),
    Operation("stop", "stop missions: send the stop signal, then SIGKILL after the grace period", _ENDS,
              repeatable=True, already_done=("not_running",), within=_DESCENDANTS, asks_keeper=True),
    Operation("kill", "kill missions at once, with everything they started", _ENDS,
              repeatable=True, already_done=("not_running",), within=_DESCENDANTS, asks_keeper=True),
    Operation("restart", "stop missions and start them again, with the same id, name and log", _ENDS,
              forbidden="restart missions", asks_keeper=True),
    Operation("signal", "send a signal to everything a mission started", _ENDS, forbidden="signal missions"),
    Operation("freeze", "pause missions: SIGSTOP to everything they started", _CHANGES,
              repeatable=True, forbidden="freeze missions"),
    Operation("thaw", "resume paused missions: SIGCONT to everything they started", _CHANGES,
              repeatable=True, forbidden="thaw missions"),
    Operation("update", "change a mission's name, labels and policy, without a restart", _CHANGES,
              repeatable=True, forbidden="change missions"),
    Operation("definition", "read the editable fields of a mission, secrets included",
              repeatable=True, forbidden="read definitions", commands=()),
    Operation("redefine", "replace a mission's definition from its next run on", _CHANGES,
              forbidden="change missions", commands=()),
    Operation("environment", "read the folder, umask and environment of a mission's programs",
              repeatable=True, forbidden="read environments", commands=()),
    Operation("rm", "remove finished missions, with their logs", _ENDS,
              repeatable=True, already_done=("not_found",), forbidden="remove missions"),
    Operation("prune", "remove all finished missions, with their logs", _ENDS,
              repeatable=True, forbidden="remove missions"),
    Operation("wait", "wait until missions have ended, including their restarts", repeatable=True),
    Operation("top", "show CPU, memory, output rate and cost of each live mission", repeatable=True),
    Operation("events", "print the event log, a JSON object per line", repeatable=True),  # `eyes`: who is called
    Operation("used", "report that a person is present, and the mission on screen", _CHANGES,
              forbidden="report a person's presence", commands=()),
    Operation("subscribe", "print the output of missions as JSON objects, for programs", repeatable=True),
    Operation("attach", "attach to a mission's terminal: see its output and type into it", _CHANGES,
              forbidden="attach to missions", asks_keeper=True),
    Operation("detach", "detach all clients from a mission", _CHANGES, forbidden="detach others"),
    Operation("send", "send a session a message", _CHANGES, repeatable=True,  # as with `run`
              within=_DESCENDANTS, asks_keeper=True),
    Operation("await_message", "wait until a message is delivered, or answered", repeatable=True, commands=()),
    Operation("messages", "list the messages of a session, or withdraw one", repeatable=True),  # `cancel` withdraws
    Operation("interrupt", "interrupt a session's current turn; the session stays", _CHANGES, within=_DESCENDANTS),
    Operation("result", "print the last result of an agent, as its program reported it", repeatable=True),
    Operation("inbox", "list open questions of agents (permissions, plans, dialogs) and of the engine",
              repeatable=True, forbidden="read the inbox; ps shows the questions of its own missions"),
    Operation("answer", "answer a question of an agent or of the engine; list them with: inbox", _CHANGES,
              forbidden="answer questions"),
    Operation("hook", "pass an agent's event to the daemon; for programs, not for people", _CHANGES),
    Operation("seen", "mark missions as seen", _CHANGES,
              repeatable=True, forbidden="mark missions as seen"),
    Operation("cost", "show the cost of agents", repeatable=True),
    Operation("apply", "start the plan in a file, or update the live one to match the file", _CHANGES,
              repeatable=True),  # as with `run`
    Operation("delete", "stop a plan: its agents end in the reverse of the order in which they started", _ENDS,
              repeatable=True, within=_DESCENDANTS, asks_keeper=True),
    Operation("plans", "list the plans, newest first", repeatable=True, commands=()),
    Operation("plan", "print every field of a plan and its agents", repeatable=True, commands=()),
    Operation("quest_run", "start a quest: a command that is done once it and its --check exit 0", _CHANGES,
              repeatable=True, asks_keeper=True),  # as with `run`
    Operation("quests", "list the quests, oldest first", repeatable=True, commands=("quest list",)),
    Operation("quest", "print every field of a quest, as JSON", repeatable=True, commands=("quest info",)),
    Operation("quest_wait", "wait until quests have ended, including their checks and retries", repeatable=True),
    Operation("quest_cancel", "cancel quests: stop their work and checks, without a retry", _ENDS,
              repeatable=True, already_done=("not_running",), within=_DESCENDANTS),
    Operation("quest_add", "put a quest into the queue, or all quests of a file", _CHANGES,
              repeatable=True, forbidden="add quests; report what has to be done"),  # as with `run`
    Operation("quest_edit", "change a quest of the queue", _CHANGES, forbidden="edit quests"),
    Operation("quest_retry", "give failed or cancelled quests another round of attempts", _CHANGES,
              forbidden="retry quests"),
    Operation("quest_why", "explain why a quest waits, its score, and the quests that depend on it", repeatable=True),
    Operation("queue", "list queued quests in the order in which they start, and why each waits", repeatable=True),
    Operation("queue_set", "pause or resume the queue, or change its slots", _CHANGES,
              repeatable=True, forbidden="change the queue", commands=()),
    Operation("board", "show all quests as cards in five columns", repeatable=True),
    Operation("report", "report what was found beside the task: it is queued, asked or recorded", _CHANGES,
              repeatable=True),  # as with `run`
    Operation("spec_new", "create a spec: a folder of documents that lead from a brief to tasks", _CHANGES,
              repeatable=True, forbidden="create specs", asks_keeper=True),  # as with `run`
    Operation("specs", "list the specs", repeatable=True, commands=("spec list",)),
    Operation("spec", "show a spec: its phases, tasks, coverage and drift", repeatable=True, commands=("spec show",)),
    Operation("spec_run", "have a spec go on, from where it is or from a phase", _CHANGES, forbidden="run specs"),
    Operation("spec_wait", "wait for a spec: tell of each phase and task that ends", repeatable=True, commands=()),
    Operation("spec_sync", "create, change and cancel the quests of a spec's tasks as its document says", _CHANGES,
              repeatable=True, forbidden="sync specs"),
    Operation("spec_accept", "take the files that a spec is about as they are now", _CHANGES,
              repeatable=True, forbidden="accept changes of specs"),
    Operation("spec_archive", "archive a spec: nothing of it starts any more; --undo takes it back", _CHANGES,
              repeatable=True, forbidden="archive specs"),
    Operation("spec_forget", "forget an archived spec, and what is known of its quests", _CHANGES,
              repeatable=True, already_done=("not_found",), forbidden="forget specs", commands=()),
    Operation("ritual_create", "create a ritual: a quest or plan that runs on a schedule", _CHANGES,
              repeatable=True, forbidden="create rituals"),  # as with `run`
    Operation("rituals", "list the rituals, with their next and last runs",
              repeatable=True, commands=("ritual list", "rituals")),
    Operation("ritual", "print every field of a ritual, as JSON", repeatable=True, commands=("ritual info",)),
    Operation("ritual_history", "list the kept runs of a ritual, oldest first", repeatable=True),
    Operation("ritual_run", "run a ritual now, even if it is paused", _CHANGES,
              repeatable=True, forbidden="run rituals", asks_keeper=True),  # as with `run`
    Operation("ritual_pause", "pause rituals: they no longer run on schedule", _CHANGES,
              repeatable=True, forbidden="pause rituals"),
    Operation("ritual_resume", "resume rituals; runs missed while paused are not made up", _CHANGES,
              repeatable=True, forbidden="resume rituals"),
    Operation("ritual_delete", "delete rituals and their history; quests already running continue", _ENDS,
              repeatable=True, already_done=("not_found",), forbidden="delete rituals"),
    Operation("health", "show signs of life and alignment of missions that run",
              repeatable=True),  # `review`: a person's, it starts a mission
    Operation("timeline", "show what happened to a quest, a spec or a mission", repeatable=True),
    Operation("learn", "show how quests went by type, provider, model or spec, or the lessons they taught",
              repeatable=True),
    Operation("remember", "write a note for whoever works here next", _CHANGES,
              repeatable=True),  # as with `run`
    Operation("recall", "find the notes that answer a question, the best first", repeatable=True),
    Operation("search", "find notes by words, or what agents did in their runs", repeatable=True),
    Operation("notes", "list the notes, the newest first", repeatable=True),  # `export` is a person's
    Operation("note", "show everything about a note", repeatable=True),
    Operation("note_set", "change a note", _CHANGES,
              repeatable=True, within=_OWN_NOTES, commands=()),
    Operation("forget", "forget notes; --purge leaves no byte of them", _CHANGES,
              repeatable=True, already_done=("not_found",), within=_OWN_NOTES),
    Operation("outcome", "say whether notes have helped or hurt", _CHANGES,
              repeatable=True, commands=()),
    Operation("memory", "show whether memory is on, what it holds, and the Cortex", repeatable=True),
    Operation("memory_set", "switch memory on or off", _CHANGES,
              repeatable=True, forbidden="switch memory", commands=()),
    Operation("memory_used", "print the notes that a mission was given", repeatable=True, within="its own tree"),
    Operation("memory_reindex", "build the index of notes anew, from a damaged memory.db too", _CHANGES,
              repeatable=True, forbidden="reindex memory"),
    Operation("memory_import", "take in notes from files", _CHANGES,
              repeatable=True, forbidden="import notes"),
    Operation("memory_share", "share the notes of a repository with the Cortex", _CHANGES,
              repeatable=True, forbidden="share notes"),
    Operation("memory_connect", "connect with the Cortex of a team", _CHANGES,
              repeatable=True, forbidden="connect with a Cortex"),
    Operation("memory_sync", "exchange notes with the Cortex now", _CHANGES,
              repeatable=True, forbidden="sync notes"),
    Operation("trust", "trust a project's .overmind.yml in its current form, after showing its commands", _CHANGES,
              repeatable=True, forbidden="trust projects"),
    Operation("isolate", "explain the isolation of a mission in a folder: worktree, ports, services", repeatable=True),
    Operation("ports", "list the ports of isolated missions", repeatable=True),
    Operation("worktrees", "list the worktrees of missions, and the work in them", repeatable=True),
    Operation("worktrees_prune", "remove the worktrees of ended missions that hold no unmerged work",
              _ENDS, forbidden="prune worktrees"),
    Operation("changes", "show the changes of a mission, uncommitted work included", repeatable=True),
    Operation("commit", "commit everything in a mission's worktree", _CHANGES, within=_PLAN),
    Operation("merge", "merge a mission's work into a branch, or explain why it can't be merged", _CHANGES,
              repeatable=True, within=_PLAN),  # as with `run`
    Operation("push", "push a mission's branch", _CHANGES, repeatable=True, forbidden="push branches"),
    Operation("discard", "remove the worktree, branch, containers and volumes of ended missions", _ENDS,
              within=_DESCENDANTS),
    Operation("shutdown", "stop every mission, then the daemon", _ENDS, forbidden="shut the daemon down",
              asks_keeper=True),
)  # fmt: skip
"""Requests of the API."""


def _command(name: str, summary: str, danger: Danger = Danger.NONE) -> Operation:
    return Operation(name, summary, danger, request=False)


COMMANDS: tuple[Operation, ...] = (
    _command("start", "start the daemon, unless it is already running", _CHANGES),
    _command("version", "print the versions of this program, the daemon, the keeper and Python"),
    _command("tui", "open the full-screen program; `overmind` alone on a terminal does the same"),
    _command("completion", "print a shell's completion script for commands, missions, statuses and signals"),
    _command("demo", "start sample missions that need no agent and no network;"
                     " `demo stop` removes them", _CHANGES),
    _command("init", "write a commented blueprint, or a project's .overmind.yml", _CHANGES),
    _command("agents", "check a blueprint and list its agents in the order they can run"),
    _command("diff", "show the changes `apply` would make: + new, ~ changed, - removed"),
    _command("output", "pass values to the later agents of a blueprint", _CHANGES),
    _command("quest_logs", "show the output of quests"),
    _command("queue_pause", "pause the queue: nothing starts, running quests continue", _CHANGES),
    _command("queue_resume", "resume the queue", _CHANGES),
    _command("queue_slots", "set how many quests of the queue run at once", _CHANGES),
    _command("learn_accept", "accept lessons: agents and quests are given what fits", _CHANGES),
    _command("learn_drop", "drop lessons: they are forgotten", _CHANGES),
    _command("note_edit", "edit the text of a note", _CHANGES),
    _command("note_accept", "accept proposed notes: agents are given them", _CHANGES),
    _command("note_pin", "pin notes: each new agent of their scope is given them", _CHANGES),
    _command("note_unpin", "unpin notes", _CHANGES),
    _command("note_restore", "restore forgotten notes", _CHANGES),
    _command("note_promote", "widen the scope of a note", _CHANGES),
    _command("helped", "say that notes have helped", _CHANGES),
    _command("hurt", "say that notes were wrong or misled", _CHANGES),
    _command("memory_on", "switch memory on", _CHANGES),
    _command("memory_off", "switch memory off: notes stay, nothing is given or proposed", _CHANGES),
    _command("memory_disconnect", "part from the Cortex; all notes stay", _CHANGES),
    _command("memory_unshare", "share the notes of a repository no longer", _CHANGES),
    _command("memory_export", "write the notes of the repository to files, for git"),
    _command("spec_check", "check the documents of a spec, and print their scores, faults and hints"),
    _command("merge-step", "merge the work of a plan's agents; for plans, not for people", _CHANGES),
    _command("monitor", "watch the daemon and its missions, until ctrl-c"),
    _command("screen", "print the current or last screen of a mission's terminal"),
    _command("shell", "open your $SHELL in a mission's folder, with its environment", _CHANGES),
    _command("exec", "run a command in a mission's folder, with its environment", _CHANGES),
    _command("rename", "rename a mission", _CHANGES),
    _command("edit", "edit a mission's definition as TOML in $EDITOR, then restart it", _ENDS),
    _command("skill", "print instructions for an agent that runs other agents"),
    _command("mcp", "serve missions as tools to an agent, through MCP on standard input and output"),
    _command("cortex_serve", "serve the notes of a team, from a PostgreSQL database", _CHANGES),
    _command("cortex_token", "make, list or revoke the tokens of a team's server", _CHANGES),
    _command("cortex_migrate", "bring the database of a team's server to today's schema", _CHANGES),
    _command("cortex_backup", "write all notes of a team's server into a file"),
    _command("cortex_restore", "put a backup in the place of what a team's server holds", _ENDS),
    _command("doctor", "check this machine and home, and suggest fixes"),
    _command("service", "install or remove the daemon as a service: a systemd user unit, or a launchd agent", _CHANGES),
)  # fmt: skip
"""Commands for which the API has no request of their own. What a program that others are called in can do, `tui` and
`mcp`, is the danger of those others."""

OPERATIONS: dict[str, Operation] = {row.name: row for row in (*REQUESTS, *COMMANDS)}
BY_COMMAND: dict[str, Operation] = {command: row for row in OPERATIONS.values() for command in row.commands}
"""Command as it is typed → what it asks for."""
