"""A project's file on the disk: read once, so that what was shown and trusted is what counts.

What it makes us run, copy and link is what a person is asked to trust.
"""

from __future__ import annotations

import hashlib
import os
import stat
from typing import NamedTuple

from overmind_core.documents.yaml import MAX_BYTES
from overmind_core.domain.isolation.project import FILE, Project, ReadyKind, Service
from overmind_core.project_file.read import project


class ProjectFile(NamedTuple):
    """A project's file that can be used."""

    path: str
    """The system's string, as it would be opened: below the folder that was asked for."""
    sha256: str
    """Of its content, in hex."""
    project: Project


class Unreadable(Exception):
    """The file is there and can't be read.

    Attributes:
        path: Its path.
        why: As in `is not a regular file`, without a full stop.
    """

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{path} {why}")


def load(top: str) -> ProjectFile | None:
    """Read the file of the project at `top`, a path of the system; None when it has none.

    Raises:
        Unreadable: it is there and can't be read.
        Problems: all that is wrong with what it says.
    """
    path = os.path.join(top, FILE)
    data = _content(top, path)
    return None if data is None else ProjectFile(path, hashlib.sha256(data).hexdigest(), project(data))


def _content(top: str, path: str) -> bytes | None:
    try:
        # Without O_NONBLOCK a named pipe would wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        if os.path.islink(path):
            raise Unreadable(path, "is a symbolic link to nothing") from None
        return None
    except OSError as error:
        raise Unreadable(path, f"can't be opened: {error.strerror}") from None
    try:
        opened = os.fstat(descriptor)
        if not stat.S_ISREG(opened.st_mode):
            raise Unreadable(path, "is not a regular file")
        if os.path.islink(path) and not _is_within(top, path, opened):
            raise Unreadable(path, "is a symbolic link that leaves the project")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable(path, f"can't be read: {error.strerror}") from None
    finally:
        os.close(descriptor)
    if len(data) > MAX_BYTES:
        raise Unreadable(path, f"is larger than {MAX_BYTES // 1024} KiB")
    return data


def _is_within(top: str, path: str, opened: os.stat_result) -> bool:
    """Whether the file that was opened, and no other that the link names by now, is in the project."""
    real = os.path.realpath(path)
    inside = os.path.commonpath([os.path.realpath(top), real]) == os.path.realpath(top)
    return inside and os.path.samestat(os.stat(real), opened)


def commands(project: Project) -> tuple[str, ...]:
    """Return a line for each thing, in the order in which it happens; texts as the file has them, for no terminal yet.

    A text of several lines stays one entry, with all of its lines: nothing of it may be hidden.
    """
    found = [f"copies: {one}" for one in project.copy]
    found += [f"links: {one}" for one in project.link]
    for one in project.containers:
        found += [f"{one.name}: container {one.image}", *_ready(one, "in the container: ")]
    found += [f"setup: {one}" for one in project.setup]
    for one in project.processes:
        found += [f"{one.name}: {one.command}", *_ready(one, "")]
    return tuple(found)


def _ready(service: Service, where: str) -> list[str]:
    ready = service.ready
    if ready is None or ready.kind is not ReadyKind.EXEC:
        return []
    return [f"{service.name} is ready when {where}{ready.target}"]
