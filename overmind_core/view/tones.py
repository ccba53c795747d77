"""The tones that texts are shown in: their colours on dark and on light grounds, one table for every screen. Pure.

A tone only repeats what a mark and a word say. The tones of states can be told apart with any of the three kinds of
colour blindness.
"""

from __future__ import annotations

from collections.abc import Mapping

TEXT, QUIET, KEY = "text", "quiet", "key"
STATES = ("good", "wait", "slow", "calm", "bad", "off")
"""What states mean for whoever looks, as `StatusMark.tone` has them."""
NAMES = (*STATES, TEXT, QUIET, KEY)
"""All tones that have a colour on every screen."""
DARK: Mapping[str, str] = {
    "good": "#62dcb4", "wait": "#ff9a33", "slow": "#f2ea98", "calm": "#5b9bee", "bad": "#ff4a6b", "off": "#878da9",
    TEXT: "#d9dff2", QUIET: "#98a0c0", KEY: "#7aa2f7",
}  # fmt: skip
LIGHT: Mapping[str, str] = {
    "good": "#1f8257", "wait": "#a85f00", "slow": "#4f4106", "calm": "#0f4fb0", "bad": "#7d1452", "off": "#6a708c",
    TEXT: "#1d2233", QUIET: "#565d78", KEY: "#2e5bb8",
}  # fmt: skip
_SHOWN = {"faint": QUIET, "label": QUIET, "guide": QUIET, "accent": KEY, "chosen": KEY, "mark": KEY}
"""Tones of terminals that have no colour of their own elsewhere."""


def named(tone: str) -> str:
    """The tone of `NAMES` that stands for a tone of cells; names, news and titles are text."""
    return tone if tone in NAMES else _SHOWN.get(tone, TEXT)
