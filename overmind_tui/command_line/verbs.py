"""Verbs that `:` takes, which of them the program does by itself, and where the others are instead.

`:` runs the command line, so it completes and reads by the options and words of the command line's own table. That is
loaded one verb at a time, when somebody types it.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, cast

from overmind_core.domain.operations import BY_COMMAND, Danger, Operation
from overmind_tui.shell.actions import LOOKS_ON, Unlike


class Verb(NamedTuple):
    """A command-line verb as `:` takes it."""

    name: str
    words: str = ""
    """What the list of all commands says of it, where that is not the operation's line."""
    takes_missions: bool = False
    """Without ids it means the marked rows, else the cursor's."""
    agrees: bool = False
    """The command itself would ask; we asked already, so it gets `-y`."""
    starts: bool = False
    """It starts work, so a supervisor is hosted here when there is none."""
    one: bool = False
    """It takes one mission and words of its own: run once for each of the marked rows, else for the cursor's."""
    inside: str = ""
    """The action of the table that does it here, on the mission that is named, else as its key does."""
    prose: tuple[str, ...] | None = None
    """Its words are a text, in which quotes are quotes; the options before it that take a value."""
    alone: str = ""
    """Why the command line has none of that name."""
    of: str = ""
    """Without names it means the marked rows, else the cursor's, of this view."""
    asks: str = ""
    """The action of the table that asks for what is not said, where no words follow."""
    worktree: bool = False
    """It is about a worktree, whose mission may have been removed."""
    brief: bool = False
    """What it has done is seen in the list, so that what it prints when it went well needs no page."""
    command: str = ""
    """The command whose operation it asks for, where that has another name."""
    unlike: Unlike | None = None
    """What it does to work, where that is not what the operation does."""

    @property
    def operation(self) -> Operation:
        """What it asks for."""
        return BY_COMMAND[self.command or self.name]

    @property
    def summary(self) -> str:
        """One line for the list of all commands."""
        return self.words or self.operation.summary

    @property
    def danger(self) -> Danger:
        """What it does to work."""
        return self.operation.danger if self.unlike is None else self.unlike.danger


VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb("stop", "stop missions", takes_missions=True),
        Verb("kill", "kill missions at once", takes_missions=True, agrees=True),
        Verb("restart", "stop missions and start them again; --lost: what was lost with the keeper",
             takes_missions=True, agrees=True, starts=True),
        Verb("rm", "remove finished missions and their logs", takes_missions=True, agrees=True),
        Verb("prune", "remove all finished missions", agrees=True),
        Verb("shutdown", "stop every mission, then the supervisor", agrees=True),
        Verb("new", "start a mission: claude fix the tests, shell, or any command; alone it asks", starts=True,
             prose=(), alone="`run`, with the options that this one chooses", command="run"),
        Verb("run", starts=True),
        Verb("claude run", "start a Claude agent", starts=True),
        Verb("init", "write a commented blueprint to begin with"),
        Verb("agents", "check a blueprint and list its agents"),
        Verb("apply", "start the plan in a file, or change the live one", starts=True),
        Verb("diff", "what apply would change: + new, ~ changed, - gone"),
        Verb("delete", "take a plan down: its file, id or name", agrees=True, of="blueprints"),
        Verb("quest run", "begin a quest", starts=True),
        Verb("quest cancel", "cancel quests", of="quests"),
        Verb("quest list", "the quests as text"),
        Verb("quest info", "everything known about a quest", of="quests"),
        Verb("quest logs", "what quests wrote, as text", of="quests"),
        Verb("quest wait", "wait until quests have ended", of="quests"),
        Verb("ritual create", "have a quest come again by a schedule", starts=True),
        Verb("ritual run", "run a ritual now", starts=True, of="rituals"),
        Verb("ritual pause", "pause rituals", of="rituals"),
        Verb("ritual resume", "resume rituals", of="rituals"),
        Verb("ritual delete", "delete rituals and their history", of="rituals"),
        Verb("ritual list", "the rituals as text"),
        Verb("ritual info", "everything known about a ritual", of="rituals"),
        Verb("ritual history", "the runs of a ritual as text", of="rituals"),
        Verb("rituals", "the rituals as text, with the command line's options"),
        Verb("land", "land the work of a worktree: shows first what would come", inside="land", worktree=True,
             alone="`merge`, which asks nothing", command="merge"),
        Verb("merge", "merge the work of a worktree; alone it shows first what would come", one=True, asks="land",
             worktree=True),
        Verb("commit", "commit everything in a worktree: -m MESSAGE; alone it asks", one=True, asks="commit",
             worktree=True),
        Verb("push", "push the branch of a worktree", takes_missions=True, worktree=True),
        Verb("discard", "remove a worktree with its branch, ports and containers", takes_missions=True, asks="discard",
             worktree=True),
        Verb("worktrees", "the worktrees as text, with the command line's options"),
        Verb("worktrees prune", "discard the worktrees of ended missions from which nothing is lost", agrees=True),
        Verb("changes", "what changed, as text, with the command line's options", one=True),
        Verb("isolate", "what isolation would do in a folder; changes nothing"),
        Verb("ports", "who has which port"),
        Verb("trust", "let the .overmind.yml of a folder run its commands", agrees=True),
        Verb("edit", "change a mission's definition, and restart it", inside="edit"),
        Verb("shell", "a shell in a mission's folder", inside="shell"),
        Verb("demo", "missions that show everything; stop: remove them", starts=True, brief=True),
        Verb("freeze", "stop missions for a while", takes_missions=True),
        Verb("thaw", "let frozen missions go on", takes_missions=True),
        Verb("signal", "send missions a signal", takes_missions=True),
        Verb("update", "change a mission without a restart", one=True),
        Verb("attach", "type into a mission's terminal", inside="attach", unlike=LOOKS_ON),
        Verb("detach", "send away whoever is attached", takes_missions=True),
        Verb("keep", "leave an agent in its terminal afterwards", inside="keep", alone="attach --keep",
             command="attach"),
        Verb("send", "send sessions a message: :send go on", one=True, prose=("--timeout",)),
        Verb("interrupt", "end the turn that sessions are in", takes_missions=True),
        Verb("answer", "answer a question: :answer 7 allow"),
        Verb("seen", "mark missions as looked at", takes_missions=True),
        Verb("start", "start a daemon"),
        Verb("service", "install or remove the service that starts the daemon"),
        Verb("logs", "logs as text, with the command line's options", takes_missions=True),
        Verb("screen", "the terminal's screen as text", one=True),
        Verb("messages", "the messages of a session", one=True),
        Verb("result", "the last result of an agent", one=True),
        Verb("info", "everything known about missions", takes_missions=True),
        Verb("wait", "wait until missions have ended", takes_missions=True),
        Verb("subscribe", "what missions write, as objects, until they end", takes_missions=True),
        Verb("events", "the event log as objects, with the command line's options"),
        Verb("inbox", "what agents wait for, with the command line's options"),
        Verb("top", "the load of missions, with the command line's options"),
        Verb("cost", "what agents cost, with the command line's options"),
        Verb("ps", "the list of missions as text"),
        Verb("status", "the supervisor and its keeper"),
        Verb("doctor", "what is installed, with the command line's options"),
        Verb("version", "the version"),
        Verb("completion", "a shell's completion script"),
    )
}  # fmt: skip
"""What `:` does; a verb of the command line that has no row here is run as it is typed."""
ELSEWHERE: dict[str, str] = {
    "monitor": "the view `missions`",
    "skill": "for agents",
    "mcp": "for agents",
    "output": "for agents of a plan",
    "tui": "this program",
}
"""Command-line verbs without a `:` twin → where it is instead."""
FOR_PROGRAMS = frozenset({"hook", "merge-step"})
"""Command-line verbs that nobody types."""
VERBS |= {word: Verb(word) for word in BY_COMMAND if word not in {*VERBS, *ELSEWHERE, *FOR_PROGRAMS}}


_SIGNALS = tuple(sorted(number.name.removeprefix("SIG") for number in signal.Signals))


class Known(NamedTuple):
    """A verb as the command line has it.

    Attributes:
        flags: All its options, the long ones first.
        valued: Those whose value may be the next word.
        missions: Whether its words are missions.
        words: What else its words may be.
    """

    flags: tuple[str, ...] = ()
    valued: frozenset[str] = frozenset()
    missions: bool = False
    words: tuple[str, ...] = ()


@lru_cache
def known(verb: str) -> Known:
    """What is known of a verb; nothing of one that the command line has not."""
    from overmind_core.cli.command import COMMANDS, find  # noqa: PLC0415 - not for the first frame

    if verb not in COMMANDS:
        return Known()
    command = find(verb)
    names = [name for option in command.options for name in option.names]
    choices = [
        str(word) for one in command.arguments for word in cast("Sequence[str]", one.settings.get("choices") or ())
    ]
    return Known(
        flags=tuple(sorted(names, key=lambda name: not name.startswith("--"))),
        valued=frozenset(name for option in command.options if option.takes_value for name in option.names),
        missions=any(one.settings.get("metavar") == "id" for one in command.arguments),
        words=(*choices, *(_SIGNALS if verb == "signal" else ())),
    )


def plain(verb: str, words: Sequence[str]) -> list[str]:
    """The words that are no options and no options' values."""
    valued = known(verb).valued
    found: list[str] = []
    skip = False
    for place, word in enumerate(words):
        if word == "--":
            return [*found, *words[place + 1 :]]
        if not skip and not (word.startswith("-") and word != "-"):
            found.append(word)
        skip = not skip and word in valued
    return found
