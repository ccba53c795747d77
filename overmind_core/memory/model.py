"""A model that turns texts into vectors: a folder of a person's own, with a tokenizer and a matrix of a vector a token.

Only the worker's process loads one, for the libraries are large and optional (the extra `memory`). Nothing
is ever fetched: what is not in the folder is not there.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

from overmind_core.system.installation import what_is_missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    """A row for each text, of length 1; all zeros for a text without a known token."""

TOKENIZER = "tokenizer.json"
MATRIX = ".safetensors"
LONGEST = 512
"""Tokens of a text that count."""
_LIBRARIES = ("numpy", "safetensors", "tokenizers")
_BLOCK = 1 << 20


class ModelError(Exception):
    """The folder is no model that can be used; the text says why, for people."""


class Model:
    """A loaded model. Its matrix stays in the file, and is read where it is needed."""

    def __init__(self, name: str, tokenizer: Any, matrix: NDArray[np.float16]) -> None:  # noqa: ANN401 - carries no types
        self.name = name
        """Of what is in its files: vectors of different names can't be compared."""
        self._tokenizer = tokenizer
        self._matrix = matrix

    @property
    def dimensions(self) -> int:
        """Numbers of a vector."""
        return int(self._matrix.shape[1])

    @classmethod
    def load(cls, folder: str) -> Model:
        """Load it.

        Raises:
            ModelError: a file is missing or not what it should be, or the extra is not installed.
        """
        try:
            import numpy as np  # noqa: PLC0415 - large and optional
            from safetensors.numpy import load_file  # noqa: PLC0415 - same
            from tokenizers import Tokenizer  # noqa: PLC0415 - same
        except ImportError as error:
            raise ModelError(what_is_missing(error) or str(error)) from error
        words, matrix = _files(folder)
        try:
            tokenizer = Tokenizer.from_file(words)
        except Exception as error:  # the library raises nothing more special
            raise ModelError(f"{words}: {error}") from error
        try:
            found = [one for one in load_file(matrix).values() if one.ndim == 2]  # noqa: PLR2004 - a matrix
        except Exception as error:  # same
            raise ModelError(f"{matrix}: {error}") from error
        if len(found) != 1 or found[0].dtype != np.float16:
            raise ModelError(f"{matrix}: has to hold one matrix of 16-bit floats")
        if tokenizer.get_vocab_size() > found[0].shape[0] or not found[0].shape[1]:
            raise ModelError(f"{matrix}: has {found[0].shape[0]} rows for {tokenizer.get_vocab_size()} tokens")
        tokenizer.no_padding()
        tokenizer.enable_truncation(LONGEST)
        return cls(_name(words, matrix), tokenizer, found[0])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """A vector for each text: the mean of those of its tokens, of length 1."""
        import numpy as np  # noqa: PLC0415 - large and optional

        result = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        encoded = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        for row, one in zip(result, encoded, strict=True):
            if one.ids:
                row[:] = np.nan_to_num(self._matrix[one.ids].astype(np.float32)).mean(axis=0)
        lengths = np.linalg.norm(result, axis=1, keepdims=True)
        np.divide(result, lengths, out=result, where=lengths > 0)
        return result


def problem_of(folder: str) -> str | None:
    """Why a folder can't be used as a model, as far as that is seen without loading it; None: no reason is seen."""
    from importlib.util import find_spec  # noqa: PLC0415 - for those who have a model

    missing = next((name for name in _LIBRARIES if find_spec(name) is None), None)
    if missing is not None:
        return what_is_missing(ModuleNotFoundError(name=missing))
    try:
        _files(folder)
    except ModelError as error:
        return str(error)
    return None


def _files(folder: str) -> tuple[str, str]:
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise ModelError(f"{folder}: {error.strerror}") from error
    matrices = [name for name in names if name.endswith(MATRIX)]
    if TOKENIZER not in names:
        raise ModelError(f"{folder}: has no {TOKENIZER}")
    if len(matrices) != 1:
        raise ModelError(f"{folder}: has {len(matrices)} files *{MATRIX}, not one")
    return os.path.join(folder, TOKENIZER), os.path.join(folder, matrices[0])


def _name(*paths: str) -> str:
    found = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
    return found.hexdigest()[:16]
