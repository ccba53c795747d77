"""The commands that are named where a spec can't go on: each is about what it waits for."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.cli import demo_spec
from overmind_core.cli.specs.commands import COLUMNS, _wait, accepted_line, run_line
from overmind_core.cli.specs.text import spec_text, ways_out
from overmind_core.demo import spec_project
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import FAILED, NEEDS_PERSON
from tests.kit.cases import tabled

SPEC = {"id": "5bec", "slug": "carts"}


def question(number, name, id_="a", **more):
    return {"question": number, "id": id_, "name": name, "need": "stuck", "options": [], "attach_only": False, **more}


def waiting(name, status):
    return {"id": name, "name": f"carts/{name}", "status": status}


HELD = {"name": "carts/explore", "text": "$0.00 of $0.20", "do": ["overmind spec run carts --max-cost 0.3"]}


@tabled(
    ("waits", "inbox", "lines"),
    [
        ([waiting("T1", "failed"), waiting("T2", "cancelled"), waiting("T3", "review")], [question(3, "carts/T1")],
         ["go on with: overmind quest retry carts/T1 carts/T2"]),
        ([], [question(3, "carts/explore"), question(4, "cartsy/explore")],
         ["waits for you: question 3 (stuck of carts/explore): overmind answer 3 allow"]),
        ([waiting("T3", "review")],
         [question(3, "x", need="review", about={"kind": "quest", "id": "T3", "name": "carts/T3"}),
          question(5, "carts", "5bec")],
         ["waits for you: question 3 (review of carts/T3): overmind answer 3 allow or deny",
          "waits for you: question 5 (stuck of carts): overmind answer 5 allow"]),
        ([waiting("T1", "running"), waiting("T2", "running")], [question(3, "spec/carts", "q")],
         ["go on with: git -C shop stash", "see: overmind quest why carts/T2"]),
        ([], [], ["go on with: overmind spec run carts"]),
        (HELD, [], ["go on with: overmind spec run carts --max-cost 0.3"]),
    ],
)  # fmt: skip
def test_each_way_out_is_about_what_the_spec_waits_for(waits, inbox, lines):
    whys = {"T1": {"do": ["git -C shop stash"]}, "T2": {"do": []}}

    def call(command, args=None):
        spec = {"waits": [], "held": waits} if waits is HELD else {"waits": waits}
        return {"inbox": inbox, "spec": spec}[command] if command != "quest_why" else whys[args["id"]]

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
    assert run_line({**both, "state": "failed"}) == f"unchanged: spec 5bec (carts) has failed; {told}"


def test_a_spec_that_only_waits_for_money_or_a_person_says_so_with_the_command_that_goes_on():
    running = {**SPEC, "state": "running", "queued": False, "synced": 0, "question": None, "phase": "explore"}
    assert run_line(running) == "Spec carts: explore is running"
    waits, way = "waits: carts/explore: $0.00 of $0.20", "go on with: overmind spec run carts --max-cost 0.3"
    assert run_line({**running, "held": HELD}).splitlines() == ["Spec carts: explore waits", f"  {waits}", f"    {way}"]
    shown = {**SHOWN, "state": "running", "conflicts": [], "held": HELD}
    assert spec_text(shown).splitlines()[-2:] == [waits, f"  {way}"]
    assert COLUMNS["NOTE"](shown) == "waits for you"
    working = {**running, "state": "working", "phase": None, "held": HELD}
    assert run_line(working).splitlines() == ["unchanged: spec 5bec (carts) is working", f"  {waits}", f"    {way}"]
    assert run_line({**running, "held": HELD}, with_held=False) == "Spec carts: explore waits", "while it is followed"


def test_a_spec_is_shown_with_what_is_asked_about_its_tasks_that_no_other_line_answers():
    waits = [{**waiting("T1", "failed"), "why": "exit"}, {**waiting("T2", "review"), "why": None}]
    shown = {**SHOWN, "state": "working", "conflicts": [], "waits": waits, "question": 6, "held": {**HELD, "do": [
        "overmind answer 7 allow"]}}  # fmt: skip
    asked = [
        question(2, "carts/T2", "T2", need="report"), question(3, "carts/T1", "T1"),
        question(4, "carts/T2", "T2", need="review"),
        question(5, "carts/T3", "T3", need="permission"), question(6, "carts", "5bec", need="merge"),
        question(7, "carts/T4", "T4"), question(8, "carts/T5", "T5"),
    ]  # fmt: skip
    lines = spec_text(shown, asked).splitlines()
    answers = [line for line in lines if "overmind answer" in line or "overmind quest retry" in line]
    assert answers == [
        "    go on with: overmind quest retry carts/T1",
        "    go on with: overmind answer 4 allow",
        "waits: question 6: overmind answer 6 allow",
        "  go on with: overmind answer 7 allow",
        "waits for you: question 2 (report of carts/T2): overmind answer 2 allow",
        "waits for you: question 5 (permission of carts/T3): overmind answer 5 allow",
        "waits for you: question 8 (stuck of carts/T5): overmind answer 8 allow",
    ]


def test_an_agent_is_shown_its_spec_without_the_questions_that_it_may_not_read(overmind):
    refused = [{"error": "forbidden", "message": "A process inside a mission may not read the inbox."}]
    shown = {**SHOWN, "state": "working", "conflicts": [], "waits": [], "question": None, "held": None}
    ran = overmind({"spec": [{"ok": shown}], "inbox": refused}, "spec", "show", "carts")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("carts")


def test_what_is_accepted_is_named_with_the_tasks_that_had_changed():
    taken = {"slug": "carts", "files": [], "phases": [], "tasks": ["TSK-001"]}
    assert accepted_line(taken) == "Accepted carts: TSK-001 as it is now"
    assert accepted_line({**taken, "phases": ["sync"]}) == "Accepted carts: sync, TSK-001 as they are now"


def test_a_plan_whose_hours_somebody_has_removed_is_shown_all_the_same():
    path = {"tasks": ["TSK-001", "TSK-002"], "hours": None}
    lines = spec_text({**SHOWN, "critical_path": path, "hours": None}).splitlines()
    assert "critical path: TSK-001 -> TSK-002 (0 of 0 h)" in lines


def stands(name, state, **more):
    return {"phase": name, "state": state, "score": None, "faults": [], "quest": None, "sha256": None, "question": None,
            **more}  # fmt: skip


LOST = "its quest has failed: the command failed. See: overmind logs q"
AGAIN = "overmind spec run carts to do requirements again, and later phases"


@tabled(
    ("state", "phases", "ways"),
    [
        ("draft", [stands("explore", "passed"), stands("design", "pending")], ["go on with: overmind spec run carts"]),
        ("draft", [stands("explore", "stale")],
         ["go on with: overmind spec accept carts && overmind spec run carts to take it as it is, or",
          "overmind spec run carts to do explore and later phases again"]),
        ("failed", [stands("requirements", "failed", faults=[LOST]), stands("design", "stale")],
         [f"go on with: {AGAIN}"]),
        ("failed", [stands("requirements", "failed", faults=[LOST], sha256="a"), stands("design", "stale")],
         ["go on with: overmind spec accept carts to take what is there as it is, or", AGAIN]),
        ("failed", [stands("explore", "stale", sha256="a"), stands("requirements", "failed", faults=[LOST])],
         ["go on with: overmind spec accept carts to take what is there as it is, or",
          "overmind spec run carts to do explore again, and later phases"]),
        ("failed", [stands("requirements", "failed", faults=["requirements.md:3: no"]), stands("design", "stale")], []),
    ],
)  # fmt: skip
def test_a_spec_of_which_nothing_goes_on_names_what_its_run_would_do_first(state, phases, ways):
    lines = spec_text({**SHOWN, "state": state, "conflicts": [], "phases": phases}).splitlines()
    assert [line.strip() for line in lines if "overmind spec" in line] == ways


ARCHIVED = "Spec carts was archived. Take it back with: overmind spec archive carts --undo"


@pytest.mark.parametrize(
    ("state", "last", "code", "more"),
    [
        ("done", None, 0, []),
        ("draft", "explore", 0, []),
        ("draft", "design", NEEDS_PERSON, ["  go on with: overmind spec run carts"]),
        ("draft", None, NEEDS_PERSON, ["  go on with: overmind spec run carts"]),
        ("archived", None, FAILED, [ARCHIVED]),
    ],
)
def test_who_waits_for_a_spec_is_not_told_that_it_is_done_where_it_is_not(monkeypatch, state, last, code, more):
    item = {"key": "state", "what": "state", "name": state, "state": state, "text": None}
    monkeypatch.setattr("overmind_core.client.stream.follow", lambda *_words, **_more: [("item", item)])
    said: list[str] = []
    spec = {"waits": [], "phases": [stands("explore", "passed"), stands("design", "stale")]}
    client: Any = SimpleNamespace(call=lambda command, _args=None: [] if command == "inbox" else spec)
    context: Any = SimpleNamespace(client=lambda **_: client, note=said.append, print=said.append)
    args: Any = SimpleNamespace(json=False, last=last)
    assert _wait(args, context, {**SPEC, "state": "running", "ended": []}) == code
    assert said == [f"Spec carts: {state}", *more]


WAYS = "See why: overmind spec show carts. To begin anew: overmind demo spec stop"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("running", "Already running: spec 5bec (carts)"),
        ("review", "Already running: spec 5bec (carts)"),
        ("stuck", f"Not started: spec 5bec (carts) is stuck. {WAYS}"),
        ("failed", f"Not started: spec 5bec (carts) has failed. {WAYS}"),
    ],
)
def test_a_demonstration_of_which_nothing_goes_on_is_not_said_to_run(tmp_path, state, said):
    lines: list[str] = []
    root = to_wire(os.path.join(os.path.realpath(tmp_path), spec_project.FOLDER))
    spec = {**SPEC, "state": state, "folder": f"{root}/shop/.overmind/specs/carts"}
    client: Any = SimpleNamespace(call=lambda *_words: [spec])
    context: Any = SimpleNamespace(home=SimpleNamespace(root=str(tmp_path)), print=lines.append)
    args: Any = SimpleNamespace(json=False)
    assert demo_spec.start(args, context, client) == "carts"
    assert lines == [said]
