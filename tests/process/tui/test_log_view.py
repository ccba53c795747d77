"""The log on the screen, against a real supervisor: keys, a million lines, filter, search, runs, several at once."""

from __future__ import annotations

import os
import re
import time
from functools import partial
from pathlib import Path

import pytest
from textual import events

from overmind_core.logs.layout import OUT, data_name, index_name
from overmind_core.logs.time_index import pack
from overmind_tui.render.layout import Panel
from tests.kit import torture
from tests.kit.screen_parts import face_of, title_of
from tests.tui.conftest import picture, until

MILLION = 1_000_000
LINES = torture.portion(MILLION)
"""Where nothing but time is won by having more."""


def title(app):
    return title_of(picture(app))


def shown(app):
    return face_of(picture(app))


async def at_the_ended(pilot):
    """Unfold those that ended, and put the cursor on the first of them."""
    await pilot.press("enter", "j")


async def type_text(app, pilot, text):
    for one in text:
        app.post_message(events.Key({"\r": "enter", "\t": "tab"}.get(one, one), one if one.isprintable() else None))
    await pilot.pause()


def said(app, text):
    return text in shown(app)


def put_lines(om, name, count):
    """Make the ended mission's log one of so many lines, as its keeper would have written it."""
    (run,) = om.api("logs", ids=[name])["missions"][0]["runs"]
    folder, body = (
        run["path"],
        b"".join(b"line %07d says GET /users/%d 200\n" % (at, at % 997) for at in range(count)),
    )
    began = int(os.stat(folder).st_mtime * 1000)
    for file in os.listdir(folder):
        os.unlink(os.path.join(folder, file))
    for start in range(0, len(body), 4 << 20):
        with open(os.path.join(folder, data_name(OUT, start)), "wb") as file:
            file.write(body[start : start + (4 << 20)])
    with open(os.path.join(folder, index_name(0)), "wb") as file:
        file.write(pack(began, 0, 0) + pack(began, 0, 1))
        file.writelines(pack(began + at, len(body) * at // 2000, OUT) for at in range(1, 2001))


@pytest.fixture
def big(om):
    """Make a log of so many lines."""

    def make(count):
        om.finished("echo soon much more", "--name", "big")
        put_lines(om, "big", count)

    return make


async def unfold(app, pilot):
    """The cursor goes to the one mission that has ended."""
    await until(pilot, lambda: app.main.table.on_fold, what="the fold")
    await pilot.press("enter", "j")


@pytest.mark.parametrize("command", ["date +%N", "true"], ids=["that writes", "that writes nothing"])
def test_a_mission_that_had_ended_is_followed_into_its_next_runs(om, opened, command):
    om.finished(command, "--name", "again")

    async def follow_into(app, pilot, run):
        await until(pilot, lambda: app.main.log_panel.runs[0] == run - 1, what="the run before")
        om.ok("restart", "again")
        await until(pilot, lambda: f"── restart {run - 1} at " in shown(app), what="the restart")
        await until(pilot, lambda: app.main.log_panel.runs == (run, run), what="the next run")

    async def scenario(app, pilot):
        await unfold(app, pilot)
        await follow_into(app, pilot, 2)
        await follow_into(app, pilot, 3)
        await pilot.press("l", "ctrl+s")
        await until(pilot, lambda: app.notice.text.startswith("saved "), what="its log in a file")
        saved = "\n".join(lines_of(app.notice.text.partition(" · ")[2]))
        assert re.findall(r"── restart (\d) at \d{4}(?:-\d\d){2} [\d:]{8}[+-]\d\d:\d\d ──", saved) == ["1", "2"]

    opened({}, scenario)


def test_a_plan_that_had_ended_is_followed_into_its_next_run(om, opened, tmp_path):
    plan = tmp_path / "again.toml"
    plan.write_text('[agents.one]\ncommand = "false"\n')
    om("apply", plan, "--wait")

    async def scenario(app, pilot):
        await until(pilot, lambda: "1 failed" in shown(app), what="its end")
        om("apply", plan, "--rerun", "failed", "--wait")
        await until(pilot, lambda: "── restart 1 at " in shown(app), what="that it runs again")

    opened({}, scenario)


def test_who_reads_back_in_what_had_ended_is_left_there(om, opened):
    om.finished("seq 200", "--name", "again")

    async def scenario(app, pilot):
        view = app.main.log_view
        await unfold(app, pilot)
        await until(pilot, lambda: "200" in shown(app), what="the tail")
        await pilot.press("l", "g")
        await until(pilot, lambda: not view.following, what="the head")
        before = view.scroll_offset.y
        om.ok("restart", "again")
        await until(pilot, lambda: app.fleet.named("again")["run"] == 2, what="the next run")
        assert (view.following, view.scroll_offset.y) == (False, before)
        await pilot.press("G")
        await until(pilot, lambda: app.main.log_panel.runs == (2, 2), what="the newest lines")

    opened({}, scenario)


@pytest.mark.torture
def test_a_million_lines_are_read_where_one_looks_and_held_nowhere_else(opened, big):
    places = [LINES * at // 64 for at in range(64)]  # each in a page of its own

    async def scenario(app, pilot):
        view = app.main.log_view
        await at_the_ended(pilot)
        await until(pilot, lambda: f"line {LINES - 1:07d}" in shown(app), what="the tail")
        await pilot.press("l", "g")
        await until(pilot, lambda: "line 0000000" in picture(app), what="the head")
        await until(pilot, lambda: view.paged_log.gap.count == 0, what="all pages are known")
        assert len(view.rows) == LINES
        assert view.virtual_size.height == LINES
        view.go(LINES // 2)
        await until(pilot, lambda: f"line {LINES // 2:07d}" in picture(app), what="the middle")
        for place in places:
            view.go(place)
            await until(pilot, lambda: view._heading is None, what="there")
        assert len(view.paged_log._held) <= 60
        (at, *_) = map(int, re.findall(r"line (\d+)", shown(app)))
        assert at == view.scroll_offset.y
        await pilot.press("0")
        await until(pilot, lambda: f"line {LINES - 1:07d}" in picture(app), what="the tail again")
        assert view.following

    big(LINES)
    opened({}, scenario)


def test_a_filter_over_a_million_lines_finds_the_newest_first_and_can_be_stopped(opened, big):
    async def scenario(app, pilot):
        view, side = app.main.log_view, app.main.log_panel
        await at_the_ended(pilot)
        await until(pilot, lambda: "line 0999999" in shown(app), what="the tail")
        await until(pilot, lambda: view.paged_log.gap.count == 0, what="all pages are known")
        await pilot.press("l")
        await type_text(app, pilot, "/000777 users\r")
        assert side.search.status.startswith("/000777 users: ")
        await until(pilot, lambda: "line 0000777" in picture(app), what="the oldest match", tries=1200)
        await until(pilot, lambda: len(view.rows) == 11, what="that, and 0007770 to 0007779")
        await pilot.press("escape")
        await until(pilot, lambda: len(view.rows) == MILLION, what="everything again")
        for digit in "135791357":
            await type_text(app, pilot, f"/[02468]{digit}? says\r")
            await until(pilot, lambda: side.search._left < side.search._of, what="begun to count", tries=1200)
            assert view.following
            await pilot.press("escape")
            await until(pilot, lambda: "stopped" in title(app) or not side.search._left, what="an answer")
            if side.search._left:
                break
            if side.search.wanted is not None:  # it had counted all before the key
                await pilot.press("escape")
            await until(pilot, lambda: len(view.rows) == MILLION, what="everything again")
        assert "stopped" in title(app)
        assert len(view.rows) > 0
        assert view.paged_log.wanted is not None
        await pilot.press("escape")
        assert view.paged_log.wanted is None

    big(MILLION)
    opened({}, scenario)


@pytest.mark.torture
def test_a_search_keeps_all_lines_and_goes_from_match_to_match_through_pages(opened, big):
    oldest, newest = f"{123:07d}", f"{LINES // 2 + 123:07d}"

    async def scenario(app, pilot):
        view = app.main.log_view
        await at_the_ended(pilot)
        await until(pilot, lambda: f"line {LINES - 1:07d}" in shown(app), what="the tail")
        await until(pilot, lambda: view.paged_log.gap.count == 0, what="all pages are known")
        await pilot.press("l")
        await type_text(app, pilot, f"/({oldest}|{newest})\t\r")
        await until(pilot, lambda: f"line {newest}" in picture(app), what="the newest match", tries=1200)
        assert len(view.rows) == LINES
        assert not view.following
        await pilot.press("N")
        await until(pilot, lambda: f"line {oldest}" in picture(app), what="the one before", tries=1200)
        await pilot.press("N")
        await until(pilot, lambda: "no more matches above" in app.notice.text, what="that was the first")
        await pilot.press("n")
        await until(pilot, lambda: f"line {newest}" in picture(app), what="back")
        await pilot.press("n")
        await until(pilot, lambda: "no more matches below" in app.notice.text, what="that was the last")

    big(LINES)
    opened({}, scenario)


SPEAKER = 'for i in $(seq 200); do echo "$i $( [ $((i % 50)) = 0 ] && echo ERROR || echo fine) of the day"; done; '


def test_slash_in_the_log_filters_the_log_and_stays_there(om, opened):
    async def scenario(app, pilot):
        await until(pilot, lambda: "200 ERROR" in shown(app), what="the log")
        await type_text(app, pilot, "l/error")
        await until(pilot, lambda: shown(app).count("ERROR") == 4, what="four lines")
        assert "fine" not in shown(app)
        assert app.main.panels.current is Panel.LOG
        await type_text(app, pilot, "(")
        await pilot.pause()
        assert app.main.bar.broken
        assert shown(app).count("ERROR") == 4
        await pilot.press("backspace")
        assert not app.main.bar.broken
        await type_text(app, pilot, " !150\r")
        await until(pilot, lambda: shown(app).count("ERROR") == 3, what="without one")
        assert "/error !150: 3" in title(app)
        await pilot.press("escape")
        await until(pilot, lambda: "199 fine" in picture(app), what="everything")
        assert app.main.panels.current is Panel.LOG
        await pilot.press("escape")
        await until(pilot, lambda: app.main.panels.current is Panel.TABLE, what="the table")

    opened({"speaker": SPEAKER + "sleep 300"}, scenario)


def test_a_filter_stays_when_another_part_of_the_same_log_is_shown(om, opened):
    async def scenario(app, pilot):
        await until(pilot, lambda: "200 ERROR" in shown(app), what="the log")
        await type_text(app, pilot, "l/error\r")
        await pilot.press("6")
        await until(pilot, lambda: "the last 1h · /error: 4" in title(app), what="both")
        await until(pilot, lambda: shown(app).count("ERROR") == 4 and "fine" not in shown(app), what="four lines")
        await pilot.press("escape")
        await until(pilot, lambda: "199 fine" in shown(app), what="all of the last hour")

    opened({"speaker": SPEAKER + "sleep 300"}, scenario)


def test_lines_that_come_are_filtered_too(om, opened, tmp_path):
    gate = tmp_path / "gate"

    async def scenario(app, pilot):
        await until(pilot, lambda: "200 ERROR" in shown(app), what="the log")
        await type_text(app, pilot, "l/error\r")
        gate.touch()
        await until(pilot, lambda: "late ERROR" in shown(app), what="what came")
        assert "late fine" not in shown(app)

    wait = f"while [ ! -e {gate} ]; do sleep 0.05; done; echo late fine; echo late ERROR; "
    opened({"speaker": SPEAKER + wait + "sleep 300"}, scenario)


def test_ranges_show_what_is_that_young_and_say_when_the_last_line_was(om, opened):
    async def scenario(app, pilot):
        await until(pilot, lambda: "200 ERROR" in shown(app), what="the log")
        app.now = lambda: time.time() + 7200
        await pilot.press("l", "f", "3")
        await until(pilot, lambda: "no output in the last 5m · the last line was at" in picture(app), what="why")
        assert "2h ago" in picture(app)
        assert "the last 5m" in title(app)
        del app.now
        await pilot.press("6")
        await until(pilot, lambda: "200 ERROR" in picture(app), what="the last hour")
        assert "the last 1h" in title(app)
        await pilot.press("1")
        await until(pilot, lambda: re.search(r"^ \d\d:\d\d  1 fine", shown(app), re.MULTILINE), what="the head of all")
        assert "the last" not in title(app)

    opened({"speaker": SPEAKER + "sleep 300"}, scenario)


def test_clearing_the_view_deletes_nothing(om, opened, tmp_path):
    gate = tmp_path / "gate"

    async def scenario(app, pilot):
        await until(pilot, lambda: "200 ERROR" in shown(app), what="the log")
        await pilot.press("l", "C")
        await until(pilot, lambda: "no output since the view was cleared" in picture(app), what="nothing")
        gate.touch()
        await until(pilot, lambda: "late ERROR" in shown(app), what="what came")
        await pilot.press("0")
        await until(pilot, lambda: "200 ERROR" in shown(app), what="everything")

    wait = f"while [ ! -e {gate} ]; do sleep 0.05; done; echo late fine; echo late ERROR; "
    opened({"speaker": SPEAKER + wait + "sleep 300"}, scenario)


def test_a_ruler_stands_above_what_comes(om, opened, tmp_path):
    gate = tmp_path / "gate"

    async def scenario(app, pilot):
        await until(pilot, lambda: "200 ERROR" in shown(app), what="the log")
        await pilot.press("l", "m")
        await until(pilot, lambda: re.search(r"── \d\d:\d\d:\d\d ─────", shown(app)), what="the ruler")
        gate.touch()
        await until(pilot, lambda: "late ERROR" in shown(app), what="what came")
        assert re.search(r"200 ERROR[^\0]*── \d\d:\d\d:\d\d ─[^\0]*late fine", shown(app))

    wait = f"while [ ! -e {gate} ]; do sleep 0.05; done; echo late fine; echo late ERROR; "
    opened({"speaker": SPEAKER + wait + "sleep 300"}, scenario)


def test_the_runs_before_one_after_the_other(om, opened):
    om.finished("echo here I am", "--name", "again")
    for _ in range(2):
        om.ok("restart", "again")
        om.wait_status("again", "stopped")

    async def scenario(app, pilot):
        await at_the_ended(pilot)
        await until(pilot, lambda: shown(app).count("here I am") == 3, what="all runs")
        await pilot.press("p")
        await until(pilot, lambda: "run 2 of 3" in title(app), what="the second")
        await until(pilot, lambda: shown(app).count("here I am") == 1, what="alone")
        await pilot.press("p")
        await until(pilot, lambda: "run 1 of 3" in title(app), what="the first")
        await pilot.press("p")
        assert "no previous run" in app.notice.text
        await pilot.press("escape")
        await until(pilot, lambda: shown(app).count("here I am") == 3, what="all runs")

    opened({}, scenario)


def test_the_logs_of_marked_missions_stand_together_in_the_order_of_their_times(om, opened, tmp_path):
    def part(name, *gates):
        return "".join(f"while [ ! -e {tmp_path}/{gate} ]; do sleep 0.02; done; echo {name} {gate}; "
                       f"touch {tmp_path}/{gate}.done; " for gate in gates) + "sleep 300"  # fmt: skip

    async def scenario(app, pilot):
        await pilot.press("asterisk", "l")
        for gate in ("a", "b", "c", "d"):
            (tmp_path / gate).touch()
            await until(pilot, partial(said, app, f" {gate} "), what=gate)
        assert re.findall(r"(\w+) +│ (\w+ [abcd])", shown(app)) == [
            ("one", "one a"),
            ("two", "two b"),
            ("one", "one c"),
            ("two", "two d"),
        ]
        assert title(app).startswith("one, two ")
        await pilot.press("p")
        assert "show the log of one mission" in app.notice.text
        await pilot.press("escape")
        await until(pilot, lambda: "one c" not in shown(app) or "two d" not in shown(app), what="one alone")
        await until(pilot, lambda: app.main.panels.current is Panel.TABLE, what="the table")

    opened({"one": part("one", "a", "c"), "two": part("two", "b", "d")}, scenario)


def test_what_is_new_stands_below_a_line(om, opened, tmp_path):
    gate = tmp_path / "gate"
    om.mission(SPEAKER + f"while [ ! -e {gate} ]; do sleep 0.05; done; echo late ERROR; sleep 300", "--name", "speaker")
    while "200 ERROR" not in om.logs("speaker"):
        pass
    om.ok("seen", "speaker")
    gate.touch()
    while "late ERROR" not in om.logs("speaker"):  # what comes while somebody looks is not new
        pass

    async def scenario(app, pilot):
        await until(pilot, lambda: "late ERROR" in shown(app), what="the log")
        assert re.search(r"200 ERROR[^\0]*── new since \d\d:\d\d ─+[^\0]*late ERROR", shown(app))

    opened({}, scenario)


def test_a_log_that_was_in_view_for_a_second_is_seen_up_to_there_once_the_eyes_leave_it(om, opened):
    def seen_at(name):
        return om.api("logs", ids=[name])["missions"][0]["seen_at"]

    async def scenario(app, pilot):
        await until(pilot, lambda: "200 ERROR" in shown(app), what="the log")
        await until(pilot, lambda: app.seen_tracker.rested == app.main.table.cursor_id, what="it was in view")
        await pilot.press("G")
        await until(pilot, lambda: seen_at("speaker") is not None, what="seen")
        assert seen_at("unseen") is None

    opened({"speaker": SPEAKER + "sleep 300", "unseen": "sleep 300"}, scenario)


HOSTILE = (
    r"printf 'a [red]R[/red] [/] [b\n\ttab\n\033[31mred\033[0m|\n日本語 e\314\201|\n"
    r"over\rwritten\n\033]0;title\a\001x\n'"
)


def test_text_of_agents_is_literal_and_aligned(om, opened):
    async def scenario(app, pilot):
        await pilot.press("l", "f")
        await until(pilot, lambda: "日本語" in shown(app), what="the log")
        for line in ("a [red]R[/red] [/] [b ", "        tab ", "red| ", "日本語 e\u0301| ", "written ", "x "):
            assert f"  {line}" in shown(app)
        await pilot.press("w", "t", "slash", *"red")
        await pilot.pause()
        assert "[red]R[/red]" in picture(app)

    opened({"hostile": HOSTILE + "; sleep 300"}, scenario)


def test_a_full_screen_mission_says_what_it_writes(om, opened):
    async def scenario(app, pilot):
        await until(pilot, lambda: "[full-screen output, 1.0 KB]" in picture(app), what="that it is full-screen")
        assert "a shows its screen" in picture(app), "and how it is seen"

    opened({"vim": "printf '\\033[?1049h'; head -c 992 /dev/zero | tr '\\0' x; sleep 300"}, scenario)


def test_copying_and_saving_take_whole_lines(om, opened):
    copied = Path(om.path("saved", "copied.txt"))

    async def scenario(app, pilot):
        await until(pilot, lambda: "second" in shown(app), what="the log")
        await pilot.press("l", "w", "c")
        await until(pilot, lambda: "copied 2 lines" in app.notice.text, what="copied")
        text = "long " * 100 + "\nsecond"
        await until(pilot, lambda: copied.read_text().rstrip("\n") == text, what="whole lines")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "saved" in app.notice.text, what="saved")

    opened({"talker": "printf 'long %.0s' $(seq 100); echo; echo second; sleep 300"}, scenario)


def lines_of(path):
    return Path(path).read_text().splitlines()


def test_a_long_log_is_saved_whole_or_filtered_and_a_copy_of_its_end_says_so(om, opened):
    async def scenario(app, pilot):
        async def saved(said):
            await pilot.press("ctrl+s")
            await until(pilot, lambda: app.notice.text.startswith(f"saved {said} lines · "), what=said)
            return lines_of(app.notice.text.partition(" · ")[2])

        await until(pilot, lambda: "8000" in shown(app), what="the log")
        await pilot.press("l", "c")
        await until(pilot, lambda: "ctrl-s saves all" in app.notice.text, what="that it is a part")
        assert await saved("8,001") == ["a" * 40 + "!", *map(str, range(1, 8_001))]
        await type_text(app, pilot, "/(7|8)+$\r")
        assert await saved("1,600") == [str(number) for number in range(8_001) if number % 10 in {7, 8}]
        await until(pilot, lambda: " 1,600" in title(app), what="counted, too")
        await pilot.press("slash", "ctrl+u")
        await type_text(app, pilot, "(a+)+$\r")
        await until(pilot, lambda: "takes too long on a line of this log" in app.notice.text, what="given up")
        assert app.main.log_panel.search.wanted is None

    opened({"long": f"echo {'a' * 40}!; seq 8000; sleep 300"}, scenario)


def test_the_whole_log_goes_to_the_pager(om, opened, program, tmp_path):
    om.environment["PAGER"] = f"cat > {tmp_path}/paged"

    async def scenario(app, pilot):
        await until(pilot, lambda: "200 ERROR" in shown(app), what="the log")
        await pilot.press("l", "o")
        paged = tmp_path / "paged"
        await until(pilot, lambda: paged.exists() and "200 ERROR" in paged.read_text(), what="all of it")
        assert paged.read_text().startswith("1 fine of the day\n")

    opened({"speaker": SPEAKER + "sleep 300"}, scenario)


def test_half_pages_and_following(om, opened):
    async def scenario(app, pilot):
        view = app.main.log_view
        await until(pilot, lambda: "200 ERROR" in shown(app), what="the log")
        await pilot.press("l", "ctrl+u")
        await until(pilot, lambda: "200 ERROR" not in shown(app) and not view.following, what="half a page up")
        await pilot.press("ctrl+d")
        assert view.following
        await pilot.press("s")
        assert not view.following
        assert "paused" in title(app)
        await pilot.press("s")
        assert view.following
        await pilot.press("f")
        assert app.main.panels.zoomed

    opened({"speaker": SPEAKER + "sleep 300"}, scenario)


def test_a_log_whose_folder_was_removed_is_a_sentence(om, opened):
    om.finished("echo soon gone", "--name", "gone")
    (run,) = om.api("logs", ids=["gone"])["missions"][0]["runs"]
    for file in os.listdir(run["path"]):
        os.unlink(os.path.join(run["path"], file))
    os.rmdir(run["path"])

    async def scenario(app, pilot):
        await at_the_ended(pilot)
        await pilot.press("l", "f")
        await until(pilot, lambda: "the log was removed" in picture(app), what="why")
        await pilot.press("g", "G", "pageup", "w", "t", "m", "2", "0", "c")
        assert app.is_running

    opened({}, scenario)
