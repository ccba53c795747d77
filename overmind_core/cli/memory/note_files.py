"""The work of memory export and memory import: files of notes, and the notes of a repository.

The client reads and writes them, as the person would; nothing is written into a checkout unasked.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import NamedTuple

from overmind_core.cli.context import Context, report_error
from overmind_core.cli.memory import lines
from overmind_core.cli.memory.asking import EXPORTED, Redaction, folder, note_redacted, request_key
from overmind_core.cli.output import dumps
from overmind_core.domain.memory.files import (
    LARGEST_FILE,
    SUFFIX,
    VERSION_DIGITS,
    FileMistake,
    NoteFile,
    file_name,
    parse,
    render,
)
from overmind_core.domain.memory.notes import NoteKind
from overmind_core.domain.replacing import replace
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import FAILED, OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from overmind_core.client.client import Client

    Answer = Mapping[str, Any]

BATCH = 100
"""Files of one request: all of them are taken in, or none."""
PAGE = 1000
"""Notes of one answer."""
_GONE = frozenset({"forgotten", "purged", "replaced"})
"""States of notes whose files an export removes."""


class Place(NamedTuple):
    """The folder of the files."""

    path: str
    shown: str
    """As people read it."""


class Refused(NamedTuple):
    """A file that is none of a note."""

    file: str
    line: int | None
    why: str


def _place(given: str | None) -> Place:
    """Return the folder that is named, or that of the repository.

    Raises:
        OvermindError: `invalid`, it is a link to somewhere else.
    """
    if given is not None:
        return Place(os.path.abspath(from_wire(given)), given)
    top = os.path.realpath(_top(from_wire(folder())))
    path = os.path.join(top, EXPORTED)
    if os.path.realpath(path) != path:  # whoever wrote the repository says where it leads
        raise OvermindError("invalid", f"{to_wire(path)} is a link. Name the folder, if you mean it.")
    return Place(path, EXPORTED)


def _top(path: str) -> str:
    """Return the top of the repository in which a folder is; the folder itself where it is in none."""
    above = path
    while not os.path.lexists(os.path.join(above, ".git")):
        if os.path.dirname(above) == above:
            return path
        above = os.path.dirname(above)
    return above


def _read(path: str) -> str:
    """Return the text of a file.

    Raises:
        FileMistake: it is no regular file, too large, or no text. The line says nothing.
        OSError: it can't be read.
    """
    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise FileMistake(0, "a link") from None
        if error.errno == errno.ENXIO:
            raise FileMistake(0, "not a regular file") from None
        raise
    with open(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise FileMistake(0, "not a regular file")
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise FileMistake(0, f"larger than {LARGEST_FILE // 1024} KiB")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise FileMistake(0, "not a text in UTF-8") from None


def _names(place: Place) -> list[str]:
    """Return the names of all files that may be of notes, in their order.

    Raises:
        OvermindError: `not_found` or `invalid`, the folder can't be read.
    """
    try:
        with os.scandir(place.path) as entries:
            found = [one.name for one in entries if one.name.endswith(SUFFIX) and not one.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        raise OvermindError("not_found", f"There is no folder {place.shown}.") from None
    except OSError as error:
        raise OvermindError("invalid", f"{place.shown}: {error.strerror}.") from None
    return sorted(found)


# export


def export(args: Namespace, context: Context) -> int:
    """Write the notes of the repository to files."""
    client = context.client()
    notes = list(_live_notes(client))
    place = _place(args.folder)
    exported = Export(client, place, Redaction(context.environ))
    try:
        os.makedirs(place.path, exist_ok=True)
        exported.write([_as_file(note) for note in notes])
    except OSError as error:
        code = "disk_full" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "invalid"
        raise OvermindError(code, f"{place.shown}: {error.strerror}.") from None
    counts = {"written": exported.written, "removed": exported.removed, "unchanged": exported.unchanged}
    if args.json:
        context.print(dumps(counts))
    else:
        words = ", ".join(f"{count} {word}" for word, count in counts.items())
        context.print(display_safe(f"Exported {lines.plural(len(notes), 'note')} to {place.shown}: {words}"))
    for name in exported.kept:
        shown = os.path.join(place.shown, name)
        context.note(display_safe(f"kept: {shown} has changes that are not imported. See: overmind memory import"))
    return 0


def _live_notes(client: Client) -> Iterator[Answer]:
    """Yield those of the repository, by their ids."""
    after = ""
    while True:
        request = {"export": True, "after": after, "limit": PAGE, "cwd": folder()}
        page = client.call("notes", request)["notes"]
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1]["id"]


def _as_file(note: Answer) -> NoteFile:
    return NoteFile(
        text=note["text"],
        id=note["id"],
        version=note["version_id"][:VERSION_DIGITS],
        kind=NoteKind(note["kind"]),
        key=note["key"] or "",
        tags=tuple(note["tags"]),
        files=tuple(note["files"]),
        pinned=note["pinned"],
        author=lines.author(note["author"]),
    )


class Export:
    """An export: files are made equal to the notes.

    Attributes:
        written: Files that were made, or made anew.
        removed: Those of forgotten notes, and former names.
        unchanged: Those that are as they were.
        kept: Names of those that somebody has changed since they were written; an import takes that in.
    """

    def __init__(self, client: Client, place: Place, hidden: Redaction) -> None:
        self._client = client
        self._place = place
        self._hidden = hidden
        self.written = 0
        self.removed = 0
        self.unchanged = 0
        self.kept: list[str] = []

    def write(self, notes: Sequence[NoteFile]) -> None:
        """Write the notes, and remove the files of those that are no more."""
        there = dict(self._there())
        for note in notes:
            self._write_one(note, there)
        for name, found in there.items():
            if found is not None and found.id and self._is_gone(found.id):
                self._remove(name)

    def _there(self) -> Iterator[tuple[str, NoteFile | None]]:
        """Yield the note of each file; None: the file is none of a note."""
        for name in _names(self._place):
            try:
                yield name, parse(_read(self._path(name)))
            except FileMistake:
                yield name, None

    def _write_one(self, note: NoteFile, there: dict[str, NoteFile | None]) -> None:
        wanted = file_name(note)
        former = [name for name, found in there.items() if found is not None and found.id == note.id]
        unread = [name for name, found in there.items() if found is None and name.endswith(f"-{note.id}{SUFFIX}")]
        if unread or (wanted in there and wanted not in former):  # somebody merges, or has put something there
            self.kept.extend(unread or [wanted])
            return
        changed = [name for name in former if not _is_same(there.pop(name), note)]
        if wanted in former and not changed and former == [wanted]:
            self.unchanged += 1
            return
        if any(self._is_edited(name) for name in changed):
            self.kept.extend(changed)
            return
        self._replace(wanted, render(note))
        self.written += 1
        for name in former:
            if name != wanted:
                self._remove(name)

    def _is_edited(self, name: str) -> bool:
        """Whether somebody has changed a file since it was written: it is as no version of its note is."""
        found = parse(self._hidden.text(_read(self._path(name))))  # as an import would take it in
        versions = self._client.call("note", {"note": found.id, "history": True, "cwd": folder()})["history"]
        return not any(_fields_of_version(one) == _fields_of_file(found) for one in versions)

    def _is_gone(self, note: str) -> bool:
        """Whether a note was forgotten here, or is for others than this repository now."""
        try:
            found = self._client.call("note", {"note": note, "cwd": folder()})
        except OvermindError as error:
            if error.code in {"not_found", "gone"}:
                return error.code == "gone"
            raise
        return found["state"] in _GONE or (found["state"] == "live" and found["scope"] != "repo")

    def _replace(self, name: str, text: str) -> None:
        """Write a file in one step: who reads it sees the former text, or all of the new one."""
        path = self._path(name)
        draft = f"{path}.{os.getpid()}.new"
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666), "wb") as file:
                file.write(text.encode(errors="replace"))
            os.replace(draft, path)
        except BaseException:
            if os.path.lexists(draft):
                os.unlink(draft)
            raise

    def _remove(self, name: str) -> None:
        os.unlink(self._path(name))
        self.removed += 1

    def _path(self, name: str) -> str:
        return os.path.join(self._place.path, name)


def _is_same(found: NoteFile | None, note: NoteFile) -> bool:
    """Whether a file says what a note is. Its author may be called otherwise: whom it came from, or who took it in."""
    return found is not None and replace(found, author=note.author) == note


def _fields_of_version(version: Answer) -> tuple[object, ...]:
    return (version["text"], version["kind"], version["key"] or "", tuple(version["tags"]), tuple(version["files"]),
            version["pinned"])  # fmt: skip


def _fields_of_file(found: NoteFile) -> tuple[object, ...]:
    return (found.text, found.kind.value, found.key, found.tags, found.files, found.pinned)


# import


def take_in(args: Namespace, context: Context) -> int:
    """Read files of notes, and have the daemon take them in, some at a time."""
    place = _place(args.folder)
    hidden = Redaction(context.environ)
    files, refused = _texts(place, hidden)
    client = context.client(start=True)
    answer: dict[str, Any] = {
        "new": 0,
        "changed": 0,
        "known": 0,
        "skipped": [],
        "refused": [one._asdict() for one in refused],
    }
    for at in range(0, len(files), BATCH):
        request = {
            "files": files[at : at + BATCH],
            "propose": args.propose,
            "dry_run": args.dry_run,
            "cwd": folder(),
            "request": request_key(),
        }
        taken = client.call("memory_import", request)
        answer = {name: answer[name] + taken[name] for name in answer}
    note_redacted(context, hidden.count)
    if args.json:
        context.print(dumps(answer))
    else:
        context.print(lines.imported_line(answer, dry_run=args.dry_run))
    for one in answer["skipped"]:
        context.note(display_safe(f"skipped: {one['file']}: {one['id']} {one['why']}"))
    for one in answer["refused"]:
        where = one["file"] if one["line"] is None else f"{one['file']}:{one['line']}"
        report_error(OvermindError("invalid", f"{where}: {one['why']}."), context)
    return FAILED if answer["refused"] else 0


def _texts(place: Place, hidden: Redaction) -> tuple[list[dict[str, str]], list[Refused]]:
    """Return the texts of all files, and those that can be none of a note."""
    files, refused = [], []
    for name in _names(place):
        shown = to_wire(os.path.join(place.shown, name))
        try:
            files.append({"file": shown, "text": hidden.text(_read(os.path.join(place.path, name)))})
        except FileMistake as mistake:
            refused.append(Refused(shown, None, mistake.why))
        except OSError as error:
            refused.append(Refused(shown, None, error.strerror or str(error)))
    return files, refused
