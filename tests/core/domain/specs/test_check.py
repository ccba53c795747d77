"""Each part of a document brings what the table says, and some faults no score makes up for."""

from __future__ import annotations

import json
import math
import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.specs.check import CHECKS, CheckContext, DocumentVerdict, check, ears_score, judge, score_text
from overmind_core.domain.specs.document_json import read_json
from overmind_core.domain.specs.markdown import parse, render
from overmind_core.domain.specs.reading import read
from overmind_core.domain.specs.shape import Fault
from overmind_core.domain.specs.spec import PHASES, THRESHOLD
from tests.kit.cases import tabled
from tests.kit.overmind import REPOSITORY
from tests.kit.spec_documents import FILES, JSON_VALUES, VALUES, WHOLE, tasks, whole

EXPLORE, REQUIREMENTS, DESIGN, TASKS, SYNC = PHASES


def document(phase, value=None):
    return read(phase, WHOLE[phase] if value is None else value).document


CONTEXT = CheckContext({phase: document(phase) for phase in PHASES}, FILES)


def verdict(phase, value, context=CONTEXT):
    return check(document(phase, value), context)


@pytest.mark.parametrize("phase", PHASES)
def test_a_whole_document_has_all_points(phase):
    found = verdict(phase, WHOLE[phase])
    assert found == DocumentVerdict(phase, 1.0, {row.name: row.weight for row in CHECKS[phase]}, (), ())
    assert found.passes(1.0)


@pytest.mark.parametrize("phase", PHASES[:-1])
def test_the_weights_of_a_phase_are_one(phase):
    assert math.isclose(sum(row.weight for row in CHECKS[phase]), 1)


def requirements(*changes):
    value = whole(REQUIREMENTS)
    value["requirements"] = [
        {**one, **changed} for one, changed in zip(value["requirements"], changes + ({},) * 2, strict=False)
    ]
    return value


def question(category, text="What?"):
    return {"category": category, "question": text}


def explore(**changed):
    return EXPLORE, whole(EXPLORE, **changed)


def design(**changed):
    return DESIGN, whole(DESIGN, **changed)


FIELDS = {"naming": "a", "testing": "b", "patterns": "c"}
KEY_FILES = WHOLE[EXPLORE]["key_files"]
POINTS = [
    (*explore(codebase_summary="x" * 51), "codebase_summary", 0.12),
    (*explore(codebase_summary="x" * 50), "codebase_summary", 0.06),
    (*explore(codebase_summary=None), "codebase_summary", 0),
    (*explore(project_type=None), "project_type", 0),
    (*explore(tech_stack=["Python"]), "tech_stack", 0.05),
    (*explore(tech_stack=["a", "b", "c"]), "tech_stack", 0.10),
    (*explore(tech_stack=["a", " "]), "tech_stack", 0.05),
    (*explore(tech_stack=None), "tech_stack", 0),
    (*explore(structure={"shop": "all"}), "structure", 0.05),
    (*explore(structure={"shop": "all", "tests": ""}), "structure", 0.05),
    (*explore(structure=None), "structure", 0),
    (*explore(key_files=KEY_FILES[:2]), "key_files", 0.10),
    (*explore(key_files=[*KEY_FILES[:2], {"path": "README.md"}]), "key_files", 0.10),
    (*explore(key_files=None), "key_files", 0),
    (*explore(conventions={**FIELDS, "naming": ""}), "conventions", 0.0667),
    (*explore(conventions={"naming": "a"}), "conventions", 0.0333),
    (*explore(conventions=None), "conventions", 0),
    (*explore(questions=[question("users"), question("Scope"), question("risks")]), "questions", 0.09),
    (*explore(questions=[question("users")] * 3), "questions", 0.03),
    (*explore(questions=[question("weather")] * 3), "questions", 0),
    (*explore(questions=[question("users"), question("scope")]), "questions", 0.075),
    (*explore(questions=[question("users"), question("scope"), question("risks", "")]), "questions", 0.075),
    (*explore(questions=None), "questions", 0),
    (*explore(feature={"name": "Carts", "scope_in": ["a"], "scope_out": "b"}), "feature", 0.09),
    (*explore(feature=None), "feature", 0),
    (*explore(patterns=None), "patterns", 0),
    (*explore(related=[]), "related", 0),
    (REQUIREMENTS, whole(REQUIREMENTS, feature_name=None), "feature_name", 0.025),
    (REQUIREMENTS, requirements({"type": ""}), "complete", 0.10),
    (REQUIREMENTS, requirements({"type": ""}, {"priority": ""}), "complete", 0),
    (REQUIREMENTS, requirements({"text": "It dismays."}), "normative", 0.10),
    (REQUIREMENTS, requirements({"text": "It dismays."}), "ears", 0.075),
    (REQUIREMENTS, requirements({"text": "It shall work."}), "normative", 0.20),
    (REQUIREMENTS, requirements({"text": "It shall work."}), "ears", 0.1125),
    (REQUIREMENTS, requirements({"acceptance": ["a"]}), "acceptance", 0.15),
    (REQUIREMENTS, requirements({"acceptance": []}, {"acceptance": ["a", "b", "c"]}), "acceptance", 0.10),
    (REQUIREMENTS, requirements({"id": "REQ-001"}), "id", 0.025),
    (REQUIREMENTS, requirements({"id": "REQ-CART-1"}, {"id": "REQ-A-B2-007"}), "id", 0.025),
    (REQUIREMENTS, whole(REQUIREMENTS, assumptions=None), "assumptions", 0.025),
    (REQUIREMENTS, whole(REQUIREMENTS, out_of_scope=None), "out_of_scope", 0.025),
    (REQUIREMENTS, whole(REQUIREMENTS, traceability=None), "traceability", 0.025),
    (*design(feature_name=None), "feature_name", 0.025),
    (*design(overview="x" * 101), "overview", 0.15),
    (*design(overview="x" * 100), "overview", 0.075),
    (*design(overview=None), "overview", 0),
    (*design(components=[{"name": "cart", "responsibility": "all"}, {"name": "store"}]), "components", 0.10),
    (*design(components=None), "components", 0),
    (*design(data_models=None), "data_models", 0.045),
    (*design(interfaces=None), "interfaces", 0.045),
    (*design(errors=None), "errors", 0.024),
    (*design(testing={"unit": "all"}), "testing", 0.05),
    (*design(testing="by hand"), "testing", 0.07),
    (*design(testing={"text": "by hand", "unit": "all", "integration": "all"}), "testing", 0.10),
    (*design(testing=None), "testing", 0),
    (*design(security=["one"]), "security", 0.049),
    (*design(security=None), "security", 0.021),
    (*design(integration=None), "integration", 0.025),
    (*design(interfaces=None, none_because={"interfaces": "nobody calls it"}), "interfaces", 0.15),
    (*design(security=None, none_because={"security": "it is local"}), "security", 0.07),
    (*design(testing=None, none_because={"testing": "it is prose"}), "testing", 0.10),
    (*design(overview=None, none_because={"overview": ""}), "overview", 0),
    (*design(interfaces=None, none_because={"errors": "none"}), "interfaces", 0.045),
    (TASKS, whole(TASKS, groups=None), "groups", 0.05),
    (TASKS, tasks({"description": None}), "complete", 0.10),
    (TASKS, tasks({"type": None}, {"title": None}), "complete", 0),
    (TASKS, tasks({"hours": 6}), "hours", 0.075),
    (TASKS, tasks({"hours": 4}), "hours", 0.15),
    (TASKS, tasks({"hours": 0}), "hours", 0.075),
    (TASKS, tasks({"hours": None}, {"hours": 4.01}), "hours", 0),
    (TASKS, tasks({"acceptance": None}), "acceptance", 0.075),
    (TASKS, tasks({"check": None}), "check", 0.075),
    (TASKS, tasks({"check": None, "no_check_because": "prose"}), "check", 0.15),
    (TASKS, tasks({"creates": None}), "files", 0),
    (TASKS, tasks({"creates": None, "modifies": ["README.md"]}, {"modifies": ["shop/app.py"]}), "files", 0.15),
    (TASKS, tasks({}, {"modifies": ["shop/gone.py"]}), "files", 0.075),
    (TASKS, tasks({}, {"modifies": ["shop/*.py", "tests", "**"]}), "files", 0.15),
    (TASKS, tasks({}, {"modifies": ["web/*.js"]}), "files", 0.075),
    (TASKS, tasks({"group": "TKT-002"}), "group", 0.025),
    (TASKS, tasks({"group": None}), "group", 0.025),
    (TASKS, tasks({"id": "TSK-1"}, {"needs": None}), "id", 0.025),
]


@tabled(("phase", "value", "part", "points"), POINTS)
def test_a_part_brings_its_points_and_nothing_else_changes(phase, value, part, points):
    found = verdict(phase, value)
    weight = {row.name: row.weight for row in CHECKS[phase]}
    assert found.parts[part] == points
    assert found.score == round(math.fsum(found.parts.values()), 4)
    assert (points < weight[part]) == any(hint.startswith(f"{part}: ") for hint in found.hints)


def test_six_hours_on_one_of_two_tasks_cost_half_of_the_part_and_four_cost_nothing():
    """27. Given 6 h on one of two tasks: 0.075 less; 4 h: nothing."""
    assert verdict(TASKS, tasks()).score - verdict(TASKS, tasks({"hours": 6})).score == pytest.approx(0.075)
    assert verdict(TASKS, tasks({"hours": 4})).score == 1.0


EARS = [
    ("When a cart is empty, the shop shall hide it.", 1),
    ("WHILE it starts the shop MUST NOT answer", 1),
    ("where there is no session,\nit should make one", 1),
    ("If it fails, it may try again", 1),
    ("The shop shall hide a cart when it is empty", 0.5),
    ("The shop shall hide empty carts", 0.5),
    ("The shop should not fail", 0.5),
    ("The shop hides empty carts when asked", 0),
    ("To our dismay, mustard is shallow", 0),
    ("Whenever asked, the shop shall answer", 0.5),
    ("", 0),
]


@tabled(("text", "share"), EARS)
def test_a_requirement_is_worded_by_whole_words_in_any_case(text, share):
    """25. Given EARS, plain *shall*, none: 1, ½, 0; `dismay` is not `may`."""
    assert ears_score(text) == share


def test_a_repository_with_fewer_files_has_fewer_key_files():
    for files, points in (
        (frozenset(), 0.15),
        (frozenset({"shop/app.py"}), 0.15),
        (frozenset("ab"), 0.075),
        (None, 0.05),
    ):
        found = verdict(EXPLORE, whole(EXPLORE, key_files=KEY_FILES[:1]), CheckContext(files=files))
        assert found.parts["key_files"] == points
    assert verdict(EXPLORE, whole(EXPLORE, key_files=None), CheckContext(files=frozenset())).parts["key_files"] == 0.15


def test_without_a_repository_nothing_is_asked_of_files():
    nothing = CheckContext()
    assert verdict(TASKS, tasks({"modifies": ["shop/gone.py"]}), nothing).score == 1.0
    assert verdict(EXPLORE, whole(EXPLORE, key_files=[{"path": "gone", "purpose": "x"}] * 3), nothing).vetoes == ()


def test_a_document_without_requirements_is_told_so_by_each_part_that_looks_at_them():
    hints = [
        hint for hint in verdict(REQUIREMENTS, whole(REQUIREMENTS, requirements=None)).hints if "missing" not in hint
    ]
    parts = ["complete", "normative", "ears", "acceptance", "id"]
    assert hints == [f"{part}: there are no requirements" for part in parts]


GONE = [*KEY_FILES, {"path": "gone.py", "purpose": "x"}]
VETOES = [
    (*explore(key_files=GONE), [("no_such_file", "gone.py is not a file of the repository", "- gone.py: x")]),
    (*explore(key_files=[*KEY_FILES, {"path": "shop", "purpose": "x"}]),
     [("no_such_file", "shop is not a file of the repository", "- shop: x")]),
    (REQUIREMENTS, whole(REQUIREMENTS, requirements=None),
     [("no_requirements", "there are no requirements", "# requirements")]),
    (REQUIREMENTS, requirements({}, {"id": "REQ-CART-001"}),
     [("id_twice", "REQ-CART-001 is listed twice", "### REQ-CART-001 Survive a restart")]),
    (*design(components=None), [("no_components", "there are no components", "# design")]),
    (*design(components=None, none_because={"components": "x"}),
     [("no_components", "there are no components", "# design")]),
    (TASKS, {"groups": {"TKT-001": "Carts"}},
     [("no_tasks", "there are no tasks", "# tasks"), ("uncovered", "no task covers REQ-CART-001", "# tasks"),
      ("uncovered", "no task covers REQ-CART-002", "# tasks")]),
    (TASKS, tasks({}, {"id": "TSK-001", "needs": None}),
     [("id_twice", "TSK-001 is listed twice", "### TSK-001 Store carts")]),
    (TASKS, tasks({"needs": ["TSK-009"]}),
     [("unknown_need", "TSK-001 needs TSK-009, which is not a task", "- needs: TSK-009")]),
    (TASKS, tasks({"needs": ["TSK-002"]}),
     [("cycle", "tasks need each other: TSK-001 -> TSK-002 -> TSK-001", "- needs: TSK-002")]),
    (TASKS, tasks({"needs": ["TSK-001"]}),
     [("cycle", "tasks need each other: TSK-001 -> TSK-001", "- needs: TSK-001")]),
    (TASKS, tasks({"title": "x" * 301}),
     [("too_large", "the title of TSK-001 has 301 characters; the limit is 300", f"### TSK-001 {'x' * 301}")]),
    (TASKS, tasks({"requirements": None}), [("uncovered", "no task covers REQ-CART-001", "## tasks")]),
]  # fmt: skip


@tabled(("phase", "value", "vetoes"), VETOES, ids=range(len(VETOES)))
def test_a_veto_is_told_with_its_line(phase, value, vetoes):
    text = render(document(phase, value))
    found = judge(parse(phase, text), CONTEXT)
    lines = text.split("\n")
    assert [(veto.code, veto.text, lines[(veto.line or 0) - 1]) for veto in found.vetoes] == vetoes
    assert not found.passes(0)


def test_a_veto_of_a_json_text_has_its_line_too():
    text = json.dumps(tasks({"needs": ["TSK-002"]}), indent=1)
    (veto,) = judge(read_json(TASKS, text), CONTEXT).vetoes
    assert text.split("\n")[(veto.line or 0) - 1].strip() == '"needs": ['


def test_a_cycle_is_vetoed_with_its_path_at_full_score():
    """26. Given a cycle in tasks at score 1.0: vetoed with its path; an uncovered requirement: with its id."""
    found = verdict(TASKS, tasks({"needs": ["TSK-002"]}))
    assert found.score == 1.0
    assert not found.passes()
    assert "TSK-001 -> TSK-002 -> TSK-001" in found.vetoes[0].text
    assert "REQ-CART-002" in verdict(TASKS, tasks({}, {"requirements": []})).vetoes[0].text


def test_without_requirements_there_is_no_score():
    assert verdict(REQUIREMENTS, whole(REQUIREMENTS, requirements=[])).score == 0


def test_a_plan_is_vetoed_by_whatever_forbids_one_of_the_others():
    others = {**CONTEXT.documents, TASKS: document(TASKS, tasks({"needs": ["TSK-009"]}))}
    found = check(document(SYNC), CheckContext(others, FILES))
    assert found.score == 0
    assert [veto.text for veto in found.vetoes] == ["tasks: TSK-001 needs TSK-009, which is not a task"]


def test_a_score_just_below_the_threshold_fails_and_the_threshold_itself_passes():
    """24, the pure part: 0.69 fails, 0.70 passes."""
    assert not DocumentVerdict(DESIGN, 0.69).passes()
    assert DocumentVerdict(DESIGN, 0.70).passes(THRESHOLD)
    assert not DocumentVerdict(DESIGN, 0.8999).passes(0.9)
    assert not DocumentVerdict(DESIGN, 1.0, vetoes=(Fault("cycle", "x"),)).passes()


def test_what_can_not_be_read_is_a_veto_too():
    found = judge(read_json(TASKS, '{"tasks": [\n{"id": "TSK-001", "hours": "x"}]}'))
    assert [(veto.code, veto.line) for veto in found.vetoes] == [("invalid", 2)]


def test_a_hint_names_few_and_counts_the_rest():
    value = {"tasks": [{"id": f"TSK-{n:03}"} for n in range(1, 9)]}
    hints = verdict(TASKS, value, CheckContext()).hints
    assert "hours: TSK-001, TSK-002, TSK-003 and 5 more should take more than 0 and at most 4" in hints


def test_a_requirement_that_nobody_knows_is_a_hint():
    hints = verdict(TASKS, tasks({"requirements": ["REQ-CART-001", "REQ-X-001"]})).hints
    assert hints == ("requirements: REQ-X-001 not in requirements.md",)


@given(VALUES)
def test_any_document_is_judged_twice_the_same_and_the_same_in_either_form(case):
    """22: spec check says what the run says, twice the same."""
    phase, value = case
    made = document(phase, value)
    found = check(made, CONTEXT)
    assert found == check(made, CONTEXT)
    assert 0 <= found.score <= 1
    assert found.score == round(found.score, 4)
    again = judge(parse(phase, render(made)), CONTEXT)
    assert (again.score, again.parts, again.hints) == (found.score, found.parts, found.hints)


@given(st.sampled_from(PHASES), JSON_VALUES)
def test_any_value_is_judged(phase, value):
    judge(read(phase, value), CONTEXT)


def test_the_page_about_specs_has_the_table():
    with open(os.path.join(REPOSITORY, "docs", "specs.md"), encoding="utf-8") as file:
        rows = re.findall(r"^\| (\w*) ?\| `(\w+)` \| (0\.\d\d) \|", file.read(), re.MULTILINE)
    expected = [
        (str(phase) if place == 0 else "", part.name, score_text(part.weight))
        for phase in PHASES
        for place, part in enumerate(CHECKS[phase])
    ]
    assert rows == expected


SCORES = [
    (0, "0.00"),
    (1, "1.00"),
    (0.95, "0.95"),
    (0.7, "0.70"),
    (0.6975, "0.6975"),
    (0.125, "0.125"),
    (0.6999, "0.6999"),
]


@tabled(("score", "text"), SCORES)
def test_a_score_is_shown_with_all_that_it_has(score, text):
    assert score_text(score) == text
