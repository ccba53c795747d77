"""Where in the swarm an agent of a plan may run: labels of hives, and what can't be combined with that. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

ANY = "any"
"""In the place of labels: every hive fits."""
MOST_CPU = 4096.0
"""Processors; more is a slip."""
OF_THIS_MACHINE: Mapping[str, str] = {
    "isolate": "a worktree, ports and services are of this machine, and it runs on a hive of the swarm. Remove one",
    "ready": "its probe would look at this machine, and it runs on a hive of the swarm. Remove one",
}
"""Keys of an agent that one with `on` can't have → why."""
_LABEL = re.compile("[A-Za-z0-9._/-]{1,63}")
_LONGEST_LABEL = 63


class LabelProblem(NamedTuple):
    """What is wrong with a label, as a sentence without its full stop."""

    text: str
    of_name: bool
    """It is its name; else its value."""


def label_problem(name: str, value: str) -> LabelProblem | None:
    """Return what is wrong with a label; None when nothing is."""
    if not _LABEL.fullmatch(name):
        return LabelProblem(
            f"{name!r} is not the name of a label: it has letters, digits and . _ / -, at most {_LONGEST_LABEL}",
            of_name=True,
        )
    if len(value) > _LONGEST_LABEL or not value.isprintable() or "," in value:  # `--on` parts labels by commas
        text = f"a label's value has at most {_LONGEST_LABEL} characters, all printable, and no comma"
        return LabelProblem(text, of_name=False)
    return None
