"""What the machine says about the files that a blueprint names."""

from __future__ import annotations

import os

from overmind_core.cli import envfile
from overmind_core.errors import OvermindError
from overmind_core.wire.bytestrings import from_wire


class RealDisk:
    """The folders and files that are there."""

    def folder_problem(self, path: str) -> str | None:
        """Why nothing can run in this folder; None when it can."""
        real = from_wire(path)
        if not os.path.isdir(real):
            return "is not a directory" if os.path.exists(real) else "does not exist"
        return None if os.access(real, os.X_OK) else "may not be entered"

    def variables(self, path: str) -> dict[str, str]:
        """What a file of NAME=VALUE lines holds.

        Raises:
            OvermindError: `invalid`, it can't be read, or has a mistake.
        """
        try:
            return envfile.read(path)
        except OvermindError as error:
            raise OvermindError(error.code, error.message.removeprefix("--env-file ")) from None
