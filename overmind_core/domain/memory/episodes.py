"""Episodes: the record of one run of an agent, a fold over the facts of its provider, and the lessons in it. Pure.

The fold is a value: it is saved at each turn's end and goes on from there. All that it keeps is bounded, and cleaned of
secrets before it is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from hashlib import sha256
from posixpath import join, normpath

import msgspec

from overmind_core.domain.agents.agent_events import (
    AgentFact,
    Echoed,
    TextSpoken,
    ToolCalled,
    ToolReturned,
    TurnEnded,
)
from overmind_core.domain.memory.lessons_section import lessons_of
from overmind_core.domain.memory.notes import LONGEST_TEXT
from overmind_core.domain.watching.tool_window import comparable

MOST_COMMANDS = 200
"""Of one run: the newest."""
MOST_FILES = 500
"""That it edited, and as many that it read: the first."""
MOST_PROMPTS = 20
MOST_OPEN = 100
"""Tool calls without an answer that are remembered."""
MOST_FAILURES = 50
"""Commands that failed and did not succeed since: the newest."""
MOST_CHANGED = 20
"""Files that are told of one lesson."""
MOST_PROPOSED = 2
"""Lessons of one run."""
LONGEST_COMMAND = 1000
LONGEST_PROMPT = 2000
LONGEST_PATH = 500
LONGEST_MESSAGE = 20_000
"""Characters at the end of a message in which its lessons are looked for."""
LONGEST_END = 200

Clean = Callable[[str], str]
"""Takes the secrets out of a text."""


class RunCommand(msgspec.Struct, frozen=True):
    """A command that an agent has run."""

    command: str
    exit_code: int | None = None
    """None where nobody told."""
    failed: bool = False
    denied: bool = False
    """It was not allowed to run, or stopped."""
    error: str = ""
    """The first line about an error."""


class OpenCall(msgspec.Struct, frozen=True):
    """A use of a tool whose answer is not there yet."""

    call: str
    command: str = ""
    edits: tuple[str, ...] = ()


class Failure(msgspec.Struct, frozen=True):
    """A command that was told an exit code other than 0, and has not succeeded since."""

    command: str
    exit_code: int
    error: str
    """Of the first time."""
    changed: tuple[str, ...] = ()
    """Files that were edited since."""


class Lesson(msgspec.Struct, frozen=True):
    """Something to propose as a note."""

    text: str = ""
    """In the agent's own words; "" of a command."""
    command: str = ""
    """The command that failed and then succeeded; "" of what the agent itself calls a lesson."""
    exit_code: int = 0
    error: str = ""
    files: tuple[str, ...] = ()
    """That were edited between, as the agent names them."""


class Episode(msgspec.Struct, frozen=True):
    """The record of one run of an agent, so far."""

    prompts: tuple[str, ...] = ()
    """Messages to the agent, the first at its start."""
    edited: tuple[str, ...] = ()
    """Files, as the agent names them."""
    read: tuple[str, ...] = ()
    commands: tuple[RunCommand, ...] = ()
    ran: int = 0
    """How many commands in all."""
    turns: int = 0
    """That have ended."""
    usd: float | None = None
    """US dollars; None where nobody tells."""
    said: str = ""
    """The beginning of its last message."""
    end: str = ""
    """How the run ended; "" while it lives."""
    open: tuple[OpenCall, ...] = ()
    failures: tuple[Failure, ...] = ()
    lessons: tuple[Lesson, ...] = ()
    """All that were found, at most `MOST_PROPOSED`."""


def begun(prompt: str, clean: Clean) -> Episode:
    """The episode of a run that begins with this prompt; "" for none."""
    return Episode(prompts=(clean(prompt)[:LONGEST_PROMPT],) if prompt else ())


def fold(episode: Episode, facts: Iterable[AgentFact], clean: Clean) -> Episode:
    """The episode after more facts, in their order."""
    for fact in facts:
        match fact:
            case ToolCalled():
                episode = _called(episode, fact, clean)
            case ToolReturned():
                episode = _returned(episode, fact, clean)
            case TextSpoken(text, thought):
                if not thought and text.strip():
                    episode = msgspec.structs.replace(episode, said=clean(text)[-LONGEST_MESSAGE:])
            case Echoed(text):
                episode = _asked(episode, clean(text)[:LONGEST_PROMPT])
            case TurnEnded():
                episode = _turn_ended(episode, fact, clean)
    return episode


def ended(episode: Episode, end: str) -> Episode:
    """The episode of a run that has ended, such as `stopped` or `crashed: timeout`."""
    return msgspec.structs.replace(episode, end=end[:LONGEST_END], open=())


def lines(episode: Episode) -> tuple[str, ...]:
    """The text of an episode that a search looks through, in lines."""
    return (
        *(line for prompt in episode.prompts for line in prompt.splitlines() if line.strip()),
        *(_shown(command) for command in episode.commands),
        *episode.edited,
        *episode.read,
        *(line for line in episode.said.splitlines() if line.strip()),
    )


def _shown(command: RunCommand) -> str:
    return f"{command.command}: {command.error}" if command.error else command.command


def _asked(episode: Episode, prompt: str) -> Episode:
    """A message; one that the agent's program repeats is told once."""
    if not prompt.strip() or prompt in episode.prompts or len(episode.prompts) >= MOST_PROMPTS:
        return episode
    return msgspec.structs.replace(episode, prompts=(*episode.prompts, prompt))


def _called(episode: Episode, fact: ToolCalled, clean: Clean) -> Episode:
    paths = tuple(clean(path) for path in fact.paths if len(path) <= LONGEST_PATH)
    if fact.runs and fact.command:
        opened = OpenCall(fact.call, command=clean(fact.command).strip()[:LONGEST_COMMAND])
    elif fact.edits and paths:
        opened = OpenCall(fact.call, edits=paths)
    elif paths:
        return msgspec.structs.replace(episode, read=_joined(episode.read, paths, MOST_FILES))
    else:
        return episode
    return msgspec.structs.replace(episode, open=(*episode.open[1 - MOST_OPEN :], opened))


def _returned(episode: Episode, fact: ToolReturned, clean: Clean) -> Episode:
    place = next((at for at in reversed(range(len(episode.open))) if episode.open[at].call == fact.call), None)
    if place is None:
        return episode
    opened = episode.open[place]
    episode = msgspec.structs.replace(episode, open=(*episode.open[:place], *episode.open[place + 1 :]))
    if opened.edits:
        return episode if fact.failed else _edited(episode, opened.edits)
    ran = RunCommand(opened.command, fact.exit_code, fact.failed, fact.denied, clean(fact.error))
    episode = msgspec.structs.replace(
        episode, commands=(*episode.commands[1 - MOST_COMMANDS :], ran), ran=episode.ran + 1
    )
    if fact.denied:
        return episode
    if fact.exit_code:
        return _failed(episode, ran, fact.exit_code)
    return episode if fact.failed else _succeeded(episode, ran)


def _edited(episode: Episode, paths: tuple[str, ...]) -> Episode:
    failures = tuple(
        msgspec.structs.replace(one, changed=_joined(one.changed, paths, MOST_CHANGED)) for one in episode.failures
    )
    return msgspec.structs.replace(episode, edited=_joined(episode.edited, paths, MOST_FILES), failures=failures)


def _failed(episode: Episode, ran: RunCommand, code: int) -> Episode:
    if any(one.command == ran.command for one in episode.failures):
        return episode
    failure = Failure(ran.command, code, ran.error)
    return msgspec.structs.replace(episode, failures=(*episode.failures[1 - MOST_FAILURES :], failure))


def _succeeded(episode: Episode, ran: RunCommand) -> Episode:
    """A command that failed before and succeeds now, with a file edited between, is a lesson."""
    failure = next((one for one in episode.failures if one.command == ran.command), None)
    if failure is None:
        return episode
    rest = tuple(one for one in episode.failures if one is not failure)
    episode = msgspec.structs.replace(episode, failures=rest)
    return _learned(episode, [_lesson_of(failure)]) if failure.changed else episode


def _lesson_of(failure: Failure) -> Lesson:
    return Lesson("", failure.command, failure.exit_code, failure.error, failure.changed)


def lesson_text(lesson: Lesson, files: Iterable[str]) -> str:
    """The text of the note that is proposed; `files`: those of the lesson, as its readers call them."""
    if lesson.text:
        return lesson.text
    said = f": {lesson.error}" if lesson.error else "."
    text = f"`{lesson.command}` failed with exit code {lesson.exit_code}{said}\nIt succeeded after changes of:"
    for path in files:
        if len(text) + len(path) + 3 <= LONGEST_TEXT:
            text += f"\n  {path}"
    return text


def lesson_key(repository: str, lesson: Lesson) -> str:
    """The same for the same lesson of a repository: it is proposed once."""
    said = ("", lesson.text) if lesson.text else (lesson.command, comparable(lesson.error))
    return sha256("\0".join((repository, *said)).encode("utf-8", "replace")).hexdigest()


def in_repository(path: str, *, top: str, folder: str) -> str | None:
    """A file as it is called from the repository's top; None: it is outside, or no pattern can name it.

    Args:
        path: As an agent names it: absolute, or relative to where it works.
        top: Top of the checkout.
        folder: Where the agent's mission works; that of one with a worktree of its own lies in there.
    """
    whole = normpath(join(folder, path))
    if not whole.startswith(f"{top}/"):
        return None
    inside = _WORKTREE.sub("", whole[len(top) + 1 :])
    return inside if inside and not set(inside) & set("*?[]\\\n") else None


_WORKTREE = re.compile(r"\.overmind/worktrees/[^/]+/")


def _turn_ended(episode: Episode, fact: TurnEnded, clean: Clean) -> Episode:
    result = fact.result
    message = episode.said if result is None or not result.text else clean(result.text)[-LONGEST_MESSAGE:]
    usd = None if result is None else result.cost_turn
    episode = msgspec.structs.replace(
        episode,
        turns=episode.turns + 1,
        usd=episode.usd if usd is None else (episode.usd or 0.0) + usd,
        said=message[:LONGEST_PROMPT],
    )
    if result is not None and not result.ok:
        return episode
    return _learned(episode, (Lesson(text) for text in lessons_of(message)))


def _learned(episode: Episode, lessons: Iterable[Lesson]) -> Episode:
    known = episode.lessons
    for lesson in lessons:
        if len(known) < MOST_PROPOSED and lesson not in known:
            known = (*known, lesson)
    return msgspec.structs.replace(episode, lessons=known)


def _joined(known: tuple[str, ...], paths: Iterable[str], most: int) -> tuple[str, ...]:
    """The paths that were known and those that are new, each once."""
    return tuple(dict.fromkeys((*known, *paths)))[:most]
