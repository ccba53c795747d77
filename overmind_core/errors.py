"""Every way a request can fail: a closed set of codes, each with its exit status and one sentence.

Raise `OvermindError` with a message that names the thing and says what to do; the sentence of the table
is what is said when nobody knew better. Nothing is imported here: each command line pays for it.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable

FAILED = 1
"""Exit status of a request that failed."""
USAGE = 2
"""Exit status of a command line that makes no sense."""
NEEDS_PERSON = 3
"""Nothing that is waited for can end before a person changes something."""
TIMED_OUT = 124
"""Exit status of a limit that ran out, as timeout(1) has it."""
INTERRUPTED = 130
"""Exit status of a view that was left with ctrl-c: 128 + SIGINT."""

NO_FOLDER = "does not exist. Create it, or name another one with --cwd."
"""How the sentence about a missing working directory ends."""

CODES: dict[str, tuple[int, str]] = {
    "not_found": (FAILED, "No such mission. See them with: overmind ps --all"),
    "not_running": (FAILED, "The mission is not running."),
    "not_session": (FAILED, "The mission is a task, not a session."),
    "not_finished": (FAILED, "The mission is still running. Stop it first with: overmind stop"),
    "not_attached": (0, "No one is attached to the mission."),
    "name_taken": (FAILED, "A live mission has this name already. Choose another one with --name"),
    "ambiguous": (FAILED, "More than one mission matches. Give more of the id."),
    "paused": (FAILED, "The mission is paused. Resume it with: overmind thaw"),
    "timeout": (TIMED_OUT, "Timed out."),
    "exited": (FAILED, "The mission has ended."),
    "empty_command": (USAGE, "Missing command. Give one, such as: overmind run 'make test'"),
    "parent_not_found": (FAILED, "There is no such parent mission."),
    "cycle": (FAILED, "A mission can't be its own ancestor."),
    "invalid": (FAILED, "The request is not valid."),
    "invalid_config": (FAILED, "The configuration is not valid. Fix config.toml in the home."),
    "invalid_cron": (USAGE, "The schedule is not a valid cron expression."),
    "cwd_not_found": (FAILED, "The working directory doesn't exist."),
    "unknown_provider": (USAGE, "There is no such provider."),
    "provider_missing": (FAILED, "The program to run was not found. Is it installed, and on PATH?"),
    "docker_missing": (FAILED, "Docker doesn't answer. Is it installed, and running?"),
    "unknown_command": (USAGE, "There is no such command. See them with: overmind --help"),
    "daemon_not_running": (FAILED, "Daemon not running. Start with: overmind start"),
    "daemon_lost": (FAILED, "The connection to the daemon was lost. Start it again with: overmind start"),
    "draft": (FAILED, "The program did not take the message: it stands in the prompt, or no empty one was there."),
    "too_large": (FAILED, "The value is too large."),
    "busy": (FAILED, "The daemon is busy. Try again."),
    "forbidden": (FAILED, "This is not allowed."),
    "survivors": (FAILED, "Some processes could not be ended."),
    "gone": (FAILED, "This has been removed."),
    "schema_newer": (FAILED, "The state was written by a newer Overmind. Upgrade this one."),
    "untrusted_project": (FAILED, "The project's configuration is not trusted yet."),
    "disk_full": (FAILED, "The disk is full. Free space, for example with: overmind prune"),
    "no_terminals": (FAILED, "The machine has no free terminals. Stop some missions, or raise kernel.pty.max"),
    "port_range_exhausted": (FAILED, "No port in the range is free."),
    "not_isolated": (FAILED, "The mission has no worktree."),
    "work_lost": (FAILED, "The worktree and its branch were lost: the mission has to do its work again."),
    "git_failed": (FAILED, "Git refused."),
    "dirty": (FAILED, "There are uncommitted changes. Commit or stash them first."),
    "unmerged": (FAILED, "There is unmerged work. See it with: overmind changes"),
    "unreviewed": (FAILED, "Nobody has accepted the work: its review is open, or was denied. Nothing was changed."),
    "changed": (FAILED, "It has changed since it was shown. Look at it again."),
    "conflicts": (FAILED, "The changes conflict; nothing was changed."),
    "conflict_left": (FAILED, "The work has the marks of a conflict; nothing was changed."),
    "undoes_landed": (FAILED, "The work would undo what has landed; nothing was changed."),
    "nothing_to_commit": (FAILED, "Nothing to commit."),
    "nothing_to_merge": (FAILED, "Nothing to merge."),
    "verify_failed": (FAILED, "The check of the merged work failed; nothing was changed."),
    "setup_failed": (FAILED, "The project's set-up failed. See its output with: overmind logs"),
    "not_ready": (FAILED, "A service did not become ready in time."),
    "image_missing": (FAILED, "The container's image is missing and can't be pulled."),
    "container_failed": (FAILED, "A container could not be started."),
    "memory_off": (FAILED, "Memory is off. See why with: overmind memory"),
    "cortex_unreachable": (FAILED, "The Cortex does not answer. See its state with: overmind memory"),
    "token_refused": (FAILED, "The Cortex refused the token. Connect with a new one: overmind memory connect"),
    "hive_unknown": (FAILED, "There is no such hive. See them with: overmind hive list"),
    "hive_silent": (FAILED, "The hive does not answer. See: overmind hive list"),
    "no_swarm": (FAILED, "This hive is in no swarm. Join one with: overmind swarm join"),
    "outcome_unknown": (FAILED, "The connection was lost before the answer: it may have been done, or not."),
    "no_room": (FAILED, "No hive has room for it."),
    "swarm_silent": (FAILED, "The swarm's database does not answer. See its state with: overmind swarm status"),
    "no_secret": (FAILED, "There is no such secret. See them with: overmind vault list"),
    "fenced": (FAILED, "The claim is over: another hive has it."),
    "unauthorized": (FAILED, "The login is missing, expired or revoked. Get a new link with: overmind web link"),
    "misdirected": (FAILED, "The server does not answer under this host name."),
    "internal": (FAILED, "Internal error. See daemon.log in the home."),
}
"""code → (exit status of the command line, sentence)."""


class OvermindError(Exception):
    """A request failed, in a way that the person who asked can understand.

    Args:
        code: One of `CODES`.
        message: One sentence that names the thing and says what to do; default: the table's.
        fields: More facts, JSON-able; they travel beside `error` and `message` over the socket.
    """

    def __init__(self, code: str, message: str | None = None, **fields: object) -> None:
        self.code = code
        self.message = message or sentence(code)
        self.fields = fields
        super().__init__(self.message)

    @property
    def exit_status(self) -> int:
        """What the command line exits with."""
        return CODES.get(self.code, CODES["internal"])[0]


class UsageError(OvermindError):
    """The command line makes no sense; nothing was started."""

    def __init__(self, message: str) -> None:
        super().__init__("invalid", message)

    @property
    def exit_status(self) -> int:
        """Always 2."""
        return USAGE


class WaitLost(OvermindError):
    """No daemon is there for a command that waits: what it waits for has not ended, and did not fail.

    Args:
        pending: The names of what it waits for.
        error: Why it can't wait: `daemon_lost`, as it went away meanwhile; `daemon_not_running`, as it never was there.
        state: How they stand, in words.
    """

    def __init__(self, pending: Iterable[str], error: OvermindError, state: str = "Not ended") -> None:
        message = error.message
        if error.code == "daemon_lost":
            message = f"{state}: {', '.join(pending)}. The daemon is gone. Go on with: overmind start"
        super().__init__(error.code, message, **error.fields)

    @property
    def exit_status(self) -> int:
        """Always 3: nothing goes on before a person starts it."""
        return NEEDS_PERSON


def while_waiting(error: OvermindError, pending: Iterable[str], state: str = "Not ended") -> OvermindError:
    """Return what a command that waits says of an error; arguments as of `WaitLost`."""
    return WaitLost(pending, error, state) if error.code in {"daemon_lost", "daemon_not_running"} else error


def with_hint(message: str, hint: str) -> str:
    """Return a message with a sentence behind it; what others have said, such as a database, ends without a stop."""
    return f"{message}{'' if message.endswith(('.', '?', '!')) else '.'} {hint}"


def sentence(code: str) -> str:
    """Return the table's sentence for `code`; an unknown code (a newer daemon's) reads as internal."""
    return CODES.get(code, CODES["internal"])[1]
