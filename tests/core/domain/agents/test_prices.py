"""A person's prices: which one is a model's, and what tokens cost by it."""

from __future__ import annotations

import pytest

from overmind_core.domain.agents.agent_events import TokenUsage
from overmind_core.domain.agents.prices import KeptPrice, Price, Prices, keep_price

EXACT, BEGINS, LONGER, ANY = (Price(float(one), 0.0) for one in range(4))
TABLE = {"gpt-5-codex": EXACT, "gpt-5*": BEGINS, "gpt-5-pro*": LONGER}
FOUND = [
    (("gpt-5-codex",), EXACT), (("gpt-5-mini",), BEGINS), (("gpt-5",), BEGINS), (("gpt-5-pro-2",), LONGER),
    (("o3",), None), ((None,), None), ((), None), ((None, "gpt-5-codex"), EXACT), (("o3", "gpt-5"), BEGINS),
    (("$runtime|openai|gpt-5-codex(openai)",), EXACT), (("openai/gpt-5-mini",), BEGINS), (("(gpt-5-codex)",), None),
    (("gpt-5-codex(http://x/y)",), EXACT), (("$runtime|a/gpt-5-mini(http://x|y/z)",), BEGINS),
]  # fmt: skip


@pytest.mark.parametrize(("models", "price"), FOUND)
def test_the_exact_name_counts_then_the_longest_beginning(models, price):
    assert Prices(TABLE).find(*models) is price


def test_a_star_alone_is_every_model_also_one_that_nobody_knows():
    prices = Prices({**TABLE, "*": ANY})
    assert [prices.find("o3"), prices.find(None), prices.find("gpt-5-codex")] == [ANY, ANY, EXACT]


def test_tokens_of_the_cache_have_their_price_or_that_of_the_others():
    usage = TokenUsage(input=1_000_000, output=2_000_000, cache_read=3_000_000, cache_write=4_000_000)
    assert Price(1.25, 10.0, 0.125).cost_of(usage) == 5 * 1.25 + 20.0 + 0.375
    assert Price(1.25, 10.0).cost_of(usage) == 8 * 1.25 + 20.0


KEPT = KeptPrice("m1", Price(1, 2))
GONE = KeptPrice("m1", Price(1, 2), is_removed=True)
KEEPING = [
    # kept before, the model, its price by the settings, kept from now on
    (None, "m1", None, None),
    (None, "m1", Price(1, 2), KEPT),
    (KEPT, "m1", None, GONE),
    (KEPT, None, None, GONE),
    (KeptPrice(None, Price(1, 2)), "m1", None, KeptPrice(None, Price(1, 2), is_removed=True)),
    (KEPT, "m2", None, None),
    (KEPT, "m2", Price(3, 4), KeptPrice("m2", Price(3, 4))),
    (GONE, "m1", Price(3, 4), KeptPrice("m1", Price(3, 4))),
]


@pytest.mark.parametrize(("kept", "model", "price", "after"), KEEPING)
def test_a_price_that_is_removed_is_kept_for_its_model(kept, model, price, after):
    assert keep_price(kept, model, price) == after
