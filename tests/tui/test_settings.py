"""What config.toml says to the program, and what becomes of a mistake in it."""

from __future__ import annotations

import contextlib
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain import configuration
from overmind_core.domain.text.toml_lines import line_of
from overmind_core.view import keymap
from overmind_core.view.actions import TAKES_EVERYTHING, Context, shown_key
from overmind_tui.shell import settings
from overmind_tui.shell.settings import BadSettings, Hotkey, Settings
from tests.kit.cases import tabled


def written(tmp_path, text):
    path = tmp_path / "config.toml"
    path.write_text(text)
    return str(path)


def test_without_a_file_everything_has_its_default(tmp_path):
    assert settings.load(str(tmp_path / "none")) == Settings()


def test_what_is_written_counts_and_other_tables_are_left_alone(tmp_path):
    path = written(tmp_path, '[tui]\ntheme = "light"\nconfirm_kill = true\n[logs]\ntotal = "1GB"\n')
    assert settings.load(path) == Settings(theme="light", confirm_kill=True)


EVERYTHING = """
[tui]
theme = "nord"
symbols = "ascii"
panel = "below"
mouse = false
coach = false
status = false
fps = 15
escape_ms = 100
confirm_kill = false
detach_keys = ["ctrl-]", "ctrl-g"]
log_time = true
log_wrap = false
log_range = "5m"

[tui.hotkeys]
f2 = ":top"
"shift-f3" = { line = "events /crashed", context = "missions" }
x = { line = "stop --cascade", context = "missions", override = true }

[tui.aliases]
mine = "missions label=me"
"""


def test_every_setting_can_be_written(tmp_path):
    found = settings.load(written(tmp_path, EVERYTHING))
    keys = (
        Hotkey("f2", "top"),
        Hotkey("shift+f3", "events /crashed", Context.MISSIONS),
        Hotkey("x", "stop --cascade", Context.MISSIONS),
    )
    assert found == Settings(
        theme="nord",
        symbols="ascii",
        panel="below",
        confirm_kill=False,
        mouse=False,
        coach=False,
        status=False,
        fps=15,
        escape_ms=100,
        detach_keys=("ctrl-]", "ctrl-g"),
        log_time=True,
        log_wrap=False,
        log_range="5m",
        hotkeys=keys,
        aliases={"mine": "missions label=me"},
    )
    assert all(value != Settings._field_defaults[name] for name, value in found._asdict().items())


@pytest.mark.parametrize("value", ["true", "false", '"none"'])
def test_what_an_earlier_release_knew_is_no_mistake_and_does_nothing(tmp_path, value):
    assert settings.load(written(tmp_path, f"[tui]\nmotion = {value}\nfps = 9")) == Settings(fps=9)


def test_what_the_module_says_can_be_written_is_read():
    text = (settings.__doc__ or "").split("```")[1].removeprefix("toml")
    assert settings.read(tomllib.loads(text)["tui"], text).aliases == {"mine": "missions label=owner=me"}


MISTAKES = [
    ("[tui]\ntheme = 3", "line 2: tui.theme: 3 is not valid: write text in quotes"),
    ('[tui]\npanel = "left"', "line 2: tui.panel: write one of auto, below, beside, off"),
    ("[tui]\npanel = true", "line 2: tui.panel: True is not valid: write text in quotes"),
    ("[tui]\nlog_wrap = 'no'", "line 2: tui.log_wrap: 'no' is not valid: write true or false"),
    ('[tui]\n\n# x\nsymbols = "emoji"', "line 4: tui.symbols: write one of auto, unicode, ascii"),
    ("[tui]\nmouse = 'yes'", "line 2: tui.mouse"),
    ("[tui]\nmouse = 1", "line 2: tui.mouse"),
    ("[tui]\nfps = true", "line 2: tui.fps"),
    ("[tui]\nfps = 9999", "line 2: tui.fps: write a number from 0 to 250"),
    ("[tui]\nescape_ms = -1", "line 2: tui.escape_ms"),
    ("[tui]\nconfirmkill = true", "line 2: tui.confirmkill: unknown key. Did you mean confirm_kill?"),
    ("[tui]\ndetach_keys = 'ctrl-]'", "line 2: tui.detach_keys: write a list"),
    ("[tui]\ndetach_keys = ['ctrl-c']", "line 2: tui.detach_keys: 'ctrl-c' can't detach"),
    ("[tui]\nhotkeys = 3", "line 2: tui.hotkeys: write a table"),
    (
        "[tui.hotkeys]\nx = 'top'",
        "line 2: tui.hotkeys.x: x is already used: stop (mission). To replace it, set override = true",
    ),
    (
        "[tui.hotkeys]\n'ctrl-c' = { line = 'top', override = true }",
        "line 2: tui.hotkeys.ctrl-c: ctrl-c can't be a hotkey",
    ),
    ("[tui.hotkeys]\nhyper-x = 'top'", "line 2: tui.hotkeys.hyper-x: 'hyper-x' is not a key"),
    ("[tui.hotkeys]\nf2 = ''", "line 2: tui.hotkeys.f2: the command line is empty"),
    ("[tui.hotkeys]\nf2 = { line = 'top', context = 'nowhere' }", "line 2: tui.hotkeys.f2: context: write one of"),
    ("[tui.hotkeys]\nf2 = { lin = 'top' }", "line 2: tui.hotkeys.f2: write a command line"),
    (
        "[tui.aliases]\n'a b' = 'top'",
        "line 2: tui.aliases.a b: an alias must be one word that does not begin with : / ! or -",
    ),
    ("[tui.aliases]\na = 3", "line 2: tui.aliases.a: write a command line"),
    (
        "[tui]\ntheme = 1\nmouse = 2",
        "line 2: tui.theme: 1 is not valid: write text in quotes (and 1 more, :doctor lists all)",
    ),
    ("tui = 3", "line 1: tui: must be a table"),
    ("tui.theme = 3", "line 1: tui.theme"),
    ("[tui]\nhotkeys.f2 = 3", "line 2: tui.hotkeys.f2"),
    ("[a]\n[tui", "line 2: expected ']' at the end of a table declaration. Fix that line"),
    ("[tui]\nx = \x00", "line 2, column 5: "),
    ("x = " + "[" * 100_000, "line 1: "),
]


@pytest.mark.parametrize(("text", "named"), MISTAKES)
def test_a_mistake_is_named_with_its_line(tmp_path, text, named):
    with pytest.raises(BadSettings) as mistake:
        settings.load(written(tmp_path, text))
    assert named in str(mistake.value)
    assert str(mistake.value).startswith("config.toml")


def test_what_is_no_mistake_counts_beside_one(tmp_path):
    with pytest.raises(BadSettings) as mistake:
        settings.load(written(tmp_path, "[tui]\ntheme = 'light'\nmouse = 'no'\n[tui.hotkeys]\nf2 = 'top'\nx = 'top'"))
    assert mistake.value.settings == Settings(theme="light", hotkeys=(Hotkey("f2", "top"),))


def test_bytes_that_are_no_text_are_a_mistake(tmp_path):
    path = tmp_path / "config.toml"
    path.write_bytes(b"[tui]\ntheme = '\xff'")
    with pytest.raises(BadSettings, match=r"^config\.toml line 2: the file is not UTF-8: save it as UTF-8$"):
        settings.load(str(path))


def test_a_file_that_can_not_be_read_is_named_with_what_to_do(tmp_path):
    with pytest.raises(BadSettings, match=f"^config.toml: {tmp_path} can't be read: Is a directory. Make it"):
        settings.load(str(tmp_path))


def test_each_of_several_mistakes_has_a_sentence(tmp_path):
    with pytest.raises(BadSettings) as mistake:
        settings.load(written(tmp_path, "[tui]\ntheme = 1\nmouse = 2"))
    assert mistake.value.sentences == (
        "config.toml line 2: tui.theme: 1 is not valid: write text in quotes",
        "config.toml line 3: tui.mouse: 2 is not valid: write true or false",
    )  # fmt: skip


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
)


@given(st.dictionaries(st.sampled_from([*Settings._fields, "other"]), VALUES) | VALUES)
def test_no_table_fails_but_by_a_sentence(table):
    with contextlib.suppress(BadSettings):
        settings.read(table)


@given(st.text())
def test_the_line_of_a_mistake_is_looked_for_in_any_text(text):
    assert 0 <= line_of(text, ("tui", "theme")) <= max(len(text.splitlines()), 0)


KEYS = [
    ("ctrl-t", "ctrl+t"),
    ("Ctrl+T", "ctrl+t"),
    ("shift-t", "T"),
    ("T", "T"),
    ("u", "u"),
    ("ü", "ü"),
    ("f5", "f5"),
    ("shift-f5", "shift+f5"),
    ("ctrl-shift-f5", "ctrl+shift+f5"),
    ("alt-x", "alt+x"),
    ("space", "space"),
    ("PgDn", "pagedown"),
    ("ctrl-\\", "ctrl+backslash"),
    ("ctrl-space", "ctrl+@"),
    ("shift-enter", "shift+enter"),
    ("shift-↑", "shift+up"),
    ("", None),
    ("nothing", None),
    ("ctrl-", None),
]


@tabled(("text", "wanted"), KEYS)
def test_a_key_is_written_as_people_write_it(text, wanted):
    if wanted is None:
        with pytest.raises(ValueError, match="is not a key"):
            settings.named(text)
    else:
        assert settings.named(text) == wanted


@tabled("key", sorted({key for one in keymap.ACTIONS for key in one.keys}))
def test_every_key_that_the_help_shows_can_be_written_so(key):
    same = {"ctrl+space": "ctrl+@"}
    assert settings.named(shown_key(key)) == same.get(key, key)


def test_a_hotkey_never_counts_where_keys_are_text():
    assert not any(Hotkey("f2", "top").counts_in(context) for context in TAKES_EVERYTHING)
    assert Hotkey("f2", "top", Context.TABLE).counts_in(Context.MISSIONS)
    assert not Hotkey("f2", "top", Context.LOG).counts_in(Context.MISSIONS)


@pytest.mark.parametrize(
    ("symbols", "environ", "wanted"),
    [
        ("auto", {"LANG": "en_US.UTF-8"}, False),
        ("auto", {"LANG": "C"}, True),
        ("auto", {"LC_CTYPE": "C.UTF-8", "LANG": "C"}, True),  # that of a Python which was started so
        ("auto", {"LC_CTYPE": "C.UTF-8"}, False),
        ("auto", {"LC_CTYPE": "C.UTF-8", "TMUX": "/tmp/tmux-0/default,1,0"}, True),
        ("auto", {"LC_CTYPE": "de_DE.UTF-8", "TMUX": "/tmp/tmux-0/default,1,0"}, False),
        ("auto", {"LC_ALL": "C", "LANG": "en_US.UTF-8"}, True),
        ("auto", {}, False),
        ("auto", {"LC_ALL": "C.UTF-8", "TERM": "linux"}, True),
        ("ascii", {"LANG": "en_US.UTF-8"}, True),
        ("unicode", {"LANG": "C"}, False),
    ],
)
def test_marks_are_ascii_where_the_terminal_speaks_nothing_else(symbols, environ, wanted):
    assert settings.ascii_only(symbols, environ) == wanted


def test_a_table_with_a_slip_in_its_name_is_a_mistake_here_as_for_the_daemon(tmp_path):
    with pytest.raises(BadSettings) as refusal:
        settings.load(written(tmp_path, '[logs]\n[tuii]\ntheme = "light"\n'))
    assert str(refusal.value) == "config.toml line 2: tuii: unknown table 'tuii'. Did you mean tui?"


def test_the_keys_of_the_program_are_those_that_a_daemon_and_doctor_know():
    assert set(configuration.KEYS["tui"]) == {*Settings._fields, *settings.FORMER}
