"""Comparisons of a row's numbers, as the filter takes them: `cpu>50`, `mem>=1.5g`, `age<5m`, `cost>$2`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from overmind_tui.view import amounts
from overmind_tui.view.cells import Row

_COMPARED = re.compile(
    r"(cpu|mem|memory|restarts|exit|cost|age)(>=|<=|>|<)\$?([0-9]+(?:\.[0-9]*)?)([a-z%]*)", re.IGNORECASE
)
_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip
_SIZES = {unit + tail: scale for unit, scale in (("k", 1e3), ("m", 1e6), ("g", 1e9), ("t", 1e12)) for tail in ("", "b")}
_SPANS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_UNITS: Mapping[str, Mapping[str, float]] = {
    "cpu": {"%": 1.0}, "mem": {"b": 1.0, **_SIZES}, "memory": {"b": 1.0, **_SIZES}, "restarts": {}, "exit": {},
    "cost": {"usd": 1.0}, "age": _SPANS,
}  # fmt: skip
"""Name → unit → how many of a row's own unit (percent of a core, bytes, US dollars, seconds) it is; none is 1."""
_KEYS = {
    "cpu": "cpu_percent", "mem": "memory_bytes", "memory": "memory_bytes", "restarts": "restart_count",
    "exit": "exit_code", "cost": "cost_usd", "age": "uptime_seconds",
}  # fmt: skip


class Compared(NamedTuple):
    """One comparison: of what, how, with what (in the row's own unit)."""

    name: str
    sign: str
    limit: float

    def holds(self, value: float) -> bool:
        """Whether it is true of a value."""
        return _SIGNS[self.sign](value, self.limit)


def compared(text: str) -> Compared | None:
    """The comparison that a word is; None where it is none, and with a unit that makes no sense."""
    found = _COMPARED.fullmatch(text)
    if found is None:
        return None
    name, unit = found[1].lower(), found[4].lower()
    scale = 1.0 if not unit else _UNITS[name].get(unit)
    return None if scale is None else Compared(name, found[2], float(found[3]) * scale)


def of(row: Row, name: str, now: float | None) -> float | None:
    """A row's own number; None where it has none. The age is that since it was started first."""
    if name == "age" and now is not None:
        began = amounts.moment(row.get("started_at") or row.get("at"))
        return None if began is None else now - began
    value = row.get(_KEYS[name])
    return None if value is None else float(value)
