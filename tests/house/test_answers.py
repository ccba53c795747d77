"""What tests say in a daemon's name has the form of what a real one says: no key that it never has, no other type."""

from __future__ import annotations

from typing import Any

import pytest

Json = dict[str, Any]
NUMBER = "number"
UNSEEN = {("ps", "resume_at"), ("info", "resume_at"), ("changes.files", "old_path"), ("plan.agents", "waits_for"),
          ("isolate", "engine"), ("isolate", "engine_problem"), ("ritual_history", "reason"),
          ("ritual_history", "text"), ("worktrees", "problem")}  # fmt: skip
"""What is null whatever a test does in a second, or depends on the machine: by kind and key."""


def kind_of(value: Any) -> str:
    """What a value is; whole or not, a number is a number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return NUMBER
    return type(value).__name__


def kinds(rows: list[Json]) -> dict[str, set[str]]:
    """Of each key that any of the rows has, what its values are."""
    found: dict[str, set[str]] = {}
    for row in rows:
        for key, value in row.items():
            found.setdefault(key, set()).add(kind_of(value))
    return found


def assert_alike(kind: str, invented: list[Json], real: list[Json]) -> None:
    assert real, "nothing was told"
    known = kinds(real)
    for key, values in kinds(invented).items():
        assert key in known, f"{key} is in no answer"
        if known[key] == {"NoneType"} and (kind, key) in UNSEEN:
            continue
        strange = values - known[key] - {"NoneType"}
        assert not strange, f"{key} is {known[key]}, never {strange}"


def test_a_key_that_no_answer_has_is_noticed_and_so_is_another_type():
    real: list[Json] = [{"id": "a", "cost": None}, {"id": "b", "cost": 1.5}]
    assert_alike("ps", [{"id": "c", "cost": 2}, {"id": "c", "cost": None}], real)
    wrongs: list[Json] = [{"nosuch": 1}, {"cost": "2"}, {"id": 7}]
    for wrong in wrongs:
        with pytest.raises(AssertionError):
            assert_alike("ps", [wrong], real)
