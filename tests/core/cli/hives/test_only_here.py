"""What is said of another machine: each command as it can be given, from here or there."""

from __future__ import annotations

import pytest

from overmind_core.cli.hives.only_here import commands_there


@pytest.mark.parametrize(("text", "here"), [
    ("End them with: overmind kill api", "End them with: overmind -H eu1 kill api"),
    ("End it with: overmind web stop", "End it with: (on eu1) overmind web stop"),
    ("The next daemon ends them: overmind start", "The next daemon ends them: (on eu1) overmind start"),
])  # fmt: skip
def test_a_command_of_a_note_is_one_that_can_be_given(text, here):
    assert commands_there(text, "eu1") == here
