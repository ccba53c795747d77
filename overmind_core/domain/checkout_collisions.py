"""Landings that meet a person's uncommitted files in the checkout of the target, as git itself would refuse them. Pure.

Two paths meet when they are the same, or when one would be the folder of the other. Where in doubt they do: a landing
can be tried again, a file that nobody has committed is nowhere else. Paths are relative to the top of the checkout.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.landing import count_text, list_text

if TYPE_CHECKING:
    from overmind_core.domain.git_operations import GitOperation

MOST_COMMANDS = 5
"""Commands that are given to a person."""
ASIDE = ".mine"
"""Appended to the name of a file that is moved away."""


class PathKind(Enum):
    """A path in a commit."""

    NOTHING = auto()
    FILE = auto()
    SUBMODULE = auto()


class PathChange(NamedTuple):
    """A path that is not the same on the target afterwards."""

    path: str
    before: PathKind
    after: PathKind

    @property
    def brings(self) -> bool:
        """Whether something comes to where nothing of its kind was."""
        return self.after is not PathKind.NOTHING and self.after is not self.before

    @property
    def is_submodules_alone(self) -> bool:
        """Whether only the commit of a submodule changes: git leaves its folder alone."""
        return self.before is self.after is PathKind.SUBMODULE


class CheckoutEdits(NamedTuple):
    """The uncommitted files of a checkout."""

    edited: Collection[str] = ()
    """Files that git knows and that are not as they are committed: staged, changed, deleted, or with a conflict."""
    submodules: Collection[str] = ()
    """Submodules that are staged as they are committed, and have another commit or work in their folder."""
    loose: Collection[str] = ()
    """Files that git does not know, ignored ones too."""
    unmerged: Collection[str] = ()
    """Those of the edited ones whose conflicts are not resolved."""


class Collisions(NamedTuple):
    """The uncommitted files that a landing meets, sorted."""

    edited: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()
    unmerged: tuple[str, ...] = ()
    """Those whose conflicts are not resolved: as long as there is one, git moves nothing there, and stashes nothing."""


def collisions(changes: Iterable[PathChange], edits: CheckoutEdits) -> Collisions:
    """Return which uncommitted files of a checkout a landing meets; others stay as they are while it lands.

    Args:
        changes: The paths that differ on the target afterwards.
        edits: The uncommitted files of its checkout.
    """
    all_changes = tuple(changes)
    any_change = _Paths(one.path for one in all_changes)
    content = _Paths(one.path for one in all_changes if not one.is_submodules_alone)
    new = _Paths(one.path for one in all_changes if one.brings)
    edited = {path for path in edits.edited if any_change.meet(path)}
    edited |= {path for path in edits.submodules if content.meet(path)}
    loose = {path for path in edits.loose if new.meet(path)} - edited
    return Collisions(tuple(sorted(edited)), tuple(sorted(loose)), tuple(sorted(edits.unmerged)))


class _Paths:
    """Paths, and the folders that they need."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = frozenset(paths)
        self._folders = frozenset(folder for path in self._paths for folder in folders_of(path))

    def meet(self, path: str) -> bool:
        """Whether one of them is this path, or above or below it. `path`: of a folder it may end with `/`."""
        plain = path.rstrip("/")
        if plain in self._paths or plain in self._folders:
            return True
        return any(folder in self._paths for folder in folders_of(plain))


def folders_of(path: str) -> Iterator[str]:
    """Yield the folders that a path is in, the innermost first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def in_the_way(files: Collection[str], operation: str | None = None, *, unmerged: bool = False) -> str:
    """Return what a landing waits for in a few words: `README.md is not committed`; the first file where it is many.

    Args:
        files: The uncommitted ones that it meets.
        operation: What stands half done there, by git's word for it.
        unmerged: Whether it is the conflicts of these files that are in its way.
    """
    if operation is not None:
        return f"a {operation} is not finished"
    if not files:
        return ""
    first, more = next(iter(files)), len(files) - 1
    if unmerged:
        return f"{first} and {more} more have unresolved conflicts" if more else f"{first} has unresolved conflicts"
    return f"{first} and {more} more are not committed" if more else f"{first} is not committed"


class TargetUse(NamedTuple):
    """Why a branch can't be moved now. Texts in wire form."""

    branch: str
    folder: str
    """The checkout where it is in use."""
    operation: GitOperation | None = None
    """What stands half done there."""
    found: Collisions = Collisions()
    missing: bool = False
    """True where the checkout is not there and git has it locked: its disk may not be mounted."""

    @property
    def sentence(self) -> str:
        """The files in the way, and what to do about them, with a command."""
        if self.missing:
            where = f"{self.branch} is checked out in {self.folder}, which is missing: its disk may not be mounted."
            give_up = f"git worktree unlock {shlex.quote(self.folder)}"
            return f"{where} Nothing was changed. Mount it, or give that checkout up with: {give_up}"
        if self.operation is not None:
            where = f"{self.branch} is in use in {self.folder}, where a {self.operation.noun} is not finished."
            return f"{where} Nothing was changed. {self.operation.advice(self.folder)}"
        edited, loose, unmerged = self.found
        if unmerged:
            conflicts = f"{count_text(len(unmerged), 'file')} with unresolved conflicts: {list_text(unmerged)}"
            where = f"{self.branch} is checked out in {self.folder}, which has {conflicts}."
            (command,) = self.commands
            how = f"with: {command}" if len(unmerged) <= MOST_COMMANDS else f"with git add. See them with: {command}"
            return f"{where} Nothing was changed. Resolve them there, and tell git so {how}"
        parts, ways = [], []
        if edited:
            are, them = ("is", "it") if len(edited) == 1 else ("are", "them")
            files = (
                f"{count_text(len(edited), 'file')} that the landing changes {are} not committed: {list_text(edited)}"
            )
            parts += [f"{self.branch} is checked out in {self.folder}, where {files}."]
            ways += [f"Commit {them} there, or stash {them} with: {self.commands[0]}"]
        if loose:
            where = f"In {self.folder} are untracked files where {self.branch} gets new files"
            parts += [f"{where}: {list_text(loose)}."]
            move, which = "move" if edited else "Move", "it away" if len(loose) == 1 else "each away as"
            ways += [f"{move} {which} with: {self.commands[len(edited[:1])]}"]
        return " ".join([*parts, "Nothing was changed.", "; ".join(ways)])

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that take it out of the way, and lose nothing."""
        if self.operation is not None:
            return self.operation.ways_out(self.folder)
        edited, loose, unmerged = self.found
        if unmerged:
            lists = "diff --name-only --diff-filter=U"
            way = f"add -- {shlex.join(unmerged)}" if len(unmerged) <= MOST_COMMANDS else lists
            return (f"git -C {shlex.quote(self.folder)} {way}",)
        found = []
        if edited:
            found = [f"git -C {shlex.quote(self.folder)} stash push -- {shlex.join(edited[:MOST_COMMANDS])}"]
            found = found if len(edited) <= MOST_COMMANDS else [f"git -C {shlex.quote(self.folder)} stash push"]
        # What was moved there before stays: then that one has to go elsewhere first.
        found += [shlex.join(("mv", "-n", f"{self.folder}/{path}", f"{self.folder}/{path}{ASIDE}")) for path in loose]
        return tuple(found[:MOST_COMMANDS])

    @property
    def fields(self) -> dict[str, object]:
        """The same for programs: the fields of the error."""
        operation = {} if self.operation is None else {"operation": self.operation.value}
        edited, loose, unmerged = self.found
        files = {"files": list(unmerged), "unmerged": True} if unmerged else {"files": [*edited, *loose]}
        return {"folder": self.folder, **files, **operation, "do": list(self.commands)}
