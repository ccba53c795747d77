"""A plan's file on this machine, as every client that applies one reads it: `overmind apply`, and the web for browsers.

A person at a terminal may name anything that can be read, a pipe too. What a browser names is an ordinary file of
moderate size (`ordinary_content`, `OrdinaryFiles`): nothing that blocks, never ends, or acts when it is opened.
"""

from __future__ import annotations

import errno
import os
import stat

from overmind_core.client.skill import system_prompt
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.domain.text.problems import Problem, Problems, decoded
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_core.blueprint_file.keys import Disk
    from overmind_core.blueprint_file.read import ReadBlueprint
    from overmind_core.domain.plans.genome import GenomeAddress
    from overmind_core.git.genome_file import FetchedFile

MOST_BYTES = 16 * 1024 * 1024
"""Of a file: more is a slip."""


class RealDisk:
    """The machine's folders and files, as the reader of blueprints asks about them."""

    def folder_problem(self, path: str) -> str | None:
        """Why nothing can run in this folder; None when it can."""
        real = from_wire(path)
        if not os.path.isdir(real):
            return "is not a directory" if os.path.exists(real) else "does not exist"
        return None if os.access(real, os.X_OK) else "can't be entered"

    def variables(self, path: str) -> dict[str, str]:
        """What a file of NAME=VALUE lines holds.

        Raises:
            OvermindError: `invalid`, it can't be read, or has a mistake.
        """
        from overmind_core.documents.variables import parse_variables  # start-up: most plans name no such file

        try:
            text = to_wire(os.fsdecode(self.content(path)))
        except OSError as error:
            raise OvermindError("invalid", f"{path}: {error.strerror}.") from None
        return parse_variables(text, path)

    def genome(self, address: GenomeAddress) -> FetchedFile:
        """Fetch a file from git, with the account's own.

        Raises:
            OvermindError: `git_failed`, `not_found`, `too_large`.
        """
        from overmind_core.domain.plans.genome import LARGEST  # start-up: most plans take no agent from git
        from overmind_core.git.genome_file import fetch  # start-up, as above
        from overmind_core.git.run import Git  # start-up, as above

        return fetch(Git(os.environ), address, LARGEST)

    def content(self, path: str) -> bytes:
        """Return the content of a file that a blueprint names. Raises OSError; OvermindError."""
        with open(from_wire(path), "rb") as file:
            return file.read()


class OrdinaryFiles(RealDisk):
    """The same, of ordinary files alone.

    Args:
        most: Bytes of a file.
    """

    def __init__(self, most: int) -> None:
        self._most = most

    def genome(self, address: GenomeAddress) -> FetchedFile:
        """Refuse: what a browser names, fetches nothing.

        Raises:
            OvermindError: `invalid`, always.
        """
        raise OvermindError("invalid", f"{address.place} is fetched from git by a command alone: overmind apply FILE")

    def content(self, path: str) -> bytes:
        """Return the content of a file. Raises OSError; OvermindError, `too_large`."""
        return ordinary_content(path, self._most)


def ordinary_content(path: str, most: int) -> bytes:
    """Return what an ordinary file holds; anything else isn't even opened, for that may block, or do something.

    Args:
        path: In wire form.
        most: Bytes that it may have.

    Raises:
        OSError: it can't be read, or is no ordinary file.
        OvermindError: `too_large`.
    """
    real = from_wire(path)
    _check_ordinary(os.stat(real))
    handle = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with open(handle, "rb") as file:
        _check_ordinary(os.fstat(handle))  # once more: another may stand there by now
        data = file.read(most + 1)
    if len(data) > most:
        raise OvermindError("too_large", f"{path} has more than {most} bytes: it is not a blueprint.")
    return data


def _check_ordinary(found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "It is not an ordinary file")


def stem(path: str) -> str:
    """What the blueprint in a file is called when it doesn't say so itself."""
    name, _ = os.path.splitext(os.path.basename(path))
    return name


def folder_of(path: str) -> str:
    """The absolute folder of a file without links, in wire form: relative paths in a blueprint begin there."""
    return to_wire(os.path.realpath(os.path.dirname(os.path.abspath(from_wire(path)))))


def real_path(path: str) -> str:
    """The absolute path of a file in its folder without links, in wire form: with its name it tells a plan from others.

    A file that is itself a link is one of its folder: the same text in another one is another plan.
    """
    return to_wire(os.path.join(from_wire(folder_of(path)), os.path.basename(from_wire(path))))


def _other_format(name: str, text: str) -> str | None:
    """What a file is that is no TOML, and what to do with it; None where it is, or nobody can tell."""
    from overmind_core.blueprint_file.foreign_keys import foreign_format  # start-up: --help needs none
    from overmind_core.documents.toml import document  # start-up, as above

    try:
        document(text)
    except Problems:
        return foreign_format(name, text)
    return None


def read_plan(
    data: bytes,
    path: str,
    *,
    name: str,
    variables: Mapping[str, str],
    environ: Mapping[str, str],
    disk: Disk,
    called: str | None = None,
) -> ReadBlueprint:
    """Read what a blueprint's file holds, completely; each orchestrator in it gets its instructions.

    Args:
        data: What it holds.
        path: Of the file, in wire form.
        name: What the blueprint is called where it doesn't say so itself.
        variables: What the caller gave for `${vars.x}`; wins over the file.
        environ: The caller's environment in wire form, for `${env.X}`.
        disk: Answers about the files that it names.
        called: The name that the caller gave; wins over the file.

    Raises:
        Problems: all that is wrong with it.
    """
    from overmind_core.blueprint_file.read import read  # start-up: --help needs none

    text = to_wire(decoded(data))
    try:
        found = read(
            text,
            name=name,
            folder=folder_of(path),
            variables=variables,
            environ=environ,
            disk=disk,
            called=called,
        )
    except Problems:
        words = _other_format(os.path.basename(path), text)
        if words is None:
            raise
        raise Problems([Problem(1, 1, words)]) from None
    for start in [*(agent.start for agent in found.blueprint.agents), *(fleet.run for fleet in found.fleets)]:
        options = start.get("agent", {})
        if options.get("orchestrator"):
            options["append_system_prompt"] = system_prompt(options.get("append_system_prompt"))
    return found
