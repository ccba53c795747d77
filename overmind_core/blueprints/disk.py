"""What reading a blueprint has to ask the machine; whoever reads one brings the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Disk(Protocol):
    """The files that a blueprint names. Paths and texts are in wire form."""

    def folder_problem(self, path: str) -> str | None:
        """Why nothing can run in this folder, as in `does not exist`; None when it can."""

    def variables(self, path: str) -> Mapping[str, str]:
        """What a file of NAME=VALUE lines holds.

        Raises:
            OvermindError: it can't be read, or has a mistake.
        """
