"""The table [vars]: what `${vars.x}` stands for."""

from __future__ import annotations

from collections.abc import Mapping

from overmind_core.blueprints.notes import Spot
from overmind_core.blueprints.scope import Scope, resolved
from overmind_core.domain.plan.reference import WORD


def variables(spot: Spot | None, given: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """All variables: those of the file, and over them what the caller gave.

    A text may refer to the environment, and to variables that stand above it.
    """
    table = (None if spot is None else spot.table()) or {}
    found: dict[str, str] = {}
    for name, entry in table.items():
        if not WORD.fullmatch(name):
            entry.notes.at_key(entry.path, f"{name!r} is no name: write letters, digits, '_' and '-'")
        value = _value(entry, Scope(found, environ, {}))
        found[name] = given.get(name, value)
    return {**found, **given}


def _value(spot: Spot, scope: Scope) -> str:
    """Its text; "" after it has told what is wrong."""
    if isinstance(spot.value, bool):
        return str(spot.value).lower()
    if isinstance(spot.value, (int, float)):
        return str(spot.value)
    if not isinstance(spot.value, str):
        spot.wrong("write a text in quotes, a number, or true or false")
        return ""
    plain = resolved(spot, scope)
    return "" if plain is None else str(plain.value)
