"""Every page of one small story, word by word as its script in the browser reads it: no browser, no process."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from overmind_core.system.paths import Home
from overmind_web.pages.registry import PAGES
from tests.kit.in_process import WALL, until, world
from tests.kit.web_inside import looked_at

OPENED: dict[str, tuple[str, dict[str, Any]]] = {
    "missions": ("missions", {}),
    "in one list": ("missions", {"plain": True}),
    "flat": ("missions", {"flat": True, "order": "name", "filter": "site"}),
    "attention": ("missions", {"attention": True}),
    "broken filter": ("missions", {"filter": "a(b"}),
    "hanging": ("hanging", {"ids": ["worker"]}),
    "needs": ("needs", {}),
    "mission": ("mission", {"id": "worker"}),
    "describe": ("describe", {"id": "worker"}),
    "stats": ("stats", {"id": "worker"}),
    "new": ("new", {}),
    "events": ("events", {"filter": "QUEST engine"}),
    "events of one": ("events", {"mission": "WORKER"}),
    "days": ("days", {}),
    "timeline": ("timeline", {"id": "paint-it"}),
    "board": ("board", {}),
    "board in lanes": ("board", {"by": "priority", "filter": "site"}),
    "board that is filtered wrongly": ("board", {"filter": "a(b"}),
    "quests": ("list", {"list": "quests", "filter": "site"}),
    "quests the other way": ("list", {"list": "quests", "order": "name", "reversed": True}),
    "queue": ("list", {"list": "queue"}),
    "rituals": ("list", {"list": "rituals"}),
    "notes": ("list", {"list": "notes"}),
    "health": ("list", {"list": "health"}),
    "cost": ("list", {"list": "cost"}),
    "plans": ("list", {"list": "plans"}),
    "specs": ("list", {"list": "specs"}),
    "worktrees": ("list", {"list": "worktrees"}),
    "found notes": ("list", {"list": "notes", "words": "cents", "cwd": "/"}),
    "why": ("thing", {"list": "queue", "id": "test-the-site", "what": "why"}),
    "ritual": ("thing", {"list": "rituals", "id": "nightly"}),
    "one of health": ("thing", {"list": "health", "id": "RUNS"}),
    "plan": ("plan", {"id": "worker"}),
    "changes": ("changes", {"id": "worker"}),
    "landing": ("landing", {"id": "worker"}),
    "spec": ("spec", {"id": "carts"}),
    "document": ("document", {"id": "carts"}),
    "log": ("log", {"missions": ["worker"]}),
    "search": ("log", {"missions": ["worker"], "match": "tw"}),
    "no name": ("mission", {}),
    "no quest": ("timeline", {}),
    "no such thing": ("thing", {"list": "health", "id": "nobody"}),
    "thing without a name": ("thing", {"list": "quests"}),
    "nothing more": ("thing", {"list": "worktrees", "id": "x"}),
    "no list": ("list", {"list": "dances"}),
    "no plan": ("plan", {}),
    "no changes": ("changes", {}),
    "no spec": ("spec", {}),
    "no such wish": ("log", {"mission": "worker"}),
}
"""Name → view and what it was opened with."""


async def told(tab):
    """A session, a quest that has failed, one that runs, one that waits, a ritual, a note; their ids by their names."""

    async def add(title, **how):
        quest = {"title": title, "command": "true", **how}
        added = await tab.inside.ask("quest_add", quests=[quest], cwd="/", env=world())
        return added["quests"][0]["id"]

    await tab.inside.ask("queue_set", slots=1)
    worker = await tab.inside.run(["sleep", "100"], name="worker", type="session")
    await until(lambda: f"{worker}.1" in tab.keeper.held, "the session")
    tab.keeper.write(f"{worker}.1", b"one\r\ntwo\r\n")
    bad = await add("Paint it", retries=0, priority="high")
    await until(lambda: f"{bad}.1" in tab.keeper.held, "the quest that fails")
    tab.keeper.exit(f"{bad}.1", 3)
    runs = await add("Build the site")
    await until(lambda: f"{runs}.1" in tab.keeper.held, "the quest that runs")
    waits = await add("Test the site", priority="low")
    quest = {"name": "x", "command": "true", "cwd": "/", "env": world()}
    ritual = await tab.inside.ask("ritual_create", name="nightly", schedule="0 3 * * *", quest=quest)
    note = await tab.inside.ask("remember", text="Use cents.", cwd="/", kind="fact")
    await until(lambda: tab.feed.fleet.fleet.questions, "a question")
    return {
        worker: "WORKER", bad: "BAD", runs: "RUNS", waits: "WAITS", ritual["id"]: "RITUAL", note["id"]: "NOTE",
    }  # fmt: skip


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """The frames of all that is opened, in which ids are names."""

    async def play(tab):
        names = await told(tab)
        frames = {}
        await tab.open("missions", pane=2)  # who looks at missions has their newest lines read
        await until(lambda: '"two"' in msgspec.json.encode(tab.panes[2]).decode(), "what the session says")
        for name, (view, args) in OPENED.items():
            ids = {stands: one for one, stands in names.items()}
            await tab.open(view, **{key: ids.get(str(value), value) for key, value in args.items()})
            await asyncio.sleep(0.5)
            frames[name] = msgspec.json.encode(tab.panes[1][: 2 if view == "log" else 1]).decode()
            tab.send(t="close", p=1)
        head = msgspec.json.encode(tab.said["head"][-1:]).decode()
        return names, frames | {"head": head}

    names, frames = looked_at(Home(str(tmp_path_factory.mktemp("pages") / "home")), play)
    found = {}
    for name, text in frames.items():
        for one, stands in names.items():
            text = text.replace(one, stands)  # noqa: PLW2901 - ids become names
        found[name] = msgspec.json.decode(text)
    return found


@pytest.fixture
def content(shown):
    return lambda name: shown[name][0]["content"]


@pytest.fixture
def rows(shown):
    """The rows of a table, without headings: id → (mark, name, cells by their columns, facts)."""

    def of(name):
        frame = shown[name][0]
        assert frame["t"] == "rows", frame
        assert frame["total"] == len(frame["ids"])
        return {
            one: (row[1], row[2], {cell[0]: cell[1] for cell in row[4]}, row[5])
            for one, row in ((one, frame["rows"][one]) for one in frame["ids"] if not one.startswith(":"))
        }

    return of


def lines(found):
    return ["".join(text for text, _ in line) for line in found]


REFUSED = {
    "no name": ("invalid", "Name a mission."),
    "no quest": ("invalid", "Name a quest, a spec or a mission."),
    "no such thing": ("not_found", "nobody is not there any more."),
    "thing without a name": ("invalid", "Name what it is about."),
    "nothing more": ("not_found", "x is not there any more."),
    "no list": (
        "invalid",
        "There is no list 'dances'; one of: quests, queue, rituals, runs, plans, specs, worktrees, ",
    ),
    "no plan": ("invalid", "Name a plan."),
    "no changes": ("invalid", "Name a mission."),
    "no spec": ("invalid", "Name a spec."),
    "no such wish": ("invalid", "The log can't be shown: "),
    "plan": ("invalid", ""),
    "changes": ("git_failed", ""),
    "landing": ("not_isolated", ""),
    "spec": ("not_found", "No spec named 'carts'."),
    "document": ("not_found", "No spec named 'carts'."),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_not_be_shown_says_why(shown, name):
    code, words = REFUSED[name]
    frame = shown[name][0]
    assert (frame["t"], frame["p"], frame["error"]) == ("failed", 1, code)
    assert frame["message"].startswith(words)


def test_every_pane_of_every_page_but_those_that_start_a_program_is_shown_here():
    panes = {view for page in PAGES for view in page.panes}
    assert panes - {view for view, _ in OPENED.values()} == {"doctor"}


def test_missions_have_their_state_and_what_they_say(rows, shown):
    found = rows("missions")
    assert {name: mark for mark, name, _, _ in found.values()} == {
        "build-the-site": "working", "worker": "working", "paint-it": "waiting",
    }  # fmt: skip
    assert found["WORKER"][2]["now"] == "two"
    assert (found["BAD"][2]["state"], found["BAD"][2]["now"]) == ("asks", "paint-it has failed: its command failed")
    frame = shown["missions"][0]
    assert [(one, frame["rows"][one][2]) for one in frame["ids"] if one.startswith(":")] == [
        (":needs", "needs you"), (":running", "2 running"),
    ]  # fmt: skip
    assert (frame["ids"][1], found["BAD"][3]["group"], found["BAD"][3]["question"]) == ("BAD", "needs", 1)
    in_one = rows("in one list")
    assert {one[3]["group"] for one in in_one.values()} == {"plain"}
    head = shown["missions"][0]["head"]
    assert (head["shown"], head["order"], head["rituals"]) == (3, "age", [])
    assert [column["key"] for column in head["columns"]][:5] == ["name", "state", "for", "cost", "cpu"]
    assert list(rows("flat")) == ["RUNS"]
    assert shown["flat"][0]["head"]["order"] == "name"
    assert list(rows("attention")) == ["BAD"]


def test_nothing_is_said_to_hang_on_a_mission_without_children(content):
    assert content("hanging") == {"lines": []}


def test_a_filter_that_is_none_is_told_and_hides_nothing(rows, shown, content):
    assert len(rows("broken filter")) == 3
    assert shown["broken filter"][0]["problem"].startswith("/a(b: ")
    board = content("board that is filtered wrongly")
    assert board["problem"].startswith("/a(b: ")
    assert sum(column["count"] for column in board["columns"]) == 3


def test_what_needs_a_person_is_a_card_with_what_can_be_done(content):
    needs = content("needs")
    (card,) = needs["needs"]
    assert (card["key"], card["group"], card["kind"], card["question"]) == ("BAD:1", "blocked", "stuck", 1)
    assert card["summary"] == "paint-it has failed: its command failed"
    assert (card["mark"], card["live"]) == ("waiting", False)
    assert card["labels"] == {"allow": "begin a new round", "deny": "leave it failed"}
    assert card["text_is"] == "the feedback, which its command has to read from feedback.md"
    assert [offer[:2] for offer in card["offers"]][:3] == [["allow", "y"], ["deny", "n"], ["reply", "m"]]
    assert (needs["answered"], needs["empty"]) == ({}, ["Nothing needs your attention."])


def test_a_mission_has_a_head_that_says_what_can_be_asked_of_it(content):
    head = content("mission")
    facts = {key: head[key] for key in ("live", "session", "agent", "frozen", "terminal", "worktree")}
    assert facts == {
        "live": True, "session": True, "agent": False, "frozen": False, "terminal": True, "worktree": False,
    }  # fmt: skip
    assert (head["id"], head["name"], head["mark"]) == ("WORKER", "worker", "working")
    described = lines(content("describe")["lines"])
    assert described[0] == " worker WORKER"
    assert "  command            sleep 100" in described
    stats = content("stats")
    assert [(one["title"], one["value"], one["top"]) for one in stats["figures"]] == [
        ("Processor", "0%", 100.0), ("Memory", "0", 0), ("Output", "0B/s", 0),
    ]  # fmt: skip
    assert dict(stats["facts"])["command"] == "sleep 100"


def test_a_new_mission_is_offered_the_agents_and_those_that_are_missing_last(content):
    new = content("new")
    assert {one["name"] for one in new["agents"]} == {"claude", "codex", "gemini", "opencode", "qwen", "copilot"}
    assert [one["missing"] for one in new["agents"]] == sorted(one["missing"] for one in new["agents"])


def test_events_are_newest_first_and_each_word_of_the_filter_has_to_stand_in_one(rows):
    found = list(rows("events").values())
    assert [name for _, name, _, _ in found] == ["build-the-site", "paint-it", "paint-it"]
    assert {cells["type"] for _, _, cells, _ in found} == {"quest"}
    assert found[-1][2]["said"] == "by=engine  status=running  phase=work  attempt=1  why=its turn has come"
    assert {facts["mission"] for _, _, _, facts in rows("events of one").values()} == {"WORKER"}


def test_days_have_a_chapter_for_each_thing_and_a_log_where_it_is_a_mission(content):
    (day,) = content("days")["days"]
    assert day["day"] == "2027-01-15"
    chapters = {one["name"]: one for one in day["chapters"]}
    assert {name: one["mission"] for name, one in chapters.items()} == {
        "": False, "worker": True, "build-the-site": True, "paint-it": True, "test-the-site": False,
    }  # fmt: skip
    waiting = chapters["test-the-site"]
    assert (waiting["id"], waiting["count"], waiting["from"], waiting["to"]) == ("WAITS", 1, "08:00", "08:00")
    assert [(row["by"], row["text"], lines([row["what"]])) for row in waiting["rows"]] == [
        ("person", "status=queued  attempt=0", ["○ queued"])
    ]


def test_a_timeline_tells_it_in_order(content):
    told_of = [(row["by"], lines([row["what"]])[0].strip(), row["attempt"], row["text"])
               for row in content("timeline")["rows"]]  # fmt: skip
    assert told_of == [
        ("person", "○ queued", "", "waits for its turn"),
        ("engine", "▶ working", "1", "attempt 1 begins"),
        ("", "✖ failed", "", "exit code 3"),
        ("engine", "✖ failed", "", "its command failed (exit code 3)"),
        ("engine", "asked", "", "question 1 (stuck): paint-it has failed: its command failed"),
    ]


def test_the_board_has_each_quest_once_in_its_column(content):
    board = content("board")
    assert {column["name"]: [card["id"] for card in column["cards"]] for column in board["columns"]} == {
        "queued": ["WAITS"], "running": ["RUNS"], "review": [], "blocked": ["BAD"], "done": [],
    }  # fmt: skip
    assert [column["count"] for column in board["columns"]] == [1, 1, 1, 0, 0]
    assert (board["paused"], board["by"], board["lanes"]) == (False, "", ["", "priority"])
    assert (board["used"], board["slots"]) == (1, 1), "as the reason of the one that waits for a slot has it"
    cards = {card["id"]: card for column in board["columns"] for card in column["cards"]}
    assert cards["WAITS"]["why"] == "1st in line: 1 of 1 slots are taken"
    assert (cards["WAITS"]["priority"], "since" in cards["WAITS"], "tries" in cards["WAITS"]) == ("low", False, False)
    assert (cards["RUNS"]["tries"], "priority" in cards["RUNS"], "ended" in cards["RUNS"]) == ("1/3", False, False)
    assert WALL <= cards["RUNS"]["since"] <= WALL + 1
    assert (cards["BAD"]["question"], cards["BAD"]["need"], cards["BAD"]["why"]) == (
        1,
        "stuck",
        "has failed: its command failed",
    )
    assert ("since" in cards["BAD"], WALL <= cards["BAD"]["ended"] <= WALL + 1) == (False, True)
    assert {one: card["facts"]["there"] for one, card in cards.items()} == {"WAITS": False, "RUNS": True, "BAD": True}


def test_the_board_in_lanes_names_each_cards_lane_and_counts_what_the_filter_keeps(content):
    board = content("board in lanes")
    assert (board["by"], board["problem"]) == ("priority", "")
    lanes = {card["id"]: card["lane"] for column in board["columns"] for card in column["cards"]}
    assert lanes == {"WAITS": "low", "RUNS": "medium"}
    assert [column["count"] for column in board["columns"]] == [1, 1, 0, 0, 0]


def test_lists_have_rows_an_order_and_a_line(rows, shown):
    assert list(rows("quests")) == ["WAITS", "RUNS"]
    assert [name for _, name, _, _ in rows("quests the other way").values()] == [
        "test-the-site", "paint-it", "build-the-site",
    ]  # fmt: skip
    assert rows("quests")["RUNS"][3] == {
        "status": "running", "priority": "medium", "check_id": None, "can_retry": False, "there": True,
    }  # fmt: skip
    queue = shown["queue"][0]["head"]
    assert (queue["line"], queue["facts"]) == ("running 1/1 · queued 1 · landing 0", {"paused": False, "slots": 1})
    assert rows("queue")["WAITS"][2]["position"] == "1"
    assert rows("rituals")["RITUAL"][1] == "nightly"
    assert rows("rituals")["RITUAL"][3]["schedule"] == "0 3 * * *"
    assert rows("notes")["NOTE"][2]["text"] == "Use cents."
    assert shown["notes"][0]["head"]["facts"] == {"proposed": 0}
    assert list(rows("found notes")) == ["NOTE"]
    assert list(rows("health")) == ["RUNS"]
    assert shown["cost"][0]["head"]["facts"]["most"] == 0.0


@pytest.mark.parametrize("name", ["plans", "specs", "worktrees", "cost"])
def test_an_empty_list_says_what_to_type(rows, shown, name):
    assert rows(name) == {}
    empty, *typed = shown[name][0]["head"]["empty"]
    assert empty.startswith("No ")
    assert not typed or typed[0].startswith(":")


def test_a_thing_is_told_in_lines(content):
    assert lines(content("why")["lines"])[0] == " test-the-site is queued: slots: 1 of 1 slots are taken; 1st in line"
    ritual = content("ritual")
    assert ritual["name"] == "nightly"
    assert "  kept runs          10" in lines(ritual["lines"])
    assert content("one of health")["name"] == "build-the-site"


def test_a_log_has_its_newest_lines_and_a_search_has_where_its_words_stand(shown):
    newest, pages = shown["log"]
    assert (newest["t"], newest["page"], [line[1] for line in newest["lines"]]) == ("lines", None, ["one", "two"])
    assert (newest["runs"], newest["all_runs"], newest["ended"], newest["before"]) == ([1, 1], [1], False, 0)
    assert (pages["t"], pages["pages"], pages["lines"]) == ("pages", 0, 0)
    found, done = shown["search"]
    assert (found["t"], found["state"], found["begin"]) == ("found", "searching", True)
    assert [line[1:] for line in found["lines"]] == [["two", 0, None, 0, [[0, 2]]]]
    assert (done["t"], done["state"], done["lines"]) == ("found", "done", [])


def test_what_stands_at_the_top_counts_what_waits(shown):
    (head,) = shown["head"]
    assert head["counts"] == {"working": 2, "waiting": 1, "failed": 1}
    assert (head["needs"], head["turns"], head["title"], head["engine"]) == (1, 0, "!1 overmind", "queue 1/1 +1")
