"""Worktrees, what changed in them, comments on that, landing and discarding: as values, and as walks."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from overmind_core.domain.operation import Danger
from overmind_core.errors import OvermindError
from overmind_core.view import diff as changes_diff
from overmind_core.view import landing as landing_lines
from overmind_core.view import landing_form
from overmind_core.view import missions as missions_rows
from overmind_core.view.actions import Context
from overmind_core.view.diff import Spot
from overmind_core.view.keymap import keymap
from overmind_core.view.landing import How, Wanted
from overmind_tui.changes.page import ChangesPage
from overmind_tui.landing import dialog as landing_dialog
from overmind_tui.landing.actions import WorktreeActions
from overmind_tui.landing.dialog import LandingDialog
from overmind_tui.landing.page import WorktreesPage
from overmind_tui.pages import dialog
from overmind_tui.pages.compose import Composer
from overmind_tui.pages.dialog import Dialog
from overmind_tui.pages.text import TextPage
from overmind_tui.render.layout import Panel
from overmind_tui.shell import clipboard
from overmind_tui.shell.updates import show_bottom
from overmind_tui.shell.world import World
from tests.kit.cases import tabled
from tests.tui.conftest import picture, until
from tests.tui.test_pictures import NOW, mission
from tests.tui.test_pictures_worktrees import (
    CHANGES,
    CONFLICTS,
    DIRTY,
    FLEET,
    PREVIEW,
    UNMERGED,
    WORKTREES,
    Isolated,
    worktree,
)
from tests.tui.test_plans import KEYS
from tests.tui.walks import go

STANDS = [
    ({"merged": True}, "clean", ""),
    ({"merged": True, "ignored": 2}, "ignored", ""),
    ({"ahead": 3}, "unmerged", "↑3"),
    ({"ahead": 3, "behind": 1, "merged": True}, "merged", "↑3 ↓1"),
    ({"ahead": 3, "behind": 1, "merged": True, "ignored": 1}, "ignored", "↑3 ↓1"),
    ({"ahead": 3, "merged": True, "elsewhere": ["keep"]}, "elsewhere", "↑3"),
    ({"ahead": 3, "dirty": True}, "uncommitted", "↑3"),
    ({"dirty": True, "merged": True}, "uncommitted", ""),
    ({"problem": "gone", "dirty": True}, "broken", ""),
]


def hint_tones(app):
    """Key → the tone of its hint."""
    (line,) = app.screen.hints.lines(app.size.width)
    return {cell.text.strip(): cell.tone for cell in line if cell.tone in {"key", "faint"}}


def on_main(app):
    return app.screen is app.main


@tabled(("facts", "word", "distance"), STANDS)
def test_a_worktree_says_what_is_to_be_done_about_its_work(facts, word, distance):
    row = worktree(1, "api", "running", **facts)
    assert (landing_lines.standing(row), landing_lines.distance(row)) == (word, distance)


def test_a_worktree_whose_mission_is_no_more_has_no_mark_but_a_word():
    rows = {row["name"]: row for row in landing_lines.worktrees({"worktrees": WORKTREES})}
    assert "status" not in rows["gone"]
    api = rows["api"] | {"activity": "idle"}
    said = {column.key: column.cell(api, NOW).text for column in landing_lines.COLUMNS}
    assert said == {
        "name": "api", "state": "your turn", "branch": "overmind/api", "distance": "↑3", "files": "5",
        "lines": "+48 −7", "work": "unmerged", "ports": "3100 web:3101", "containers": "db:running", "size": "14 MB",
        "base": "main", "path": "/srv/work/.overmind/worktrees/00000001",
    }  # fmt: skip
    assert landing_lines.COLUMNS[1].cell(rows["gone"], NOW).text == "removed"


@tabled("by", landing_lines.ORDERS)
def test_worktrees_have_an_order_by_each_column(by):
    rows = landing_lines.worktrees({"worktrees": WORKTREES})
    assert len(sorted(rows, key=lambda row: landing_lines.ORDERS[by].key(row, NOW))) == len(WORKTREES)


STEPS = [
    ("pulling redis:7 40 %", "40 %  pulling redis:7"),
    ("setting up: make deps", "setting up: make deps"),
    ("", "preparing"),
]


@pytest.mark.parametrize(("step", "now"), STEPS)
def test_how_much_of_a_step_is_done_stands_before_it(step, now):
    assert missions_rows.now_cell(mission(1, "api", "preparing", isolation={"step": step})).text == now


def test_the_answer_of_the_supervisor_is_a_text_with_the_place_of_each_line():
    text = changes_diff.text(changes_diff.of_api(CHANGES))
    lines = ["".join(cell.text for cell in line) for line in changes_diff.marked(text, {"app.py:2"})]
    assert lines[0] == " overmind/api compared with main  3 changed, 2 new  +10 −5"
    assert lines[2] == " 3 commits"
    assert text.paths == ("app.py", "config/settings.toml", "logo.png", "tests/test_app.py", "legacy.py")
    assert [lines[at] for at, spot in text.spots.items() if spot.place == "app.py:2"] == ["●    2 +import os"]
    assert any(line.strip() == "new file mode 100755" for line in lines), "that it can be run is said"
    assert not any(line.strip().startswith(("index ", "--- ", "+++ ")) for line in lines), (
        "what the heading says is not"
    )


def test_changes_of_a_shared_folder_say_since_when_they_are():
    note = "Its folder is shared: this is what changed since attempt 2 began."
    answer = {**CHANGES, "branch": "main", "base": "the start of attempt 2", "commits": [], "note": note}
    lines = ["".join(cell.text for cell in line) for line in changes_diff.text(changes_diff.of_api(answer)).lines]
    assert lines[0].startswith(" main compared with the start of attempt 2 ")
    assert lines[1] == f" {note}"


ODD = [
    ("diff --git a/x b/x\nold mode 100644\nnew mode 100755\n", "x", []),
    ('diff --git "a/\\303" "b/\\303"\n--- "a/\\303"\n+++ "b/\\303"\n@@ -1 +1 @@\n-a\n+b\n', "\\303", [1, 1]),
    ("diff --cc x\nindex 1,2..0\n--- a/x\n+++ b/x\n@@@ -1,2 -1,2 +1,3 @@@\n++<<\n", "x", []),
    ("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -0,0 +7,2 @@\n+--- a\n+\n", "x", [7, 8]),
]


@pytest.mark.parametrize(("diff", "path", "numbers"), ODD)
def test_any_diff_can_be_shown(diff, path, numbers):
    (part,) = changes_diff.parts(diff)
    assert changes_diff.path_text(part) == path
    assert [spot.number for _, spot in changes_diff.drawn(part, 100) if spot is not None] == numbers


def test_a_comment_names_its_place_and_quotes_its_line():
    draft = changes_diff.with_place("", Spot("app.py", 5, '+PORT = "x"'))
    assert draft == 'app.py:5\n> +PORT = "x"\n'
    draft = changes_diff.with_place(draft + "why?", Spot("a b.py", 7, " kept"))
    assert draft == 'app.py:5\n> +PORT = "x"\nwhy?\n\na b.py:7\n> kept\n'
    assert changes_diff.places(draft) == ["app.py:5", "a b.py:7"]


def test_places_of_which_nothing_is_said_are_not_kept():
    alone = changes_diff.with_place("", Spot("app.py", 5, "+x"))
    assert changes_diff.pruned(alone) == ""
    draft = changes_diff.with_place(alone + "why?", Spot("b.py", 7, " y"))
    assert changes_diff.pruned(draft) == "app.py:5\n> +x\nwhy?"
    assert changes_diff.with_place(draft, Spot("c.py", 1, "+z")).count("> ") == 2, "the place of before was given up"
    assert changes_diff.pruned("a:1 is no place\n> but a quote") == "a:1 is no place\n> but a quote"


def said(form):
    return "\n".join("".join(cell.text for cell in line) for line in landing_form.drawn(form, 76))


BEGUN = landing_form.begun("overmind/api", "main", Wanted(How.SQUASH, "", "make test"))


def test_what_would_come_is_said_before_it_is_landed():
    form = landing_form.looked(BEGUN, PREVIEW)
    assert "overmind/api → main\n3 commits · 5 files" in said(form)
    assert "make test" in said(form)
    assert form.wanted.request("1", preview=False) == {
        "id": "1", "into": None, "squash": True, "rebase": False, "verify": "make test", "message": None,
        "preview": False,
    }  # fmt: skip
    counted = landing_form.looked(BEGUN, {"target": "main", "commits": 1, "files": 30})
    assert "1 commit · 30 files" in said(counted)


def test_more_than_can_be_shown_is_counted():
    files = [{"path": f"f{at}", "status": "M"} for at in range(30)]
    assert "… and 22 more files" in said(landing_form.looked(BEGUN, {"target": "main", "commits": 1, "files": files}))
    assert "  … and 22 more" in landing_lines.lost({"files": files, "commits": 2})


MEETS = (
    "The checkout of main has changes of its own in app.py, which the merge would change too. Commit or stash them "
    "there, then land it again"
)


def test_a_preview_says_whole_why_its_target_can_not_be_moved_now():
    form = landing_form.looked(BEGUN, {**PREVIEW, "refused": MEETS})
    assert form.stage == "ready"
    rows = ["".join(cell.text for cell in line) for line in landing_form.drawn(form, 40)]
    assert MEETS.replace(". ", " ") in " ".join(" ".join(rows).split())
    assert all(len(row) <= 40 for row in rows)


def test_a_preview_says_that_work_which_has_changed_since_its_review_is_refused():
    form = landing_form.looked(BEGUN, {**PREVIEW, "unreviewed": "web has changed since its review"})
    assert form.stage == "refused", "enter would be refused"
    assert "web has changed since its review, so that merge refuses it without\n--unreviewed" in said(form)


UNDOES = OvermindError(
    "undoes_landed", "a would lose 1 line of api. Merge it all the same with: overmind merge web --undo-landed"
)
REFUSALS = [
    (CONFLICTS, False, "conflicts", "app.py            api and web"),
    (DIRTY, True, "dirty", "Only commits land"),
    (DIRTY, False, "refused", "1 file of web is not committed"),
    (OvermindError("nothing_to_merge", "main has all of it. Nothing to do."), False, "refused", "Nothing to do."),
    (OvermindError("invalid", "No branch 'x'. Choose another one with --into"), False, "refused", "Choose another one"),
    (OvermindError("verify_failed", "It failed.", mission={"id": "00000009"}), False, "check failed", "It failed."),
    (UNDOES, False, "refused", "a would lose 1 line of api"),
    (UNDOES, False, "refused", "overmind merge web --undo-landed"),
]


@pytest.mark.parametrize(("error", "own", "stage", "text"), REFUSALS)
def test_a_refusal_says_why_and_what_may_be_done(error, own, stage, text):
    form = landing_form.refused(BEGUN, error, own=own)
    assert (form.stage, text in said(form)) == (stage, True)
    assert landing_form.KEYS[form.stage]


class Asked(Isolated):
    """Keeps what it was asked."""

    def __init__(self, **how):
        super().__init__(**how)
        self.asked = []
        self.merged = []
        self.replies = {}
        self.ran: list[list[str]] = []
        self.jobs.start = self._ran  # type: ignore[method-assign]

    def _ran(self, _name, calls, _on_result):
        self.ran += [list(argv[4:]) for argv in calls]

    def flash(self, text, tone=""):
        self.notice.put(text, tone)
        show_bottom(self)

    def request(self, command, requests, on_result):
        self.asked += [(command, one) for one in requests]
        if command in self.replies:
            on_result([self.replies[command] for _ in requests])
        else:
            super().request(command, requests, on_result)

    def follow(self, command, request, each, on_result):
        if not request.get("preview"):
            self.merged.append(request)
        super().follow(command, request, each, on_result)


@pytest.fixture(autouse=True)
def read_at_once(monkeypatch):
    """What is asked counts as read, and what is copied goes nowhere."""
    monkeypatch.setattr(dialog, "MOMENT", 0.0)
    monkeypatch.setattr(landing_dialog, "PAUSE", 0.01)
    monkeypatch.setattr(clipboard, "copy", lambda app, _text, what: app.flash(f"copied {what}"))


def walk(scenario, make=Asked, **how):
    async def whole_walk():
        app = make(**how)
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            await scenario(app, lambda *steps: go(app, pilot, steps), pilot)

    asyncio.run(whole_walk())


OPENED = {Context.WORKTREES: (":wt",), Context.CHANGES: (":wt", "j", "enter")}


@pytest.mark.parametrize("context", OPENED)
def test_each_key_means_what_the_table_says_and_each_action_is_done(context, monkeypatch):
    async def scenario(app, press, pilot):
        await press(*OPENED[context])
        await pilot.pause()
        assert app.screen.context is context
        meant = []
        with monkeypatch.context() as patched:
            patched.setattr(type(app.screen), "act", lambda page, action: meant.append((page.context, action.name)))
            for key in KEYS:
                app.screen.press(key, key if len(key) == 1 else None)
        keys = keymap(context)
        assert meant == [(context, keys[key].name) for key in KEYS if key in keys]
        page = app.screen
        for key, action in keys.items():
            if action.context is context and action.name != "shell-there":
                await press(key)
                await pilot.pause()
                if app.screen is not page:
                    app.main.to_front()
                    await press(*OPENED[context])
                    await pilot.pause()
                    page = app.screen

    walk(scenario)


def test_from_the_worktrees_to_what_changed_to_the_log():
    async def scenario(app, press, pilot):
        await press(":worktrees /api")
        page = app.screen
        assert isinstance(page, WorktreesPage)
        assert app.asked == [("worktrees", {"ids": None, "sizes": True})]
        page.happened({"line_written"})
        assert not page.source.asking
        page.happened({"landed"})
        page.source.ask_again()
        assert app.asked[-1] == ("worktrees", {"ids": None, "sizes": False}), "nobody measures at each event"
        await press("ctrl+r")
        assert app.asked[-1][1]["sizes"]
        await press("enter")
        await pilot.pause()
        assert isinstance(app.screen, ChangesPage)
        assert ("changes", {"id": "00000001"}) in app.asked
        await press("escape", "l")
        assert on_main(app)
        assert app.main.panels.current is Panel.LOG
        await press(":wt", "G", "l")
        assert app.notice.text == "the mission of 日本-site was removed"
        await press("d")
        assert isinstance(app.screen, TextPage)
        await press("escape", ":push", ":discard --force")
        assert app.ran == [["push", "00000006"]], "also where the mission is no more"
        assert "discard --force 日本-site" in picture(app)
        await press("escape", ":discard")
        assert "discard 日本-site?" in picture(app)

    walk(scenario)


def test_comments_are_gathered_and_sent_as_one_message():
    async def scenario(app, press, pilot):
        app.replies["send"] = {"message": 7, "state": "delivered", "ahead": 0}
        await press("v")
        await pilot.pause()
        page = app.screen
        await press("#")
        assert app.notice.text.startswith("the cursor is not on a line of a file")
        await press("n", *"jjjjjjj", "#")
        assert isinstance(app.screen, Composer)
        app.screen.paste("from the settings")
        await press("escape")
        assert app.notice.text == "1 comment kept · # adds another, m sends"
        assert page.pending == ["app.py:5"]
        assert "1 comment not sent" in picture(app)
        await press("j", "j", "j", "#")
        await press("ctrl+c")
        assert page.pending == ["app.py:5"], "what is cancelled takes nothing with it"
        await press("#")
        app.screen.paste("and here")
        await press("enter")
        await pilot.pause()
        (sent,) = [one for command, one in app.asked if command == "send"]
        assert sent["text"].startswith('app.py:5\n> +PORT = int(os.environ.get("PORT", "8000"))\nfrom the settings\n\n')
        assert sent["text"].endswith("and here")
        assert page.pending == []

    walk(scenario)


def test_a_long_diff_is_shown_once_it_is_drawn():
    async def scenario(app, press, pilot):
        long = {**CHANGES, "diff": CHANGES["diff"].replace(" import sys\n", " import sys\n" * 9000)}
        app.replies["changes"] = long
        await press("v")
        await until(pilot, lambda: "import os" in picture(app), what="the diff")
        await press("G")
        assert app.screen.path == "legacy.py"

    walk(scenario)


def test_who_reads_no_messages_gets_no_comments():
    async def scenario(app, press, pilot):
        await press("v")
        await pilot.pause()
        assert hint_tones(app)["#"] == "key"
        await press("escape")
        app.main.go_to("[red]fix[/]")
        await press("v")
        await pilot.pause()
        assert hint_tones(app)["#"] == "faint", "nobody would read it"
        await press("n", "j", "j", "#")
        assert (
            app.notice.text
            == "[red]fix[/] is a task and takes no messages: its input is empty; --type session starts one that reads"
        )
        app.read_only = True
        await press("#")
        assert app.notice.text == "read-only: comment is off"
        await press("L")
        assert app.notice.text == "read-only: land is off"

    walk(scenario)


def test_landing_shows_what_would_come_and_remembers_how():
    async def scenario(app, press, pilot):
        await press("L")
        await pilot.pause()
        assert isinstance(app.screen, LandingDialog)
        await press("right", "tab", "tab")
        app.screen.paste("make test")
        await until(pilot, lambda: app.screen.state.stage == "ready", what="another look")
        app.items = [{"step": "merging"}, {"step": "verifying", "verify": "00000005"}, {"step": "landing"}]
        await press("enter")
        await pilot.pause()
        assert app.merged == [Wanted(How.SQUASH, "", "make test").request("00000001", preview=False)]
        assert app.notice.text == "landed api: 3 commits on main · :wt lists the rest"
        assert app.screen is app.main
        await press(":merge")
        await pilot.pause()
        assert app.screen.state.wanted == Wanted(How.SQUASH, "", "make test")
        await press("escape", ":merge api --squash", ":commit -m done", ":push")
        assert [line[0] for line in app.ran] == ["merge", "commit", "push"]

    walk(scenario)


def test_a_check_that_fails_shows_its_log():
    async def scenario(app, press, pilot):
        app.merges = [PREVIEW, OvermindError("verify_failed", "make test failed.", mission="00000005")]
        await press("v")
        await pilot.pause()
        await press("L")
        await pilot.pause()
        await press("enter")
        await pilot.pause()
        assert "make test failed" in app.notice.text
        assert isinstance(app.screen, LandingDialog)
        await press("l")
        assert on_main(app)
        assert app.main.table.cursor_id == "00000005"

    walk(scenario)


def test_conflicts_can_not_be_landed_but_handed_to_the_agent(monkeypatch):
    async def scenario(app, press, pilot):
        monkeypatch.setattr(World, "environ", {"SSH_AUTH_SOCK": "/of/this/login"})
        app.merges = [CONFLICTS, {"name": "api", "resolving": ["app.py"], "message": 4, "restarted": True}]
        await press("L")
        await pilot.pause()
        assert "m has its agent resolve them" in picture(app)
        await press("enter", "tab", "x")
        assert app.merged == []
        await press("m")
        await pilot.pause()
        session = {"session_env": {"SSH_AUTH_SOCK": "/of/this/login"}}
        assert app.merged == [{"id": "00000001", "into": None, "resolve": True, **session}]
        assert on_main(app)
        assert app.notice.text == "api was started again, and resolves 1 file: land it when it has committed"

    walk(scenario)


def test_conflicts_that_no_agent_takes_name_the_command_that_begins_to_resolve_them(monkeypatch):
    copied = []
    monkeypatch.setattr(clipboard, "copy", lambda _app, text, what: copied.append((text, what)))
    command = f"git -C '/srv/{'a long name/' * 6}work/.overmind/worktrees/00000004' merge main"

    async def scenario(app, press, pilot):
        app.merges = [OvermindError("conflicts", CONFLICTS.message, **CONFLICTS.fields | {"resolve_with": command})]
        await press("G", "enter")  # what ended unfolds
        app.main.table.select("00000004")
        await press("L")
        await pilot.pause()
        shown = picture(app)
        assert "c copies the command · v diff · esc closes" in shown
        assert "To resolve them, run this, commit, then land it again:" in shown
        shown = " ".join(
            "".join(cell.text for cell in line).strip() for line in landing_form.drawn(app.screen.state, 78)
        )
        assert shown.endswith(f" {command}"), "all of it"
        await press("c", "m")
        assert (copied, app.merged) == ([(command, "the command")], [])

    walk(scenario)


def test_what_is_not_committed_is_committed_first():
    async def scenario(app, press, pilot):
        app.merges = [DIRTY, PREVIEW]
        app.replies["worktrees"] = {"worktrees": [WORKTREES[1]]}
        app.replies["commit"] = {"mission": "00000002", "commit": "9ab", "subject": "Ports", "files": 2}
        app.main.table.select("00000002")
        await press("L")
        await pilot.pause()
        await press("enter")
        await pilot.pause()
        assert isinstance(app.screen, Composer)
        app.screen.paste("Ports")
        await press("enter")
        await pilot.pause()
        assert ("commit", {"id": "00000002", "message": "Ports"}) in app.asked
        assert isinstance(app.screen, LandingDialog)
        assert app.screen.state.stage == "ready"

    walk(scenario)


DISCARDED = {"name": "日本-site", "worktree": "/w/6", "branch": None, "containers": ["db"], "volumes": []}


def test_work_is_lost_only_after_a_second_question():
    async def scenario(app, press, pilot):
        discards = lambda: [one for command, one in app.asked if command == "discard"]  # noqa: E731
        app.replies["discard"] = UNMERGED
        await press(":wt", "j", "ctrl+d")
        assert app.notice.text == "api is running: stop it first"
        await press("G", "ctrl+d", "enter")
        assert discards() == [], "the focus is on what loses nothing"
        await press("ctrl+d", "y")
        assert discards() == [{"id": "00000006", "force": False}]
        assert isinstance(app.screen, Dialog)
        assert "2 files only in this worktree" in picture(app)
        await press("y")
        assert len(discards()) == 1, "the same key twice loses nothing"
        app.replies["discard"] = DISCARDED
        await press("f")
        assert discards()[-1] == {"id": "00000006", "force": True}
        assert app.notice.text == "discarded 日本-site: worktree, 1 container", "git has kept its branch"
        app.read_only = True
        await press("ctrl+d")
        assert app.notice.text == "read-only: discard is off"

    walk(scenario)


def test_who_has_no_worktree_is_told_how_to_get_one():
    async def scenario(app, press, pilot):
        app.main.table.select("00000005")
        await press("L")
        assert app.notice.text == "lint has no worktree · run --isolate gives a mission one"
        await press("*", "L")
        listed = sum(row["status"] != "stopped" for row in FLEET)
        assert app.notice.text == f"land: select one: {listed} are marked"
        reason = "it was removed, and no work was lost with it"
        for isolation, why in (({"no_worktree": reason}, f": {reason}"), ({"source": "/p"}, "")):
            said = landing_lines.without_one({"name": "lint", "isolation": isolation})
            assert said == f"lint has no worktree{why}", "it was isolated"

    walk(scenario)


def test_work_in_review_is_answered_before_it_lands():
    said = []
    shell = SimpleNamespace(flash=lambda text, tone: said.append((text, tone)))
    WorktreeActions(shell).land([worktree(1, "api", "stopped", quest_state="review")])
    assert said == [("api waits for your review: answer that first", "slow")]


def test_pushing_says_where_it_went():
    async def scenario(app, press, pilot):
        app.replies["push"] = {"remote": "origin", "branch": "overmind/api", "commit": "9ab"}
        await press(":wt", "j", "P")
        assert app.notice.text == "pushed overmind/api to origin"
        app.replies["push"]["uncommitted"] = ["a", "b"]
        await press("P")
        assert app.notice.text.endswith("to origin · 2 files not committed, not pushed")
        app.replies["push"] = OvermindError("git_failed", "There is no remote origin.")
        await press("P")
        assert app.notice.text == "api: There is no remote origin."
        await press("C")
        await press("escape", "c")
        assert app.notice.text == "copied /srv/work/.overmind/worktrees/00000001"

    walk(scenario)


def test_each_thing_that_changes_a_worktree_is_off_where_one_may_only_look():
    for context in OPENED:
        for action in keymap(context).values():
            if action.verb in {"merge", "commit", "push", "discard", "send"}:
                assert action.danger is not Danger.NONE, action


class Thinking(Asked):
    """Git takes its time over a discard."""

    def request(self, command, requests, on_result):
        if command == "discard":
            self.heard = on_result
        else:
            super().request(command, requests, on_result)


@pytest.mark.parametrize("opens", ["/", "?", ""])
def test_the_second_question_opens_over_nothing_that_was_opened_meanwhile(opens):
    async def scenario(app, press, pilot):
        await press(":wt", "G", "ctrl+d", "y")
        await press(*opens)
        app.heard([UNMERGED])
        await pilot.pause()
        assert isinstance(app.screen, Dialog) is (not opens)
        if opens:
            assert app.notice.text == "日本-site: nothing removed, work would be lost · ctrl-d asks again"

    walk(scenario, Thinking)
