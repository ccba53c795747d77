"""What the end of a completed quest is worth, beside its tick."""

from __future__ import annotations

from overmind_core.domain.missions.reasons import achieved
from tests.kit.cases import tabled


@tabled(
    ("branch", "facts", "said"),
    [
        (None, {}, ""),
        (None, {"checked": True}, "checked"),
        (None, {"reviewer": "a person"}, "allowed by a person"),
        (None, {"checked": True, "reviewer": "claude"}, "checked, reviewed by claude"),
        ("main", {"reviewer": "a person"}, "landed on main"),
        (None, {"to_land": True, "checked": True}, "nothing to land"),
        ("main", {"to_land": True, "checked": True}, "landed on main"),
        ("main", {"conflicts": ["README.md"]}, "landed on main after a conflict in README.md"),
        ("main", {"conflicts": ["a", "b", "c", "d"]}, "landed on main after conflicts in a, b, c and 1 more"),
        ("main", {"not_owned": 1}, "landed on main, 1 file not its own"),
        ("main", {"conflicts": ["a"], "not_owned": 2}, "landed on main after a conflict in a, 2 files not its own"),
        (None, {"denied": True, "to_land": True}, "its document was denied by a person"),
    ],
)
def test_what_a_completed_quest_has_achieved(branch, facts, said):
    assert achieved(branch, **facts) == said
