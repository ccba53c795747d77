"""Options of quests and rituals that others act on: the daemon, and a ritual's own command."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ((), {"status": []}),
        (("--limit", "20"), {"status": [], "limit": 20}),
        (("--limit", "3", "--status", "failed"), {"status": ["failed"], "limit": 3}),
    ],
)
def test_the_newest_quests_are_asked_for(overmind, words, asked):
    status, out, _, requests = overmind({"quests": [{"ok": []}]}, "quest", "list", *words, "--json")
    assert (status, out, requests) == (0, "[]\n", [("quests", asked)])


@pytest.mark.parametrize("wrong", ["0x", "-1", "many", ""])
def test_a_number_of_quests_that_is_none_is_refused(overmind, wrong):
    status, out, err, requests = overmind({}, "quest", "list", f"--limit={wrong}")
    assert (status, out, requests) == (2, "", [])
    assert "--limit" in err


def test_options_behind_the_command_of_a_ritual_are_the_commands_own(overmind):
    """The example of its help: `--mail` is no option of ours."""
    answer = {"name": "report", "schedule": "30 8 * * MON-FRI", "zone": "Europe/Berlin", "upcoming": []}
    words = "ritual create report|30 8 * * MON-FRI|--tz Europe/Berlin --retries 2 ./report --mail --retries 9"
    argv = [word for part in words.split("|") for word in ([part] if " * " in part else part.split())]
    status, _, err, requests = overmind({"ritual_create": [{"ok": answer}]}, *argv)
    assert (status, err) == (0, "")
    ((_, asked),) = requests
    assert (asked["name"], asked["schedule"], asked["zone"]) == ("report", "30 8 * * MON-FRI", "Europe/Berlin")
    assert (asked["quest"]["command"], asked["quest"]["retries"]) == (["./report", "--mail", "--retries", "9"], 2)
