"""A spec, its documents, and comments on them, as a tab gets them."""

from __future__ import annotations

from overmind_core.spec_files.document_texts import DocumentText
from overmind_web.pages import spec


def test_a_document_is_its_lines_with_their_numbers_and_faults_above():
    phase = {"phase": "tasks", "state": "stale", "score": None, "faults": ["tasks.md:2: no \x1b title"], "hints": []}
    found = spec.document(DocumentText(("# Tasks", "<img src=x>\x1b", "")), "tasks", phase)
    assert [(number, "".join(text for text, _ in cells), faulty) for number, cells, faulty in found["lines"]] == [
        (1, "# Tasks", False), (2, "<img src=x>\\x1b", True), (3, "", False),
    ]  # fmt: skip
    assert "no \\x1b title" in "".join(text for line in found["above"] for text, _ in line)
