"""The arguments of requests about notes and memory."""

from __future__ import annotations

from overmind_core.kernel.request import Args, RequestKey


class Remember(Args, frozen=True):
    """Write a note, or the next version of one."""

    text: str
    kind: str | None = None
    """Null: that of the note whose next version this is, `fact` of a new one."""
    scope: str | None = None
    """`mission`, `repo`, `colony` or `global`; null: `repo`."""
    tags: list[str] = []
    files: list[str] = []
    """Globs, from the top of the repository."""
    key: str | None = None
    replaces: str | None = None
    """The note whose next version this is: an id, a prefix of one, or a key."""
    pin: bool = False
    cwd: str | None = None
    """The folder that says which repository; null: that of the caller's mission, or none."""
    redacted: int = 0
    """How many secrets the caller has replaced already."""
    request: RequestKey | None = None
    """A key of the caller's choice, without `:`; a repeat with the same key makes no second note."""


class Recall(Args, frozen=True):
    """Notes that answer a question, the best first. Several questions are fused into one answer."""

    questions: list[str]
    limit: int = 5
    scope: str | None = None
    kind: str | None = None
    tag: str | None = None
    file: str | None = None
    remote: bool = False
    """Ask the Cortex instead of this machine."""
    cwd: str | None = None


class Search(Args, frozen=True):
    """Notes with these words, as `recall` ranks them; `literal`: with exactly this text; `episodes`: runs of agents."""

    words: str
    limit: int = 50
    literal: bool = False
    episodes: bool = False
    scope: str | None = None
    kind: str | None = None
    tag: str | None = None
    file: str | None = None
    cwd: str | None = None


class Notes(Args, frozen=True):
    """The notes of the folder's scopes, the newest first; more conditions are all to hold."""

    proposed: bool = False
    conflicts: bool = False
    stale: bool = False
    resting: bool = False
    kind: str | None = None
    scope: str | None = None
    tag: str | None = None
    all: bool = False
    """Also those of other repositories; and forgotten ones, but not among proposed, conflicting or resting ones."""
    cwd: str | None = None
    mission: str | None = None
    """Those that this mission was given or has written, in place of the folder's."""
    export: bool = False
    """The live ones of the folder's repository alone, by their ids, to be written to files: not for missions."""
    after: str = ""
    """Of an export: only notes with larger ids, as what follows an answer with as many as its limit."""
    limit: int = 1000


class Note(Args, frozen=True):
    """One note; `history`: with its versions, newest first."""

    note: str
    """An id, a prefix of one (4 characters behind `N-`), or a key of the folder's scopes."""
    history: bool = False
    cwd: str | None = None


class NoteSet(Args, frozen=True):
    """Change a note."""

    note: str
    """As in `note`."""
    change: str
    """`edit`, `accept`, `pin`, `unpin`, `restore` or `promote`."""
    text: str | None = None
    """Of an edit."""
    to: str | None = None
    """The scope that a note is promoted to: `repo`, `colony` or `global`."""
    seen: str | None = None
    """The version that the editor has seen; null: the one that is shown now."""
    cwd: str | None = None


class Forget(Args, frozen=True):
    """Forget notes; `purge`: leave no byte of them."""

    notes: list[str]
    purge: bool = False
    cwd: str | None = None


class Outcome(Args, frozen=True):
    """Say whether notes have helped or hurt."""

    notes: list[str]
    helped: bool
    why: str | None = None
    cwd: str | None = None


class Memory(Args, frozen=True):
    """How memory stands."""

    cwd: str | None = None


class MemorySet(Args, frozen=True):
    """Switch memory on or off: notes stay, none are given, and Overmind proposes none."""

    on: bool


class MemoryUsed(Args, frozen=True):
    """The notes that a mission was given."""

    mission: str
    run: int | None = None
    """Null: the newest that was given something."""


class MemoryReindex(Args, frozen=True):
    """Build the index anew from the notes; take over what can be read of a damaged file."""


class FileNote(Args, frozen=True):
    """A note as a file has it."""

    file: str
    """Its path, for people."""
    text: str
    """All of the file."""


class MemoryImport(Args, frozen=True):
    """Take in files of notes."""

    files: list[FileNote]
    propose: bool = False
    dry_run: bool = False
    cwd: str | None = None
    request: RequestKey | None = None
    """A key of the caller's choice, without `:`; a repeat with the same key gets the first one's answer."""


class MemoryShare(Args, frozen=True):
    """Share the notes of a folder's repository with the Cortex, or no longer."""

    cwd: str
    on: bool = True


class MemoryConnect(Args, frozen=True):
    """Connect with a Cortex; without `url` disconnect."""

    url: str | None = None
    token: str | None = None
    ca: str | None = None
    """The certificates that are trusted, as PEM text."""


class MemorySync(Args, frozen=True):
    """Send and receive now."""
