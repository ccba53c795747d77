"""What is drawn: one row per picture."""

from __future__ import annotations

from typing import NamedTuple

WIDE, SMALL = (120, 40), (80, 24)


class Scene(NamedTuple):
    """One picture: the mission under the cursor, then keys."""

    name: str
    size: tuple[int, int]
    row: str
    keys: tuple[str, ...] = ()
    theme: str = "dark"


SCENES = (
    Scene("missions", WIDE, "api"),
    Scene("small", SMALL, "planner"),
    Scene("log", WIDE, "worker", ("l", "z", "t")),
    Scene("describe", WIDE, "worker", ("d",)),
    Scene("new", SMALL, "api", ("n", *"make test", "tab", *"tests", "tab", "tab", "right")),
    Scene("stop", SMALL, "planner", ("x",)),
    Scene("help", WIDE, "api", ("question_mark",)),
    Scene("light", WIDE, "worker", (), "light"),
)
