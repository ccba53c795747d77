"""Our own looks, dark and light; every colour only repeats what a mark and a word say."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="dark",
    primary="#7aa2f7",
    secondary="#9aa5ce",
    accent="#7dcfff",
    foreground="#d5dbf0",
    background="#12141c",
    surface="#171a24",
    panel="#2b3046",
    success="#8fd16f",
    warning="#e5b567",
    error="#f7768e",
    dark=True,
    variables={
        "quiet": "#8b93b3",
        "faint": "#5d6483",
        "calm": "#7fb3a6",
        "off": "#6f7695",
        "wait": "#ff9e64",
        "cursor": "#2f3b63",
        "cursor-rest": "#232a42",
    },
)
LIGHT = Theme(
    name="light",
    primary="#2e5bb8",
    secondary="#51597a",
    accent="#0b6e99",
    foreground="#1d2233",
    background="#fbfbf8",
    surface="#f3f3ee",
    panel="#c6c9d6",
    success="#2f7a1f",
    warning="#8a5a00",
    error="#b3203a",
    dark=False,
    variables={
        "quiet": "#5a617c",
        "faint": "#8a90a8",
        "calm": "#1f6b5c",
        "off": "#7a8098",
        "wait": "#a84a00",
        "cursor": "#cfdcf7",
        "cursor-rest": "#e3e6ef",
    },
)
THEMES = (DARK, LIGHT)

DEFAULTS: dict[str, str] = dict(DARK.variables)
"""What the stylesheet uses beside Textual's own variables, for themes that don't know it."""
