"""What a mission is given of its caller's world."""

from __future__ import annotations

import os

import pytest

from overmind_core.cli import caller_environment
from overmind_core.errors import OvermindError


def test_a_relative_folder_counts_from_the_caller(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    assert caller_environment.working_directory(None) == str(tmp_path)
    assert caller_environment.working_directory("below") == str(tmp_path / "below")
    assert caller_environment.working_directory("/elsewhere") == "/elsewhere"


def test_a_caller_whose_folder_is_gone_is_told(monkeypatch, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    with pytest.raises(OvermindError) as raised:
        caller_environment.working_directory(None)

    assert raised.value.code == "cwd_not_found"


def test_reading_the_umask_leaves_it():
    before = os.umask(0o027)
    try:
        assert [caller_environment.current_umask(), caller_environment.current_umask()] == [0o027, 0o027]
    finally:
        os.umask(before)


def test_a_clean_environment_keeps_what_a_login_sets():
    environ = {"HOME": "/h", "PATH": "/bin", "LC_ALL": "C", "SECRET": "x", "TERM": "xterm"}

    assert caller_environment.inherited_variables(environ, clean=True) == {
        "HOME": "/h",
        "PATH": "/bin",
        "LC_ALL": "C",
        "TERM": "xterm",
    }
    assert caller_environment.inherited_variables(environ, clean=False) == environ


def test_later_variables_win_and_a_bare_name_takes_the_callers(tmp_path):
    (tmp_path / "x.env").write_text("A=file\nB=file\n")

    chosen = caller_environment.given_variables([str(tmp_path / "x.env")], ["A=option", "C", "D"], {"C": "caller"})

    assert chosen == {"A": "option", "B": "file", "C": "caller"}


REFUSED = [("x" * caller_environment.ARGUMENT_LIMIT, "too_large"), ("a\0b", "invalid")]


@pytest.mark.parametrize(("text", "code"), REFUSED)
def test_what_the_kernel_would_refuse_is_refused_by_name(text, code):
    with pytest.raises(OvermindError) as argument:
        caller_environment.check_arguments(["echo", text])
    with pytest.raises(OvermindError) as variable:
        caller_environment.given_variables([], [f"BIG={text}"], {})

    assert (argument.value.code, variable.value.code) == (code, code)
    assert "Argument 2" in argument.value.message
    assert "BIG" in variable.value.message


def test_the_longest_argument_the_kernel_takes_passes():
    caller_environment.check_arguments(["x" * (caller_environment.ARGUMENT_LIMIT - 1)])
