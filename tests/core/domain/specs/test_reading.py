"""A document is read from whatever somebody handed in: what is wrong is named with its place, the rest is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.specs.document_json import as_json, document_hash, json_lines, read_json, schema
from overmind_core.domain.specs.reading import is_id, read
from overmind_core.domain.specs.shape import MAX_BYTES, MAX_TEXT, SHAPES, CriticalPath, OpenQuestion, SpecTask
from overmind_core.domain.specs.spec import PHASES, PhaseName
from tests.kit.cases import tabled
from tests.kit.spec_documents import JSON_VALUES, VALUES, WHOLE, tasks, whole

EXPLORE, REQUIREMENTS, DESIGN, TASKS, SYNC = PHASES


def faults(phase, value):
    return [(fault.path, fault.text) for fault in read(phase, value).faults]


@pytest.mark.parametrize("phase", PHASES)
def test_a_whole_document_is_read_without_a_fault_and_written_as_it_was(phase):
    reading = read(phase, WHOLE[phase])
    assert reading.faults == ()
    assert as_json(reading.document) == {"phase": phase, "title": "", **WHOLE[phase]}


def test_a_task_is_read_with_its_types():
    document: Any = read(TASKS, tasks()).document
    assert document.groups == {"TKT-001": "Carts"}
    assert document.tasks[1] == SpecTask(
        id="TSK-002",
        title="Store carts",
        description="Keep each cart as a file beside the session.",
        type="feature",
        priority="medium",
        group="TKT-001",
        creates=("shop/cart_store.py",),
        modifies=("shop/app.py", "shop/cart.py"),
        hours=1.5,
        needs=("TSK-001",),
        requirements=("REQ-CART-002",),
        acceptance=("a cart survives a restart",),
        check="pytest -q tests/test_cart_store.py",
    )


WRONG: list[tuple[PhaseName, object, tuple[str | int, ...], str]] = [
    (TASKS, [], (), "must be an object with the fields of this document"),
    (TASKS, None, (), "must be an object with the fields of this document"),
    (TASKS, {"phase": "design"}, ("phase",), "phase: must be tasks"),
    (TASKS, {"tasks": {"id": "TSK-001"}}, ("tasks",), "tasks: must be a list of things"),
    (REQUIREMENTS, {"requirements": [7]}, ("requirements", 0),
     "requirements: must be an object with id, title, type, priority, acceptance, text"),
    (TASKS, {"tasks": [{"title": "x"}]}, ("tasks", 0, "id"), "id: missing"),
    (TASKS, tasks({"id": "a b"}), ("tasks", 0, "id"),
     "id: 'a b' is not an id: use letters, digits, '.', '_' and '-', at most 40"),
    (TASKS, tasks({"id": "x" * 41}), ("tasks", 0, "id"),
     f"id: '{'x' * 40}' is not an id: use letters, digits, '.', '_' and '-', at most 40"),
    (TASKS, tasks({"id": "../x"}), ("tasks", 0, "id"),
     "id: '../x' is not an id: use letters, digits, '.', '_' and '-', at most 40"),
    (TASKS, tasks({"title": 7}), ("tasks", 0, "title"), "title: must be text"),
    (TASKS, tasks({"check": ["make"]}), ("tasks", 0, "check"), "check: must be text"),
    (TASKS, tasks({"hours": "soon"}), ("tasks", 0, "hours"), "hours: must be a number of hours, such as 1.5"),
    (TASKS, tasks({"hours": True}), ("tasks", 0, "hours"), "hours: must be a number of hours, such as 1.5"),
    (TASKS, tasks({"hours": -1}), ("tasks", 0, "hours"), "hours: must be a number of hours, such as 1.5"),
    (TASKS, tasks({"hours": float("nan")}), ("tasks", 0, "hours"), "hours: must be a number of hours, such as 1.5"),
    (TASKS, tasks({"hours": 10**400}), ("tasks", 0, "hours"), "hours: must be a number of hours, such as 1.5"),
    (TASKS, tasks({"needs": {"a": 1}}), ("tasks", 0, "needs"), "needs: must be a list of ids"),
    (TASKS, tasks({"needs": [["TSK-002"]]}), ("tasks", 0, "needs", 0), "needs: must be text"),
    (TASKS, tasks({"creates": ["/etc/passwd"]}), ("tasks", 0, "creates", 0),
     "creates: '/etc/passwd' is absolute: make it relative to the top of the repository"),
    (TASKS, tasks({"modifies": ["a", "b/../../c"]}), ("tasks", 0, "modifies", 1),
     "modifies: 'b/../../c' must not contain '..'"),
    (TASKS, tasks({"modifies": ["./"]}), ("tasks", 0, "modifies", 0), "modifies: './' is the whole repository"),
    (TASKS, tasks({"modifies": ["a\nb"]}), ("tasks", 0, "modifies", 0), "modifies: 'a\\nb' has more than one line"),
    (TASKS, tasks({"modifies": ["a/" * 2500]}), ("tasks", 0, "modifies", 0),
     f"modifies: '{'a/' * 20}' has more than 500 characters"),
    (TASKS, tasks({"Needs": ["TSK-002"], "needs": []}), ("tasks", 0, "Needs"), "Needs: listed twice"),
    (TASKS, tasks({" ": "x"}), ("tasks", 0, " "), " : empty key"),
    (TASKS, whole(TASKS, groups=["a"]), ("groups",), "groups: must be an object of texts"),
    (TASKS, whole(TASKS, groups={"a": "x", " a": "y"}), ("groups", " a"), " a: listed twice"),
    (TASKS, whole(TASKS, title=3), ("title",), "title: must be text"),
    (EXPLORE, whole(EXPLORE, conventions="nouns"), ("conventions",),
     "conventions: must be an object with naming, testing, patterns"),
    (EXPLORE, whole(EXPLORE, key_files=[3]), ("key_files", 0), "key_files: must be an object with path, purpose"),
    (EXPLORE, whole(EXPLORE, key_files=["~/../x"]), ("key_files", 0, "path"),
     "path: '~/../x' must not contain '..'"),
    (EXPLORE, whole(EXPLORE, key_files=["shop/app.py/"]), ("key_files", 0, "path"),
     "path: 'shop/app.py/' is a folder: name a file"),
    (EXPLORE, whole(EXPLORE, key_files=[{"path": " shop//app.py/. ", "purpose": "x"}]), ("key_files", 0, "path"),
     "path: 'shop//app.py/.' is a folder: name a file"),
    (EXPLORE, whole(EXPLORE, key_files=["/"]), ("key_files", 0, "path"),
     "path: '/' is absolute: make it relative to the top of the repository"),
    (REQUIREMENTS, whole(REQUIREMENTS, requirements=[{"id": "R"}] * 201), ("requirements",),
     "requirements: 201 entries; the limit is 200"),
    (TASKS, whole(TASKS, tasks=[{"id": "T"}] * 501), ("tasks",), "tasks: 501 entries; the limit is 500"),
    (TASKS, tasks({"needs": [f"T{n}" for n in range(101)]}), ("tasks", 0, "needs"),
     "needs: 101 entries; the limit is 100"),
    (TASKS, tasks({"description": "x" * 20_001}), ("tasks", 0, "description"),
     "description: 20,001 characters; the limit is 20,000"),
    (DESIGN, whole(DESIGN, sections=[{"heading": "Overview", "text": "x"}]), ("sections", 0),
     "sections: 'Overview' is a field of this document"),
    (DESIGN, whole(DESIGN, sections=["x"]), ("sections", 0), "sections: must be an object with heading and text"),
]  # fmt: skip


@tabled(("phase", "value", "path", "text"), WRONG)
def test_what_is_wrong_is_told_with_its_path(phase, value, path, text):
    assert faults(phase, value) == [(path, text)]


def test_all_that_is_wrong_is_told_at_once_but_not_without_end():
    assert len(faults(TASKS, {"tasks": [{"id": "?"}] * 50})) == 50
    assert len(faults(TASKS, {"tasks": [{"id": "?"}] * 500})) == 100


def test_what_is_too_large_is_called_so():
    assert {fault.code for fault in read(TASKS, tasks({"description": "x" * 20_001})).faults} == {"too_large"}
    assert {fault.code for fault in read(TASKS, tasks({"title": 7})).faults} == {"invalid"}


def test_the_rest_is_kept():
    document: Any = read(TASKS, tasks({"hours": "soon", "creates": ["/x", "a.py"]})).document
    assert document.tasks[0].title == "Write the cart"
    assert document.tasks[0].hours is None
    assert document.tasks[0].creates == ("a.py",)


GENEROUS = [
    (TASKS, tasks({"needs": "TSK-002"}), lambda d: d.tasks[0].needs, ("TSK-002",)),
    (TASKS, tasks({"needs": ["TSK-002", "TSK-002", ""]}), lambda d: d.tasks[0].needs, ("TSK-002",)),
    (TASKS, tasks({"needs": ["a\nb"]}), lambda d: d.tasks[0].needs, ("a b",)),
    (TASKS, tasks({"hours": "1.5"}), lambda d: d.tasks[0].hours, 1.5),
    (TASKS, tasks({"creates": ["./shop//cart.py", "shop/"]}), lambda d: d.tasks[0].creates, ("shop/cart.py", "shop")),
    (TASKS, tasks({"creates": ["app/[id]/page.tsx"]}), lambda d: d.tasks[0].creates, ("app/[id]/page.tsx",)),
    (TASKS, tasks({"title": "  two\nlines\t"}), lambda d: d.tasks[0].title, "two lines"),
    (TASKS, tasks({"description": "\r\n a \r\n\x1b[31mb\ud800  \n\n"}), lambda d: d.tasks[0].description,
     "a\n\ufffd[31mb\ufffd"),
    (TASKS, tasks({"acceptance": [{"given": "a", "then": ["b"]}, 3, None, " "]}), lambda d: d.tasks[0].acceptance,
     ('given: a\nthen: ["b"]', "3")),
    (TASKS, tasks({"No check because": "docs"}), lambda d: d.tasks[0].no_check_because, "docs"),
    (TASKS, tasks({"risk": "low", "size": {"lines": 40}, "$id": "x"}), lambda d: d.tasks[0].other,
     (("risk", "low"), ("size", "lines: 40"))),
    (TASKS, tasks({"check": None}), lambda d: d.tasks[0].check, ""),
    (DESIGN, whole(DESIGN, testing="by hand"), lambda d: (d.testing.text, d.testing.unit), ("by hand", "")),
    (DESIGN, whole(DESIGN, components=["cart"]), lambda d: d.components[0].responsibility, "cart"),
    (EXPLORE, whole(EXPLORE, structure={"shop": {"api": "routes"}}), lambda d: d.structure, {"shop": "api: routes"}),
    (EXPLORE, whole(EXPLORE, questions=[{"category": "users", "question": "Who?", "answer": "all"}, "Why?"]),
     lambda d: d.questions, (OpenQuestion("users", "Who?\nanswer: all"), OpenQuestion("", "Why?"))),
    (EXPLORE, whole(EXPLORE, key_files=[{}, {"path": None}]), lambda d: d.key_files, ()),
    (SYNC, whole(SYNC, critical_path={"tasks": "TSK-001"}), lambda d: d.critical_path, CriticalPath(("TSK-001",))),
    (DESIGN, whole(DESIGN, title=" Carts\n"), lambda d: d.title, "Carts"),
    (DESIGN, whole(DESIGN, notes=["a", {"b": 1}]), lambda d: [(s.heading, s.text) for s in d.sections],
     [("notes", '- a\n- {"b": 1}')]),
    (DESIGN, whole(DESIGN, notes="a\n## overview\nb"), lambda d: d.sections[0].text, "a\n\\## overview\nb"),
]  # fmt: skip


@tabled(("phase", "value", "look", "expected"), GENEROUS)
def test_what_can_be_understood_is(phase, value, look, expected):
    reading = read(phase, value)
    assert reading.faults == ()
    assert look(reading.document) == expected


@given(st.sampled_from(PHASES), JSON_VALUES)
def test_any_value_is_read(phase, value):
    reading = read(phase, value)
    assert reading.document.phase is phase
    assert isinstance(value, dict) or reading.faults


@given(VALUES)
def test_a_document_is_read_from_the_json_that_it_is_written_as(case):
    phase, value = case
    document = read(phase, value, title="Carts").document
    assert read(phase, json.loads(json.dumps(as_json(document)))).document == document


# JSON texts


BROKEN = [
    ('{\n "tasks": [,]\n}', "not valid JSON: Expecting value, column 12", 2),
    ("", "not valid JSON: Expecting value, column 1", 1),
    ("[" * 100_000, "nested too deep", 1),
    ('{"tasks": ' + "9" * 5000 + "}", "a number has too many digits", 1),
    (" " * (MAX_BYTES + 1), "larger than 1 MiB", 1),
    ("[]", "must be an object with the fields of this document", 1),
    ('\ufeff{"tasks":\n  [{\n  "id": "T",\n\n "hours": "x"}]}', "hours: must be a number of hours, such as 1.5", 5),
    ('{"tasks": ["a",\n {"id": "T", "creates": [\n "a",\n "/b"]}]}',
     "creates: '/b' is absolute: make it relative to the top of the repository", 4),
]  # fmt: skip


@tabled(("text", "sentence", "line"), BROKEN, ids=range(len(BROKEN)))
def test_what_is_wrong_in_a_json_text_is_told_with_its_line(text, sentence, line):
    """23, the pure part: broken JSON says line and column."""
    assert (sentence, line) in [(fault.text, fault.line) for fault in read_json(TASKS, text).faults]


@given(JSON_VALUES, st.sampled_from([None, 1]))
def test_every_value_of_a_json_text_has_a_line(value, indent):
    text = json.dumps(value, indent=indent)
    lines = json_lines(text)

    def paths(one, path=()):
        yield path
        entries = one.items() if isinstance(one, dict) else enumerate(one) if isinstance(one, list) else ()
        for key, inner in entries:
            yield from paths(inner, (*path, key))

    assert set(lines) == set(paths(json.loads(text)))
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())
    assert indent or set(lines.values()) == {1}


def test_the_lines_of_a_long_text_are_found():
    text = json.dumps({"tasks": [{"id": "T", "description": "\\" * 200_000}]}, indent=1)
    assert json_lines(text)["tasks", 0, "description"] == 5


def test_the_hash_of_a_document_is_of_what_it_says():
    value = whole(TASKS)
    first = document_hash(read(TASKS, value).document)
    shuffled = dict(reversed(value.items())) | {"title": "Carts", "phase": "tasks", "notes": None}
    shuffled["tasks"] = [dict(reversed(task.items())) for task in value["tasks"]]
    assert document_hash(read(TASKS, shuffled).document) == first
    assert document_hash(read(TASKS, tasks({"hours": 2.5})).document) != first
    assert document_hash(read(TASKS, whole(TASKS, notes="more")).document) != first
    assert len(first) == 64


# the schema


@pytest.mark.parametrize("phase", PHASES)
def test_the_schema_describes_each_field_and_is_met_by_a_whole_document(phase):
    made = schema(phase)
    assert json.loads(json.dumps(made)) == made
    assert list(made["properties"]) == [row.name for row in SHAPES[phase].fields]
    assert_met(made, WHOLE[phase])


def assert_met(made, value):
    """The part of JSON schema that is used."""
    kinds: dict[str, Any] = {"object": dict, "array": list, "string": str, "number": (int, float)}
    assert isinstance(value, kinds[made["type"]])
    assert made["description"] or made["type"] == "string"
    if made["type"] == "object":
        assert set(made.get("required", ())) <= set(value)
        for name, inner in value.items():
            assert_met(
                {"description": name, **made.get("properties", {}).get(name, made.get("additionalProperties"))}, inner
            )
    if made["type"] == "array":
        assert len(value) <= made.get("maxItems", len(value))
        for inner in value:
            assert_met({"description": "one", **made["items"]}, inner)


def test_an_id_is_one_word_that_a_quest_may_be_called():
    assert all(map(is_id, ("TSK-001", "a", "R.1_b", "x" * 40)))
    assert not any(map(is_id, ("", "-a", "a b", "a/b", "..", "a..b", "é", "x" * 41, "a\n")))
    assert MAX_TEXT == 20_000
    assert PhaseName("sync") is SYNC
