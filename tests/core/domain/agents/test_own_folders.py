"""Which uses of tools are about the folders of a quest's agent, by their words alone."""

from __future__ import annotations

import posixpath

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.agents.agent import AgentFolders
from overmind_core.domain.agents.own_folders import READERS, WRITERS, rules, use_of
from tests.kit.cases import tabled

IN, OUT = "/h/files/a1/in", "/h/files/a1/out"
FOLDERS = AgentFolders(IN, OUT)

USES = [
    ("Read", {"file_path": f"{IN}/brief.md"}, ("brief.md",)),
    ("Read", {"file_path": f"{IN}//./needs/a/result.md"}, ("needs", "a", "result.md")),
    ("Read", {"file_path": "../h/files/a1/in/brief.md"}, None),
    ("Read", {"file_path": f"{IN}/../secret"}, None),
    ("Read", {"file_path": f"{IN}/needs/../brief.md"}, None),
    ("Read", {"file_path": f"{IN}2/brief.md"}, None),
    ("Read", {"file_path": f"{OUT}/mine"}, None),
    ("Read", {"path": f"{IN}/brief.md"}, None),
    ("Read", {"file_path": ""}, None),
    ("Read", {"file_path": f"{IN}/a\0b"}, None),
    ("Read", {"file_path": [IN]}, None),
    ("NotebookRead", {"notebook_path": f"{IN}/a.ipynb"}, ("a.ipynb",)),
    ("LS", {"path": IN}, ()),
    ("Grep", {"path": IN, "pattern": "/../"}, ()),
    ("Grep", {"path": IN, "pattern": "x", "glob": "../**"}, None),
    ("Grep", {"pattern": "x"}, None),
    ("Glob", {"path": IN, "pattern": "**/*.md"}, ()),
    ("Glob", {"path": IN, "pattern": "/etc/*"}, None),
    ("Glob", {"path": IN, "pattern": "{..,a}/*"}, None),
    ("Glob", {"path": IN, "pattern": "~/*"}, None),
    ("Glob", {"path": IN, "pattern": 7}, None),
    ("Write", {"file_path": f"{OUT}/design.json"}, ("design.json",)),
    ("Write", {"file_path": f"{IN}/brief.md"}, None),
    ("Write", {"file_path": OUT}, None),
    ("Edit", {"file_path": f"{OUT}/a/b"}, ("a", "b")),
    ("NotebookEdit", {"notebook_path": f"{OUT}/a.ipynb"}, ("a.ipynb",)),
    ("NotebookEdit", {"file_path": f"{OUT}/a", "notebook_path": "/etc/passwd"}, None),
    ("Bash", {"command": f"cat {IN}/brief.md", "file_path": f"{IN}/brief.md"}, None),
    ("mcp__x__Read", {"file_path": f"{IN}/brief.md"}, None),
]


@tabled(("tool", "subject", "names"), USES)
def test_only_what_stays_in_its_folder_is_allowed(tool, subject, names):
    found = use_of(FOLDERS, tool, subject, "/work")
    assert (None if found is None else found.names) == names


def test_a_path_is_of_the_folder_in_which_the_agent_works():
    assert use_of(FOLDERS, "Read", {"file_path": "in/brief.md"}, "/h/files/a1") is not None
    assert use_of(FOLDERS, "Read", {"file_path": "in/brief.md"}, "/work") is None


def test_the_rules_are_written_as_others_are():
    assert rules(FOLDERS) == (f"Read(/{IN}/**)", f"Edit(/{OUT}/**)")
    assert rules(AgentFolders("/h*/in", OUT))[0] == r"Read(//h\*/in/**)"


PARTS = st.lists(st.sampled_from(["h", "files", "a1", "in", "out", "..", ".", "", "x", "in2"]), max_size=9)


@given(st.sampled_from([*READERS, *WRITERS]), PARTS.map("/".join), st.booleans())
def test_no_path_is_allowed_that_ends_elsewhere(tool, path, absolute):
    field = {**READERS, **WRITERS}[tool]
    path = f"/{path}" if absolute else path
    if use_of(FOLDERS, tool, {field: path}, "/h/files") is not None:
        there = posixpath.normpath(posixpath.join("/h/files", path))
        folder = IN if tool in READERS else OUT
        assert f"{there}/".startswith(f"{folder}/")
