"""Secrets and notes: a token of each format that is known, wherever somebody puts it, is kept by nobody."""

from __future__ import annotations

import pytest

from overmind_core.domain.memory.secret_formats import FORMATS
from tests.kit.planted_secrets import tokens
from tests.kit.torture import seeded_random

pytestmark = pytest.mark.shared_home


def test_there_is_a_token_of_each_format():
    every = [one.whole for one in tokens(seeded_random())]
    assert [one.hints for one in FORMATS if not any(map(one.pattern.search, every))] == []
