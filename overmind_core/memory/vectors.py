"""The vectors of a home's notes, searched exactly. Only the worker's process imports this."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from overmind_core.memory.model import Model, Vectors
    from overmind_core.memory.note_texts import Text
    from overmind_core.memory.vector_file import VectorFile

BATCH = 512
"""Texts that are turned into vectors at once."""
_BYTES = 2
"""Of a number in the file."""


class VectorIndex:
    """The vectors of all notes, in memory and in the file."""

    def __init__(self, file: VectorFile, model: Model) -> None:
        self._file = file
        self._model = model
        self._known = file.read(model.dimensions * _BYTES)
        self._notes: list[str] = []
        self._scopes: list[str] = []
        self._matrix: Vectors = np.zeros((0, model.dimensions), dtype=np.float32)

    def update(self, texts: Iterable[Text]) -> None:
        """Have it hold these, and nothing else."""
        wanted = list(texts)
        lacking = [one for one in wanted if one.version not in self._known]
        new: dict[str, bytes] = {}
        for start in range(0, len(lacking), BATCH):
            some = lacking[start : start + BATCH]
            for one, vector in zip(some, self._model.embed([text.text for text in some]), strict=True):
                new[one.version] = vector.astype(np.float16).tobytes()
        versions = {one.version for one in wanted}
        gone = [version for version in self._known if version not in versions]
        for version in gone:
            del self._known[version]
        self._known.update(new)
        if new or gone:
            self._file.save(new, gone)
        self._notes = [one.note for one in wanted]
        self._scopes = [one.scope for one in wanted]
        joined = b"".join(self._known[one.version] for one in wanted)
        shape = (len(wanted), self._model.dimensions)
        self._matrix = np.frombuffer(joined, dtype=np.float16).reshape(shape).astype(np.float32)

    def nearest(self, question: str, scopes: Sequence[str], limit: int) -> list[tuple[str, float]]:
        """The notes of these scopes that mean nearly the same, with the cosine, best first."""
        vector = self._model.embed([question])[0]
        if not self._notes or not vector.any():
            return []
        likeness = self._matrix @ vector
        wanted = set(scopes)
        order = np.argsort(-likeness, kind="stable")
        found: list[tuple[str, float]] = []
        for place in order:
            if len(found) == limit or likeness[place] <= 0:
                break
            if self._scopes[place] in wanted:
                found.append((self._notes[place], round(float(likeness[place]), 4)))
        return found
