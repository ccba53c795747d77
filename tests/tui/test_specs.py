"""Specs in the full-screen program: all of them, the phases and tasks of one, its documents, comments and gates."""

from __future__ import annotations

import pytest

from overmind_core.errors import OvermindError
from overmind_core.view import specs as specs_rows
from overmind_core.view.specs import Work
from overmind_tui.pages.compose import Composer
from overmind_tui.pages.dialog import Dialog
from overmind_tui.pages.text import TextPage
from overmind_tui.shell import external
from overmind_tui.shell.updates import show_bottom
from overmind_tui.specs.actions import advanced
from overmind_tui.specs.document import DocumentPage
from overmind_tui.specs.page import SpecPage, SpecsPage
from tests.tui.conftest import lists_needs, picture
from tests.tui.test_pictures import NOW
from tests.tui.test_pictures_board import WHY
from tests.tui.test_pictures_specs import (
    GATED,
    QUESTS,
    SPECS,
    SYNCED,
    WORKING,
    NoSpecs,
    Specified,
    pending,
    phase,
    spec,
    specified,
)
from tests.tui.walks import Recording, read, walk

__all__ = ["specified"]


def cells(columns, row):
    return {column.key: column.cell(row, NOW).text for column in columns}


def test_a_row_of_a_spec_says_how_its_phases_stand_and_what_a_person_is_to_do():
    rows = {row["slug"]: cells(specs_rows.COLUMNS, row) for row in specs_rows.specs(SPECS)}
    shown = {slug: (row["phases"], row["tasks"], row["cost"], row["why"]) for slug, row in rows.items()}
    assert shown == {
        "carts": ("✔↻✖?○ tasks review 0.9325", "", "$1.20 +1?", "question 4: y n"),
        "login": ("✔✔✔✔✔ all passed", "2/7", "$4.10", ""),
        "search-in-all-books-and-authors": ("○○○○○ explore pending", "", "", "r runs it"),
        "vouchers": ("✔✔✔✔✔ all passed", "5/5", "$12.50", ""),
        "invoices": ("✔✔✔✔✔ all passed", "1/4", "", "nothing goes on by itself: enter shows why"),
    }


CURRENT = [
    ([phase("explore"), phase("requirements", "failed"), pending("design")], "requirements"),
    ([phase("explore", "stale"), phase("requirements", "running"), pending("design")], "requirements"),
    ([phase("explore", "stale"), phase("requirements", "review", question=3)], "requirements"),
    ([phase("explore"), phase("requirements")], None),
]


@pytest.mark.parametrize(("phases", "name"), CURRENT)
def test_a_spec_is_about_the_phase_that_is_asked_about_or_made_else_the_first_that_has_not_passed(phases, name):
    found = specs_rows.current_phase(spec(9, "x", "review", phases))
    assert (found and found["phase"]) == name


def test_each_order_sorts_all_specs_and_all_parts_of_one():
    rows = specs_rows.specs(SPECS)
    assert all(len(sorted(order.key(row, NOW) for row in rows)) == 5 for order in specs_rows.ORDERS.values())
    parts = specs_rows.parts(WORKING, Work(), QUESTS, brief=True)
    assert all(len(sorted(order.key(row, NOW) for row in parts)) == 10 for order in specs_rows.PART_ORDERS.values())


def test_tasks_that_need_each_other_are_listed_without_edges():
    quests = [
        {**one, "needs": [{"id": "", "name": other}]}
        for one, other in zip(QUESTS[1:3], ("login/TSK-002", "login/TSK-001"), strict=True)
    ]
    rows = [row for row in specs_rows.parts(WORKING, Work(), quests, brief=False) if specs_rows.is_task(row)]
    assert [(row["name"], row["needs"]) for row in rows] == [("TSK-001", []), ("TSK-002", [])]


def test_a_reported_quest_and_a_task_that_the_document_has_no_more_are_shown_too():
    rows = specs_rows.parts(WORKING, Work(), QUESTS, brief=False)
    names = [row["name"] for row in rows if specs_rows.is_task(row)]
    assert names == ["TSK-001", "TSK-002", "TSK-003", "R-001"]


def test_what_is_wrong_with_a_document_stands_above_it_and_its_line_is_marked():
    failed = next(one for one in GATED["phases"] if one["phase"] == "design")
    lines = ["# design: x", *[""] * 10, "### \x1b[2J[red]"]
    drawn, places = specs_rows.document_lines(lines, "", failed, name="design.md", pending=["design.md:1"], cells=70)
    text = read(drawn)
    assert text[:4] == [
        " ✖ design.md:12: no components",
        " ✖ design.md: scores 0.61, below 0.70",
        "",
        "●   1  # design: x",
    ]
    assert places[:4] == [None, None, None, 1]
    assert text[-1] == "   12  ### \\x1b[2J[red]"
    assert [line[1].tone for line in drawn[3:]] == [*["faint"] * 11, "bad"]


def test_a_long_line_goes_on_below_and_is_one_line_of_the_document():
    drawn, places = specs_rows.document_lines(["- " + "word " * 20], "", None, name="brief.md", pending=(), cells=40)
    assert len(drawn) == len(places) == 4
    assert set(places) == {1}
    assert all(line.startswith(" " * 9) for line in read(drawn)[1:])


class RecordingSpecs(Recording, Specified):
    """Specs that stand still."""

    refusal = OvermindError("not_found", "There is no such spec.")

    def answer(self, command, given):
        if command == "spec_run":
            return {"id": "", "slug": "carts", "state": "running", "phase": given.get("first", "design"),
                    "queued": True, "question": None, "synced": 0, "ended": []}  # fmt: skip
        if command == "quest_why":
            return WHY
        return super().answer(command, given)


@pytest.mark.parametrize(("state", "phase"), [("running", "explore"), ("working", None)])
def test_a_run_of_one_that_only_waits_for_money_or_a_person_does_not_say_that_it_is_running(state, phase):
    answer = {"state": state, "phase": phase, "queued": False, "synced": 0, "question": None}
    held = {"name": "carts/explore", "text": "$0.00 of $0.20", "do": []}
    assert advanced({**answer, "held": held}) == "waits: $0.00 of $0.20"


@pytest.mark.parametrize(("state", "said"), [("failed", "has failed"), ("review", "is in review"), ("done", "is done")])
def test_a_run_of_one_that_has_nothing_to_do_says_how_it_stands(state, said):
    answer = {"state": state, "phase": None, "queued": False, "synced": 0, "question": None}
    assert advanced(answer) == f"nothing to do, it {said}"


pytestmark = pytest.mark.usefixtures("specified")


def at(app):
    return app.screen.table.current.row["name"]


def test_from_all_specs_to_one_to_its_document_and_back():
    async def scenario(app, press):
        await press(":sp", "enter")
        assert isinstance(app.screen, SpecPage)
        assert app.screen.way_here == ("missions", "specs", "carts")
        assert at(app) == "tasks", "what the spec is about now"
        await press("g")
        names = [at(app)]
        for _ in range(8):
            await press("down")
            names.append(at(app))
        assert names == [
            "brief", "explore", "requirements", "design", "tasks", "sync", "TSK-001", "TSK-002", "TSK-003",
        ], "the cursor leaves out edges"  # fmt: skip
        await press("enter")
        assert isinstance(app.screen, DocumentPage)
        assert app.screen.spot.text == " ### TSK-003 Show the cart 日本 [red]", "a task that is not queued is read"
        await press("tab", "tab")
        assert app.screen.phase == "brief"
        assert "Visitors want [b]carts[/b] \\x1b[2J." in picture(app)
        await press("shift+tab", "shift+tab")
        assert app.screen.phase == "tasks"
        await press("escape", "escape")
        assert isinstance(app.screen, SpecsPage)
        await press("escape")
        assert app.screen is app.main

    walk(scenario, RecordingSpecs)


def append(path, text):
    """Write at the end of a document, as a person would."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)


def beside(app):
    """What stands beside the list: its title, and its first lines but for empty ones."""
    side = app.screen.side
    texts = ["".join(cell.text for cell in line).strip() for line in side.lines[side.scroll_offset.y :]]
    return side.title.partition(" · ")[2], list(filter(None, texts))


def test_a_wide_terminal_shows_the_document_of_what_the_cursor_is_on_beside_the_list():
    async def scenario(app, press):
        await press(":sp", "enter")
        title, lines = beside(app)
        assert (title, lines[1]) == ("tasks.md · review 0.9325", "1  # tasks: Carts")
        await press("g")
        assert beside(app)[0] == "brief.md"
        assert "Visitors want [b]carts[/b] \\x1b[2J." in picture(app)
        await press("down", "down", "down")
        title, lines = beside(app)
        assert title == "design.md · failed 0.61"
        assert lines[0] == "✖ design.md:12: no components"
        await press("G")
        assert (beside(app)[0], at(app)) == ("tasks.md · review 0.9325", "TSK-003")
        assert "### TSK-003 Show the cart" in picture(app)
        await press("enter")
        assert isinstance(app.screen, DocumentPage)
        await press("escape")
        append(f"{app.folder}/carts/tasks.md", "\nMore of it.\n")
        await press("ctrl+r")
        assert "More of it." in "\n".join(beside(app)[1])

    walk(scenario, RecordingSpecs, size=(200, 60))


@pytest.mark.parametrize(("columns", "shows"), [(159, False), (160, True)])
def test_a_document_needs_room_to_stand_beside_the_list(columns, shows):
    async def scenario(app, press):
        await press(":sp", "enter")
        assert app.screen.side_pane.display is shows
        beside = app.screen.side.size.width + app.screen.edge.size.width if shows else 0
        assert app.screen.table.size.width + beside == columns
        assert not shows or app.screen.side.size.width >= 80

    walk(scenario, RecordingSpecs, size=(columns, 40))


def test_a_spec_is_opened_by_its_name_and_verbs_of_specs_are_no_names():
    async def scenario(app, press):
        await press(":spec login")
        assert app.screen.way_here[-1] == "login"
        await press(":sp login /TSK")
        assert (app.screen.way_here[-1], app.screen.filtering.filter.text) == ("login", "TSK")
        await press(":specs all")
        assert app.of("specs")[-1] == {"all": True}
        await press(":specs", "down", ":spec run --to design", ":spec sync", ":spec archive")
        await press(":specs", "down", ":spec check login tasks")
        assert app.ran == [
            ["spec", "run", "5bec0002", "--to", "design"], ["spec", "sync", "5bec0002"],
            ["spec", "archive", "5bec0002"], ["spec", "check", "login", "tasks"],
        ]  # fmt: skip
        await press(":spec")
        assert isinstance(app.screen, SpecsPage)
        assert app.notice.text == "no spec is named: all specs are shown"

    walk(scenario, RecordingSpecs)


def test_r_has_a_spec_go_on_and_asks_before_a_phase_that_has_passed_is_done_again():
    async def scenario(app, press):
        await press(":specs", "r")
        assert app.of("spec_run") == [{"id": "5bec0001"}]
        assert app.notice.text == "carts: design queued"
        await press("enter", "g", "down", "down", "r")
        assert app.of("spec_run")[-1] == {"id": "5bec0001", "first": "requirements"}
        await press("up", "r")
        assert isinstance(app.screen, Dialog)
        assert "run carts from explore?" in picture(app)
        await press("n", "r", "y")
        assert app.of("spec_run")[2:] == [{"id": "5bec0001", "first": "explore"}]
        await press(":spec login", "G", "r")
        assert app.of("quest_retry") == [{"id": "00000064"}]
        await press("k", "r")
        assert app.notice.text == "login/TSK-003 is queued: r retries what has failed or was cancelled"
        await press(":spec carts", "G", "r")
        assert app.notice.text == "TSK-003 is not queued yet"
        await press("*", "r")
        assert app.notice.text.startswith("run: select one phase, or tasks alone: ")
        assert len(app.of("spec_run")) == 3, "none of them, rather than one"
        await press("ctrl+d")
        assert "archive spec carts?" in picture(app), "whatever is marked is one spec"

    walk(scenario, RecordingSpecs)


def test_v_shows_what_a_sync_would_do_and_changes_nothing():
    async def scenario(app, press):
        await press(":specs", "v")
        assert isinstance(app.screen, TextPage)
        assert app.of("spec_sync") == [{"id": "5bec0001", "dry_run": True}]
        text = app.screen.shown_text().splitlines()
        assert text[0] == " would sync carts: 1 created, 1 updated, 1 skipped, 1 conflict, 1 cancelled"
        assert text[5] == "  conflict  TSK-004      its quest has begun, and stays as it is"
        assert text[-1] == "  :spec sync carts   does it"

    walk(scenario, RecordingSpecs)
    assert read(specs_rows.sync_text({**SYNCED, "created": 0, "updated": 0, "cancelled": 0}))[-1].startswith("  cancel")


def test_ctrl_d_archives_after_a_question_and_takes_an_archived_one_back():
    async def scenario(app, press):
        await press(":specs", "down", "ctrl+d")
        assert isinstance(app.screen, Dialog)
        assert "3 queued quests would be held" in picture(app)
        await press("n")
        assert app.of("spec_archive") == []
        await press("ctrl+d", "y")
        assert app.of("spec_archive") == [{"id": "5bec0002"}]
        app.answers = {**app.answers, "specs": [{**WORKING, "state": "archived"}]}
        await press(":specs all", "ctrl+d")
        assert app.of("spec_archive")[1] == {"id": "5bec0002", "undo": True, "env": dict(app.world.environ)}

    walk(scenario, RecordingSpecs)


def test_comments_are_kept_from_line_to_line_and_m_sends_all_as_feedback():
    async def scenario(app, press):
        await press(":spec carts", "enter", *["down"] * 8, "#")
        assert isinstance(app.screen, Composer)
        await press(*"too large", "escape")
        assert app.notice.text == "1 comment kept · # adds another, m sends"
        assert "1 comment not sent" in picture(app)
        await press("down", "#", *"why", "escape", "down", "#", "escape")
        assert app.action_groups.specs.places(GATED) == ["tasks.md:9", "tasks.md:10"], "a place without words is none"
        await press("escape")
        assert isinstance(app.screen, SpecPage)
        await press("m")
        assert isinstance(app.screen, Composer)
        await press("enter")
        assert app.of("answer") == [
            {
                "question": 4,
                "behaviour": "deny",
                "message": "tasks.md:9\n> ### TSK-001 Write the cart\ntoo large\n\ntasks.md:10\n> \nwhy",
            }
        ]
        assert app.notice.text == "carts: tasks is done again with your comments"
        assert app.action_groups.specs.places(GATED) == []

    walk(scenario, RecordingSpecs)


def test_comments_deny_the_gate_that_was_on_the_screen_and_no_other():
    async def scenario(app, press):
        await press(":spec carts", "enter", *["down"] * 8, "#", *"too large")
        app.fleet.questions = [{**app.fleet.questions[0], "question": 5, "part": "design"}]
        await press("enter")
        assert app.of("answer") == []
        assert "now design of carts is asked about" in picture(app)
        await press("escape", "m")
        assert "deny with comments · design of carts" in picture(app)
        await press("enter")
        assert [one["question"] for one in app.of("answer")] == [5]

    walk(scenario, RecordingSpecs)


def test_a_comment_waits_until_something_is_asked():
    async def scenario(app, press):
        await press(":spec login", "enter", "down", "#", *"no", "enter")
        assert isinstance(app.screen, Composer)
        assert "nothing is asked about login now: esc keeps the comments until then" in picture(app)
        await press("escape")
        assert app.action_groups.specs.places(WORKING)
        assert app.of("answer") == []

    walk(scenario, RecordingSpecs)


def test_y_and_m_show_what_is_asked_and_the_answer_is_given_there():
    async def scenario(app, press):
        for keys in ((":specs", "y"), (":specs", "m"), (":spec carts", "y"), (":spec carts", "enter", "m")):
            await press(*keys)
            assert lists_needs(app)
            assert "new command: pytest -q" in picture(app)
        await press(":spec login", "y")
        assert app.notice.text == "nothing is asked about login"

    walk(scenario, RecordingSpecs)


def test_m_is_offered_where_something_is_asked_or_a_comment_is_kept():
    steps = [
        ([":specs"], True), ([":spec carts"], True), (["enter"], True),
        ([":specs", "down"], False), ([":spec login"], False), (["enter"], False),
        (["down", "#", *"no", "escape"], True), (["escape"], True), ([":specs", "down"], True),
    ]  # fmt: skip

    async def scenario(app, press):
        for keys, is_offered in steps:
            await press(*keys)
            assert ("send-comments" not in app.screen.unusable()) is is_offered, keys

    walk(scenario, RecordingSpecs)


def test_e_edits_the_document_and_looks_at_it_again(monkeypatch, tmp_path):
    edited = []

    def run(shell, argv, *, cwd, then):
        edited.append([*argv, cwd])
        with open(argv[-1], "a") as file:
            file.write("\nA new line.\n")
        then(0)

    monkeypatch.setattr(external, "run", run)

    async def scenario(app, press):
        app.world.environ["EDITOR"] = "ed -s"
        await press(":spec carts", "g", "enter", "e")
        assert edited == [["ed", "-s", f"{tmp_path}/carts/brief.md", f"{tmp_path}/carts"]]
        assert "A new line." in picture(app)
        await press(":specs", "e")
        assert edited[-1][2] == f"{tmp_path}/carts/tasks.md", "what is asked about"
        app.world.environ["EDITOR"] = "'"
        await press("e")
        assert app.notice.text == "$EDITOR is not a valid command: No closing quotation"
        await press(":specs", "down", "down", "down", "enter", "G", "e")
        assert app.notice.text == "sync.md is not written yet: r has it done"

    walk(scenario, RecordingSpecs)


@pytest.mark.parametrize(
    ("code", "said"), [(3, "the editor exited with code 3"), (external.NOT_STARTED, "vi: No such file or directory")]
)
def test_what_an_editor_has_failed_with_is_what_is_said_last(code, said, monkeypatch):
    def run(shell, _argv, *, cwd, then):
        del cwd
        shell.flash("vi: No such file or directory", "bad")
        then(code)

    monkeypatch.setattr(external, "run", run)

    async def scenario(app, press):
        await press(":spec carts", "g", "e")
        assert app.notice.text == said

    walk(scenario, RecordingSpecs)


def test_a_document_that_is_done_again_meanwhile_is_shown_as_it_is_now(tmp_path):
    async def scenario(app, press):
        await press(":spec carts", "enter")
        assert "question 4" in picture(app)
        (tmp_path / "carts" / "tasks.md").write_text("# tasks: Carts\n\nAll anew.\n")
        app.fleet.questions = [{**app.fleet.questions[0], "question": 5}]
        show_bottom(app)
        await press("g")
        assert "All anew." in picture(app)
        await press("escape")
        assert isinstance(app.screen, SpecPage)
        await press("ctrl+r")
        assert app.screen.shown_count == 0, "and so are the tasks that it has"

    walk(scenario, RecordingSpecs)


def test_a_document_that_is_no_file_is_said_and_nothing_is_followed(tmp_path):
    (tmp_path / "carts" / "brief.md").unlink()
    (tmp_path / "carts" / "brief.md").symlink_to("/etc/passwd")
    (tmp_path / "carts" / "tasks.md").write_bytes(b"\xff\xfe")
    (tmp_path / "carts" / "design.md").unlink()

    async def scenario(app, press):
        await press(":spec carts", "g")
        assert at(app) == "explore"
        await press("down", "down", "enter")
        assert "design.md: it is not written yet" in picture(app)
        await press("#")
        assert app.notice.text == "the cursor is not on a line of the document: move it with j k"
        await press("tab")
        assert "tasks.md: " in picture(app)
        await press("tab", "tab")
        assert "brief.md: it is a symbolic link" in picture(app)

    walk(scenario, RecordingSpecs)


def test_read_only_shows_all_and_changes_nothing():
    async def scenario(app, press):
        await press(
            ":specs", "r", "e", "m", "#", "ctrl+d", "enter", "r", "e", "m", "#", "ctrl+d", "v", "escape", "enter"
        )
        assert isinstance(app.screen, DocumentPage)
        await press("r", "e", "m", "#")
        assert {name for name, _ in app.asked} <= {"specs", "spec", "quests", "spec_sync"}
        await press("y")
        assert lists_needs(app), "to look is allowed"

    walk(scenario, RecordingSpecs, read_only=True)


def test_a_spec_that_is_not_there_is_said_in_the_place_of_its_phases():
    async def scenario(app, press):
        app.refuses = True
        await press(":spec nothing")
        assert "There is no such spec." in picture(app)
        await press("enter", "w", "l", "d", "y", "m", "#", "e", "r", "v", "G", "space")
        assert isinstance(app.screen, SpecPage)

    walk(scenario, RecordingSpecs)


def test_nothing_is_done_where_there_is_no_spec():
    async def scenario(app, press):
        await press(":specs", "enter", "w", "d", "G", "c")
        assert isinstance(app.screen, SpecsPage)
        await press("r")
        assert app.notice.text == "run: no spec is selected here"
        assert ":spec new 'Shopping carts' --provider claude   creates one" in picture(app)

    walk(scenario, NoSpecs)


def test_what_has_no_quest_says_so():
    async def scenario(app, press):
        await press(":spec carts", "g", "w")
        assert app.notice.text == "brief has no agent of its own"
        await press("G", "l")
        assert app.notice.text == "TSK-003 is not queued yet"
        await press(":spec login", "G", "w")
        assert app.of("quest_why") == [{"id": "00000064"}]

    walk(scenario, RecordingSpecs)
