"""List prices of the models that `claude` runs, for calls of which it tells the tokens but not the money.

In its full-screen program it writes down what each call of a model has used, and the sum only as it ends. A model that
is not in the table has no price: that is unknown, not free.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from overmind_core.providers.lines import Object, count_at, object_at, text_at

MILLION = 1_000_000
WEB_SEARCH = 0.01
"""US dollars for one."""
IN_US = 1.1
"""Times the price, where the model is to run in the United States."""


class Price(NamedTuple):
    """US dollars for a million tokens: read, written, cached for 5 minutes and for an hour, read from the cache."""

    input: float
    output: float
    cache_5m: float
    cache_1h: float
    cache_read: float


_HAIKU_5_5_LONG = Price(0.5, 2.5, 0.625, 1, 0.05)
LONG_PROMPT = 100_000
"""Tokens of a prompt from which on some models cost more."""

PRICES: Mapping[str, Price] = {
    "claude-3-5-haiku": Price(0.8, 4, 1, 1.6, 0.08),
    "claude-haiku-4-5": Price(1, 5, 1.25, 2, 0.1),
    "claude-haiku-5-5": Price(0.1, 0.5, 0.125, 0.2, 0.01),
    "claude-3-5-sonnet": Price(3, 15, 3.75, 6, 0.3),
    "claude-3-7-sonnet": Price(3, 15, 3.75, 6, 0.3),
    "claude-sonnet-4": Price(3, 15, 3.75, 6, 0.3),
    "claude-sonnet-4-0": Price(3, 15, 3.75, 6, 0.3),
    "claude-sonnet-4-5": Price(3, 15, 3.75, 6, 0.3),
    "claude-sonnet-4-6": Price(3, 15, 3.75, 6, 0.3),
    "claude-sonnet-5": Price(2, 10, 2.5, 4, 0.2),
    "claude-sonnet-5-5": Price(2, 10, 2.5, 4, 0.1),
    "claude-opus-4": Price(15, 75, 18.75, 30, 1.5),
    "claude-opus-4-0": Price(15, 75, 18.75, 30, 1.5),
    "claude-opus-4-1": Price(15, 75, 18.75, 30, 1.5),
    "claude-opus-4-5": Price(5, 25, 6.25, 10, 0.5),
    "claude-opus-4-6": Price(5, 25, 6.25, 10, 0.5),
    "claude-opus-4-7": Price(5, 25, 6.25, 10, 0.5),
    "claude-opus-4-8": Price(5, 25, 6.25, 10, 0.5),
    "claude-opus-5": Price(5, 25, 6.25, 10, 0.5),
    "claude-opus-5-5": Price(4, 20, 5, 8, 0.2),
    "claude-fable-5": Price(10, 50, 12.5, 20, 1),
    "claude-fable-5-1": Price(10, 50, 12.5, 20, 0.25),
    "claude-fable-5-2": Price(8, 40, 10, 16, 0.2),
    "claude-mythos-5": Price(10, 50, 12.5, 20, 1),
    "claude-mythos-5-1": Price(10, 50, 12.5, 20, 0.25),
    "claude-mythos-5-2": Price(8, 40, 10, 16, 0.2),
}
"""By the model's name without its date. Source: the catalogue in version 2.1.328 of the program."""
LONG_PRICES: Mapping[str, Price] = {"claude-haiku-5-5": _HAIKU_5_5_LONG}
"""Of a prompt longer than `LONG_PROMPT`."""

_PLACE = re.compile(r"^(?:[a-z]+\.)?anthropic\.|(?:-v\d+(?::\d+)?)$|\[.*\]$")
"""What other vendors put around a name."""
_DATE = re.compile(r"[-@]\d{8}$")


def price(model: str, usage: Object) -> float | None:
    """US dollars of one call of a model with this `usage`; None when nobody knows."""
    name = _DATE.sub("", _PLACE.sub("", _PLACE.sub("", model)))
    read, written = count_at(usage, "input_tokens"), count_at(usage, "output_tokens")
    cached, stored = count_at(usage, "cache_read_input_tokens"), count_at(usage, "cache_creation_input_tokens")
    each = LONG_PRICES.get(name) if read + cached + stored > LONG_PROMPT else None
    each = each or PRICES.get(name)
    if each is None or text_at(usage, "speed") not in {"", "standard"}:
        return None
    hour = min(count_at(object_at(usage, "cache_creation"), "ephemeral_1h_input_tokens"), stored)
    tokens = (
        read * each.input
        + written * each.output
        + cached * each.cache_read
        + hour * each.cache_1h
        + (stored - hour) * each.cache_5m
    )
    searches = count_at(object_at(usage, "server_tool_use"), "web_search_requests") * WEB_SEARCH
    there = IN_US if text_at(usage, "inference_geo") == "us" else 1.0
    return tokens / MILLION * there + searches
