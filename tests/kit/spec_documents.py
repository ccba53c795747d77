"""Documents of specs: whole ones that pass with full marks, and any that hypothesis can think of.

They are data of their own, not those of `overmind demo spec`: nothing can be added to these, and tests and goldens rely
on that. Those of the demonstration are about its own shop, and its requirements are weak on purpose.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from overmind_core.domain.specs.markdown import render
from overmind_core.domain.specs.reading import read
from overmind_core.domain.specs.shape import SHAPES, DocumentField, FieldKind, ThingShape
from overmind_core.domain.specs.spec import PHASES, PhaseName

Value = dict[str, Any]

EXPLORE: Value = {
    "codebase_summary": "A shop in Flask that sells books, with a catalogue, a checkout and no carts.",
    "project_type": "web service",
    "tech_stack": ["Python 3.12", "Flask"],
    "structure": {"shop": "the application", "tests": "its tests"},
    "key_files": [
        {"path": "shop/app.py", "purpose": "makes the application"},
        {"path": "shop/store.py", "purpose": "keeps orders as JSON"},
        {"path": "tests/test_app.py", "purpose": "shows how requests are tested"},
    ],
    "conventions": {
        "naming": "nouns for modules, verbs for functions",
        "testing": "pytest, a test beside each module",
        "patterns": "functions that take the store",
    },
    "questions": [
        {"category": "problem", "question": "Why do visitors leave before they pay?"},
        {"category": "users", "question": "Who has no account?"},
        {"category": "scope", "question": "Are there vouchers?"},
        {"category": "technical", "question": "Where is a session kept?"},
        {"category": "risks", "question": "What if two tabs change one cart?"},
    ],
    "feature": {
        "name": "Carts",
        "problem": "A visitor can buy one book at a time.",
        "scope_in": ["add and remove", "survive a restart"],
        "scope_out": ["vouchers"],
    },
    "patterns": ["orders are stored the same way"],
    "related": ["the checkout reads what is bought"],
}
REQUIREMENTS: Value = {
    "feature_name": "Carts",
    "requirements": [
        {
            "id": "REQ-CART-001",
            "title": "Add a book",
            "text": "When a visitor adds a book, the shop shall keep it in the visitor's cart.",
            "type": "functional",
            "priority": "high",
            "acceptance": ["the cart shows the book", "adding it twice shows 2"],
        },
        {
            "id": "REQ-CART-002",
            "title": "Survive a restart",
            "text": "When the shop starts again, it shall not lose a cart.",
            "type": "reliability",
            "priority": "medium",
            "acceptance": ["the cart is there after a restart", "an empty cart leaves no file"],
        },
    ],
    "assumptions": ["a visitor has a session"],
    "out_of_scope": ["vouchers"],
    "traceability": {"REQ-CART-001": "brief", "REQ-CART-002": "brief"},
}
DESIGN: Value = {
    "feature_name": "Carts",
    "overview": (
        "A cart is a mapping of a book to its number, kept as JSON beside the session. Requests change it through one "
        "module, which writes the file anew and renames it."
    ),
    "components": [
        {"name": "cart", "responsibility": "adds, removes and counts books"},
        {"name": "cart store", "responsibility": "reads and writes carts"},
    ],
    "data_models": ["cart: book → number"],
    "interfaces": ["POST /cart/<book> adds one"],
    "errors": "A cart that can't be read is empty, and the log says so.",
    "testing": {"unit": "the cart without a store", "integration": "requests over a restart"},
    "security": ["a session names its own cart only", "names of files are made of digests"],
    "integration": ["the checkout takes the cart"],
}
TASKS: Value = {
    "groups": {"TKT-001": "Carts"},
    "tasks": [
        {
            "id": "TSK-001",
            "title": "Write the cart",
            "description": "Add and remove books, and count them.",
            "type": "feature",
            "priority": "high",
            "group": "TKT-001",
            "creates": ["shop/cart.py", "tests/test_cart.py"],
            "hours": 2,
            "requirements": ["REQ-CART-001"],
            "acceptance": ["a book that is added twice counts 2"],
            "check": "pytest -q tests/test_cart.py",
        },
        {
            "id": "TSK-002",
            "title": "Store carts",
            "description": "Keep each cart as a file beside the session.",
            "type": "feature",
            "priority": "medium",
            "group": "TKT-001",
            "creates": ["shop/cart_store.py"],
            "modifies": ["shop/app.py", "shop/cart.py"],
            "hours": 1.5,
            "needs": ["TSK-001"],
            "requirements": ["REQ-CART-002"],
            "acceptance": ["a cart survives a restart"],
            "check": "pytest -q tests/test_cart_store.py",
        },
    ],
}
SYNC: Value = {
    "coverage": [
        {"requirement": "REQ-CART-001", "tasks": ["TSK-001"]},
        {"requirement": "REQ-CART-002", "tasks": ["TSK-002"]},
    ],
    "order": ["TSK-001", "TSK-002"],
    "critical_path": {"tasks": ["TSK-001", "TSK-002"], "hours": 3.5},
    "hours": 3.5,
}
WHOLE: dict[PhaseName, Value] = dict(zip(PHASES, (EXPLORE, REQUIREMENTS, DESIGN, TASKS, SYNC), strict=True))
"""Phase → the value of a document to which nothing can be added."""
FILES = frozenset({"README.md", "shop/app.py", "shop/store.py", "tests/test_app.py"})
"""Of the repository that they are about."""


def whole(phase: PhaseName, /, **changed: object) -> Value:
    """Return a whole document with other fields; one that is None is left out."""
    value = deepcopy(WHOLE[phase]) | changed
    return {name: one for name, one in value.items() if one is not None}


def tasks(*changes: Value) -> Value:
    """Return the whole document of tasks, with a change for each of the first tasks, as `whole`."""
    value = deepcopy(TASKS)
    for task, changed in zip(value["tasks"], changes, strict=False):
        task.update(changed)
    value["tasks"] = [{name: one for name, one in task.items() if one is not None} for task in value["tasks"]]
    return value


def write_files(top: str) -> None:
    """Write the files that they speak of into a folder."""
    for name in sorted(FILES):
        os.makedirs(os.path.dirname(os.path.join(top, name)), exist_ok=True)
        with open(os.path.join(top, name), "w", encoding="utf-8") as file:
            file.write(f"{name}\n")


def write_documents(folder: str, values: Mapping[PhaseName, Value], title: str = "Carts") -> None:
    """Write documents as Markdown into the folder of a spec, which is made."""
    os.makedirs(folder, exist_ok=True)
    for phase, value in values.items():
        with open(os.path.join(folder, f"{phase}.md"), "w", encoding="utf-8") as file:
            file.write(render(read(phase, value, title=title).document))


def checked(command: str) -> Value:
    """Return the whole document of tasks, each with this check."""
    return tasks(*({"check": command} for _ in TASKS["tasks"]))


TEXTS = st.one_of(st.text(max_size=30), st.text("ab-#\\: \n\t,*?_.|`", max_size=20))
"""Texts, and those that look like Markdown."""
_IDS = st.one_of(st.sampled_from(["TSK-001", "TSK-002", "REQ-A-001", "x", "?"]), TEXTS)
_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS)
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)
"""Whatever JSON can say."""


def _fitting(row: DocumentField) -> st.SearchStrategy[Any]:
    kinds: dict[FieldKind, st.SearchStrategy[Any]] = {
        FieldKind.ID: _IDS,
        FieldKind.HOURS: st.one_of(st.floats(0, 100), st.integers(0, 9)),
        FieldKind.TEXTS: st.lists(TEXTS, max_size=3),
        FieldKind.PATHS: st.lists(TEXTS, max_size=3),
        FieldKind.IDS: st.lists(_IDS, max_size=3),
        FieldKind.MAP: st.dictionaries(TEXTS, TEXTS, max_size=3),
    }
    if row.of is None:
        return kinds.get(row.kind, TEXTS)
    return _things(row.of) if row.kind is FieldKind.RECORD else st.lists(_things(row.of), max_size=3)


def _field(row: DocumentField) -> st.SearchStrategy[Any]:
    """Mostly what the table says, now and then anything else."""
    fits = _fitting(row)
    return st.one_of(fits, fits, fits, fits, JSON_VALUES)


def _things(shape: ThingShape) -> st.SearchStrategy[Value]:
    known = st.fixed_dictionaries({}, optional={row.name: _field(row) for row in shape.fields})
    return st.builds(lambda fields, other: other | fields, known, st.dictionaries(TEXTS, JSON_VALUES, max_size=2))


VALUES: st.SearchStrategy[tuple[PhaseName, Value]] = st.sampled_from(PHASES).flatmap(
    lambda phase: st.tuples(st.just(phase), _things(SHAPES[phase]))
)
"""A phase, and a value that is mostly a document of it."""
_LINES = (
    "# tasks: Carts", "## groups", "## tasks", "## coverage", "## hours", "## key files", "## feature", "## testing",
    "## notes", "### TSK-001 Write the cart", "###", "- needs: a, b", "- acceptance:", "  - it works", "    and more",
    "- a: b", "- hours: 2", "-", "* starred", "\ttab", "  deeper", "", "\\# escaped", "#### small",
)  # fmt: skip
MARKDOWN = st.lists(st.one_of(TEXTS, st.sampled_from(_LINES)), max_size=25).map("\n".join)
"""Texts that a person may have made of a document."""
