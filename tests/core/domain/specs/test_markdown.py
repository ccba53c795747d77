"""A document as Markdown says the same as its JSON, and a person may write it by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.specs.document_json import document_hash
from overmind_core.domain.specs.markdown import parse, phase_of, render, render_thing
from overmind_core.domain.specs.reading import read
from overmind_core.domain.specs.shape import MAX_BYTES, SPEC_TASK, FreeSection, OpenQuestion, SpecTask
from overmind_core.domain.specs.spec import PHASES
from tests.kit import torture
from tests.kit.cases import tabled
from tests.kit.spec_documents import MARKDOWN, TEXTS, VALUES, WHOLE, tasks, whole

EXPLORE, REQUIREMENTS, DESIGN, TASKS, SYNC = PHASES

WRITTEN = """\
# tasks: Carts

## groups

- TKT-001: Carts

## tasks

### TSK-001 Write the cart

- type: feature
- priority: high
- group: TKT-001
- creates: shop/cart.py, tests/test_cart.py
- hours: 2
- requirements: REQ-CART-001
- acceptance:
  - a book that is added twice counts 2
- check: pytest -q tests/test_cart.py

Add and remove books, and count them.

### TSK-002 Store carts

- type: feature
- priority: medium
- group: TKT-001
- creates: shop/cart_store.py
- modifies: shop/app.py, shop/cart.py
- hours: 1.5
- needs: TSK-001
- requirements: REQ-CART-002
- acceptance:
  - a cart survives a restart
- check: pytest -q tests/test_cart_store.py

Keep each cart as a file beside the session.
"""


def test_tasks_look_like_this():
    document = read(TASKS, tasks(), title="Carts").document
    assert render(document) == WRITTEN
    assert parse(TASKS, WRITTEN).document == document


def test_an_exploration_looks_like_this():
    lines = render(read(EXPLORE, WHOLE[EXPLORE], title="Carts").document).split("\n")
    for block in (
        ["# explore: Carts", "", "## codebase summary", "", WHOLE[EXPLORE]["codebase_summary"], ""],
        ["## structure", "", "- shop: the application", "- tests: its tests", ""],
        ["- shop/app.py: makes the application"],
        ["- users: Who has no account?"],
        ["- name: Carts", "- problem: A visitor can buy one book at a time.", "- scope_in:", "  - add and remove"],
    ):
        start = lines.index(block[0])
        assert lines[start : start + len(block)] == block


@given(VALUES, TEXTS)
def test_what_is_written_is_read_as_the_same(case, title):
    """22: parse(render(d)) == d, the text is stable, and so is the hash."""
    phase, value = case
    document = read(phase, value, title=title).document
    text = render(document)
    reading = parse(phase, text)
    assert reading.document == document
    assert {fault.text for fault in reading.faults} <= {"id: missing"}
    assert render(reading.document) == text
    assert document_hash(reading.document) == document_hash(document)
    assert text.encode().decode() == text


@given(st.sampled_from(PHASES), MARKDOWN)
def test_any_text_is_read_and_is_stable_after_one_pass(phase, text):
    """22: text to document to text."""
    first = render(parse(phase, text).document)
    again = parse(phase, first)
    assert render(again.document) == first
    assert again.document == parse(phase, text).document


@given(st.sampled_from(PHASES), MARKDOWN)
def test_each_fault_has_a_line_of_the_text(phase, text):
    last = text.replace("\r", "\n").count("\n") + 1
    assert all(1 <= (fault.line or 0) <= last for fault in parse(phase, text).faults)


BY_HAND = [
    (TASKS, "# Tasks : Carts\r\n## Tasks\r\n### T1 Write\r\n- Needs: a,b\r\n", lambda d: (d.title, d.tasks),
     ("Carts", (SpecTask("T1", "Write", needs=("a", "b")),))),
    (TASKS, "\ufeff\n\n# tasks\n## tasks\n### Über uns\n### T\n- hours:\n", lambda d: [t.title for t in d.tasks],
     ["Über uns", ""]),
    (TASKS, ("# tasks\n## tasks\n### T\n- acceptance: it works\n  - and this\n    as well\n  * and that\n- check: a\n"
             "  b\n\n  c\n\nText\n- with a list\n### U\n"), lambda d: d.tasks[0],
     SpecTask("T", acceptance=("it works", "and this\nas well", "and that"), check="a\nb\n\nc",
              description="Text\n- with a list")),
    (TASKS, "# tasks\n## tasks\n### T\n- creates:\n  - a,b.py\n  - c\n- modifies: d,\n  e\n",
     lambda d: (d.tasks[0].creates, d.tasks[0].modifies), (("a,b.py", "c"), ("d", "e"))),
    (TASKS, "# tasks\n## tasks\n### T\n- Risk: low\n", lambda d: d.tasks[0].other, (("Risk", "low"),)),
    (REQUIREMENTS, "# requirements\n## assumptions\nNone\nat all.\n\n* one\ntwo\n", lambda d: d.assumptions,
     ("None\nat all.", "one\ntwo")),
    (REQUIREMENTS, "# requirements\n## traceability\n- a:b\\: c: d: e\n- f:\n", lambda d: d.traceability,
     {"a:b: c": "d: e", "f": ""}),
    (EXPLORE, "# explore\n## questions\n- users: Who?\n  All.\n- Why so?\n", lambda d: d.questions,
     (OpenQuestion("users", "Who?\nAll."), OpenQuestion("", "Why so?"))),
    (DESIGN, "# design\n## overview\n\\# no heading\n\\- no item\n\\\\ no escape\n\\alpha\n### small\n- item\n\n",
     lambda d: d.overview, "# no heading\n- no item\n\\ no escape\n\\alpha\n### small\n- item"),
    (DESIGN, "# design\n## testing\n- unit: all\n\nBy hand.\n", lambda d: (d.testing.unit, d.testing.text),
     ("all", "By hand.")),
    (DESIGN, "# design\nRead this.\n## My notes\n\n    code\n### x\n- a\n## Overview\nx\n## My notes\n",
     lambda d: (d.sections, d.overview),
     ((FreeSection("", "Read this."), FreeSection("My notes", "    code\n### x\n- a"), FreeSection("My notes", "")),
      "x")),
    (SYNC, "# sync\n## coverage\n- R: T, U\n## hours\n3.5\n## critical path\n- tasks: T\n- hours: 2\n",
     lambda d: (d.coverage[0].tasks, d.hours, d.critical_path.hours), (("T", "U"), 3.5, 2.0)),
]  # fmt: skip


@tabled(("phase", "text", "look", "expected"), BY_HAND, ids=range(len(BY_HAND)))
def test_what_a_person_writes_is_understood(phase, text, look, expected):
    reading = parse(phase, text)
    assert {fault.text for fault in reading.faults} <= {"id: missing"}
    assert look(reading.document) == expected


WRONG = [
    (TASKS, "", 1, "expected `# tasks: TITLE` first"),
    (TASKS, "\n\n# design: Carts\n", 3, "expected `# tasks: TITLE` first"),
    (TASKS, "hello\n# tasks\n", 1, "expected `# tasks: TITLE` first"),
    (TASKS, "# tasks\n## groups\n- a: b\n## Groups\n- c: d\n", 4,
     "section 'Groups' is listed twice, first on line 2"),
    (TASKS, "# tasks\n## groups\n- a: b\n\n- a: c\n", 5, "'a' is listed twice"),
    (TASKS, "# tasks\n## groups\n- : b\n", 3, "the name before the colon is missing"),
    (TASKS, "# tasks\n## groups\n- a\n", 3, "expected `- key: value`"),
    (TASKS, "# tasks\n## groups\n\nCarts\n", 4, "expected `- key: value`"),
    (TASKS, "# tasks\n## tasks\n\n- a: b\n### T\n", 4, "expected `### ID TITLE` before this"),
    (TASKS, "# tasks\n## tasks\n### Über\n", 3, "id: missing"),
    (TASKS, "# tasks\n## tasks\n### T\n- needs: a\n- needs: b\n", 5, "needs is listed twice"),
    (TASKS, "# tasks\n## tasks\n### T\n- title: b\n", 4, "title is listed twice"),
    (TASKS, "# tasks\n## tasks\n### T\n- description: b\n\nText\n", 6, "description is listed twice"),
    (TASKS, "# tasks\n## tasks\n### T\n- alone\n", 4, "expected `- key: value`"),
    (TASKS, "# tasks\n## tasks\n### T\n\n- hours: two\n", 5, "hours: must be a number of hours, such as 1.5"),
    (TASKS, "# tasks\n## tasks\n### T\n- creates: a, /b\n", 4,
     "creates: '/b' is absolute: make it relative to the top of the repository"),
    (EXPLORE, "# explore\n## feature\n- name: x\n\nText\n", 5, "expected `- key: value`"),
    (EXPLORE, "# explore\n## key files\n- ../x: y\n", 3, "path: '../x' must not contain '..'"),
    (SYNC, "# sync\n## hours\nmany\n", 2, "hours: must be a number of hours, such as 1.5"),
    (SYNC, "x" * (MAX_BYTES + 1), 1, "larger than 1 MiB"),
]  # fmt: skip


@tabled(("phase", "text", "line", "sentence"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_told_with_its_line(phase, text, line, sentence):
    assert [(fault.line, fault.text) for fault in parse(phase, text).faults] == [(line, sentence)]


def test_only_so_much_is_told_of_a_text_that_is_none():
    assert len(parse(TASKS, "# tasks\n## groups\n" + "- x\n" * 5000).faults) == 100


def test_layout_is_free():
    """29, the pure part: only the layout was edited."""
    spread = WRITTEN.replace("\n", "\n\n").replace("- ", "-   ").replace("## groups", "##  Groups  ")
    before, after = parse(TASKS, WRITTEN), parse(TASKS, spread)
    assert not after.faults
    assert document_hash(after.document) == document_hash(before.document)


def test_a_hostile_text_takes_no_longer_than_its_length():
    many = torture.portion(900_000)
    for line in ("- \\" * (many // 3), "#" * many, "- " + ":" * many, "\n" * many, "- a\n" * (many // 4)):
        for phase in (TASKS, EXPLORE):
            render(parse(phase, f"# {phase}\n## {'groups' if phase is TASKS else 'questions'}\n{line}").document)


def test_a_task_alone_can_be_shown():
    document: Any = read(TASKS, tasks()).document
    assert render_thing(document.tasks[0], SPEC_TASK).startswith("- type: feature\n- priority: high\n")
    assert render_thing(SpecTask("T", description="- a"), SPEC_TASK) == "\\- a\n"


@pytest.mark.parametrize("phase", PHASES)
def test_a_document_says_its_phase(phase):
    assert phase_of(render(read(phase, whole(phase), title="Carts").document)) is phase
    assert phase_of(f"\ufeff\n#  {str(phase).upper()}\n") is phase


@pytest.mark.parametrize("text", ["", "# notes: x", "tasks", "## tasks", "x\n# tasks"])
def test_any_other_text_says_none(text):
    assert phase_of(text) is None
