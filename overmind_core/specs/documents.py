"""The folder of a spec, read and written in worker threads: links are never followed, files are replaced whole.

`look` compares the documents by content: it says which have changed since the last look, and examines those. The text
of a document is not kept; it is read again where it is used.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.specs.check import CheckContext, DocumentVerdict, judge
from overmind_core.domain.specs.commands import DocumentCommand, judge_commands
from overmind_core.domain.specs.document_json import document_hash
from overmind_core.domain.specs.phases import task_files
from overmind_core.domain.specs.shape import MAX_BYTES, Document, Explore, Fault, Tasks
from overmind_core.domain.specs.spec import PHASES, PhaseName
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.domain.text.problems import Problems, decoded
from overmind_core.errors import OvermindError
from overmind_core.spec_files.documents import BRIEF, check_context, document_name, read_document
from overmind_core.spec_files.repository import files_of, hashes_of
from overmind_core.system.small_file import read_small_file

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from overmind_core.domain.specs.reading import Reading
    from overmind_core.domain.specs.spec import Spec

LARGEST_BRIEF = 64 * 1024
"""Bytes."""
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


class CommandRules(NamedTuple):
    """The permission rules for commands of documents; see `judge_commands`."""

    allow: tuple[str, ...]
    deny: tuple[str, ...]
    home: str
    """The person's home folder."""


class ExaminedDocument(NamedTuple):
    """The verdict on a document, and what is stored of it."""

    sha256: str
    verdict: DocumentVerdict
    commands: tuple[DocumentCommand, ...] = ()
    """The commands that no rule allows."""
    files: Mapping[str, str] = {}
    """The files that it names → SHA-256 of their content."""


class LookedDocument(NamedTuple):
    """A document of a folder as it is now."""

    file_sha256: str
    """Of the bytes of its file, or of the reason why it can't be read."""
    examined: ExaminedDocument | None
    """None: it has not changed since the last look."""


class FolderProblem(NamedTuple):
    """Why a spec's folder can't be used now: no phase may begin or change because of it."""

    code: str
    text: str


class LookedFolder(NamedTuple):
    """A spec's folder as it is now."""

    brief_sha256: str
    documents: Mapping[PhaseName, LookedDocument]
    """The documents that exist."""
    problem: FolderProblem | None = None
    """If there is one, no document was looked at."""


def look(spec: Spec, known: Mapping[PhaseName, str | None], rules: CommandRules) -> LookedFolder:
    """Look at the folder of a spec; blocks.

    Args:
        spec: Whose it is.
        known: Phase → hash of its file at the last look.
        rules: For commands of documents.
    """
    folder = from_wire(spec.folder)
    brief_sha256, problem = _look_at_brief(spec, folder)
    if problem is not None:
        return LookedFolder("", {}, problem)
    found = {phase: file_hash(os.path.join(folder, document_name(phase))) for phase in PHASES}
    changed = [phase for phase, hashed in found.items() if hashed is not None and hashed != known.get(phase)]
    fresh = _examined(spec, changed, rules)
    documents = {
        phase: LookedDocument(hashed, fresh.get(phase)) for phase, hashed in found.items() if hashed is not None
    }
    return LookedFolder(brief_sha256, documents)


def folder_problem(spec: Spec) -> FolderProblem | None:
    """Why a spec's folder or its brief can't be read; `not_found`: there is none. Blocks."""
    return _look_at_brief(spec, from_wire(spec.folder))[1]


def _look_at_brief(spec: Spec, folder: str) -> tuple[str, FolderProblem | None]:
    """The hash of the brief, or why the folder can't be used."""
    if os.path.islink(folder) or not os.path.isdir(folder):
        state = "is a symbolic link" if os.path.islink(folder) else "does not exist"
        do = f"Restore it, or archive the spec: overmind spec archive {spec.slug}"
        return "", FolderProblem("not_found", f"The folder {spec.folder} of spec {spec.slug} {state}. {do}")
    try:
        data = read_small_file(os.path.join(folder, BRIEF), LARGEST_BRIEF, links=False)
        if data is None:
            return "", FolderProblem("not_found", f"{BRIEF}: missing. Write the brief again")
        decoded(data)
    except OSError as error:
        code = "too_large" if error.errno == errno.EFBIG else "invalid"
        return "", FolderProblem(code, f"{BRIEF}: {error.strerror}")
    except Problems as error:
        first = error.problems[0]
        return "", FolderProblem("invalid", f"{BRIEF}:{first.line}: {first.message}")
    return hash_of(data), None


def _examined(spec: Spec, changed: Iterable[PhaseName], rules: CommandRules) -> dict[PhaseName, ExaminedDocument]:
    if not changed:
        return {}
    readings = read_all(spec)
    context = context_of(spec, readings)
    return {phase: examine(spec, readings[phase], context, rules) for phase in changed if phase in readings}


def examine(spec: Spec, reading: Reading, context: CheckContext, rules: CommandRules) -> ExaminedDocument:
    """Check a document, wherever it was read; blocks.

    Args:
        spec: Whose it is.
        reading: The document.
        context: What it is compared with.
        rules: Permission rules; a command that they deny is a fault.
    """
    document, verdict = reading.document, judge(reading, context)
    top = top_of(spec)
    commands: tuple[DocumentCommand, ...] = ()
    if isinstance(document, Tasks):
        judged = judge_commands(
            document, allow=rules.allow, deny=rules.deny, known=spec.allowed, cwd=to_wire(top), home=rules.home
        )
        denied = [_denied(document, one) for one in judged.denied]
        verdict = replace(verdict, vetoes=(*verdict.vetoes, *reading.located(denied)))
        commands = judged.unknown
    paths = [one.path for one in document.key_files if one.path] if isinstance(document, Explore) else []
    return ExaminedDocument(document_hash(document), verdict, commands, hashes_of(top, paths))


def _denied(document: Tasks, command: DocumentCommand) -> Fault:
    place = next(place for place, task in enumerate(document.tasks) if task.check == command.text)
    message = f"the rule {command.rule} denies the check of {', '.join(command.tasks)}"
    return Fault("denied", message, ("tasks", place, "check"))


def file_hash(path: str) -> str | None:
    """Return the hash of a file's content, or of the reason why it can't be read; None: there is no file. Blocks."""
    try:
        data = read_small_file(path, MAX_BYTES, links=False)
    except OSError as error:
        data = f"\0{error.errno} {error.strerror}".encode()
    return None if data is None else hash_of(data)


def hash_of(data: bytes) -> str:
    """Return the SHA-256 of a file's content, in hex."""
    return sha256(data).hexdigest()


def read_all(spec: Spec) -> dict[PhaseName, Reading]:
    """Read the documents of a spec that are there; blocks."""
    folder = from_wire(spec.folder)
    found = {
        phase: read_document(os.path.join(folder, document_name(phase)), phase, title=spec.title) for phase in PHASES
    }
    return {phase: reading for phase, reading in found.items() if reading is not None}


def context_of(spec: Spec, readings: Mapping[PhaseName, Reading]) -> CheckContext:
    """Return the context in which documents of a spec are checked; blocks."""
    return check_context(readings, files_of(top_of(spec)))


def top_of(spec: Spec) -> str:
    """Return the folder to which paths in its documents are relative: the checkout's top, else that of `.overmind`."""
    if spec.repository is not None:
        return from_wire(spec.repository)
    return os.path.dirname(os.path.dirname(os.path.dirname(from_wire(spec.folder))))


def standing(spec: Spec, phase: PhaseName) -> Document | None:
    """Return the document of a phase as it is in the folder; None: there is none. Blocks."""
    reading = read_document(os.path.join(from_wire(spec.folder), document_name(phase)), phase, title=spec.title)
    return None if reading is None else reading.document


def files_of_tasks(
    spec: Spec, completed: Collection[str], known: Mapping[str, str]
) -> tuple[dict[str, str], frozenset[str]]:
    """Return what is known now of the files of its tasks, with their hashes, and those that tasks still change; blocks.

    Args:
        spec: Its folder has them.
        completed: Ids of its tasks.
        known: Hashes of earlier.
    """
    document = standing(spec, PhaseName.TASKS)
    if not isinstance(document, Tasks):
        return dict(known), frozenset()
    found = task_files(document.tasks, completed, known)
    return {**{path: known[path] for path in found.kept}, **hashes_of(top_of(spec), found.new)}, found.changing


def raw(spec: Spec, names: Iterable[str]) -> dict[str, bytes]:
    """Return the bytes of these files of a spec's folder; unreadable ones are left out. Blocks."""
    found = {}
    for name in names:
        with suppress(OSError):
            data = read_small_file(os.path.join(from_wire(spec.folder), name), MAX_BYTES, links=False)
            if data is not None:
                found[name] = data
    return found


def brief(spec: Spec) -> str:
    """Return the brief of a spec; blocks."""
    return raw(spec, [BRIEF]).get(BRIEF, b"").decode("utf-8", "replace")


def title_of(spec: Spec, text: str) -> str:
    """Return the title that a spec's documents have, else its brief; "" where none has one. Blocks."""
    titles = (reading.document.title for reading in read_all(spec).values())
    heading = next((line[2:].strip() for line in text.splitlines() if line.startswith("# ")), "")
    return next(filter(None, titles), heading)


# writing


def check_writable(spec: Spec) -> None:
    """Check that the documents of a spec can be written, before an agent works on one; blocks.

    Raises:
        OvermindError: `forbidden`.
    """
    folder = from_wire(spec.folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        read_only = os.statvfs(folder).f_flag & os.ST_RDONLY
        raise unwritable(folder, OSError(errno.EROFS, os.strerror(errno.EROFS if read_only else errno.EACCES)))


def make_folder(path: str, text: str) -> None:
    """Make the folder of a spec with its brief; blocks. Paths are the system's.

    Raises:
        FileExistsError: the name is taken; nothing was changed.
        OvermindError: `disk_full`, `forbidden` or `invalid`: it can't be made; nothing is left behind.
    """
    made: list[str] = []
    try:
        _make_parents(os.path.dirname(path), made)
        os.mkdir(path)
        made.append(path)
        write_file(path, BRIEF, text.encode("utf-8", "replace"))
    except FileExistsError:
        _remove(made)
        raise
    except OSError as error:
        _remove(made)
        refused = unwritable(path, error)
        raise OvermindError(refused.code, f"{refused.message} Nothing was created.") from None


def _make_parents(path: str, made: list[str]) -> None:
    """Make `.overmind/specs` without following a link."""
    for folder in (os.path.dirname(path), path):
        try:
            os.mkdir(folder)
            made.append(folder)
        except FileExistsError:
            if os.path.islink(folder) or not os.path.isdir(folder):
                raise NotADirectoryError(errno.ENOTDIR, "it is not a folder", folder) from None


def _remove(made: Iterable[str]) -> None:
    for folder in reversed(list(made)):
        with suppress(OSError):
            os.unlink(os.path.join(folder, BRIEF))
        with suppress(OSError):
            os.rmdir(folder)


def remove_folder(path: str) -> None:
    """Undo `make_folder`, unless something else is in the folder by now; blocks."""
    _remove([path])


def write_file(folder: str, name: str, data: bytes) -> None:
    """Write a file atomically, in place of whatever has its name; blocks.

    Raises:
        OSError: it can't be written.
    """
    where = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    fresh = f".{name}.part"
    try:
        with suppress(FileNotFoundError):
            os.unlink(fresh, dir_fd=where)
        new = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(fresh, new, 0o666, dir_fd=where), "wb") as file:
                file.write(data)
            os.replace(fresh, name, src_dir_fd=where, dst_dir_fd=where)
        except OSError:
            with suppress(OSError):
                os.unlink(fresh, dir_fd=where)
            raise
    finally:
        os.close(where)


def unwritable(path: str, error: OSError) -> OvermindError:
    """Return the error for a folder of specs that can't be written."""
    where = to_wire(error.filename) if isinstance(error.filename, str) and "/" in error.filename else to_wire(path)
    if error.errno in _NO_ROOM:
        return OvermindError("disk_full", f"{where} can't be written: {error.strerror}.")
    code = "forbidden" if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS} else "invalid"
    return OvermindError(code, f"{where} can't be written: {error.strerror}.")
