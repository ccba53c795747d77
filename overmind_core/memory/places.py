"""The repositories of folders: how each is called, and which files it has.

Git is asked on threads of its own, as the file system of a folder may hang, and what it said counts for a minute.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.memory.repository import KnownBy
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.domain.text.file_tree import FileTree
from overmind_core.errors import OvermindError
from overmind_core.git.identity import identity
from overmind_core.git.run import Git
from overmind_core.kernel.tasks import Looks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TRUE_FOR = 60.0
"""Seconds."""
PATIENCE = 2.0
"""Seconds."""
MOST_FILES = 20_000
"""Of a checkout that is looked through: in a larger one nothing is stale."""
THREADS = 8
"""For as many folders that hang at once: those of other projects are answered meanwhile. They begin when needed."""


class Place(NamedTuple):
    """A folder's repository."""

    repository: str
    """How it is called."""
    top: str
    """Top of the checkout."""
    clone: str
    """The same for all checkouts of one clone, and stays when its name changes."""
    is_local: bool
    """Whether its name means something on this machine alone: it may get another one."""


class Places:
    """The repositories of folders."""

    def __init__(self, aliases: Mapping[str, str], environ: Mapping[str, str], home: str) -> None:
        """`aliases`: how a repository is called otherwise; `environ`: the daemon's own; `home`: its folder."""
        self._aliases = aliases
        self._git = Git(environ, home=home)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="places")
        self._looks: Looks[str, Place] = Looks(self._threads, self._look, patience=PATIENCE, true_for=TRUE_FOR)

    async def of(self, folder: str) -> Place:
        """Return the repository of a folder.

        Raises:
            OvermindError: `busy`, its file system does not answer; `invalid`, it can't be read.
        """
        try:
            return await self._looks.find(folder)
        except TimeoutError:
            raise OvermindError("busy", f"The file system of {folder} does not answer.") from None
        except OSError as error:
            raise OvermindError("invalid", f"{folder} can't be read: {error.strerror or error}.") from None

    def forget(self) -> None:
        """Ask git again about each folder: what is known may have changed just now."""
        self._looks.forget()

    def close(self) -> None:
        """Look at nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _look(self, folder: str) -> Place:
        found = identity(self._git, folder)
        name = found.repository.name
        alias = self._aliases.get(name)
        is_local = alias is None and found.repository.by is not KnownBy.URL
        return Place(to_wire(alias or name), found.top, to_wire(found.place), is_local)


class Files:
    """The files of a checkout, listed once. Used on a thread that reads."""

    def __init__(self, top: str) -> None:
        self._top = top
        self._tree: FileTree | None = None
        self._whole = True

    def is_stale(self, globs: tuple[str, ...]) -> bool:
        """Whether there are patterns, and no file is what any of them describes."""
        return bool(globs) and not any(map(self._is_there, globs))

    def _is_there(self, glob: str) -> bool:
        if "/" in glob.rstrip("/") and not set(glob) & set("*?[\\"):
            return os.path.lexists(os.path.join(self._top, glob))
        tree = self._listed()
        return not self._whole or tree.may_have(glob)

    def _listed(self) -> FileTree:
        if self._tree is None:
            names = list(islice(_walk(self._top), MOST_FILES + 1))
            self._whole = len(names) <= MOST_FILES
            self._tree = FileTree(names if self._whole else ())
        return self._tree


def _walk(top: str) -> Iterator[str]:
    """The paths of all files and folders below `top`, relative to it, but for git's own."""
    for folder, below, names in os.walk(top):
        below[:] = sorted(name for name in below if name != ".git")
        inside = os.path.relpath(folder, top)
        for name in (*below, *names):
            yield name if inside == "." else f"{inside}/{name}"
