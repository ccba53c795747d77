"""A new mission: the form as a value, and the form on the screen against a real supervisor."""

from __future__ import annotations

from dataclasses import replace

import pytest

from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from overmind_core.view import form_fields, form_request
from overmind_core.view.field import Field
from overmind_core.view.form_fields import Startable
from overmind_tui.missions import folder_completion
from overmind_tui.missions.new_mission import talk_of
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising

WHATS = (
    Startable("claude"),
    Startable("shell"),
    Startable("command"),
    Startable("codex", "codex is not on PATH · npm install it"),
)


def form(whats=WHATS, **typed):
    made = form_fields.empty(whats, folder="/srv/work", generated="brave-otter")
    for key, text in typed.items():
        made = form_fields.Form(made.whats, {**made.values, key: Field.of(text)}, made.generated)
    return form_fields.settled(made)


def requested(made):
    """The arguments of `run` that a form leads to."""
    return form_request.request(made, talk_of(made.what.name, made.text("text")))


def keys(made):
    return [entry.key for entry in form_fields.shown(made)]


def test_what_is_chosen_decides_what_is_asked():
    assert keys(form()) == ["what", "text", "name", "cwd", "more"]
    assert keys(form(what="shell")) == ["what", "name", "cwd", "more"]
    assert {"model", "allow", "max_cost"} <= set(keys(replace(form(), unfolded=True)))
    assert not {"model", "allow", "max_cost"} & set(keys(replace(form(what="command"), unfolded=True)))


def test_the_cursor_begins_in_the_text_and_where_there_is_none_in_the_name():
    assert form().at == "text"
    assert form(what="shell").at == "name"


def test_going_round_meets_each_entry_once():
    made, seen = form(), []
    for _ in keys(made):
        seen.append(made.at)
        made = form_fields.stepped(made, 1)
    assert made.at == "text"
    assert sorted(seen) == sorted(keys(made))
    assert form_fields.stepped(form_fields.stepped(made, 1), -1).at == "text"


def test_more_unfolds_and_folds_again():
    made = replace(form(), at="more")
    assert form_fields.pressed(made, "right").unfolded
    assert not form_fields.pressed(form_fields.pressed(made, "right"), "left").unfolded
    assert form_fields.typed(made, " ").unfolded
    assert form_fields.typed(made, "x") == made


def test_a_refusal_unfolds_its_entry_and_goes_with_the_next_change_there():
    made = form_fields.refused(form(), "max_cost", "too much")
    assert (made.at, made.unfolded, made.refusal) == ("max_cost", True, ("max_cost", "too much"))
    assert form_fields.pressed(made, "end").refusal == made.refusal
    assert form_fields.typed(made, "1").refusal == ("", "")


def test_what_completes_a_folder_is_for_what_was_typed_alone():
    made = replace(form(cwd="/sr"), at="cwd")
    made = form_fields.offered(made, "/sr", "v/", ("srv",))
    assert form_fields.offered(made, "/s", "rv/", ()) == made
    assert form_fields.pressed(made, "right").values["cwd"].text == "/srv/"
    assert form_fields.typed(made, "x").ghost == ""


def test_lines_are_typed_where_there_can_be_several():
    made = form_fields.newline(form_fields.typed(form(), "one"))
    made = form_fields.typed(made, "two\r\nthree\n")
    assert made.values["text"].text == "one\ntwo\nthree"
    assert form_fields.newline(replace(made, at="name")).values["name"].text == ""
    continued = form_fields.continued(form_fields.typed(form(), "a\\"))
    assert continued is not None
    assert continued.values["text"].text == "a\n"
    assert form_fields.continued(form()) is None


ASKED = [
    (form(what="command", text="make test", name="api"),
     {"command": "make test", "name": "api", "restart": "never", "labels": {}, "env_set": {}, "timeout": 0}),
    (form(what="shell"), {"command": "", "type": "session", "name": "brave-otter"}),
    (form(what="command", text="bash"), {"command": "bash", "type": "session"}),
    (form(text="fix\nit"),
     {"provider": "claude", "type": "session", "interactive": True, "command": "", "max_cost": 0}),
    (form(what="codex", text="x"), {"provider": "codex", "type": "session", "interactive": True}),
    (form([Startable("gemini")], text="x"), {"provider": "gemini", "type": "session", "interactive": None}),
    (form(labels="a=b c='d e'", env="X=1 Y="), {"labels": {"a": "b", "c": "d e"}, "env_set": {"X": "1", "Y": ""}}),
    (form(max_cost="$2.50", timeout="10m"), {"max_cost": 2.5, "timeout": "10m"}),
    (form(max_tokens="1.5M"), {"max_tokens": 1_500_000, "max_cost": 0}),
    (form(timeout="600"), {"timeout": "600s"}),
]  # fmt: skip


@pytest.mark.parametrize(("made", "wanted"), ASKED)
def test_what_the_form_asks_for(made, wanted):
    asked = requested(made)
    assert {key: asked.get(key) for key in wanted} == wanted


def test_an_agent_gets_its_rules_line_by_line():
    made = form(text="go", allow="Bash(git status)\nRead", permission_mode="plan", model=" opus ")
    assert requested(made)["agent"] == {
        "prompt": "go", "model": "opus", "permission_mode": "plan", "allow": ["Bash(git status)", "Read"], "deny": [],
    }  # fmt: skip


WRONG = [
    (form(what="command"), "text"), (form(labels="a"), "labels"), (form(env="=x"), "env"),
    (form(env="A='"), "env"), (form(max_cost="much"), "max_cost"), (form(max_tokens="-1"), "max_tokens"),
]  # fmt: skip


@pytest.mark.parametrize(("made", "key"), WRONG)
def test_what_makes_no_sense_is_refused_at_its_entry(made, key):
    with pytest.raises(form_request.Wrong) as wrong:
        requested(made)
    assert wrong.value.key == key


SESSION = {"provider": "claude", "command": "", "type": "session", "interactive": True}
REFUSED = [
    ("name", {"name": "taken"}), ("name", {"name": "x" * 64}), ("name", {"name": "-x"}),
    ("cwd", {"cwd": "/no/such/folder"}), ("timeout", {"timeout": "soon"}), ("restart", {"restart": "maybe"}),
    ("labels", {"labels": {"": "x"}}), ("labels", {"labels": {str(number): "x" for number in range(1000)}}),
    ("env", {"env_set": {"A": "\0"}}), ("env", {"env_set": {"A=": "x"}}), ("text", {"command": ""}),
    ("what", {**SESSION, "env": {"PATH": "/no/such/folder"}}),
    ("allow", {**SESSION, "agent": {"allow": ["("]}}),
    ("deny", {**SESSION, "agent": {"deny": ["("]}}),
]  # fmt: skip


def test_an_error_of_the_supervisor_is_shown_at_its_entry(tmp_path):
    """The supervisor's own errors: their sentences tell which entry they are about."""

    async def refused(inside, arguments):
        with pytest.raises(OvermindError) as error:
            await inside.ask("run", **{"command": "cat", "cwd": "/", **arguments})
        assert "--" not in form_request.without_options(error.value.message), error.value.message
        return form_request.wrong_entry(error.value)

    async def story():
        home = Home(str(tmp_path / "home"))
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            await inside.run("cat", name="taken")
            entries = [(await refused(inside, arguments), arguments) for _, arguments in REFUSED]
        keeper.close()
        return entries

    assert in_process.run(story()) == REFUSED
    assert form_request.wrong_entry(OvermindError("internal", "?")) == "text"


IN_A_FORM = [
    ("The name 'a' is taken by mission 1a2b3c4d. Choose another one with --name",
     "The name 'a' is taken by mission 1a2b3c4d. Choose another one"),
    ("Working directory /x does not exist. Create it, or name another one with --cwd.",
     "Working directory /x does not exist. Create it, or name another one."),
    ("--timeout soon: not a time.", "timeout soon: not a time."),
    ("'' is not a label: use --label key=value.", "'' is not a label: write key=value."),
    ("Review it, then: overmind trust /x (or run with --no-isolate)",
     "Review it, then: overmind trust /x (or set isolate to no)"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "in_the_form"), IN_A_FORM)
def test_a_form_names_its_entries_and_no_options(said, in_the_form):
    assert form_request.without_options(said) == in_the_form


@pytest.mark.parametrize("cells", range(14, 60))
def test_what_may_be_typed_is_never_cut_without_a_sign(cells):
    hint = "the task; empty: it waits"
    shown = "".join(cell.text for cell in form_fields.line(Field(), hint, cells, active=True))
    assert shown == f" {hint}" or shown.endswith("…")
    assert len(shown) <= cells


@pytest.mark.parametrize("cells", [20, 36, 80])
@pytest.mark.parametrize("made", [
    form(), form(what="codex"), replace(form(text="x" * 300 + "\n" * 20), unfolded=True),
    form_fields.refused(form(), "cwd", "The folder /a/very/long/name/that/goes/on/and/on does not exist anywhere."),
])  # fmt: skip
def test_the_cursor_is_drawn_once_and_no_line_is_too_long(made, cells):
    drawn = form_fields.drawn(made, cells)
    cursors = [cell for line in drawn.lines for cell in line if cell.tone == form_fields.CURSOR]
    assert len(cursors) == (made.entry.kind not in {form_fields.EntryKind.CHOICE, form_fields.EntryKind.FOLD})
    assert drawn.first <= drawn.last < len(drawn.lines)
    for line in drawn.lines:
        assert sum(len(cell.text) for cell in line) <= max(cells, form_fields.LABEL + 6), line


def test_folders_are_completed_as_far_as_they_agree(tmp_path):
    for name in ("work", "world", "other", ".hidden", "wood.txt"):
        (tmp_path / name).mkdir() if "." not in name[1:] else (tmp_path / name).write_text("")
    base = str(tmp_path)
    assert folder_completion.completion(f"{base}/wo", base) == ("r", ("work", "world"))
    assert folder_completion.completion("wor", base).candidates == ("work", "world")
    assert folder_completion.completion("ot", base) == ("her/", ("other",))
    assert folder_completion.completion(".h", base) == ("idden/", (".hidden",))
    assert folder_completion.completion(f"{base}/", base).candidates == ("other", "work", "world")
    for text in ("", "nothing", "no/such", "a\0b"):
        assert folder_completion.completion(text, base) == folder_completion.NONE
