"""Files of variables are read as shells and docker read them."""

from __future__ import annotations

import pytest

from overmind_core.cli.caller_environment import read_env_file
from overmind_core.documents.variables import parse_variables
from overmind_core.errors import OvermindError
from tests.kit.cases import tabled

LINES = [
    ("A=1", {"A": "1"}),
    ("export A=1", {"A": "1"}),
    ("  A = 1  ", {"A": "1"}),
    ("A=", {"A": ""}),
    ("# A=1\n\nB=2", {"B": "2"}),
    ("A=one two # why", {"A": "one two"}),
    ("A=one#two", {"A": "one#two"}),
    ("A=#", {"A": ""}),
    ("A='$B \\n # x' # why", {"A": "$B \\n # x"}),
    ('A="one\\ntwo \\"q\\" \\$B \\\\"', {"A": 'one\ntwo "q" $B \\'}),
    ("A=b=c", {"A": "b=c"}),
    ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
    ("A=1\nA=2", {"A": "2"}),
    ("\ufeffA=1", {"A": "1"}),
    (
        "K='-----BEGIN\n# no\nB=c\n-----END' # why\nB=2",
        {"K": "-----BEGIN\n# no\nB=c\n-----END", "B": "2"},
    ),
    ('K="a\n b\\n\\"c\n"\nB=2', {"K": 'a\n b\n"c\n', "B": "2"}),
    ("A='it''s'", {"A": "its"}),
    ("A='it'\"'\"'s'", {"A": "it's"}),
    ("A=it''s", {"A": "it''s"}),
    ("A=''", {"A": ""}),
]


@tabled(("text", "variables"), LINES)
def test_a_line_is_a_variable(text, variables):
    assert parse_variables(text, "x.env") == variables


@pytest.mark.parametrize(("text", "where"), [("A=1\nnonsense", "x.env:2"), ("1A=x", "x.env:1"), ("A='open", "x.env:1"),
    ("B=1\nA='open\nB=2\n", "x.env:2"), ("A='open\nB='x'", "x.env:1"), ("A='x' y", "x.env:1"),
])  # fmt: skip
def test_a_mistake_names_file_and_line(text, where):
    with pytest.raises(OvermindError) as raised:
        parse_variables(text, "x.env")

    assert raised.value.code == "invalid"
    assert raised.value.message.startswith(where)


def test_a_missing_file_is_named():
    with pytest.raises(OvermindError, match=r"nosuch\.env"):
        read_env_file("/tmp/nosuch.env")


def test_bytes_that_are_no_utf8_travel_in_wire_form(tmp_path):
    (tmp_path / "raw.env").write_bytes(b"A=\xff\n")

    assert read_env_file(str(tmp_path / "raw.env")) == {"A": "\U0010dcff"}
