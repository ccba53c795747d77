"""Questions at the gates of a spec: what its tasks are estimated to cost, and the cards that they have on the board."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest import mock

from overmind_core.domain.specs.shape import SpecTask
from overmind_core.specs.gates import GateQuestions, _task_lines
from overmind_core.specs.gates import counted as number_of
from overmind_core.view.board import counted
from tests.kit import in_process
from tests.kit.cases import tabled
from tests.kit.in_process import idle
from tests.kit.spec_daemons import Daemons

SPEC: Any = None
TASKS: Any = [SimpleNamespace(type=name, group="g") for name in ("feature", "test", "docs")]


@tabled(
    ("costs", "dollars", "unknown", "text"),
    [
        ({}, None, 3, ""),
        ({"feature": 0.1, "test": 0.2}, 0.3, 1, ", about $0.30 without 1 of them"),
        ({"feature": 0.1, "test": 0.2, "docs": 0.004}, 0.304, 0, ", about $0.30"),
    ],
)
def test_of_tasks_the_known_costs_are_added(costs, dollars, unknown, text):
    maker = SimpleNamespace(
        work=lambda _spec: SimpleNamespace(agent=None, definition=SimpleNamespace(provider="claude"))
    )
    gates: Any = SimpleNamespace(_maker=maker, _usual_cost=lambda kind, _provider, _model: costs.get(kind))
    found = GateQuestions._cost(gates, SPEC, TASKS)
    assert (found.dollars, found.unknown, found.text) == (dollars, unknown, text)


def test_a_task_is_asked_about_with_its_time_its_needs_and_its_files():
    task = SpecTask(id="TSK-002", title="Store carts", hours=1.5, needs=("TSK-001",), modifies=("shop/store.py",))
    assert _task_lines(task) == ["TSK-002 Store carts", "  1.5 h · needs TSK-001 · modifies shop/store.py"]
    many = SpecTask(id="TSK-003", title="Many", creates=tuple(f"{one}.py" for one in range(7)))
    assert _task_lines(many) == ["TSK-003 Many", "  creates 0.py, 1.py, 2.py, 3.py, 4.py, 2 more"]
    assert _task_lines(SpecTask(id="TSK-004", title="None")) == ["TSK-004 None"]


@tabled(("number", "text"), [(0, "0 hours"), (1, "1 hour"), (1.0, "1 hour"), (3.5, "3.5 hours"), (2, "2 hours")])
def test_one_thing_is_not_several(number, text):
    assert number_of(number, "hour") == text


def test_without_known_work_no_cost_is_known():
    gates: Any = SimpleNamespace(_maker=SimpleNamespace(work=lambda _spec: None))
    assert GateQuestions._cost(gates, SPEC, TASKS) == (None, 3)


def test_what_a_spec_waits_for_is_a_card_in_review_until_it_is_answered(tmp_path):
    daemons = Daemons(tmp_path)
    shown = {"target": "main", "commits": [{"subject": "carts"}], "files": [{"path": "carts.py"}]}

    def cards(board):
        found = counted(board)
        review = [row for row in found.rows if row["column"] == 3]
        return [(row["name"], row["asked"]) for row in review], found.counts[3]

    async def scenario():
        async with daemons.one():
            slug = await daemons.new(gates="explore")
            ask = daemons.inside.ask
            assert cards(await ask("board")) == ([], 0)
            await ask("spec_run", id=slug, last="explore")
            run = await daemons.begun("explore")
            daemons.hand_in(run, "explore")
            daemons.keeper.exit(run)
            while not (questions := await ask("inbox")):
                await idle()
            board = await ask("board")
            assert cards(board) == ([("carts/explore", "gate")], 1)
            (gate,) = board["gates"]
            assert (gate["question"], gate["name"], gate["phase"]) == (questions[0]["question"], "carts", "explore")
            assert cards(await ask("board", spec=slug)) == ([("carts/explore", "gate")], 1)
            await ask("answer", question=questions[0]["question"], behaviour="allow")
            assert cards(await ask("board")) == ([], 0)
            specs = daemons.inside.app.engine.specs
            landing = specs.parts.landing
            with mock.patch.object(landing, "_merge", side_effect=[shown]):
                await landing.ask(specs.registry.all[specs.id_of(slug)])
            assert cards(await ask("board")) == ([("carts", "merge")], 1)

    try:
        in_process.run(scenario())
    finally:
        daemons.keeper.close()
