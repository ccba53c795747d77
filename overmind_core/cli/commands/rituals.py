"""`overmind rituals`: the same as `ritual list`."""

from __future__ import annotations

from overmind_core.cli.commands import ritual_list as plain
from overmind_core.cli.table import JSON, Command

COMMAND = Command(
    name="rituals",
    summary="list the rituals: ritual list",
    options=[JSON],
    examples=["overmind rituals", "overmind rituals --json"],
    run=plain.ritual_list,
)
