"""The tables of quests and rituals."""

from __future__ import annotations

import pytest

from overmind_core.daemon.state import State
from overmind_core.domain.missions.references import Candidate
from overmind_core.kernel.database import Conflict
from overmind_core.quests.store import QuestRow
from overmind_core.schedules.store import RitualRunRow


@pytest.fixture
def state(tmp_path):
    state = State.open(str(tmp_path / "state.db"))
    yield state
    state.close()


def quest(number: int, *, live: bool = False, status: str = "completed") -> QuestRow:
    return QuestRow(f"aaaaaaa{number}", "docs", live, status, float(number), None if live else number + 0.5, "{}")


def test_quests_are_saved_listed_found_and_trimmed(state):
    with state.transaction():
        for number in (3, 1, 2):
            state.quests.save(quest(number))
        state.quests.save(quest(4, live=True, status="running"))
        state.quests.save(quest(2, status="failed"))
    assert state.quests.get("aaaaaaa2") == quest(2, status="failed")
    assert state.quests.get("aaaaaaa9") is None
    assert [one.id for one in state.quests.newest(3)] == ["aaaaaaa2", "aaaaaaa3", "aaaaaaa4"]
    assert [one.id for one in state.quests.newest(9, statuses=["failed"])] == ["aaaaaaa2"]
    assert state.quests.live() == [quest(4, live=True, status="running")]
    assert state.quests.candidates("aaaaaaa1") == [Candidate("aaaaaaa1", "docs", False, 1.5)]
    assert len(state.quests.candidates("docs")) == len(state.quests.candidates("aaa")) == 4
    with state.transaction():
        state.quests.trim(1)
        state.quests.remove(["aaaaaaa4"])
    assert [one.id for one in state.quests.newest(9)] == ["aaaaaaa3"]


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "review", "record": "{1}"},
        {"live": False, "status": "failed", "ended_at": 9.5, "record": "{1}"},
        {"name": "other"},
        {"spec": "bbbbbbb1"},
        {"live": False, "ended_at": 9.5, "name": "other", "spec": "bbbbbbb1"},
    ],
    ids=" ".join,
)
def test_of_a_quest_everything_is_saved_that_has_changed_and_back(state, changes):
    before = quest(1, live=True, status="running")
    after = before._replace(**changes)
    for one in (before, after, before):
        with state.transaction():
            state.quests.save(one)
        assert state.quests.get(one.id) == one
        assert state.quests.live() == ([one] if one.live else [])
        assert state.quests.newest(9) == [one]


def test_a_ritual_goes_with_its_environment_and_its_runs(state):
    with state.transaction():
        state.rituals.insert("r1", "nightly", "{}", '{"env":{}}')
        state.rituals.save_run(RitualRunRow("r1", 1, True, "one"))
        state.rituals.save_run(RitualRunRow("r1", 2, True, "two"))
        state.rituals.save_run(RitualRunRow("r1", 1, False, "one, ended"))
        state.rituals.save("r1", '{"paused":true}')
    assert state.rituals.all() == ['{"paused":true}']
    assert state.rituals.environment("r1") == '{"env":{}}'
    assert state.rituals.runs("r1") == ["one, ended", "two"]
    assert state.rituals.open_runs() == ["two"]
    with state.transaction():
        state.rituals.remove_run("r1", 1)
    assert state.rituals.runs("r1") == ["two"]
    with state.transaction():
        state.rituals.remove("r1")
        state.rituals.save_run(RitualRunRow("r1", 3, True, "too late"))
        state.rituals.save("r1", "too late")
    assert state.rituals.all() == state.rituals.runs("r1") == state.rituals.open_runs() == []
    assert state.rituals.environment("r1") is None


def test_two_rituals_have_two_names(state):
    with state.transaction():
        state.rituals.insert("r1", "nightly", "{}", "{}")
    with pytest.raises(Conflict), state.transaction():
        state.rituals.insert("r2", "nightly", "{}", "{}")
