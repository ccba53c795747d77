"""What the scripted agent remembers of a conversation, so that it goes on where it was when it is started again."""

from __future__ import annotations

import json
import os
import re


class Memory:
    """How far it has come.

    Args:
        folder: Of all conversations.
        session: The conversation's id.
    """

    def __init__(self, folder: str, session: str) -> None:
        self._path = os.path.join(folder, f"{re.sub('[^A-Za-z0-9-]', '_', session)}.json")
        self.step = self._read()
        """Steps of the plan that are done."""

    def advance(self) -> None:
        """One more is done; a disk that takes nothing only means that it is done again after a restart."""
        self.step += 1
        try:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            with open(self._path, "w", encoding="utf-8") as file:
                json.dump({"step": self.step}, file)
        except OSError:
            return

    def _read(self) -> int:
        try:
            with open(self._path, encoding="utf-8") as file:
                return int(json.load(file)["step"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0
