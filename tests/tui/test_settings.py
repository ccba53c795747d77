"""What config.toml says to the program, and what becomes of a mistake in it."""

from __future__ import annotations

import pytest

from overmind_tui import settings
from overmind_tui.settings import BadSettings, Settings


def written(tmp_path, text):
    path = tmp_path / "config.toml"
    path.write_text(text)
    return str(path)


def test_without_a_file_everything_has_its_default(tmp_path):
    assert settings.load(str(tmp_path / "none")) == Settings()


def test_what_is_written_counts_and_what_belongs_to_others_is_left_alone(tmp_path):
    path = written(tmp_path, '[tui]\ntheme = "light"\nconfirm_kill = true\nnot_ours = 1\n[logs]\ntotal = "1GB"\n')
    assert settings.load(path) == Settings(theme="light", confirm_kill=True)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[tui]\ntheme = 3", "tui.theme"),
        ('[tui]\nsymbols = "emoji"', "tui.symbols"),
        ("[tui]\nmouse = 'yes'", "tui.mouse"),
        ("[tui", "config.toml: "),
    ],
)
def test_a_mistake_is_named(tmp_path, text, named):
    with pytest.raises(BadSettings, match=named):
        settings.load(written(tmp_path, text))


@pytest.mark.parametrize(
    ("symbols", "environ", "wanted"),
    [
        ("auto", {"LANG": "en_US.UTF-8"}, False),
        ("auto", {"LANG": "C"}, True),
        ("auto", {"LC_ALL": "C.UTF-8", "TERM": "linux"}, True),
        ("ascii", {"LANG": "en_US.UTF-8"}, True),
        ("unicode", {"LANG": "C"}, False),
    ],
)
def test_marks_are_ascii_where_the_terminal_speaks_nothing_else(symbols, environ, wanted):
    assert settings.ascii_only(symbols, environ) == wanted
