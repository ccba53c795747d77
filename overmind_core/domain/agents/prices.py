"""Prices of models, as a person has written them down: what tokens cost where a program does not tell it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from overmind_core.domain.agents.agent_events import TokenUsage

MILLION = 1_000_000
ANY = "*"
"""At the end of a name: any model whose name begins so."""


class Price(NamedTuple):
    """Table `[prices."MODEL"]`: US dollars for a million tokens."""

    input: float
    output: float
    cached_input: float | None = None
    """For tokens that were read from a cache; None: as `input`."""

    def cost_of(self, usage: TokenUsage) -> float:
        """Return what these tokens cost."""
        cached = self.input if self.cached_input is None else self.cached_input
        read = (usage.input + usage.cache_write) * self.input + usage.cache_read * cached
        return (read + usage.output * self.output) / MILLION


class KeptPrice(NamedTuple):
    """The price at which a conversation counts: a limit of dollars holds though the table is removed meanwhile."""

    model: str | None
    price: Price
    is_removed: bool = False
    """The settings have none for its model now."""


def keep_price(kept: KeptPrice | None, model: str | None, price: Price | None) -> KeptPrice | None:
    """Return the price at which a conversation counts from now on; `price`: that of the settings for its model."""
    if price is not None:
        return KeptPrice(model, price)
    is_of_another = kept is not None and None not in {kept.model, model} and kept.model != model
    return None if kept is None or is_of_another else kept._replace(is_removed=True)


class Prices(NamedTuple):
    """Prices by the names of models."""

    table: Mapping[str, Price] = MappingProxyType({})

    def find(self, *models: str | None) -> Price | None:
        """Return the price of the first of these models that has one; the longest name with a `*` counts."""
        for model in models or (None,):
            price = self._find(model or "")
            if price is not None:
                return price
        return None

    def _find(self, model: str) -> Price | None:
        names = _names(model)
        exact = next((self.table[name] for name in names if name in self.table), None)
        if exact is not None:
            return exact
        begins = [
            table
            for table in self.table
            if table.endswith(ANY) and any(name.startswith(table[: -len(ANY)]) for name in names)
        ]
        return self.table[max(begins, key=len)] if begins else None


def _names(model: str) -> tuple[str, ...]:
    """The model's name as its program tells it, and bare: some put their service around it, as `a|b/model(c)`."""
    outer, bracket, service = model.partition("(")  # a bracket may hold an address, with a slash
    name = (outer if bracket and service.endswith(")") else model).rpartition("|")[2].rpartition("/")[2]
    return (model, name)
