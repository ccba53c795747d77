"""Files that git ignores but the work needs, put into a worktree: copied or linked, never over what is there.

In the worktree every folder is opened by itself and links are not followed: an agent may have left one that leads out.
Nor are they where a project's patterns are looked up, so nothing outside of it is found.
"""

from __future__ import annotations

import errno
import fnmatch
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.project_file.read import OURS

MOST_LOOKS = 500_000
"""Files and folders that are looked at for all patterns."""
_SIGNS = "*?["


class TooMany(Exception):
    """There are more files than anybody wants to wait for."""


class Match(NamedTuple):
    """Something that a pattern means: a file, a folder before what is in it, or a link."""

    path: str
    """Relative to the project; of the system."""
    facts: os.stat_result
    """Of itself, never of what a link names."""


class Matching:
    """Looks through one project.

    Args:
        source: Its top, a path of the system.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._counted = 0

    def matches(self, pattern: str) -> Iterator[Match]:
        """Give what a pattern means, as a shell would: `*` means no hidden file, `**` any folders in between.

        Raises:
            TooMany: more than `MOST_LOOKS` were looked at.
        """
        for path in self._expanded("", pattern.split("/")):
            yield from self._whole(path)

    def _expanded(self, folder: str, parts: list[str]) -> Iterator[str]:
        if not parts:
            yield folder
            return
        part, rest = parts[0], parts[1:]
        if part == "**":
            yield from self._expanded(folder, rest or ["*"])
            for name in self._names(folder):
                below = _joined(folder, name)
                if not name.startswith(".") and self._is_folder(below):
                    yield from self._expanded(below, parts)
            return
        if any(sign in part for sign in _SIGNS):
            found = [
                name
                for name in self._names(folder)
                if fnmatch.fnmatchcase(name, part) and (part.startswith(".") or not name.startswith("."))
            ]
        else:
            found = [part] if self._facts(_joined(folder, part)) is not None else []
        for name in found:
            below = _joined(folder, name)
            if name.lower() not in OURS and (not rest or self._is_folder(below)):
                yield from self._expanded(below, rest)

    def _whole(self, path: str) -> Iterator[Match]:
        """It, and when it is a folder all that is in it."""
        facts = self._facts(path)
        if facts is None:
            return
        yield Match(path, facts)
        if stat.S_ISDIR(facts.st_mode):
            for name in self._names(path):
                yield from self._whole(_joined(path, name))

    def _names(self, folder: str) -> list[str]:
        """What is in a folder, in order; nothing where it is gone or closed to us."""
        names: list[str] = []
        try:
            with os.scandir(self._full(folder) or ".") as entries:
                for entry in entries:
                    self._count()
                    if entry.name.lower() not in OURS:
                        names.append(entry.name)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return []
        return sorted(names)

    def _count(self) -> None:
        self._counted += 1
        if self._counted > MOST_LOOKS:
            raise TooMany

    def _is_folder(self, path: str) -> bool:
        facts = self._facts(path)
        return facts is not None and stat.S_ISDIR(facts.st_mode)

    def _facts(self, path: str) -> os.stat_result | None:
        self._count()
        try:
            return os.lstat(self._full(path))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _full(self, path: str) -> str:
        return os.path.join(self._source, path)


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


MOST_FILES = 20_000
MOST_BYTES = 2_000_000_000
MOST_LINES = 20
"""About files that were copied."""
PIECE = 1024 * 1024
"""Bytes that are copied at once."""
HALF = ".overmind-placing"
"""A file while it is copied; one that a crash left is written again."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FULL = "the disk is full"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_FOLDER = frozenset({errno.ENOTDIR, errno.ELOOP})


class PlacingFailed(Exception):
    """Files could not be put into the worktree; some may be there.

    Attributes:
        path: Which one, relative to the project; of the system.
        why: As in `the disk is full`, without a full stop.
        is_full: That is why.
    """

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        self.is_full = why == FULL
        super().__init__(f"{path}: {why}")


class _InTheWay(Exception):
    """The worktree has something else where a folder should be."""


def copy_and_link(source: str, worktree: str, copy: Sequence[str], link: Sequence[str]) -> tuple[str, ...]:
    """Copy and link; return a line in wire form for each thing that was done, and for each that was left and why.

    What is there already stays as it is, so it can be done again at any time.

    Args:
        source: Top of the person's checkout; of the system, as `worktree` is.
        worktree: Top of the worktree.
        copy: Patterns; folders are copied whole. In wire form, as `link` is.
        link: Paths.

    Raises:
        PlacingFailed: the disk is full, something can't be read, or there is too much of it.
    """
    placing = _Placing(source, worktree)
    try:
        for path, facts in placing.found([from_wire(one) for one in copy]):
            placing.copy(path, facts)
        for one in link:
            placing.link(from_wire(one))
    finally:
        os.close(placing.top)
    return tuple(to_wire(line) for line in (*placing.copies(), *placing.report))


class _Placing:
    """One worktree being filled."""

    def __init__(self, source: str, worktree: str) -> None:
        self.source = source
        self.real = os.path.realpath(source)
        self.copied: list[str] = []
        self.report: list[str] = []
        try:
            self.top = os.open(worktree, _FOLDER & ~os.O_NOFOLLOW)
        except OSError as error:
            raise PlacingFailed(worktree, _why(error)) from None

    def found(self, patterns: Sequence[str]) -> list[Match]:
        """All that is to be copied, each once; judged before anything is written."""
        matching = Matching(self.source)
        found: dict[str, Match] = {}
        size = 0
        for pattern in patterns:
            is_there = False
            try:
                for match in matching.matches(pattern):
                    is_there = True
                    if match.path not in found:
                        size += match.facts.st_size if stat.S_ISREG(match.facts.st_mode) else 0
                        found[match.path] = match
                        _check_size(pattern, len(found), size)
            except (TooMany, RecursionError):
                raise PlacingFailed(pattern, "too many files to search") from None
            except OSError as error:
                raise PlacingFailed(pattern, _why(error)) from None
            if not is_there:
                self.report.append(f"not copied: {pattern} does not exist")
        return list(found.values())

    def copies(self) -> list[str]:
        """What was copied, a line each, or one for very much."""
        if len(self.copied) > MOST_LINES:
            return [f"copied: {len(self.copied)} files"]
        return [f"copied: {path}" for path in self.copied]

    def copy(self, path: str, facts: os.stat_result) -> None:
        """Copy a file, a link, or a folder without what is in it."""
        try:
            if stat.S_ISDIR(facts.st_mode):
                self._folder(path, stat.S_IMODE(facts.st_mode))
            elif stat.S_ISREG(facts.st_mode):
                self._file(path)
            elif stat.S_ISLNK(facts.st_mode):
                self._same_link(path)
            else:
                self.report.append(f"not copied: {path} is not a file")
        except _InTheWay as way:
            self.report.append(f"not copied: {path}, because the worktree has no folder {way}")
        except FileNotFoundError:
            self.report.append(f"not copied: {path} is gone")
        except OSError as error:
            raise PlacingFailed(path, _why(error)) from None

    def link(self, path: str) -> None:
        """Link a file or folder of the person's checkout."""
        target = os.path.join(self.source, path)
        if not os.path.lexists(target):
            self.report.append(f"not linked: {path} does not exist")
            return
        if not self._is_inside(target):
            self.report.append(f"not linked: {path} leads out of the project")
            return
        try:
            with self._parent(path) as (folder, name):
                if self._make_link(path, target, folder, name, done="linked"):
                    self.report.append(f"linked: {path}")
        except _InTheWay as way:
            self.report.append(f"not linked: {path}, because the worktree has no folder {way}")
        except OSError as error:
            raise PlacingFailed(path, _why(error)) from None

    def _folder(self, path: str, mode: int) -> None:
        with self._parent(path) as (folder, name):
            if _lstat(folder, name) is None:
                # What is in it has to be written yet.
                os.mkdir(name, 0o700, dir_fd=folder)
                opened = os.open(name, _FOLDER, dir_fd=folder)
                try:
                    os.fchmod(opened, (mode & 0o777) | 0o700)
                finally:
                    os.close(opened)

    def _file(self, path: str) -> None:
        with self._parent(path) as (folder, name):
            read = os.open(os.path.join(self.source, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                facts = os.fstat(read)
                there = _lstat(folder, name)
                if there is None:
                    _write(read, facts, folder, name)
                    self.copied.append(path)
                elif not stat.S_ISREG(there.st_mode) or not _is_same(read, facts, there, folder, name):
                    self.report.append(f"not copied: {path}, because the worktree already has it")
            finally:
                os.close(read)

    def _same_link(self, path: str) -> None:
        whole = os.path.join(self.source, path)
        if not self._is_inside(whole):
            self.report.append(f"not copied: {path} leads out of the project")
            return
        with self._parent(path) as (folder, name):
            if self._make_link(path, os.readlink(whole), folder, name, done="copied"):
                self.copied.append(path)

    def _make_link(self, path: str, target: str, folder: int, name: str, *, done: str) -> bool:
        there = _lstat(folder, name)
        if there is None:
            os.symlink(target, name, dir_fd=folder)
            return True
        if not stat.S_ISLNK(there.st_mode) or os.readlink(name, dir_fd=folder) != target:
            self.report.append(f"not {done}: {path}, because the worktree already has it")
        return False

    def _is_inside(self, path: str) -> bool:
        real = os.path.realpath(path)
        return real == self.real or real.startswith(f"{self.real.rstrip('/')}/")

    @contextmanager
    def _parent(self, path: str) -> Iterator[tuple[int, str]]:
        """The folder in the worktree where it belongs, which is made where it is missing, and its name there."""
        *folders, name = path.split("/")
        opened = [os.dup(self.top)]
        try:
            for end, part in enumerate(folders, 1):
                inside = "/".join(folders[:end])
                opened.append(_entered(opened[-1], part, inside, os.path.join(self.source, inside)))
            yield opened[-1], name
        finally:
            for one in opened:
                os.close(one)


def _check_size(pattern: str, files: int, size: int) -> None:
    if files > MOST_FILES:
        raise PlacingFailed(pattern, f"more than {MOST_FILES} files match; link them instead of copying")
    if size > MOST_BYTES:
        raise PlacingFailed(pattern, f"more than {MOST_BYTES // 10**9} GB match; link them instead of copying")


def _entered(folder: int, name: str, path: str, like: str) -> int:
    """A folder, opened; made with the mode of `like` where it is missing, whatever our own umask is."""
    made = False
    with suppress(FileExistsError):
        if _lstat(folder, name) is None:
            os.mkdir(name, 0o700, dir_fd=folder)
            made = True
    try:
        opened = os.open(name, _FOLDER, dir_fd=folder)
    except OSError as error:
        if error.errno in _NO_FOLDER:
            raise _InTheWay(path) from None
        raise
    if made:
        with suppress(OSError):
            os.fchmod(opened, (os.stat(like).st_mode & 0o777) | 0o700)
    return opened


def _write(read: int, facts: os.stat_result, folder: int, name: str) -> None:
    """Whole or not at all under its name."""
    with suppress(FileNotFoundError):
        os.unlink(HALF, dir_fd=folder)
    made = os.open(HALF, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
    try:
        while piece := os.read(read, PIECE):
            _write_all(made, piece)
        os.fchmod(made, facts.st_mode & 0o777)
        os.utime(made, ns=(facts.st_atime_ns, facts.st_mtime_ns))  # what is built from it stays up to date
        os.rename(HALF, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(HALF, dir_fd=folder)
        raise
    finally:
        os.close(made)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _is_same(read: int, facts: os.stat_result, there: os.stat_result, folder: int, name: str) -> bool:
    if facts.st_size != there.st_size:
        return False
    if facts.st_mtime_ns == there.st_mtime_ns:  # it is our copy: that is how they are made
        return True
    other = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        while (piece := os.read(read, PIECE)) == os.read(other, PIECE):
            if not piece:
                return True
        return False
    finally:
        os.close(other)


def _lstat(folder: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _why(error: OSError) -> str:
    return FULL if error.errno in _FULL else (error.strerror or "it can't be read")
