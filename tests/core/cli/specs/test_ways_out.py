"""The commands that are named where a spec can't go on: each is about what it waits for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from overmind_core.cli.specs.commands import COLUMNS, accepted_line, run_line, ways_out
from overmind_core.cli.specs.text import spec_text
from tests.kit.cases import tabled

SPEC = {"id": "5bec", "slug": "carts"}


def question(number, name, id_="a", **more):
    return {"question": number, "id": id_, "name": name, "need": "stuck", "options": [], "attach_only": False, **more}


def waiting(name, status):
    return {"id": name, "name": f"carts/{name}", "status": status}


@tabled(
    ("waits", "inbox", "lines"),
    [
        ([waiting("T1", "failed"), waiting("T2", "cancelled"), waiting("T3", "review")], [question(3, "carts/T1")],
         ["overmind quest retry carts/T1 carts/T2"]),
        ([], [question(3, "carts/explore"), question(4, "cartsy/explore")], ["overmind answer 3 allow"]),
        ([waiting("T3", "review")],
         [question(3, "x", need="review", about={"kind": "quest", "id": "T3", "name": "carts/T3"}),
          question(5, "carts", "5bec")],
         ["overmind answer 3 allow or deny", "overmind answer 5 allow"]),
        ([waiting("T1", "running"), waiting("T2", "running")], [question(3, "spec/carts", "q")],
         ["git -C shop stash", "overmind quest why carts/T2"]),
        ([], [], ["overmind spec run carts"]),
    ],
)  # fmt: skip
def test_each_way_out_is_about_what_the_spec_waits_for(waits, inbox, lines):
    whys = {"T1": {"do": ["git -C shop stash"]}, "T2": {"do": []}}

    def call(command, args=None):
        return {"inbox": inbox, "spec": {"waits": waits}}[command] if command != "quest_why" else whys[args["id"]]

    client: Any = SimpleNamespace(call=call)
    assert ways_out(client, SPEC) == lines


SHOWN: dict[str, Any] = {
    **SPEC, "title": "Carts", "state": "done", "changed_since": None, "conflicts": ["TSK-001"], "folder": "/shop/carts",
    "branch": None, "landed": None, "cost_usd": None, "cost_unknown": 0, "max_cost_usd": None, "problem": None,
    "phases": [], "tasks": {"completed": 2}, "waits": [], "coverage": [], "critical_path": {"tasks": []}, "drift": [],
    "question": None,
}  # fmt: skip
"""A spec that is done, with a task that has changed since its quest began."""


def test_a_spec_is_never_just_done_while_a_task_has_changed_since_its_quest_began():
    first, *lines = spec_text(SHOWN).splitlines()
    assert first == "carts  done; changed since its quest began: TSK-001  Carts"
    at = lines.index("changed since its quest began: TSK-001; nothing of it runs again by itself")
    assert lines[at + 1 : at + 3] == [
        "  go on with: overmind spec accept carts to leave it as it was done, or",
        "    a new id in tasks.md, then overmind spec run carts to have it done as it is now",
    ]
    assert COLUMNS["NOTE"](SHOWN) == "changed since its quest began: TSK-001"
    answer = {**SPEC, "state": "done", "queued": False, "synced": 0, "question": None, "phase": None}
    both = {**answer, "conflicts": ["TSK-001", "TSK-002"]}
    told = "changed since their quests began: TSK-001, TSK-002"
    assert run_line(both) == f"unchanged: spec 5bec (carts) is done; {told}"
    assert run_line({**both, "synced": 1}) == f"Spec carts: 1 task queued\n  {told}"
    assert run_line(answer) == "unchanged: spec 5bec (carts) is done"


def test_what_is_accepted_is_named_with_the_tasks_that_had_changed():
    taken = {"slug": "carts", "files": [], "phases": [], "tasks": ["TSK-001"]}
    assert accepted_line(taken) == "Accepted carts: TSK-001 as it is now"
    assert accepted_line({**taken, "phases": ["sync"]}) == "Accepted carts: sync, TSK-001 as they are now"
