"""Writing documents beside people who edit them: a file takes the place of one that was written here, of no other.

What a person has written stays, byte for byte, and the new document lies beside it, as `design.new.md`. What stands is
moved aside before it is replaced, and looked at there: so a save is never lost, whenever it comes, and whenever this
process ends. `restore` puts back what an end in between has left aside. All of it blocks.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.specs.shape import MAX_BYTES
from overmind_core.system.small_file import read_small_file

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_MARKDOWN = ".md"
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""Errors of file systems that know no second name of a file."""


class WrittenDocument(NamedTuple):
    """Where a document was written."""

    name: str
    """Of its file: that of the document, or one beside it."""
    stands: bool
    """Whether it has the name of the document; else a person's is there."""
    sha256: str
    """Of its bytes."""


def write_document(folder: str, name: str, data: bytes, *, own: Collection[str], beside: str = "") -> WrittenDocument:
    """Write a document to its place, unless a person's is there: then beside it.

    Args:
        folder: Of the spec.
        name: Of the document.
        data: What it says.
        own: Hashes of what was written here before: only that is replaced.
        beside: The file beside it in which the one before lies, for which nobody has a use any more; "" for none.

    Raises:
        OSError: it can't be written; what stood is there.
    """
    digest = sha256(data).hexdigest()
    with _opened(folder) as where:
        restore(folder, name, own)
        _clear(where, name)
        if _hash(folder, name) == digest or _put(where, folder, name, data, own):
            if beside:
                remove_own(folder, beside, own)
            return WrittenDocument(name, stands=True, sha256=digest)
        for side in _names(name, "new"):
            if _hash(folder, side) == digest or _put(where, folder, side, data, own):
                return WrittenDocument(side, stands=False, sha256=digest)
    raise AssertionError  # names do not end


def _put(where: int, folder: str, name: str, data: bytes, own: Collection[str]) -> bool:
    """Write a file, in place of nothing or of what was written here; return whether that was so."""
    fresh, aside = _fresh(name), _aside(name)
    _clear(where, name)
    if os.path.lexists(os.path.join(folder, name)) and _hash(folder, name) not in own:
        return False
    try:
        new = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(fresh, new, 0o666, dir_fd=where), "wb") as file:
            file.write(data)
        with suppress(FileNotFoundError):
            os.rename(name, aside, src_dir_fd=where, dst_dir_fd=where)
        if _hash(folder, aside) in {None, *own} and _move(where, fresh, name):
            with suppress(FileNotFoundError):
                os.unlink(aside, dir_fd=where)
            return True
        return False  # somebody has saved the file in this moment
    finally:
        _clear(where, name)
        restore(folder, name, own)


def restore(folder: str, name: str, own: Collection[str]) -> None:
    """Put a document back that was moved aside; where there is another one by now, keep it beside that.

    Args:
        folder: Of the spec.
        name: Of the document.
        own: Hashes of what was written here: that is removed.
    """
    aside = _aside(name)
    if not os.path.lexists(os.path.join(folder, aside)):
        return
    with _opened(folder) as where:
        if _move(where, aside, name):
            return
        if _hash(folder, aside) in {*own, _hash(folder, name)}:
            os.unlink(aside, dir_fd=where)
        else:
            next(kept for kept in _names(name, "old") if _move(where, aside, kept))


def remove_own(folder: str, name: str, own: Collection[str]) -> None:
    """Remove a file unless somebody has changed what was written there."""
    if _hash(folder, name) in own:
        with suppress(OSError):
            os.unlink(os.path.join(folder, name))


def _move(where: int, source: str, name: str) -> bool:
    """Give a file another name unless that is taken; return whether it was free."""
    try:
        os.link(source, name, src_dir_fd=where, dst_dir_fd=where, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        try:
            os.lstat(name, dir_fd=where)
        except FileNotFoundError:
            os.rename(source, name, src_dir_fd=where, dst_dir_fd=where)
            return True
        return False
    os.unlink(source, dir_fd=where)
    return True


def _hash(folder: str, name: str) -> str | None:
    """The hash of a file's content; None: there is none, "": it can't be read."""
    try:
        data = read_small_file(os.path.join(folder, name), MAX_BYTES, links=False)
    except OSError:
        return ""
    return None if data is None else sha256(data).hexdigest()


def _clear(where: int, name: str) -> None:
    """Remove what was not put into place yet."""
    with suppress(FileNotFoundError):
        os.unlink(_fresh(name), dir_fd=where)


def _fresh(name: str) -> str:
    return f".{name}.part"


def _aside(name: str) -> str:
    return f".{name}.old"


def _names(name: str, word: str) -> Iterator[str]:
    """Names beside a document: `design.new.md`, `design.new-2.md` and so on."""
    stem = name.removesuffix(_MARKDOWN)
    yield f"{stem}.{word}{_MARKDOWN}"
    yield from (f"{stem}.{word}-{number}{_MARKDOWN}" for number in count(2))


@contextmanager
def _opened(folder: str) -> Iterator[int]:
    """The folder, not through a link."""
    where = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield where
    finally:
        os.close(where)
