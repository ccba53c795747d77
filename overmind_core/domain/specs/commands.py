"""The commands in a document of tasks: which of them a person must see before they are run.

A check was written by an agent, and runs on the person's machine. The rules of `[permissions]` and of the spec judge
it as they judge what an agent would run in a shell; deny wins. What a person has allowed is known by its hash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.agents.agent_events import Behaviour
from overmind_core.domain.agents.permission import SHELL, decide

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from overmind_core.domain.specs.shape import Tasks


class DocumentCommand(NamedTuple):
    """A command of a document."""

    text: str
    tasks: tuple[str, ...]
    """Ids of the tasks that would run it."""
    rule: str = ""
    """Which denies it."""

    @property
    def sha256(self) -> str:
        """The hash under which a person's consent is stored."""
        return command_hash(self.text)


class JudgedCommands(NamedTuple):
    """What the rules say of all commands of a document, each once, in the order of the document."""

    allowed: tuple[DocumentCommand, ...]
    unknown: tuple[DocumentCommand, ...]
    """Commands that no rule matches: a person is asked."""
    denied: tuple[DocumentCommand, ...]


def command_hash(text: str) -> str:
    """Return the SHA-256 of a command, in hex."""
    from hashlib import sha256  # noqa: PLC0415 - it loads OpenSSL: 4 MB, for those who have specs

    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def judge_commands(
    document: Tasks,
    *,
    allow: Iterable[str],
    deny: Iterable[str],
    known: Collection[str] = (),
    cwd: str,
    home: str = "",
) -> JudgedCommands:
    """Return what the rules say of the checks of a document.

    Args:
        document: Of tasks.
        allow: Rules of `[permissions]` and of the spec, such as `Bash(pytest:*)`.
        deny: Likewise; they win, also over what a person has allowed before.
        known: Hashes of commands that a person has allowed.
        cwd: Where they would run.
        home: The person's home folder, for patterns that begin with `~/`.

    Raises:
        InvalidRule: one of the rules is none.
    """
    allowing, denying = list(allow), list(deny)
    by_text: dict[str, list[str]] = {}
    for task in document.tasks:
        if task.check:
            by_text.setdefault(task.check, []).append(task.id)
    found: dict[str, list[DocumentCommand]] = {"allowed": [], "unknown": [], "denied": []}
    for text, tasks in by_text.items():
        command = DocumentCommand(text, tuple(tasks))
        decision = decide(allowing, denying, SHELL, {"command": text}, cwd, home=home)
        if decision is not None and decision[0] is Behaviour.DENY:
            found["denied"].append(command._replace(rule=decision[1]))
        elif decision is not None or command.sha256 in known:
            found["allowed"].append(command)
        else:
            found["unknown"].append(command)
    return JudgedCommands(**{name: tuple(commands) for name, commands in found.items()})
