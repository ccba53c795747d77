"""List prices, held against what the program itself has counted."""

from __future__ import annotations

import pytest

from overmind_core.providers.claude.prices import price
from tests.kit.cases import tabled

USAGE = {"input_tokens": 14137, "output_tokens": 10}
"""Of a turn for which version 2.1.328 has told a sum of $0.056748."""
CACHED = {
    "input_tokens": 1_000_000, "output_tokens": 0, "cache_creation_input_tokens": 2_000_000,
    "cache_read_input_tokens": 1_000_000, "cache_creation": {"ephemeral_1h_input_tokens": 1_000_000},
}  # fmt: skip
CASES = [
    ("claude-opus-5-5", USAGE, 0.056748),
    ("claude-opus-5-5", CACHED, 4 + 8 + 5 + 0.2),
    ("claude-sonnet-4-5-20250929", USAGE, 14137 * 3e-6 + 10 * 15e-6),
    ("claude-opus-4-20250514", USAGE, 14137 * 15e-6 + 10 * 75e-6),
    ("us.anthropic.claude-haiku-4-5-20251001-v1:0", USAGE, 14137 * 1e-6 + 10 * 5e-6),
    ("claude-sonnet-4-5@20250929", USAGE, 14137 * 3e-6 + 10 * 15e-6),
    ("claude-sonnet-5-5[1m]", USAGE, 14137 * 2e-6 + 10 * 10e-6),
    ("claude-haiku-5-5", {"input_tokens": 200_000}, 0.1),
    ("claude-opus-5", {"server_tool_use": {"web_search_requests": 3}}, 0.03),
    ("claude-opus-5", {"input_tokens": 1_000_000, "inference_geo": "us"}, 5.5),
    ("claude-opus-5", {"input_tokens": 1, "speed": "fast"}, None),
    ("a-model-of-tomorrow", USAGE, None),
    ("", {}, None),
]


@tabled(("model", "usage", "usd"), CASES)
def test_a_call_costs_what_the_list_says_or_nobody_knows(model, usage, usd):
    assert price(model, usage) == (None if usd is None else pytest.approx(usd))
