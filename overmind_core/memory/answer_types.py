"""The types of answers about notes and memory. Only annotations name them."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

NoteKindWord = Literal["fact", "decision", "pattern", "gotcha", "fix", "lesson"]
NoteStateWord = Literal["proposed", "live", "replaced", "forgotten", "purged"]
ScopeWord = Literal["mission", "repo", "colony", "global"]
WhyFound = Literal["words", "meaning", "spelling", "key"]
WhyGiven = Literal["pinned", "identifier", "path", "words"]


class AuthorInfo(TypedDict):
    """Who wrote a note: a person, or a mission with its agent."""

    person: str | None
    mission: str | None
    """The mission's id."""
    name: str | None
    """The mission's name at that time."""
    agent: str | None
    """The provider of the mission's agent."""


NoteInfo = TypedDict(
    "NoteInfo",
    {
        "id": str,
        "state": NoteStateWord,
        "kind": NoteKindWord,
        "scope": ScopeWord,
        "repository": str | None,
        "key": str | None,
        "text": str,
        "tags": list[str],
        "files": list[str],
        "pinned": bool,
        "author": AuthorInfo,
        "version": int,
        "version_id": str,
        "versions": int,
        "created_at": str,
        "edited_at": str,
        "helped": int,
        "hurt": int,
        "used": int,
        "used_at": str | None,
        "stale": bool,
        "rests": bool,
        "conflicts": list[str],
        "from": str,
        "proposed_for": str | None,
        "history": NotRequired[list["VersionInfo"]],
        "used_by": NotRequired[list["NoteUse"]],
    },
)
"""A note. `version`: the number of the one that is shown, `version_id` its id; `conflicts`: ids of versions beside it;
`used`: how many runs were given it; `history`: its versions, newest first, when they were asked for; `used_by`: with
them, the runs that were given it, newest first, at most 100."""


class NoteUse(TypedDict):
    """A run that was given a note."""

    mission: str
    """The mission's id."""
    run: int
    at: str


class VersionInfo(TypedDict):
    """A version of a note."""

    version: str
    number: int
    replaces: list[str]
    at: str
    by: AuthorInfo
    standing: str
    text: str
    kind: NoteKindWord
    scope: ScopeWord
    repository: str | None
    key: str | None
    tags: list[str]
    files: list[str]
    pinned: bool


class Remembered(TypedDict):
    """The result of writing a note."""

    id: str
    version: int
    state: NoteStateWord
    kind: NoteKindWord
    scope: ScopeWord
    new: bool
    """Whether anything was written: an equal text is known already."""
    similar: list[NoteBrief]
    redacted: int
    """Secrets that were replaced, those that the caller has replaced among them."""


class NoteBrief(TypedDict):
    """A note in a line."""

    id: str
    text: str
    """Its beginning."""


class FoundNote(TypedDict):
    """A note that was found."""

    note: NoteInfo
    score: float
    why: list[WhyFound]
    corrected: dict[str, str]
    """Word of the question → the word that was looked for in its place."""


class FoundEpisode(TypedDict):
    """A run of an agent that was found."""

    mission: str
    name: str
    run: int
    at: str
    matched: str
    """The matching text, in one line."""
    files: list[str]
    commands: list[EpisodeCommand]


class EpisodeCommand(TypedDict):
    """A command that an agent ran."""

    command: str
    exit_code: int | None
    """Null where nobody told."""


class Recalled(TypedDict):
    """The notes that were found, the best first."""

    notes: list[FoundNote]
    with_meaning: bool
    """Whether a model took part."""
    why_not: str | None
    """Why none did, where one is set."""


class Searched(TypedDict):
    """The notes that were found, the best first."""

    notes: list[FoundNote]
    episodes: list[FoundEpisode]


class NoteList(TypedDict):
    """Notes."""

    notes: list[NoteInfo]
    proposed: int
    """How many proposals there are in the folder's scopes."""


class NoteChanged(TypedDict):
    """A note after a change."""

    note: NoteInfo
    changed: bool


class ForgottenNote(TypedDict):
    """A note that was forgotten or purged."""

    id: str
    still_in: list[str]
    """Places with a text of it that we know of and may not change."""


class Forgotten(TypedDict):
    """The notes that were forgotten."""

    notes: list[ForgottenNote]


class Votes(TypedDict):
    """The votes for notes."""

    notes: list[NoteVotes]


class NoteVotes(TypedDict):
    """The votes for one note."""

    id: str
    helped: int
    hurt: int


class CortexState(TypedDict):
    """The connection with a Cortex."""

    url: str
    colony: str
    role: str
    synced_at: str | None
    to_send: int
    error: str | None
    shares: list[str]
    """Names of the repositories whose notes are shared."""


class MemoryState(TypedDict):
    """How memory stands."""

    on: bool
    reason: str | None
    """Why it is off, where nobody switched it off."""
    inject: Literal["auto", "pinned", "off"]
    model: str | None
    model_error: str | None
    """Why the model can't be used; null: it can, as far as is known, or there is none."""
    live: int
    proposed: int
    resting: int
    conflicts: int
    repository: str | None
    here: int
    """Notes of the folder's repository."""
    bytes: int
    cortex: CortexState | None


class MemorySwitched(TypedDict):
    """Whether memory is on."""

    on: bool


class UsedNote(TypedDict):
    """A note that a run was given."""

    id: str
    version: str
    why: WhyGiven


class Used(TypedDict):
    """The notes that a run was given; `text`: byte for byte."""

    mission: str
    run: int | None
    tokens: int
    left_out: int
    purged: int
    """Notes that were taken out since, as they were purged."""
    notes: list[UsedNote]
    text: str


class Reindexed(TypedDict):
    """The result of a reindex."""

    notes: int
    episodes: int
    logs_gone: int
    """Episodes whose log is gone."""
    seconds: float
    recovered: int | None
    """Notes that were taken over from a damaged file; null: it was whole."""
    lost: int | None
    damaged: str | None
    """Where the damaged file is now."""


class SkippedFile(TypedDict):
    """A file that was not taken in, as its note was forgotten here."""

    file: str
    id: str
    why: str


class RefusedFile(TypedDict):
    """A file that is none of a note."""

    file: str
    line: int | None
    why: str


class Imported(TypedDict):
    """The result of an import."""

    new: int
    changed: int
    known: int
    skipped: list[SkippedFile]
    refused: list[RefusedFile]


class Shared(TypedDict):
    """Whether a repository's notes are shared."""

    repository: str
    on: bool
    notes: int


class Connected(TypedDict):
    """The Cortex that is connected; null: none."""

    cortex: CortexState | None


class Synced(TypedDict):
    """The result of an exchange with the Cortex."""

    sent: int
    received: int
    conflicts: int
