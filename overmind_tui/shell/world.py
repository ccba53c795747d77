"""The world of whoever started the program: what missions started here begin with, and which agents are there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from typing import Any, NamedTuple

from overmind_core.domain.missions.environment import session_variables
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.providers import registry
from overmind_core.view.first_run import Folder


class World(NamedTuple):
    """The folder, umask and environment, taken once, before anything of ours changes them."""

    folder: str
    umask: int
    environ: Mapping[str, str]

    @classmethod
    def here(cls) -> World:
        """The world of this process."""
        mask = os.umask(0o077)
        os.umask(mask)
        try:
            folder = os.getcwd()
        except OSError:
            folder = os.path.expanduser("~")
        return cls(folder, mask, dict(os.environ))

    def request(self) -> dict[str, Any]:
        """What the request `run` says of it; the key makes a repeated request harmless."""
        return {
            "env": {to_wire(name): to_wire(value) for name, value in self.environ.items()},
            "umask": self.umask,
            "request": os.urandom(16).hex(),
        }

    def session(self) -> dict[str, Any]:
        """The variables of this login session, for what begins again; a gate to another machine leaves them out."""
        return {"session_env": {name: to_wire(value) for name, value in session_variables(self.environ).items()}}


PLAIN = "raw"
"""The provider that needs no program of its own."""


GIT_SECONDS = 3.0
"""How long git may take to say how a folder stands."""


def folder_standing(folder: str, shown: str, environ: Mapping[str, str]) -> Folder:
    """The folder of the start with its branch, as `shown` to people. Runs git: for a thread."""
    from overmind_core.git.look import look_at  # noqa: PLC0415 - only a home without missions asks
    from overmind_core.git.run import Git, GitFailed, GitMissing  # noqa: PLC0415 - same

    try:
        found = look_at(Git(environ, limit=GIT_SECONDS), folder)
    except (GitFailed, GitMissing, OSError):
        return Folder(shown)
    return Folder(shown, found.branch or "", len(found.changed))


def installed_agents(environ: Mapping[str, str]) -> dict[str, bool]:
    """Each agent, and whether its program is found. Looks at many files: for a thread."""
    found = {}
    for name in registry.names():
        if name != PLAIN:
            program = environ.get(f"OVERMIND_{name.upper()}_BIN") or registry.get(name).program
            found[name] = shutil.which(program, path=environ.get("PATH", "")) is not None
    return found
