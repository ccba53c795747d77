"""The tables: what goes in comes out, in order, and the rules between them hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from overmind_core.agents.store import BudgetRow, CursorRow
from overmind_core.daemon.state import State
from overmind_core.domain.missions.references import Candidate, resolve
from overmind_core.kernel.database import Conflict
from overmind_core.kernel.event_log import TRIM_SLICE
from overmind_core.missions.store import MissionRow, RunRow


@pytest.fixture
def state(tmp_path):
    state = State.open(str(tmp_path / "state.db"))
    yield state
    state.close()


def mission(number, **changes):
    """A live mission, or with `ended_at` a finished one."""
    ended_at = changes.get("ended_at")
    row = MissionRow(
        id=f"{number:08x}",
        name=f"name{number}",
        live=ended_at is None,
        hidden=False,
        parent=None,
        type="task",
        provider="raw",
        status="running" if ended_at is None else "stopped",
        request=None,
        created_at=float(number),
        ended_at=None,
        record='{"command":"ü"}',
    )
    return row._replace(**changes)


def run(number, of=1, **changes):
    row = RunRow(f"{of:08x}.{number}", f"{of:08x}", number, 1.0, None, swept=False, state="{}")
    return row._replace(**changes)


def insert(state, *missions):
    with state.transaction():
        for row in missions:
            state.missions.insert(row)


def numbers(missions):
    return [int(row.id, 16) for row in missions]


def test_a_mission_is_saved_whatever_of_it_has_changed(state):
    """Its state, its name, its end, and that it lives again, perhaps by another name."""
    live = mission(1, created_at=1.0)
    insert(state, live, mission(2))
    changes: list[dict[str, Any]] = [
        {"status": "paused", "record": "{}"},
        {"name": "renamed"},
        {"live": False, "status": "stopped", "ended_at": 5.0, "record": '{"code":0}'},
        {"live": False, "hidden": True, "status": "killed", "ended_at": 6.0},
        {"live": True, "hidden": False, "status": "running", "ended_at": None},
        {"live": False, "name": "renamed again", "status": "stopped", "ended_at": 7.0},
    ]
    for change in changes:
        live = live._replace(**change)
        with state.transaction():
            state.missions.save(live)
        assert state.missions.get(live.id) == live
    assert state.missions.get(mission(2).id) == mission(2)


def test_a_mission_comes_back_as_it_went_in(state):
    rows = [mission(1), mission(2, parent="00000001", request="ab" * 16, hidden=True, ended_at=9.5)]
    insert(state, *rows)
    assert [state.missions.get(row.id) for row in rows] == rows
    assert state.missions.by_request("ab" * 16) == rows[1]
    assert state.missions.get("ffffffff") is None
    assert state.missions.by_request("cd" * 16) is None
    assert state.missions.get(rows[1].id).live is False


def test_what_can_change_is_saved_and_the_rest_stays(state):
    insert(state, mission(1))
    changed = mission(1, name="new", status="crashed", ended_at=5.0, live=False, hidden=True, record="[1]")
    with state.transaction():
        state.missions.save(changed._replace(created_at=99.0, parent="x", type="session"))
    assert state.missions.get("00000001") == changed


def test_missions_are_chosen_and_ordered_by_age(state):
    insert(
        state,
        mission(5, created_at=1.0),
        mission(3, parent="00000005"),
        mission(2, created_at=3.0, parent="00000005", ended_at=20.0),
        mission(7, ended_at=10.0, hidden=True, status="killed"),
    )
    table = state.missions
    assert numbers(table.all()) == [5, 2, 3]
    assert numbers(table.all(include_hidden=True)) == [5, 2, 3, 7]
    assert numbers(table.all(statuses=("running",))) == [5, 3]
    assert numbers(table.all(statuses=["killed", "stopped"], include_hidden=True)) == [2, 7]
    assert numbers(table.all(parent="00000005", statuses=("stopped",))) == [2]
    assert numbers(table.live()) == [5, 3]
    assert numbers(table.children("00000005")) == [2, 3]
    assert numbers(table.by_ids(["00000007", "00000005", "ffffffff"])) == [5, 7]
    assert numbers(table.finished_before(20.0)) == [7]
    assert numbers(table.oldest_finished(5)) == [7, 2]
    assert numbers(table.oldest_finished(1)) == [7]
    assert table.count_by_status() == {"running": 2, "stopped": 1, "killed": 1}
    assert table.live_names() == {"name5", "name3"}


def test_a_live_name_is_unique_and_a_finished_one_is_not(state):
    insert(state, mission(1, name="api"), mission(2, name="api", ended_at=3.0), mission(3, name="api", ended_at=4.0))
    with pytest.raises(Conflict, match=r"missions\.name"):
        insert(state, mission(4, name="api"))
    insert(state, mission(5))
    with pytest.raises(Conflict), state.transaction():
        state.missions.save(mission(5, name="api"))
    assert state.missions.get("00000005").name == "name5"


def test_a_request_makes_one_mission(state):
    insert(state, mission(1, request="r"))
    with pytest.raises(Conflict, match=r"missions\.request"):
        insert(state, mission(2, request="r"))


texts = st.text("0123abc-", min_size=0, max_size=8)
known = st.lists(
    st.tuples(st.text("0123abc", min_size=8, max_size=8), texts.filter(bool), st.none() | st.floats(0, 9)),
    unique_by=(lambda row: row[0], lambda row: row[1]),
    max_size=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=50)
@given(known, texts, st.booleans())
def test_the_candidates_for_a_text_are_enough_to_resolve_it(state, rows, text, live_first):
    every = [Candidate(id_, name, ended_at is None, ended_at) for id_, name, ended_at in rows]
    with state.transaction():
        state.missions.remove([row.id for row in state.missions.all()])
        for c in every:
            state.missions.insert(mission(1, id=c.id, name=c.name, live=c.live, ended_at=c.ended_at))
    some = state.missions.candidates(text)
    assert set(some) <= set(every)
    assert resolve(text, some, live_first=live_first) == resolve(text, every, live_first=live_first)


def test_runs_come_back_in_order(state):
    insert(state, mission(1), mission(2))
    rows = [run(n, ended_at=float(n), swept=True) for n in range(1, 12)]
    with state.transaction():
        for row in reversed(rows):
            state.runs.insert(row)
        state.runs.insert(run(1, of=2, started_at=None))
    assert state.runs.of("00000001") == rows
    assert state.runs.latest("00000001") == rows[-1]
    assert state.runs.get("00000001.3") == rows[2]
    assert state.runs.get("00000001.99") is None
    assert state.runs.latest("00000009") is None
    assert state.runs.unfinished_or_unswept() == [run(1, of=2, started_at=None)]


def test_the_newest_run_of_each_live_mission_is_found_at_once(state):
    insert(state, mission(1), mission(2), mission(3), mission(4, live=False, ended_at=1.0))
    newest = run(11, state="[11]")
    with state.transaction():
        for row in (*(run(n) for n in range(1, 11)), newest, run(1, of=2), run(1, of=4)):
            state.runs.insert(row)
    assert sorted(state.runs.latest_of_live()) == sorted([newest, run(1, of=2)])


def test_a_run_is_looked_after_until_it_is_ended_and_swept(state):
    insert(state, mission(1))
    with state.transaction():
        state.runs.insert(run(1))
    for changed, open_ in (
        (run(1, started_at=2.0, state="[2]"), True),
        (run(1, started_at=2.0, ended_at=3.0), True),
        (run(1, started_at=2.0, ended_at=3.0, swept=True), False),
    ):
        with state.transaction():
            state.runs.save(changed)
        assert state.runs.get("00000001.1") == changed
        assert state.runs.unfinished_or_unswept() == ([changed] if open_ else [])


def test_a_run_needs_its_mission_and_a_number_of_its_own(state):
    insert(state, mission(1))
    with pytest.raises(Conflict, match="FOREIGN KEY"), state.transaction():
        state.runs.insert(run(1, of=9))
    with state.transaction():
        state.runs.insert(run(1))
    with pytest.raises(Conflict), state.transaction():
        state.runs.insert(run(1, id="00000001.2"))


def append(state, n):
    kind = "odd" if n % 2 else "even"
    return state.events.append(float(n), kind, f"[{n}]", mission=f"m{n % 3}", run=f"m{n % 3}.1")


def test_events_are_numbered_and_read_on_from_any_of_them(state):
    with state.transaction():
        seqs = [
            state.events.append(
                float(n), "even" if n % 2 == 0 else "odd", f"[{n}]", mission=f"m{n % 3}", run=f"m{n % 3}.1"
            )
            for n in range(1, 10)
        ]
        state.events.append(10.0, "daemon", "{}")
    assert seqs == list(range(1, 10))
    assert (state.events.oldest(), state.events.newest()) == (1, 10)
    after = state.events.after
    assert [event.seq for event in after(0, 100)] == list(range(1, 11))
    assert [event.seq for event in after(7, 2)] == [8, 9]
    assert [event.seq for event in after(0, 100, types=["even"])] == [2, 4, 6, 8]
    assert [event.seq for event in after(1, 100, missions={"m1"})] == [4, 7]
    assert [event.seq for event in after(0, 100, missions={"m0", "m1"}, types={"odd"})] == [1, 3, 7, 9]
    assert after(0, 100, missions=[]) == after(0, 100, types=[]) == after(10, 1) == []
    assert after(1, 1)[0] == (2, 2.0, "even", "m2", "m2.1", "[2]")
    assert after(9, 1)[0].mission is None


def test_the_oldest_events_are_trimmed_in_slices_and_numbers_are_never_used_again(state):
    with state.transaction():
        for n in range(TRIM_SLICE + 50):
            state.events.append(float(n), "t", "{}")
    trimmed: list[int] = []
    while not trimmed or trimmed[-1]:
        with state.transaction():
            trimmed.append(state.events.trim(keep=20))
    assert trimmed == [TRIM_SLICE, 30, 0]
    assert (state.events.oldest(), state.events.newest()) == (TRIM_SLICE + 31, TRIM_SLICE + 50)
    with state.transaction():
        state.events.trim(keep=0)
        assert state.events.newest() == 0
        assert state.events.append(0.0, "t", "{}") == TRIM_SLICE + 51


def test_an_event_of_a_transaction_that_failed_never_was(state):
    insert(state, mission(1))
    with pytest.raises(Conflict):
        _append_and_conflict(state)
    assert state.events.newest() == 0


def _append_and_conflict(state):
    with state.transaction():
        state.events.append(1.0, "t", "{}")
        state.missions.insert(mission(1))


def test_a_removed_mission_takes_everything_but_its_events_along(state):
    insert(state, mission(1), mission(2, parent="00000001"))
    with state.transaction():
        for of in (1, 2):
            state.runs.insert(run(1, of=of))
            state.cursors.save(CursorRow(f"{of:08x}.1", 1, 2, "{}"))
            state.environments.save(f"{of:08x}", '{"A":"B"}')
            state.events.append(1.0, "created", "{}", mission=f"{of:08x}")
    with state.transaction():
        state.missions.remove(["00000001"])
    assert numbers(state.missions.all()) == [2]
    assert state.runs.of("00000001") == []
    assert state.environments.get("00000001") is None
    assert [cursor.run for cursor in state.cursors.all()] == ["00000002.1"]
    assert state.environments.get("00000002") == '{"A":"B"}'
    assert [event.mission for event in state.events.after(0, 9)] == ["00000001", "00000002"]
    with state.transaction():
        state.runs.remove_of("00000002")
    assert state.cursors.all() == []


def test_an_environment_is_replaced_and_forgotten(state):
    insert(state, mission(1))
    with state.transaction():
        state.environments.save("00000001", "{}")
        state.environments.save("00000001", '{"A":"B"}')
    assert state.environments.get("00000001") == '{"A":"B"}'
    with state.transaction():
        state.environments.remove("00000001")
    assert state.environments.get("00000001") is None


def test_a_cursor_is_replaced_and_forgotten(state):
    insert(state, mission(1))
    with state.transaction():
        state.runs.insert(run(1))
        state.cursors.save(CursorRow("00000001.1", 0, 0, ""))
        state.cursors.save(CursorRow("00000001.1", 1 << 40, 7, '"rest of a line"'))
    assert state.cursors.get("00000001.1") == CursorRow("00000001.1", 1 << 40, 7, '"rest of a line"')
    with state.transaction():
        state.cursors.remove("00000001.1")
    assert state.cursors.get("00000001.1") is None


def test_a_cursor_needs_its_run(state):
    with pytest.raises(Conflict, match="FOREIGN KEY"), state.transaction():
        state.cursors.save(CursorRow("00000001.1", 0, 0, ""))


def test_a_fact_is_replaced_and_forgotten(state):
    with state.transaction():
        state.meta.save("boot", "1")
        state.meta.save("boot", "2")
    assert state.meta.get("boot") == "2"
    with state.transaction():
        state.meta.remove("boot")
    assert state.meta.get("boot") is None


def test_a_thousand_missions_are_written_in_groups_and_read_at_once(state):
    for group in range(50):
        with state.transaction():
            for n in range(20 * group, 20 * group + 20):
                state.missions.insert(mission(n, record="x" * 500))
                state.runs.insert(run(1, of=n))
                state.events.append(1.0, "created", "{}", mission=f"{n:08x}")
    assert [row.id for row in state.missions.all()] == [mission(n).id for n in range(1000)]


# --- budgets ------------------------------------------------------------------------------------------------------


def test_what_a_tree_has_spent_is_replaced_by_what_it_has_spent_since_and_goes_with_its_mission(state):
    insert(state, mission(1))
    assert state.budgets.get(mission(1).id) is None
    for budget in (BudgetRow(mission(1).id, 0.5), BudgetRow(mission(1).id, 0.9, warned=True)):
        with state.transaction():
            state.budgets.save(budget)
    assert state.budgets.get(mission(1).id) == BudgetRow(mission(1).id, 0.9, warned=True)
    with state.transaction():
        state.missions.remove([mission(1).id])
    assert state.budgets.get(mission(1).id) is None
