"""Chance that can be repeated."""

from __future__ import annotations

import os
import random

import pytest


@pytest.fixture
def moments() -> random.Random:
    """Random moments; a test that fails shows the seed, and OVERMIND_TEST_SEED repeats it."""
    seed = int(os.environ.get("OVERMIND_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
    print(f"OVERMIND_TEST_SEED={seed}")  # noqa: T201  (shown with a failure)
    return random.Random(seed)
