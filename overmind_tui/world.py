"""The world of whoever started the program: what missions that are started here begin with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from overmind_core.wire.bytestrings import to_wire


class World(NamedTuple):
    """Taken once, before anything of ours changes it."""

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
