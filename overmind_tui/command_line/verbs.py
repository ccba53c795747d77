"""Verbs that `:` takes, which of them the program does by itself, and where the others are instead.

`:` runs the command line, so it completes and reads by the options and words of the command line's own table. That is
loaded one verb at a time, when somebody types it.
"""

from __future__ import annotations

import signal
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, cast

from overmind_core.domain.operation import Danger, Operation
from overmind_core.domain.operations import BY_COMMAND
from overmind_core.view.actions import LOOKS_ON, Unlike


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
    terminal: bool = False
    """It asks for something that is not to be seen: it has the whole terminal until it ends."""
    for_good: str = ""
    """The option with which nothing takes it back: then we ask, and the command gets `-y`."""
    finds: str = ""
    """The function that shows its answer as rows of a page, `module:function`, called with the shell and the words."""
    finds_with: str = ""
    """The option without which it has no such rows; "": it has them always."""
    file: bool = False
    """A word that begins with `/` is the file that it takes, and no filter of the view that has its name, too."""

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

    def change(self, words: Sequence[str]) -> str:
        """The part of a line that changes something: the verb, also with an option that acts; "": it only reads."""
        if self.danger is not Danger.NONE:
            return self.name
        acting = {f"--{name.replace('_', '-')}" for name in self.operation.acts_with}
        return next((f"{self.name} {name}" for word in words if (name := word.partition("=")[0]) in acting), "")


_TRANSCRIPTS = "overmind_tui.conversations.transcripts:open_hits"
VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb("stop", "stop missions", takes_missions=True),
        Verb("kill", "kill missions at once", takes_missions=True, agrees=True),
        Verb("restart", "restart missions; --lost: all lost with their keeper",
             takes_missions=True, agrees=True, starts=True),
        Verb("rm", "remove finished missions and their logs", takes_missions=True, agrees=True),
        Verb("prune", "remove all finished missions", agrees=True),
        Verb("shutdown", "stop every mission, then the supervisor", agrees=True),
        Verb("new", "start a mission, e.g. :new claude fix the tests; alone: type its task", starts=True,
             prose=(), alone="`run`, with preset options", command="run"),
        Verb("run", starts=True),
        Verb("claude run", "start a Claude agent", starts=True),
        Verb("init", "write a commented example blueprint"),
        Verb("agents", "check a blueprint and list its agents"),
        Verb("apply", "start the plan of a file, or update the live one", starts=True),
        Verb("diff", "show the changes apply would make: + new, ~ changed, - removed", file=True),
        Verb("delete", "delete a plan by file, id or name", agrees=True, of="plans"),
        Verb("quest run", "start a quest", starts=True),
        Verb("quest cancel", "cancel quests", of="quests"),
        Verb("quest add", "put a quest into the queue", starts=True),
        Verb("quest edit", "change quests of the queue: --priority high", of="quests"),
        Verb("quest retry", "retry quests that have failed or were cancelled", of="quests"),
        Verb("quest why", "explain as text why quests wait", of="quests"),
        Verb("queue", "list the queue as text, with command-line options"),
        Verb("queue pause", "pause the queue; running quests continue"),
        Verb("queue resume"),
        Verb("queue slots"),
        Verb("board", "print the board as text, with command-line options"),
        Verb("spec new", "create a spec: --brief TEXT, --provider claude", starts=True),
        Verb("spec run", "have specs go on: --from PHASE, --to PHASE", starts=True, of="specs"),
        Verb("spec sync", "bring the quests of specs to what their tasks say; --dry-run: only show it", starts=True,
             of="specs"),
        Verb("spec list", "list specs as text"),
        Verb("spec show", "describe specs as text", of="specs"),
        Verb("spec check", "check documents of a spec, and print their scores and faults"),
        Verb("spec accept", "take briefs, documents and files of specs as they are now", starts=True, of="specs"),
        Verb("spec archive", "archive specs; --undo takes them back", starts=True, of="specs"),
        Verb("health", "list the health of missions as text, with command-line options"),
        Verb("timeline", "print a timeline as text, with command-line options"),
        Verb("learn", "print how quests went as text, with command-line options"),
        Verb("learn accept", "accept lessons", of="learn"),
        Verb("learn drop", "drop lessons", of="learn"),
        Verb("remember", "write a note: :remember the tests need Redis", starts=True,
             prose=("--kind", "--scope", "--tag", "--file", "--key", "--replaces")),
        Verb("recall", "print the notes that answer a question, best first",
             prose=("--limit", "--scope", "--kind", "--tag", "--file")),
        Verb("notes", "list notes as text, with command-line options"),
        Verb("note", "describe notes as text", of="notes"),
        Verb("note edit", "edit a note: --text TEXT; alone: in $EDITOR", of="notes", asks="edit-note"),
        Verb("note accept", "accept proposed notes", of="notes"),
        Verb("note pin", "pin notes: they are given always", of="notes"),
        Verb("note unpin", of="notes"),
        Verb("note restore", "take forgotten notes back", of="notes"),
        Verb("note promote", "give notes a wider scope: --to repo, colony or global", of="notes"),
        Verb("forget", "forget notes; --purge: leave no byte of them", of="notes", for_good="--purge"),
        Verb("helped", of="notes"),
        Verb("hurt", "say that notes have hurt", of="notes"),
        Verb("memory", "show as text how memory stands; on or off: switch it"),
        Verb("memory used", one=True),
        Verb("quest list", "list quests as text"),
        Verb("quest info", "describe a quest as text", of="quests"),
        Verb("quest logs", "print the logs of quests as text", of="quests"),
        Verb("quest wait", "wait for quests to end", of="quests"),
        Verb("hive list", "list the hives as text"),
        Verb("hive info", "describe hives as text", of="hives"),
        Verb("hive drain", "take nothing new on hives; --undo ends that", of="hives"),
        Verb("hive rm", "forget hives, or remove them from the swarm; --dead: their machines are off", agrees=True,
             of="hives"),
        Verb("swarm status", "show the swarm in figures, as text"),
        Verb("why", "explain as text why posts of the swarm wait", of="swarm"),
        Verb("fleet list", "list the fleets of the swarm as text"),
        Verb("fleet info", "describe fleets as text", of="fleets"),
        Verb("fleet scale", "change how many places a fleet has: :fleet scale review 5", of="fleets"),
        Verb("fleet delete", "end fleets and all their places", agrees=True, of="fleets"),
        Verb("pool list", "list the pools as text, or the instances of one"),
        Verb("pool up", "start more instances of a pool: :pool up hpc 2", of="pools"),
        Verb("pool down", "end instances of a pool: :pool down hpc --all", agrees=True, of="pools"),
        Verb("pool manifest", "print what starts an instance on Kubernetes", of="pools"),
        Verb("vault list", "list the secrets as text, without their values"),
        Verb("vault set", "set a secret; its value is asked for in the terminal", terminal=True),
        Verb("vault grant", "seal a secret for one more hive: :vault grant NPM_TOKEN eu1", of="vault"),
        Verb("vault rm", "remove secrets, here and from all hives", agrees=True, of="vault"),
        Verb("ritual create", "run a quest on a schedule", starts=True),
        Verb("ritual run", "run a ritual now", starts=True, of="rituals"),
        Verb("ritual pause", "pause rituals", of="rituals"),
        Verb("ritual resume", "resume rituals", of="rituals"),
        Verb("ritual delete", "delete rituals and their history", agrees=True, of="rituals"),
        Verb("ritual list", "list rituals as text"),
        Verb("ritual info", "describe a ritual as text", of="rituals"),
        Verb("ritual history", "list the runs of a ritual as text", of="rituals"),
        Verb("rituals", "list rituals as text, with command-line options"),
        Verb("land", "land the work of a worktree; shows a preview first", inside="land", worktree=True,
             alone="`merge`, without a preview", command="merge"),
        Verb("merge", "merge a worktree; alone: show a preview first", one=True, asks="land",
             worktree=True),
        Verb("commit", "commit all changes: -m MESSAGE; alone: ask for one", one=True, asks="commit",
             worktree=True),
        Verb("push", "push the branch of a worktree", takes_missions=True, worktree=True),
        Verb("discard", "remove a worktree with its branch, ports and containers", takes_missions=True, asks="discard",
             worktree=True),
        Verb("worktrees", "list worktrees as text, with command-line options"),
        Verb("worktrees prune", "discard worktrees of ended missions without unmerged work", agrees=True),
        Verb("changes", "print changes as text, with command-line options", one=True),
        Verb("isolate", "show how isolation would work in a folder; changes nothing"),
        Verb("ports", "list reserved ports and their missions"),
        Verb("trust", "allow the .overmind.yml of a folder to run commands; shows them first"),
        Verb("edit", "edit a mission's definition and restart it", inside="edit"),
        Verb("toml", "show a mission's definition as TOML", inside="as-toml", alone="edit --print", command="edit",
             unlike=Unlike(Danger.NONE, "it only shows the text")),
        Verb("shell", "open a shell in a mission's folder", inside="shell"),
        Verb("demo", "start demonstration missions; stop: remove them", starts=True, brief=True),
        Verb("freeze", "suspend missions", takes_missions=True),
        Verb("thaw", "resume frozen missions", takes_missions=True),
        Verb("signal", "send a signal to missions", takes_missions=True),
        Verb("update", "change a mission without a restart", one=True),
        Verb("attach", "type into a mission's terminal", inside="attach", unlike=LOOKS_ON),
        Verb("detach", "detach all terminals from missions", takes_missions=True),
        Verb("keep", "keep an agent in its terminal after you leave", inside="keep", alone="attach --keep",
             command="attach"),
        Verb("send", "send a message to sessions: :send go on", one=True, prose=("--timeout",)),
        Verb("fork", "fork an agent's conversation: :fork try it with SQLite", one=True, starts=True,
             prose=("--at", "--name", "-n"), brief=True),
        Verb("adopt", "adopt a conversation by its id: :adopt 2c1d9e40", starts=True),
        Verb("search", "find notes by words; --transcripts: lines of transcripts", finds=_TRANSCRIPTS,
             finds_with="--transcripts"),
        Verb("transcripts", "find lines in all transcripts: :transcripts redis 'rate limit' -cluster",
             finds=_TRANSCRIPTS, alone="`search --transcripts`", command="search"),
        Verb("interrupt", "interrupt the turn of sessions", takes_missions=True),
        Verb("answer", "answer a question: :answer 7 allow"),
        Verb("seen", takes_missions=True),
        Verb("start", "start a daemon"),
        Verb("service", "install or remove the service that starts the daemon"),
        Verb("logs", "print logs as text, with command-line options", takes_missions=True),
        Verb("screen", "print the screen of a terminal as text", one=True),
        Verb("replay", "print what a run showed at a time: :replay --at 14:30", one=True),
        Verb("messages", "list the messages of a session", one=True),
        Verb("result", "print the last result of an agent", one=True),
        Verb("info", "print missions as JSON", takes_missions=True),
        Verb("wait", "wait for missions to end", takes_missions=True),
        Verb("subscribe", "stream the output of missions as JSON until they end", takes_missions=True),
        Verb("events", "print the event log as JSON, with command-line options"),
        Verb("inbox", "list agents that need you as text, with command-line options"),
        Verb("top", "print the load of missions, with command-line options"),
        Verb("cost", "print the cost of agents, with command-line options"),
        Verb("ps", "list missions as text"),
        Verb("status", "show the state of the supervisor and its keeper"),
        Verb("doctor", "check the installation, with command-line options"),
        Verb("web", "serve the dashboard, or manage its logins, with command-line options"),
        Verb("version", "print the version"),
        Verb("completion", "print a completion script for a shell"),
    )
}  # fmt: skip
"""What `:` does; a verb of the command line that has no row here is run as it is typed."""
ELSEWHERE: dict[str, str] = {
    "describe": "the view `describe`",
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


@lru_cache
def shell_words() -> Mapping[str, str]:
    """Words of docker, kubectl and tmux that the command line takes → the command or view that means the same."""
    from overmind_core.cli.command import ALIASES  # noqa: PLC0415 - not for the first frame

    return {**ALIASES, "describe": "info"}  # a view, but with `-o yaml`, where both commands print the same


@lru_cache
def instead() -> Mapping[str, str]:
    """Words of other programs for which there is no command → what to type here; not for how to open this program."""
    from overmind_core.cli.synonyms import INSTEAD  # noqa: PLC0415 - only after a mistake

    return {word: _here(text) for word, text in INSTEAD.items() if "overmind tui" not in text}


def _here(text: str) -> str:
    return text[0].lower() + text[1:].replace("overmind ", ":")


class Parts(NamedTuple):
    """The words of a verb, parted as the command line parts them."""

    plain: list[str]
    """Those that are no options and no options' values."""
    options: list[str]
    """The others, in their order: options, each with its value."""
    flags: frozenset[str]
    """The names of the options, short ones that stand together (`-ay`) apart."""


def parted(verb: str, words: Sequence[str]) -> Parts:
    """The plain words and the options of a verb."""
    valued = known(verb).valued
    found = Parts([], [], frozenset())
    is_value = False
    for place, word in enumerate(words):
        if word == "--":
            return found._replace(plain=[*found.plain, *words[place + 1 :]])
        is_option = not is_value and word.startswith("-") and word != "-"
        (found.options if is_option or is_value else found.plain).append(word)
        names = _names(word, valued) if is_option else []
        found = found._replace(flags=found.flags | set(names))
        is_value = bool(names) and names[-1] in valued and (word == names[-1] or word.endswith(names[-1][1:]))
    return found


def _names(word: str, valued: Collection[str]) -> list[str]:
    """The names of the options in a word: one long one, or short ones up to the first that takes a value."""
    if word.startswith("--"):
        return [word.partition("=")[0]]
    names: list[str] = []
    for letter in word[1:]:
        names.append(f"-{letter}")
        if names[-1] in valued:
            break
    return names


def plain(verb: str, words: Sequence[str]) -> list[str]:
    """The words that are no options and no options' values."""
    return parted(verb, words).plain
