"""Conversations that programs keep are listed and adopted; lines of transcripts are found, and shown in their logs."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, ClassVar

import pytest

from overmind_core.log_pages.index import LogPage, WantedLine
from overmind_core.log_pages.page_worker import PageRead, PagesIndexed
from overmind_core.view import conversations, transcripts
from overmind_core.view.actions import Context
from overmind_core.view.keymap import keymap
from overmind_tui.command_line import jobs
from overmind_tui.command_line.jobs import Outcome
from overmind_tui.shell.messages import LogIndexed, LogRead, LogShown
from tests.kit.cases import tabled
from tests.tui.conftest import picture
from tests.tui.test_keys import ALL_KEYS
from tests.tui.test_pictures import LOG, NOW, ROWS, Still
from tests.tui.walks import Recording, walk

HOSTILE = "[red]no\x1b[2J\u202e\n" + "x" * 9000
KEPT: list[dict[str, Any]] = [
    {"session": "2c1d9e40-aaaa", "provider": "claude", "cwd": "/srv/work", "changed_at": NOW - 60, "title": "a shop",
     "pid": None, "state": None, "mission": None, "background": None},
    {"session": "2c1d9e40-aaaa", "provider": "claude", "cwd": "/srv/work", "changed_at": NOW - 99, "title": "a copy",
     "pid": None, "state": None, "mission": None, "background": None},
    {"session": "3c1d9e40-bbbb", "provider": "codex", "cwd": "/srv/\x1bother", "changed_at": NOW - 7200,
     "title": HOSTILE, "pid": 77, "state": "idle", "mission": "00000005", "background": None},
]  # fmt: skip
HITS: list[dict[str, Any]] = [
    {"id": "00000002", "name": "api", "at": "2025-12-31T23:59:33.000Z", "provider": "claude", "run": 2,
     "who": "human", "line": "and " * 30 + "redis\t" + HOSTILE},
    {"id": "0000dead", "name": "", "at": "1970-01-01T00:00:00.000Z", "provider": None, "run": 1, "who": "output",
     "line": "redis is down"},
]  # fmt: skip


class Kept(Recording, Still):
    """Whose command lines print what is given."""

    def __init__(self, printed=KEPT, outcome=None):
        super().__init__()
        self.read: list[list[str]] = []
        self.cancelled: list[str] = []
        self.adopted = Outcome("Adopted conversation 2c1d9e40 as mission 00000003 (tests)\n", 0)
        self.printed = outcome or Outcome(json.dumps(printed), 0)

        def read(argv, shape, on_result):
            self.read.append(list(argv[4:]))
            job = jobs.CommandJob(argv[4], [], "/", {})
            job.cancel = lambda: self.cancelled.append(argv[4])  # type: ignore[method-assign]
            if self.printed.text != "never":
                found = jobs._shaped(argv[4], self.printed, shape)
                self.call_later(on_result, found)
            return job

        def start(_name, calls, on_result):
            self.ran += [list(argv[4:]) for argv in calls]
            self.end = on_result

        self.jobs.read = read  # type: ignore[method-assign]
        self.jobs.start = start  # type: ignore[method-assign]


def test_conversations_of_the_folder_are_listed_and_one_is_adopted_once():
    async def scenario(app, press):
        await press(":adopt")
        assert app.read == [["adopt", "--json"]]
        assert [row["session"][:8] for row in app.screen.rows] == ["2c1d9e40", "3c1d9e40"]
        seen = picture(app)
        assert "2 conversations" in seen
        assert "of /srv/work · :adopt all lists those of all folders" in seen
        assert "mission 00000005: idle" in seen
        assert "[red]no" in seen
        assert not {"\x1b", "\u202e"} & set(seen)
        await press("enter", "enter")
        assert app.ran == [["adopt", "2c1d9e40-aaaa"]]
        assert app.notice.text == "adopt: one is being adopted"
        app.end(app.adopted)
        await press("f12")
        assert app.screen is app.main
        assert app.main.table.cursor_id == "00000003"
        assert app.notice.text == "Adopted conversation 2c1d9e40 as mission 00000003 (tests)"

    walk(scenario, Kept)


def test_a_conversation_that_is_open_elsewhere_is_refused_with_the_reason_and_the_list_is_read_again():
    async def scenario(app, press):
        await press(":adopt all", "j", "enter")
        assert app.read == [["adopt", "--all", "--json"]]
        assert "/srv/" in picture(app)
        said = "Conversation 3c1d9e40-bbbb is open in mission 00000005. Talk to it with: overmind send 00000005"
        app.end(Outcome(f"Error: busy: {said}\n", 1))
        await press("f12")
        assert app.notice.text == f"adopt: {said}"
        assert app.screen.view == "adopt"
        assert len(app.read) == 2
        await press("enter")
        assert len(app.ran) == 2

    walk(scenario, Kept)


def test_what_is_not_there_says_what_to_type():
    async def scenario(app, press):
        await press(":adopt")
        assert "No conversation of an agent is kept for this folder." in picture(app)
        assert ":adopt all" in picture(app)
        await press(":adopt all")
        assert ":new claude fix the tests" in picture(app)
        await press(":transcripts redis")
        assert "No transcript has these words" in picture(app)
        await press(":transcripts")
        assert app.notice.text.startswith("transcripts: type what to look for: :transcripts redis")
        await press(":transcripts -redis")
        assert app.notice.tone == "bad"

    walk(scenario, lambda: Kept([]))


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome("", 1, errors="Error: io: the disk is full\n"), "adopt: the disk is full"),
        (Outcome("[{", 0), "adopt: its answer can't be read, as it is too long or damaged"),
        (Outcome("", 1, cancelled=True), "adopt: cancelled"),
    ],
)
def test_why_nothing_can_be_listed_is_said(outcome, said):
    async def scenario(app, press):
        await press(":adopt")
        assert app.notice.text == said
        assert said in picture(app)

    walk(scenario, lambda: Kept(outcome=outcome))


def test_who_leaves_the_list_ends_what_reads_it():
    async def scenario(app, press):
        await press(":adopt", "escape")
        assert app.cancelled == ["adopt"]

    walk(scenario, lambda: Kept(outcome=Outcome("never", 0)))


def test_read_only_lists_and_adopts_nothing():
    async def scenario(app, press):
        app.read_only = True
        await press(":adopt", "enter", ":adopt 2c1d9e40")
        assert not app.ran
        assert app.notice.text == "read-only: adopt is off"

    walk(scenario, Kept)


def test_lines_are_found_by_the_words_of_a_shell_and_notes_by_the_verb_that_finds_notes():
    async def scenario(app, press):
        await press(":transcripts redis 'rate limit' -cluster --since 7d")
        found = ["search", "--transcripts", "--json", "--limit", "51"]
        assert app.read == [[*found, "redis", "rate limit", "-cluster", "--since", "7d"]]
        seen = picture(app)
        assert "2 lines" in seen
        assert "…" in seen
        assert "redis [red]no" in seen
        assert "\x1b" not in seen
        assert "with redis 'rate limit' -cluster --since 7d" in seen
        await press(":search --transcripts redis")
        assert app.read[-1] == [*found, "redis"]
        await press(":search redis")
        assert app.ran == [["search", "redis"]]

    walk(scenario, lambda: Kept(HITS))


def test_a_line_opens_its_log_there_and_esc_leads_back():
    async def scenario(app, press):
        await press(":transcripts redis", "j", "enter")
        assert app.notice.text == "0000dead has been removed: d shows all of the line"
        await press("k", "enter")
        assert app.screen is app.main
        assert app.main.context is Context.LOG
        assert app.main.log_panel.look.missions == ("00000002",)
        page, at = app.main.log_view.here
        assert page is app.main.log_view.paged_log.tail
        assert app.main.log_view.paged_log.tail.lines[at] in LOG
        await press("escape")
        assert app.screen.view == "transcripts"
        assert len(app.read) == 1

    hits = [{**HITS[0], "at": "2025-12-31T23:59:31.000Z", "line": "/login [/] 500 [b"}, HITS[1]]
    walk(scenario, lambda: Kept(hits))


def test_a_line_is_found_behind_one_that_is_a_little_later():
    log = [(NOW + 0.005, 2, "[human] plan it"), (NOW, 0, "the plan"), (NOW, 0, "the end")]

    class Short(Kept):
        def _show_log(self, look):
            self.post_message(LogShown(look, log, partial="", runs=(1, 1)))

    async def scenario(app, press):
        await press("l")
        app.main.log_panel.look_at_line(WantedLine(NOW, "the plan"))
        await press("f12", "f12")
        assert app.main.log_view.here == (app.main.log_view.paged_log.tail, 1)
        app.main.log_panel.look_at_line(WantedLine(NOW - 60, "lost"))
        await press("f12", "f12")
        assert app.notice.text == "that line is no longer kept"

    walk(scenario, Short)


class Paged(Kept):
    """Whose log has pages, each of which is read when it is wanted."""

    def __init__(self):
        super().__init__(HITS)
        self.pages = [LogPage((), 3) for _ in range(9)]
        self.wanted: list[int] = []
        self.log_follower.want = self._want  # type: ignore[method-assign]
        self.reader: Any = self

    def lines(self, number):
        """Two pages of each minute, with a line that reads the same in all."""
        wall = NOW - 3600 + 60 * (number // 2)
        return [(wall, 0, f"begin of {number}"), (wall, 0, "the same"), (wall, 0, f"\x1b[1mend\x1b[0m of {number}")]

    def _show_log(self, look):
        self.post_message(LogShown(look, [(NOW, 0, "newest")], partial="", runs=(1, 1), reader=self.reader, before=27))
        self.post_message(LogIndexed(PagesIndexed(self.reader, self.pages, whole=True)))

    def _want(self, pages):
        for page in pages:
            if page in self.pages and page.lines is None:
                number = self.pages.index(page)
                self.wanted.append(number)
                self.post_message(LogRead(PageRead(self.reader, page, self.lines(number), None, ())))

    def is_outdated(self, *_runs):
        return False


@tabled(
    ("minute", "text", "page", "at"),
    [(1, "end of 3", 3, 2), (1, "begin of 2", 2, 0), (0, "the same", 0, 1), (4, "end of 8", 8, 2), (3, "gone", 6, 0)],
)
def test_a_line_of_an_old_page_is_found_by_its_time_and_text(minute, text, page, at):
    async def scenario(app, press):
        await press("l")
        app.main.log_panel.look_at_line(WantedLine(NOW - 3600 + 60 * minute, text))
        for _ in range(20):
            await press("f12")
        found, line = app.main.log_view.here
        assert app.pages.index(found) // 2 == page // 2
        assert line == at or text == "gone"
        if text not in {"gone", "the same"}:
            assert app.pages.index(found) == page

    walk(scenario, Paged)


KEYS = [key for key in ALL_KEYS if not key.startswith("alt+")]


@pytest.mark.parametrize(
    ("context", "line"), [(Context.CONVERSATIONS, ":adopt"), (Context.TRANSCRIPTS, ":transcripts redis")]
)
def test_each_key_means_what_the_table_says(context, line, monkeypatch):
    async def scenario(app, press):
        await press(line)
        meant = []
        with monkeypatch.context() as patched:
            patched.setattr(type(app.screen), "act", lambda page, action: meant.append((page.context, action.name)))
            for key in KEYS:
                app.screen.press(key, key if len(key) == 1 else None)
        keys = keymap(context)
        assert meant == [(context, keys[key].name) for key in KEYS if key in keys]
        await press("d")
        assert app.screen.view == app.screen_stack[-2].view

    walk(scenario, lambda: Kept(KEPT if context is Context.CONVERSATIONS else HITS))


def _key(order, row):
    return order.key(row, NOW)


def test_the_columns_order_by_what_they_say():
    rows = conversations.conversations(KEPT)
    assert [len(row["title"]) <= conversations.LONGEST_TITLE for row in rows] == [True, True]
    for order in conversations.ORDERS.values():
        assert sorted(rows, key=partial(_key, order))
    found = transcripts.hits(HITS)
    for order in transcripts.ORDERS.values():
        assert sorted(found, key=partial(_key, order))


def test_json_is_read_apart_from_what_is_said_beside_it(tmp_path):
    script = "import sys; print('Warning: hm', file=sys.stderr); print('[1, 2]')"
    job = jobs.CommandJob("read", [[jobs.PROGRAM[0], "-c", script]], str(tmp_path), {}, is_apart=True)
    shape: Any = list
    found: Any = jobs._shaped("read", job.work(), shape)
    assert found == [1, 2]


class Forking(Recording, Still):
    answers: ClassVar = {"fork": {"id": "00000003", "name": "api-fork", "status": "running"}}

    def __init__(self):
        super().__init__(rows=[{**row, "provider": "claude" if row["name"] == "api" else "raw"} for row in ROWS])


def test_an_agent_is_forked_with_what_is_typed_once_for_the_same_text():
    async def scenario(app, press):
        await press("f")
        assert "fork of api" in picture(app)
        app.refuses = True
        await press(*"try", "enter")
        assert app.screen.refusal == "It has ended."
        app.refuses = False
        await press("enter")
        first, second = app.of("fork")
        assert first == second
        assert {**first, "request": ""} == {"id": "00000002", "prompt": "try", "request": ""}
        assert app.screen is app.main
        assert app.notice.text == "forked api as api-fork"
        assert app.main.table.cursor_id == "00000003"

    walk(scenario, Forking)


def test_what_has_no_conversation_is_not_forked_and_a_text_that_was_not_sent_is_kept():
    async def scenario(app, press):
        await press("f", *"later", "escape", "f")
        assert app.screen.field.text == "later"
        await press("escape")
        app.main.select("00000003")
        await press("f")
        assert app.notice.text == "tests has no conversation to fork"
        await press("*", "f")
        assert app.notice.text.startswith("fork: select one: ")
        assert not app.of("fork")

    walk(scenario, Forking)
