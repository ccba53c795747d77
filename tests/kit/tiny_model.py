"""A model of meaning that a test makes itself: a word each token, words of one group nearly the same vector."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

if TYPE_CHECKING:
    from collections.abc import Sequence

GROUPS = (("postgres", "database", "sql"), ("redis", "cache", "bucket"), ("deploy", "release", "ship"))
"""Words that mean nearly the same."""


def make_model(folder: str, groups: Sequence[Sequence[str]] = GROUPS, *, more: int = 0) -> str:
    """Write the files of a model into a new folder, and return it; `more`: dimensions that nothing uses."""
    os.makedirs(folder)
    words = [word for group in groups for word in group]
    tokenizer = Tokenizer(WordLevel({"?": 0} | {word: place for place, word in enumerate(words, 1)}, unk_token="?"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(os.path.join(folder, "tokenizer.json"))
    matrix = np.zeros((len(words) + 1, len(groups) + len(words) + more), dtype=np.float16)
    place = 1
    for axis, group in enumerate(groups):
        for _ in group:
            matrix[place, axis] = 1.0
            matrix[place, len(groups) + place - 1] = 0.2
            place += 1
    save_file({"embedding": matrix}, os.path.join(folder, "model.safetensors"))
    return folder
