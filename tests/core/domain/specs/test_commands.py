"""A check that an agent wrote runs once a rule or a person has allowed it."""

from __future__ import annotations

from overmind_core.domain.specs.commands import command_hash, judge_commands
from overmind_core.domain.specs.shape import SpecTask, Tasks
from tests.kit.cases import tabled

DOCUMENT = Tasks(
    tasks=(
        SpecTask("A", check="pytest -q"),
        SpecTask("B", check="make && rm -rf /"),
        SpecTask("C", check="pytest -q"),
        SpecTask("D"),
    )
)


def judged(allow=(), deny=(), known=()):
    found = judge_commands(DOCUMENT, allow=allow, deny=deny, known=known, cwd="/work")
    return [[(one.text, one.tasks) for one in some] for some in found]


PYTEST, MAKE = ("pytest -q", ("A", "C")), ("make && rm -rf /", ("B",))
CASES = [
    ({}, [[], [PYTEST, MAKE], []]),
    ({"allow": ["Bash(pytest:*)"]}, [[PYTEST], [MAKE], []]),
    ({"allow": ["Bash"]}, [[PYTEST, MAKE], [], []]),
    ({"allow": ["Bash(make:*)"]}, [[], [PYTEST, MAKE], []]),
    ({"allow": ["Bash"], "deny": ["Bash(rm:*)"]}, [[PYTEST], [], [MAKE]]),
    ({"known": {command_hash("pytest -q")}}, [[PYTEST], [MAKE], []]),
    ({"known": {command_hash("make && rm -rf /")}, "deny": ["Bash(rm:*)"]}, [[], [PYTEST], [MAKE]]),
    ({"known": {command_hash("pytest -q ")}}, [[], [PYTEST, MAKE], []]),
]


@tabled(("rules", "expected"), CASES)
def test_rules_judge_a_check_as_they_judge_a_shell_and_deny_wins(rules, expected):
    """34, the pure part: which commands a person has to see."""
    assert judged(**rules) == expected


def test_a_denied_check_names_its_rule():
    found = judge_commands(DOCUMENT, allow=[], deny=["Bash(rm:*)"], cwd="/work")
    assert [one.rule for one in found.denied] == ["Bash(rm:*)"]
