"""How much is done of what takes long: a part with `make test`, all of it with `make torture`."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from typing import TypeVar

Case = TypeVar("Case")

WHOLE = os.environ.get("OVERMIND_TEST_TORTURE") == "1"
PART = 4
"""One in so many."""
FEWEST_EXAMPLES = 10
"""Least number of examples that hypothesis draws of a law by day."""


def portion(whole: int, *, part: int = PART) -> int:
    """So many rounds, examples or lines, or a part of them."""
    return whole if WHOLE else -(-whole // part)


def examples(whole: int) -> int:
    """So many of hypothesis' examples, or a twentieth of them and at least ten: each run of a day draws others."""
    return max(portion(whole, part=20), min(whole, FEWEST_EXAMPLES))


def some(cases: Iterable[Case], *, part: int = PART) -> list[Case]:
    """All cases, or the first and then every fourth: always the same ones."""
    return list(cases)[:: 1 if WHOLE else part]


def seeded_random() -> random.Random:
    """Chance; a test that fails shows the seed, and OVERMIND_TEST_SEED repeats it."""
    seed = int(os.environ.get("OVERMIND_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
    print(f"OVERMIND_TEST_SEED={seed}")  # noqa: T201  (shown with a failure)
    return random.Random(seed)
