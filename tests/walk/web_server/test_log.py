"""The pane `log` without a browser: real logs of real missions, by `/ws`."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.shared_home


def opened(tab, missions, number=1, **args):
    """Open a log, and return its newest lines."""
    tab.send(t="open", p=number, view="log", args={"missions": missions, **args}, at="tail")
    return tab.next(number, "lines", "failed")


def texts(frame):
    """What its lines say."""
    return [line[1] for line in frame["lines"]]


def finished(om, command, *options):
    """A mission that has written what it writes."""
    mission = om.mission(command, *options)
    om.wait_status(mission, "stopped", "crashed")
    return mission


def test_newest_lines_then_any_page_of_what_lies_before(om, site):
    mission = finished(om, "seq 1 5000")
    with site.tab() as tab:
        tail = opened(tab, [mission])
        assert texts(tail) == [str(number) for number in range(4601, 5001)]
        assert 3000 < tail["before"] < 6000
        numbered = tab.next(1, "pages")
        found = []
        for page in range(numbered["pages"]):
            tab.send(t="page", p=1, at=page)
            got = tab.next(1, "lines")
            assert (got["page"], got["from"], got["of"]) == (page, 0, len(got["lines"]))
            assert len(got["lines"]) <= 400
            found += texts(got)
        assert found == [str(number) for number in range(1, 4601)]
        tab.send(t="page", p=1, at=10_000)
        assert tab.next(1, "lines")["lines"] == []


def waiting(om, path, then):
    """A mission that writes nothing until there is a file."""
    return om.mission(f"while [ ! -e {path} ]; do sleep 0.05; done; {then}; sleep 100", "--no-tty")


def touch(path):
    """Make the file."""
    with open(path, "w", encoding="utf-8"):
        pass


def test_what_comes_is_followed_and_a_line_without_its_end_is_shown(om, site):
    go = om.path("go")
    mission = waiting(om, go, r"printf 'first\nhalf'")
    with site.tab() as tab:
        assert opened(tab, [mission])["reason"] == "no output yet"
        touch(go)
        lines: list[str] = []
        partial = ""
        while partial != "half":
            got = tab.next(1, "more")
            lines, partial = lines + texts(got), got["partial"]
        assert lines == ["first"]


def test_an_empty_log_says_so_once_its_mission_has_ended(om, site):
    go = om.path("go")
    mission = om.mission(f"while [ ! -e {go} ]; do sleep 0.05; done", "--no-tty")
    with site.tab() as tab:
        assert opened(tab, [mission])["reason"] == "no output yet"
        touch(go)
        shown = tab.next(1, "lines")
        assert (shown["reason"], shown["ended"], shown["lines"]) == ("no output", True, [])


@pytest.mark.parametrize("beside", [(), ("sleep 100",)], ids=["alone", "beside one that lives"])
def test_a_mission_that_had_ended_is_followed_into_its_next_run(om, site, beside):
    mission = finished(om, "echo once")
    with site.tab() as tab:
        assert any("once" in line for line in texts(opened(tab, [mission, *(om.mission(one) for one in beside)])))
        om.ok("restart", mission)
        lines: list[str] = []
        while sum(line.endswith("once") for line in lines) < 2:
            got = tab.next(1, "lines", "more")
            lines = [*(lines if got["t"] == "more" else []), *texts(got)]


def test_who_reads_back_is_told_once_that_more_has_come(om, site):
    go = om.path("go")
    mission = waiting(om, go, "echo first")
    with site.tab() as tab:
        opened(tab, [mission])
        tab.send(t="say", p=1, say={"follow": False})
        tab.send(t="open", p=2, view="nosuch", args={})
        tab.next(2, "failed")
        touch(go)
        assert tab.next(1, "grew", "more")["t"] == "grew"
        tab.send(t="say", p=1, say={"tail": True})
        assert texts(tab.next(1, "lines")) == ["first"]


def test_a_search_finds_the_newest_first_and_waits_until_more_is_wanted(om, site):
    mission = finished(om, "seq 1 5000")
    with site.tab() as tab:
        tab.send(t="open", p=1, view="log", args={"missions": [mission], "match": "7"})
        found: list[str] = []
        state = "searching"
        waits = 0
        while state != "done":
            got = tab.next(1, "found")
            assert got["state"] in {"searching", "waiting", "done"}
            found[:0] = texts(got)
            state = got["state"]
            if state == "waiting":
                waits += 1
                tab.send(t="say", p=1, say={"older": True})
        assert found == [str(number) for number in range(1, 5001) if "7" in str(number)]
        assert waits


def test_what_was_found_says_where_it_stands(om, site):
    mission = finished(om, "seq 1 2000")
    with site.tab() as tab:
        tab.send(t="open", p=1, view="log", args={"missions": [mission], "match": "^777$"})
        line = next(line for frame in iter(lambda: tab.next(1, "found"), None) for line in frame["lines"])
        _, text, _, page, number, marks = line
        assert (text, marks) == ("777", [[0, 3]])
        opened(tab, [mission], 2)
        tab.next(2, "pages")
        tab.send(t="page", p=2, at=page)
        assert texts(tab.next(2, "lines"))[number] == "777"


@pytest.mark.own_home  # the process that tries it ends with the server or later than the test
def test_an_expression_that_never_ends_is_refused_and_delays_nobody(om, site):
    mission = finished(om, "for i in 1 2 3 4 5; do printf 'a%.0s' $(seq 60); echo b; done")
    with site.tab() as tab, site.tab() as other:
        tab.send(t="open", p=1, view="log", args={"missions": [mission], "match": "(a+)+$"})
        assert texts(opened(other, [mission]))
        assert tab.next(1, "found")["state"] == "refused"


def test_several_missions_are_merged_and_runs_and_parts_are_chosen(om, site):
    one = finished(om, "echo from-one", "--name", "one")
    two = finished(om, "echo from-two", "--name", "two")
    with site.tab() as tab:
        both = " ".join(texts(opened(tab, [one, two])))
        assert both.index("from-one") < both.index("from-two")
        assert opened(tab, [one], 2, run=7)["lines"] == []
        assert opened(tab, [one], 3, since=4e9)["lines"] == []


def test_controls_and_bidi_are_dropped_and_colours_and_long_lines_survive(om, site):
    coloured = r"printf '\033[31mred\033[0m <b>\342\200\256x\033]0;t\007\n'"
    long_line = r"head -c 30000 /dev/zero | tr '\0' y; echo"
    mission = finished(om, rf"{coloured}; {long_line}; printf '\377\376\n'")
    with site.tab() as tab:
        first, long, broken = texts(opened(tab, [mission]))
        assert first == "\x1b[31mred\x1b[0m <b>x"
        assert long == "y" * 10_000 + "\x1b[0m … cut, 30.0 KB in all"
        assert broken.isprintable()


NO_LOGS: list[dict[str, Any]] = [
        {}, {"missions": []}, {"missions": "x"}, {"missions": [7]}, {"missions": ["x"] * 101}, {"missions": ["\0"]},
        {"missions": ["nosuch"]}, {"missions": ["x"], "run": -1}, {"missions": ["x"], "match": "("},
        {"missions": ["x"], "match": "x" * 1001}, {"missions": ["x"], "since": "now"}, {"missions": ["x"], "other": 1},
]  # fmt: skip


def test_what_makes_no_sense_is_refused_and_the_tab_lives_on(om, site, cases):
    mission = finished(om, "echo hello")
    for args in NO_LOGS:
        with cases(str(args)[:60]), site.tab() as tab:
            tab.send(t="open", p=1, view="log", args=args)
            assert tab.next(1, "lines", "failed")["t"] == "failed"
            assert texts(opened(tab, [mission], 2)) == ["hello"]
            tab.send(t="say", p=2, say={"older": "yes"})
            assert tab.next(2, "failed")["error"] == "invalid"
