"""`overmind output`: what an agent of a blueprint hands on, without a daemon."""

from __future__ import annotations

import io
import json
import os
import stat
import sys
from typing import NamedTuple

import pytest

from overmind_core.cli.context import Context
from overmind_core.cli.main import guarded
from overmind_core.domain.plans.blueprint import LARGEST
from overmind_core.domain.text.bytestrings import to_wire


class Ran(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "outputs"
    made.mkdir()
    return made


@pytest.fixture
def output(folder, capsys, monkeypatch):
    """Run `overmind output` as an agent would."""

    def run(*words, stdin=b"", environ=None):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        inside = {"OVERMIND_OUTPUT_DIR": str(folder)} if environ is None else environ
        status = guarded(["output", *words], Context(inside))
        return Ran(status, *capsys.readouterr())

    return run


VALUES = [
    # how it is written, standard input, what the file holds
    ("facts=three facts", b"", b"three facts\n"),
    ("facts=", b"", b"\n"),
    ("facts=a=b", b"", b"a=b\n"),
    ("facts=-x", b"", b"-x\n"),
    ("facts=a\nb\n", b"", b"a\nb\n\n"),
    (to_wire("facts=\udcff"), b"", b"\xff\n"),
    ("facts=-", b"from\nstdin\n", b"from\nstdin\n"),
    ("facts=-", b"\xff", b"\xff\n"),
    ("facts=" + "x" * LARGEST, b"", b"x" * LARGEST + b"\n"),
]


@pytest.mark.parametrize(("pair", "stdin", "held"), VALUES, ids=range(len(VALUES)))
def test_a_value_becomes_a_private_file(output, folder, pair, stdin, held):
    assert output(pair, stdin=stdin).status == 0
    assert os.listdir(folder) == ["facts"]
    assert (folder / "facts").read_bytes() == held
    assert stat.S_IMODE((folder / "facts").stat().st_mode) == 0o600


def test_what_was_handed_on_is_told_and_listed(output):
    assert output("version=1.4", "log=a\nb") == (0, "Set: version (3 B), log (3 B)\n", "")
    assert output("version=1.5", "--json") == (0, '{"handed_on":["version"]}\n', "")
    assert output().out.splitlines() == ["KEY      SIZE  VALUE", "log      3 B   a\\nb", "version  3 B   1.5"]
    assert json.loads(output("--json").out) == {"log": "a\nb", "version": "1.5"}


def test_nothing_handed_on_is_an_empty_list(output):
    assert output().out == "KEY  SIZE  VALUE\n"
    assert output("--json").out == "{}\n"


def test_what_is_no_output_is_not_listed(output, folder, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / ".hidden").write_text("1")
    (folder / "folder").mkdir()
    assert output("--json").out == "{}\n"


REFUSED = [
    # what is written, exit status, what is said
    (["facts"], 2, "'facts' has no value: write KEY=VALUE"),
    (["=1"], 2, "not an output name"),
    (["../x=1"], 2, "not an output name"),
    ([".x=1"], 2, "not an output name"),
    (["result=1"], 2, "'result' is built in for every agent"),
    (["x" * 64 + "=1"], 2, "at most 63 characters"),
    (["a=1", "a=2"], 2, "'a' is given twice"),
    (["a=-", "b=-"], 2, "Only one value"),
    (["a=1", "b=" + "x" * (LARGEST + 1)], 1, "too_large"),
    (["a=1\0"], 1, "NUL"),
]


@pytest.mark.parametrize(("words", "status", "said"), REFUSED, ids=range(len(REFUSED)))
def test_what_makes_no_sense_is_refused_and_nothing_written(output, folder, words, status, said):
    ran = output(*words)
    assert (ran.status, ran.out) == (status, "")
    assert said in ran.err
    assert os.listdir(folder) == []


def test_a_folder_in_a_values_place_is_told_and_leaves_no_draft(output, folder):
    (folder / "facts").mkdir()
    assert output("facts=1").status == 1
    assert os.listdir(folder) == ["facts"]


def test_outside_of_a_blueprint_it_says_where_it_works(output):
    for words in ([], ["a=1"]):
        ran = output(*words, environ={})
        assert ran.status == 1
        assert "works inside an agent of a blueprint that declares outputs" in ran.err


def test_a_folder_that_is_gone_is_told(output, folder):
    folder.rmdir()
    assert output("a=1").err.startswith("Error: gone: The folder ")
