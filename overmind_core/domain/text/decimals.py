"""Numbers with a point as people read them, in every face: a digit stands before the point. Pure."""

from __future__ import annotations


def decimal(number: float, digits: int) -> str:
    """Return a number with so many digits behind its point: `0.65`, `1.00`."""
    return f"{number:.{digits}f}"


def dollars(usd: float) -> str:
    """Return US dollars: `$0.12`, below a cent with four digits, and `<$0.0001` where those would say nothing, too."""
    if 0 < usd < _LEAST:
        return "<$0.0001"
    return f"${usd:.4f}" if 0 < usd < _CENT else f"${usd:.2f}"


_CENT, _LEAST = 0.01, 0.00005


def shortest_decimal(number: float, digits: int) -> str:
    """Return a number with at most so many digits behind its point, and no zeros at its end: `0.6475`, `1.25`, `0`."""
    text = f"{number:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
