"""Projects: which one a folder belongs to, what its file wants, and whether a person has allowed that.

`Engines` are container engines by their addresses; nothing of the SDK is loaded before somebody needs one.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.isolation.project import FILE
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.domain.text.problems import Problems
from overmind_core.errors import NO_FOLDER, OvermindError
from overmind_core.kernel.tasks import Looks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor

    from overmind_core.containers.engine import Engine
    from overmind_core.git.repository import Repository
    from overmind_core.isolation.store import TrustTable
    from overmind_core.project_file.file import ProjectFile


TRUE_FOR = 0.2
"""Seconds in which a folder is taken for one with or without a project, without a look."""
OURS = "/.overmind/worktrees/"
"""In the path of every worktree that we made."""
LOOK_SECONDS = 10.0


class Inspected(NamedTuple):
    """A folder's project. Paths are the system's."""

    source: str
    """Top of the person's checkout, of the project, or else the folder itself."""
    subfolder: str
    """The folder, relative to the top of its checkout."""
    repository: Repository | None
    found: ProjectFile | None
    """Its file; None when it has none."""
    trusted: bool
    changed: bool
    """Another content of the file was trusted."""
    shared: bool
    """The folder is in a worktree of another mission."""


class Projects:
    """Looks at folders, in threads."""

    def __init__(self, threads: Executor, trusted: TrustTable, flush: Callable[[], None], home: str) -> None:
        """`home`: path of the supervisor's, for what its git runs."""
        self._threads = threads
        self._trusted = trusted
        self._flush = flush
        self._home = home
        self._above: Looks[str, str | None] = Looks(threads, _project_above, patience=LOOK_SECONDS, true_for=TRUE_FOR)

    async def has_file(self, cwd: str) -> bool:
        """Whether a mission in this folder is isolated unasked: cheap, as every start asks. `cwd` in wire form."""
        try:
            return await self._above.find(from_wire(cwd)) is not None
        except TimeoutError:
            text = f"The file system of {cwd} does not answer. Is a mount hung?"
            raise OvermindError("timeout", text) from None

    async def inspect(self, cwd: str, environ: Mapping[str, str], *, branch: str | None = None) -> Inspected:
        """Everything about the project of a folder; texts in wire form.

        Args:
            cwd: The folder.
            environ: In which git runs.
            branch: A branch of which its repository is to tell the commit, see `find_repository`.

        Raises:
            OvermindError: `invalid`, its file has mistakes, each of which is reported with its place; `git_failed`.
        """
        environ = {from_wire(name): from_wire(value) for name, value in environ.items()}
        loop = asyncio.get_running_loop()
        wanted = None if branch is None else from_wire(branch)
        place, found = await loop.run_in_executor(self._threads, _inspect, environ, from_wire(cwd), self._home, wanted)
        if found is None:
            return Inspected(*place, None, trusted=True, changed=False, shared=_is_ours(cwd))
        self._flush()
        trusted = self._trusted.sum_of(to_wire(found.path))
        same = trusted == found.sha256
        return Inspected(*place, found, trusted=same, changed=trusted is not None and not same, shared=_is_ours(cwd))

    async def repository_around(self, cwd: str) -> str | None:
        """Git's common folder of the repository that a folder is in; None when it is in none. Wire form.

        Raises:
            OvermindError: `cwd_not_found`, `git_failed`.
        """
        if "\0" in cwd:
            raise OvermindError("cwd_not_found", f"The working directory {cwd} {NO_FOLDER}")
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _common_around, from_wire(cwd), self._home)
        return None if found is None else to_wire(found)


_Place = tuple[str, str, "Repository | None"]


def _inspect(environ: Mapping[str, str], cwd: str, home: str, branch: str | None) -> tuple[_Place, ProjectFile | None]:
    from overmind_core.project_file import file  # noqa: PLC0415 - YAML is for those who have such a file

    repository = _repository(environ, cwd, home, branch)
    if repository is None:
        top = _project_above(cwd) or cwd
        place: _Place = (top, os.path.relpath(cwd, top) if cwd != top else "", None)
    else:
        ours = _is_ours(repository.top)
        top = repository.main or repository.top if ours else repository.top
        place = (top, repository.subfolder, repository)
    try:
        return place, file.load(top)
    except Problems as problems:
        path = to_wire(os.path.join(top, FILE))
        lines = [f"{path}:{one.line}:{one.column}: {one.message}" for one in problems.problems]
        raise OvermindError("invalid", "\n".join(lines), problems=lines, path=path, source=to_wire(top)) from None
    except file.Unreadable as error:
        path, message = to_wire(error.path), f"{to_wire(error.path)} can't be used: {error.why}."
        raise OvermindError("invalid", message, path=path, source=to_wire(top)) from None


def _repository(environ: Mapping[str, str], cwd: str, home: str, branch: str | None = None) -> Repository | None:
    from overmind_core.git import repository as git_repository  # noqa: PLC0415 - for those who are isolated
    from overmind_core.git.run import Git, GitFailed, GitMissing  # noqa: PLC0415 - same
    from overmind_core.isolation.errors import git_failed, git_missing  # noqa: PLC0415 - same

    if not os.path.isdir(cwd):
        raise OvermindError("cwd_not_found", f"The working directory {to_wire(cwd)} {NO_FOLDER}")
    try:
        return git_repository.find_repository(Git(environ, home=home), cwd, branch=branch)
    except GitFailed as error:
        raise git_failed(error) from None
    except GitMissing:
        if _project_above(cwd) is None:
            raise git_missing() from None
        return None


def _common_around(cwd: str, home: str) -> str | None:
    from overmind_core.git.layout import common_around  # noqa: PLC0415 - for those who are isolated

    known = common_around(cwd)
    if known is not None:
        return known
    found = _repository(os.environ, cwd, home)
    return None if found is None else found.common


def _project_above(cwd: str) -> str | None:
    """The folder of the project's file that counts here: the top of the repository, else the nearest from here upwards.

    None: it has none. So it is in a worktree that we made, too: what is started there shares it.
    """
    if _is_ours(cwd):
        return None
    folder = cwd
    nearest: str | None = None
    is_one_disk = True
    while True:
        has_file = os.path.lexists(os.path.join(folder, FILE))
        if is_one_disk and os.path.lexists(os.path.join(folder, ".git")):
            return folder if has_file else None
        if has_file and nearest is None:
            nearest = folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return nearest
        is_one_disk = is_one_disk and not os.path.ismount(folder)  # git looks for no repository on another
        folder = parent


def _is_ours(path: str) -> bool:
    return OURS in f"{path}/"


class Engines:
    """Used from the loop's thread; what an engine does is for another one."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._known: dict[str, Engine] = {}

    async def find(self, environ: Mapping[str, str]) -> str:
        """The address of the engine that a caller with this environment (wire form) would use.

        Raises:
            OvermindError: `docker_missing`, with what to do.
        """
        environ = {from_wire(name): from_wire(value) for name, value in environ.items()}
        engine = await asyncio.get_running_loop().run_in_executor(self._threads, _connect, environ)
        return self._known.setdefault(engine.url, engine).url

    def at(self, url: str) -> Engine:
        """The engine with this address; in a thread, it may have to be loaded first."""
        from overmind_core.containers.engine import Engine  # noqa: PLC0415 - megabytes, for those who have containers

        known = self._known.get(url)
        if known is None:
            known = self._known.setdefault(url, Engine.at(url))
        return known

    def close(self) -> None:
        """Let go of all connections."""
        for engine in self._known.values():
            engine.close()


def _connect(environ: Mapping[str, str]) -> Engine:
    from overmind_core.containers.engine import Engine, EngineMissing  # noqa: PLC0415 - same

    try:
        return Engine.connect(environ)
    except EngineMissing as error:
        raise OvermindError("docker_missing", str(error)) from None
