"""The file that a tool would edit: the lines in which its edits begin."""

from __future__ import annotations

import pytest

from overmind_core.agents.replaced_file import begins_of

FILE = "one\ntwo\nthree\ntwo\nfour\n"


def edit(old, new, **more):
    return {"old_string": old, "new_string": new, **more}


EDITS = [
    ({"file_path": "a", **edit("two\nfour", "2")}, [4]),
    ({"file_path": "a", **edit("o", "0", replace_all=True)}, [1]),
    ({"file_path": "a", "edits": [edit("one\n", ""), edit("three", "3"), edit("gone", "x")]}, [1, 2, 0]),
    ({"file_path": "a", "edits": [edit("two", "2", replace_all=True), edit("two", "x")]}, [2, 0]),
    ({"file_path": "a", **edit("", "new")}, [0]),
    ({"file_path": "nosuch", **edit("one", "1")}, [0]),
    ({"file_path": "a", "content": "all of it"}, None),
    ({"file_path": "a", "edits": ["no edit"]}, None),
    ({"file_path": "a", "old_string": 5, "new_string": "x"}, None),
    ({"command": "ls"}, None),
]  # fmt: skip


@pytest.mark.parametrize(("subject", "begins"), EDITS)
def test_an_edit_begins_at_its_line_in_the_file_as_the_edits_before_it_leave_it(tmp_path, subject, begins):
    (tmp_path / "a").write_text(FILE)
    assert begins_of(subject, str(tmp_path)) == begins
