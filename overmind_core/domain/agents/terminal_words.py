"""The words by which a program on a terminal begins, resumes and copies a conversation, run by run. Pure.

They stand right behind the program, and only where a person has named it alone or with options: whoever chooses a
conversation, or gives a prompt, has their command line run as it is. Each word stays one word: a shell's script gets
them only where nothing in it has a meaning of its own, and they are quoted there.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from overmind_core.domain.agents.conversation import Conversation
from overmind_core.domain.agents.terminal_rules import WIDEST

SESSION, NEW = "{session}", "{new}"
"""The places of the conversation's id, and of the one that a copy gets."""
END_LINES = 12
"""Lines at the end of the last screen in which a program tells the id."""
SHELLS = frozenset({"sh", "bash", "dash", "zsh", "fish"})
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_SETS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_PLAIN = re.compile(r"[\w@%+=:,./~ -]*", re.ASCII)
"""A script in which a shell reads words and nothing else."""
_EXEC = "exec"
CHOICES = ("--continue", "--resume", "--session", "--session-id", "--fork")
"""Options by which a person chooses a conversation of a program that nothing else is known of."""


class ConversationWords(NamedTuple):
    """The words of one program; () and "" where it has none."""

    start: tuple[str, ...] = ()
    """Begin a conversation under an id of ours."""
    resume: tuple[str, ...] = ()
    fork: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    """Patterns of a line that the program leaves on its screen; their first group is the id."""
    records: tuple[str, ...] = ()
    """Paths of files of JSON with `pid` and `session_id`, of which the newest with its pid tells; `*` is any name."""
    choices: tuple[str, ...] = CHOICES
    """Options of a person behind which none of these words are added."""
    values: tuple[str, ...] = ()
    """Options of which the next word is the value; one behind any other option may be a prompt, or a subcommand."""
    gone: str = ""
    """A pattern of a line by which the program says that it does not have a conversation."""
    by_folder: bool = False
    """True where the program copies a conversation only in the folder in which that was led."""


class OwnTerminal(NamedTuple):
    """A person's own words about a program on a terminal."""

    ready: str = ""
    """A pattern of a line of its screen while its prompt is empty; "": as it is known."""
    words: ConversationWords = ConversationWords()


def joined(own: ConversationWords, known: ConversationWords) -> ConversationWords:
    """A person's own words, and those that are known where there are none."""
    options = {word.partition("=")[0] for word in (*own.start, *own.resume, *own.fork) if word.startswith("-")}
    return ConversationWords(
        start=own.start or known.start,
        resume=own.resume or known.resume,
        fork=own.fork or known.fork,
        ends=(*own.ends, *known.ends),
        records=(*own.records, *known.records),
        choices=tuple(dict.fromkeys((*known.choices, *options))),
        values=known.values,
        gone=known.gone,
        by_folder=known.by_folder,
    )


def program_place(words: Sequence[str]) -> int:
    """The place of the program among the words of a simple command of a shell; -1: there is none."""
    return next((at for at, word in enumerate(words) if word != _EXEC and not _SETS.match(word)), -1)


def is_alone(argv: Sequence[str], words: ConversationWords) -> bool:
    """Return whether a command line names a program with options at most, none of which chooses a conversation."""
    command = _command(argv)
    return command is not None and _has_options_alone(command[program_place(command) + 1 :], words)


def with_words(argv: Sequence[str], words: Sequence[str]) -> tuple[str, ...]:
    """The command line with words right behind its program; one that `is_alone` refuses is another matter."""
    command = _command(argv)
    if command is None or not words:
        return tuple(argv)
    at = program_place(command) + 1
    if command is argv:
        return (*argv[:at], *words, *argv[at:])
    return (*argv[:2], " ".join((*command[:at], *map(shlex.quote, words), *command[at:])))


def _command(argv: Sequence[str]) -> Sequence[str] | None:
    """The words of a command line, also of a shell's script; None: that is more than words."""
    if not argv or argv[0].rpartition("/")[2] not in SHELLS:
        return argv or None
    script = argv[2] if len(argv) == 3 and argv[1] == "-c" else ""  # noqa: PLR2004 - a shell, -c and its script
    words = script.split() if _PLAIN.fullmatch(script) else []
    return words if program_place(words) >= 0 else None


def _has_options_alone(arguments: Sequence[str], words: ConversationWords) -> bool:
    is_value = False
    for word in arguments:
        if word.startswith("-") and word != "-":
            if word == "--" or _may_choose(word, words):
                return False
            is_value = word in words.values
        elif word and not is_value:
            return False
        else:
            is_value = False
    return True


def _may_choose(option: str, words: ConversationWords) -> bool:
    """Return whether an option chooses a conversation, in a group of letters or shortened, too."""
    name = option.partition("=")[0]
    if option.startswith("--"):
        return any(one.startswith(name) for one in words.choices)
    for letter in name[1:]:
        if f"-{letter}" in words.choices:
            return True
        if f"-{letter}" in words.values:  # the rest is its value
            return False
    return name in words.choices


def words_of_run(c: Conversation, words: ConversationWords) -> tuple[str, ...]:
    """The words of the newest run, with the ids in their places."""
    if c.fork is not None and not c.begun:
        return _filled(words.fork, c.fork.session, c.terminal_session)
    return _filled(words.resume if c.resumed else words.start, c.terminal_session, "")


def _filled(words: Sequence[str], session: str, new: str) -> tuple[str, ...]:
    return tuple(word.replace(SESSION, session).replace(NEW, new) for word in words if session)


def plan_words(c: Conversation, words: ConversationWords | None, new: str) -> tuple[Conversation, bool]:
    """The conversation as its next run begins it, and whether what was said is lost.

    Args:
        c: As `plan_run` has it.
        words: None where the command line is run as it is.
        new: A fresh id, used where one is needed.
    """
    if words is None:
        return replace(c, terminal_session="", resumed=False), False
    if c.fork is not None and not c.begun:
        copy = new if any(NEW in word for word in words.fork) else ""
        return replace(c, terminal_session=c.terminal_session or copy, resumed=False), False
    if c.terminal_session:
        return replace(c, resumed=c.begun and bool(words.resume)), False
    return _begun_again(c, words, new), c.begun


def _begun_again(c: Conversation, words: ConversationWords, new: str) -> Conversation:
    named = new if words.start and not c.unnamed else ""
    begun = replace(c, terminal_session=named, begun=False, resumed=False, fork=None)
    return replace(begun, lost=c.lost + c.begun, mark="")


def plan_after_failure(
    c: Conversation, words: ConversationWords, *, is_gone: bool, is_unknown: bool = False
) -> Conversation:
    """The conversation behind a run that has ended with a failure before it had shown anything.

    The same words would fail in the same way. An id is given up only where the program says that it knows nothing of
    it: else it is begun or resumed under the same one, which loses nothing. Where the very first run fails with a word
    about the option of the id (`is_unknown`), the program is too old for that: the next one gets none.
    """
    if is_unknown and c.run == 1 and not c.begun and c.fork is None:
        return replace(c, terminal_session="", unnamed=True, switched=True)
    if is_gone and c.resumed:
        return replace(c, terminal_session="", switched=True)
    has_other_words = bool(words.start or c.fork) and bool(words.resume) and c.terminal_session != ""
    is_copy = c.fork is not None and c.begun  # its source knows nothing of what was said since
    if not has_other_words or is_copy or (c.run == 1 and not c.begun):
        return c
    return replace(c, begun=not c.begun, switched=True)


def is_hopeless(c: Conversation, *, is_gone: bool) -> bool:
    """Return whether a run that has failed was the last try to open a copy, or to make it."""
    return c.fork is not None and (c.switched or (is_gone and not c.begun))


def told_id(lines: Sequence[str], patterns: Sequence[str]) -> str:
    """The id that a program has told in the last lines of its screen, the last of several; "": none."""
    shown = [line.rstrip()[:WIDEST] for line in lines if line.strip()][-END_LINES:]
    found = [hit[1] or "" for line in shown for one in patterns for hit in re.finditer(one, line)]
    return next((one for one in reversed(found) if is_id(one)), "")


def is_id(text: object) -> bool:
    """Return whether something may be the id of a conversation: a word that no program takes for an option."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def says_gone(lines: Sequence[str], words: ConversationWords) -> bool:
    """Return whether the last lines of a screen say that the program does not have the conversation."""
    shown = [line.strip()[:WIDEST] for line in lines if line.strip()][-END_LINES:]
    return bool(words.gone) and any(re.search(words.gone, line) for line in shown)


def says_unknown(lines: Sequence[str], words: ConversationWords) -> bool:
    """Return whether lines name the option by which a conversation begins under an id of ours."""
    name = words.start[0].partition("=")[0].lstrip("-") if words.start else ""
    option = re.compile(rf"(?<![\w-])-*{re.escape(name)}(?![\w-])")
    return bool(name) and any(option.search(line[:WIDEST]) for line in lines)
