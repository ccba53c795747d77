"""Sizes of measurements: the one that a figure needs, and beside it the least with which the same code runs."""

from __future__ import annotations

import os
from typing import TypeVar

SMOKE = "BENCH_SMOKE"
"""The variable that asks for a smoke run. Sizes are chosen when the module of a measurement is imported."""
Size = TypeVar("Size")


def choose_size(full: Size, *, smoke: Size) -> Size:
    """Return `full`, or `smoke` in a smoke run."""
    return smoke if os.environ.get(SMOKE) else full
