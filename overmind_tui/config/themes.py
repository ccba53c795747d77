"""Our own looks, dark and light; every colour only repeats what a mark and a word say.

The tones of states can be told apart with any of the three kinds of colour blindness, and be read on every ground that
they are drawn on; a test computes both.
"""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="dark",
    primary="#7aa2f7",
    secondary="#a9b4dc",
    accent="#7dcfff",
    foreground="#d9dff2",
    background="#11131b",
    surface="#181b26",
    panel="#343a54",
    success="#62dcb4",
    warning="#f2ea98",
    error="#ff4a6b",
    dark=True,
    variables={
        "quiet": "#98a0c0",
        "faint": "#656c8c",
        "calm": "#5b9bee",
        "off": "#878da9",
        "wait": "#ff9a33",
        "cursor": "#2f3b63",
        "cursor-rest": "#222842",
        "graph-cpu": "#3f8f78",
        "graph-mem": "#43659e",
        "graph-out": "#857c52",
    },
)
LIGHT = Theme(
    name="light",
    primary="#2e5bb8",
    secondary="#454d6b",
    accent="#0b6e99",
    foreground="#1d2233",
    background="#fbfbf8",
    surface="#f1f1ec",
    panel="#c2c6d4",
    success="#1f8257",
    warning="#4f4106",
    error="#7d1452",
    dark=False,
    variables={
        "quiet": "#565d78",
        "faint": "#7d839b",
        "calm": "#0f4fb0",
        "off": "#6a708c",
        "wait": "#a85f00",
        "cursor": "#cfdcf7",
        "cursor-rest": "#e3e6ef",
        "graph-cpu": "#6fb598",
        "graph-mem": "#8fa9d6",
        "graph-out": "#c2b273",
    },
)
THEMES = (DARK, LIGHT)


def defaults(*, dark: bool) -> dict[str, str]:
    """What the stylesheet uses beside Textual's own variables, for themes that don't know it."""
    return dict((DARK if dark else LIGHT).variables)
