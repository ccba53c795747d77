"""What is typed after `:` and `/` as tables, and that no text whatever fails."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from overmind_core.view import registry, row_filter, tables
from overmind_core.view.row_filter import BrokenFilter, Word
from overmind_tui.command_line import parse, verbs
from overmind_tui.command_line.parse import Do, Language, Leave, Say, Show, Unknown, ViewHistory, Vocabulary
from overmind_tui.command_line.verbs import VERBS
from tests.kit.cases import tabled

NOW = 1_767_225_600.0
"""2026-01-01T00:00:00Z."""


def row(name, status="running", **more):
    return {
        "id": f"{abs(hash(name)):08x}"[:8], "name": name, "status": status, "parent": None, "activity": None,
        "provider": "raw", "command": f"run {name}", "labels": {}, "started_at": "2025-12-31T23:50:00.000Z",
        "restart_count": 0, "exit_code": None, "type": "task", **more,
    }  # fmt: skip


LANGUAGE = Language(
    views=registry.words(),
    verbs=VERBS,
    leave=registry.LEAVE,
    sayings=registry.SAYINGS,
    aliases={"mine": "missions label=me", "boom": "kill --all", "loop": "loop", "two": ":mine /x"},
    colonies=registry.COLONIES,
    prose={verb.name: verb.prose for verb in VERBS.values() if verb.prose is not None},
    takes={"cost": ("mission", "day", "label")},
    files=[verb.name for verb in VERBS.values() if verb.file],
    about=("logs", "describe", "plan"),
    missions=("api", "worker", "0123abcd", "release", "release/unit"),
    of_plans=("plan",),
    plans=("release",),
    shell=verbs.shell_words(),
    instead=verbs.instead(),
)
LINES = [
    ("", None),
    ("   ", None),
    ("m", Show("missions")),
    (":m", Show("missions")),
    ("missions /api label=x", Show("missions", "api label=x")),
    ("missions label=x /api", Show("missions", "label=x api")),
    ("/api m", Show("missions", "api")),
    ("local m /api", Show("missions", "api")),
    ("m local", Show("missions")),
    ("m team=web", Show("missions", "label=team=web")),
    ("m /", Show("missions", "")),
    ("m /state:crashed cpu>5 !x", Show("missions", "state:crashed cpu>5 !x")),
    ("m '/a b'", Show("missions", '"a b"')),
    ("/api", Show("", "api")),
    ("e /crashed", Show("events", "crashed")),
    ("cost day", Show("cost", None, ("day",))),
    ("cost nonsense", Do("cost", ("nonsense",))),
    ("cost --by day", Do("cost", ("--by", "day"))),
    ("logs", Show("logs")),
    ("logs api", Show("logs", None, ("api",))),
    ("logs -f api", Show("logs", None, ("api",))),
    ("logs api --tail 5", Do("logs", ("api", "--tail", "5"))),
    ("events -f", Show("events")),
    ("events --since 7", Do("events", ("--since", "7"))),
    ("top --once", Do("top", ("--once",))),
    ("top", Show("top")),
    ("monitor", Show("missions")),
    ("describe worker", Show("describe", None, ("worker",))),
    ("stop --cascade", Do("stop", ("--cascade",))),
    ("run 'make test'", Do("run", ("make test",))),
    ("claude run fix it", Do("claude run", ("fix", "it"))),
    ("send go on, don't wait", Do("send", ("go on, don't wait",))),
    ('send say "hi" to him', Do("send", ('say "hi" to him',))),
    ("send 'go on'", Do("send", ("go on",))),
    ("send --wait --timeout 5m are you there?", Do("send", ("--wait", "--timeout", "5m", "are you there?"))),
    ("send -1 is no option", Do("send", ("--", "-1 is no option"))),
    ("send -- api is down", Do("send", ("--", "api is down"))),
    ("send --timeout 5m -- -v 'x'", Do("send", ("--timeout", "5m", "--", "-v 'x'"))),
    ("queue pause", Do("queue pause", ())),
    ("queue 'pause'", Do("queue pause", ())),
    ("queue 'pause now'", Do("queue", ("pause now",))),
    ("diff", Show("changes")),
    ("diff plan.toml", Do("diff", ("plan.toml",))),
    ("diff /srv/work/plan.toml", Do("diff", ("/srv/work/plan.toml",))),
    ("diff -f /srv/work/plan.toml", Do("diff", ("-f", "/srv/work/plan.toml"))),
    ("new claude fix the tests", Do("new", ("claude fix the tests",))),
    ("new", Do("new", ())),
    ("restart --lost", Do("restart", ("--lost",))),
    ("attach api", Do("attach", ("api",))),
    ("q", Leave()),
    ("qa", Leave()),
    ("q!", Leave(asks=False)),
    ("ns", Say(registry.SAYINGS["ns"])),
    ("ctx other", Say(registry.SAYINGS["ctx"])),
    ("mine", Show("missions", "label=me")),
    ("mine /x", Show("missions", "label=me x")),
    ("two", Show("missions", "label=me x")),
    ("boom", Do("kill", ("--all",))),
    ("loop", Unknown("unknown command 'loop'")),
    ("nosuch", Unknown("unknown command 'nosuch'")),
    ("restrat", Unknown("unknown command 'restrat', 'restart'?")),
    ("mision", Unknown("unknown command 'mision', 'mission'?")),
    ("m nosuch", Unknown("m: unknown argument 'nosuch'", ":m /nosuch filters for it")),
    ("desc apy", Unknown("desc: no mission named 'apy', 'api'?", ":missions lists them")),
    ("plan release/unit", Show("plan", None, ("release/unit",))),
    ("dag releas", Unknown("dag: no plan named 'releas', 'release'?", ":plans lists them")),
    ("plan api2", Unknown("plan: no plan named 'api2'", ":plans lists them")),
    ("q x", Unknown("q takes no arguments, got 'x'", "use :q alone")),
    ("pause api", Do("freeze", ("api",))),
    ("unpause api", Do("thaw", ("api",))),
    ("remove api -f", Do("rm", ("api", "-f"))),
    ("ls", Do("ps", ())),
    ("stats", Show("top")),
    ("inspect api", Do("info", ("api",))),
    ("describe api", Show("describe", None, ("api",))),
    ("describe api -o yaml", Do("info", ("api", "-o", "yaml"))),
    ("quests", Show("quests")),
    ("quest ls", Do("quest list", ())),
    ("worktrees ls", Show("worktrees")),
    ("get pods", Unknown("unknown command 'get'", "to list missions: :ps; to see one: :info ID")),
    ("run 'x", Unknown('"run \'x" has an unclosed quote')),
]


@tabled(("text", "wanted"), LINES)
def test_a_line_means(text, wanted):
    assert parse.parsed(text, LANGUAGE) == wanted


@given(st.text())
@example("'")
@example("/ ' !")
@example("send --timeout")
@example("send --")
@example("\x00 /\ud800")
def test_no_line_fails_and_every_view_and_verb_exists(text):
    found = parse.parsed(text, LANGUAGE)
    if isinstance(found, Show):
        assert found.view in {"", *registry.VIEWS}
    if isinstance(found, Do):
        assert found.verb in VERBS


WORDS = sorted({*registry.words(), *VERBS, *LANGUAGE.aliases, "/x", "label=a", "--force", "-f", "api", "!", "'", "day"})


@given(st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join))
def test_no_sentence_of_known_words_fails(text):
    parse.parsed(text, LANGUAGE)


VOCABULARY = Vocabulary(
    ["mine", *registry.VIEWS, *VERBS, "quit"],
    lambda word: {"stop": ("--cascade", "--grace"), "claude run": ("--model",)}.get(word, ()),
    lambda word: ["api", "worker"] if word in {"stop", "logs"} else ["label=team"] if word == "missions" else [],
    {"mine": "missions", "halt": "stop"},
)
GHOSTS = [
    ("", ""),
    (" ", ""),
    ("res", "tart"),
    ("ev", "ents"),
    ("stop", ""),
    ("stop ", ""),
    ("stop a", "pi"),
    ("stop api", ""),
    ("stop api w", "orker"),
    ("stop --c", "ascade"),
    ("stop --cascade", ""),
    ("stop api --g", "race"),
    ("claude r", "un"),
    ("claude run --m", "odel"),
    ("logs w", "orker"),
    ("missions l", "abel=team"),
    ("mine l", "abel=team"),
    ("halt --c", "ascade"),
    ("nosuch x", ""),
    ("mi", "ne"),
    ("q", "uests"),
    ("qui", "t"),
]


@tabled(("text", "rest"), GHOSTS)
def test_what_is_typed_is_completed(text, rest):
    assert parse.ghost(text, VOCABULARY) == rest


@given(st.text())
def test_completing_any_text_never_fails(text):
    parse.ghost(text, VOCABULARY)


@given(st.integers(0, 12), st.sampled_from([*registry.VIEWS, *VERBS]))
def test_a_name_that_was_completed_is_understood(length, name):
    begun = name[:length]
    whole = begun + parse.ghost(begun, VOCABULARY)
    assert begun == "" or isinstance(parse.parsed(whole, LANGUAGE), Show | Do | Leave | Say), whole


# the filter

ROWS = [
    row("api", labels={"team": "web"}, cpu_percent=80.0, memory_bytes=2_000_000_000, command="serve it now",
        activity="idle", cost_usd=1.5, started_at="2025-12-31T22:00:00.000Z"),
    row("worker", "crashed", exit_code=2, cpu_percent=1.0, memory_bytes=5e6, now="E999 don't", unseen=True,
        restart_count=3),
]  # fmt: skip
BOTH, NONE = {"api", "worker"}, set[str]()
FILTERS = [
    ("", BOTH),
    ("  ", BOTH),
    ("API", {"api"}),
    ("^api$", {"api"}),
    ("a !serve", {"worker"}),
    ('"serve it"', {"api"}),
    ("'serve it' api", {"api"}),
    ('!"serve it"', {"worker"}),
    ('"serve it', {"api"}),
    ("don't", {"worker"}),
    ('"unseen"', NONE),
    ('"cpu>50"', NONE),
    ("state:crashed", {"worker"}),
    ("state:crash", {"worker"}),
    ("!state:crash", {"api"}),
    ("state:your", {"api"}),
    ('command:"serve it"', {"api"}),
    ("name:^w", {"worker"}),
    ("cpu>50", {"api"}),
    ("CPU>50%", {"api"}),
    ("cpu<50", {"worker"}),
    ("cpu>=80", {"api"}),
    ("cpu<=1", {"worker"}),
    ("cpu>50x", NONE),
    ("mem>1g", {"api"}),
    ("mem>1.5GB", {"api"}),
    ("mem<100m", {"worker"}),
    ("exit>0", {"worker"}),
    ("restarts>2", {"worker"}),
    ("cost>1", {"api"}),
    ("cost>$1.4", {"api"}),
    ("cost<1", NONE),
    ("age>1h", {"api"}),
    ("age<30m", {"worker"}),
    ("age>1d", NONE),
    ("label=team", {"api"}),
    ("label=team=web", {"api"}),
    ("label=team=", {"api"}),
    ("label=team=ops", NONE),
    ("-f wkr", {"worker"}),
    ("-f w kr", {"worker"}),
    ("-f", BOTH),
    ("e999", {"worker"}),
    ("unseen", {"worker"}),
    ("!unseen", {"api"}),
    ("!", NONE),
]


@tabled(("text", "names"), FILTERS)
def test_a_filter_means(text, names):
    found = row_filter.parsed(text, now=lambda: NOW)
    assert {one["name"] for one in ROWS if found.matches(one)} == names


DUE = "2026-01-01T00:00:08.000Z"
STANDING = [
    row("asker", activity="waiting"), row("again", "restarting", next_restart_at=DUE), row("still"), row("stuck"),
    row("guessed", activity="unknown", activity_guess="idle"), row("busy", status="running", phase="check"),
    row("tried", "crashed", quest_state="queued", next_try_at=DUE),
]  # fmt: skip
LEVELS = {"still": "quiet", "stuck": "hung"}
STATES = [
    ("asks", {"asker"}),
    ("waiting", {"asker"}),
    ("state:asks", {"asker"}),
    ("state:waiting", {"asker"}),
    ("retry", {"again"}),
    ("state:retry", {"again"}),
    ("state:restarting", {"again"}),
    ("quiet", {"still"}),
    ("state:quiet", {"still"}),
    ("state:hung", {"stuck"}),
    ("state:your", {"guessed"}),
    ("state:checking", {"busy"}),
    ("state:queued", {"tried"}),
    ("!state:working !state:asks", {"again", "tried"}),
]


@tabled(("text", "names"), STATES)
def test_a_state_is_found_by_the_word_that_is_shown_and_by_the_one_that_it_stands_for(text, names):
    found = row_filter.parsed(text, now=lambda: NOW, noted=lambda one: LEVELS.get(one["name"], ""))
    assert {one["name"] for one in STANDING if found.matches(one)} == names


def test_one_that_becomes_quiet_is_found_though_its_row_is_the_same():
    levels = {"api": ""}
    one = row("api")
    for text in ("quiet", "state:quiet"):
        found = row_filter.parsed(text, noted=lambda one: levels[one["name"]])
        for level in ("", "quiet", "", "quiet"):
            levels["api"] = level
            assert found.matches(one) == bool(level), text


@tabled("text", ["[", "(", "!*", "state:[", "a **", "(?P<a>x)(?P<a>y)"])
def test_a_broken_filter_says_so(text):
    with pytest.raises(BrokenFilter, match=r"\w"):
        row_filter.parsed(text)


@given(st.text())
@example("!")
@example("! '")
@example("-f")
@example("[[a]")
@example("label==")
@example("(" * 5000)
@example("cpu>" + "9" * 400)
def test_any_text_is_a_filter_or_broken(text):
    try:
        found = row_filter.parsed(text, now=lambda: NOW)
    except BrokenFilter:
        return
    for one in ROWS:
        found.matches(one)


@given(st.text(alphabet="ab !\"'/:=><-f\\[]()*+?.|", max_size=30))
def test_any_text_is_a_filter_of_lines_or_broken(text):
    try:
        found = row_filter.lines(text)
    except BrokenFilter:
        return
    assert found.matches("a b") in {True, False}


@given(st.lists(st.text(alphabet="abc", min_size=1), max_size=4))
def test_plain_words_are_an_and(words):
    assert list(row_filter.words(" ".join(words))) == [Word(word) for word in words]


CATASTROPHES = ["(a+)+$", "(a|a)*$", "(a|aa)+$", "(.*a){20}$", "a*a*a*a*a*a*a*a*a*b", "!(a+)+$"]


@tabled("text", CATASTROPHES)
def test_an_expression_that_would_search_for_ever_is_given_up_and_hides_nothing(text):
    patient = row("a" * 200 + "!")
    found = row_filter.parsed(text)
    assert found.matches(patient)
    assert found.slow
    assert all(found.matches(one) for one in ROWS)
    with pytest.raises(BrokenFilter, match="too long"):
        row_filter.tried(text, [patient])


def test_ordinary_expressions_are_not_taken_for_slow():
    many = [row(f"worker-{at}", now="x" * 500) for at in range(500)]
    assert not row_filter.tried("wor.*[0-9]+$ !gone", many).slow


def test_the_rows_of_every_table_can_be_filtered():
    events = tables.events([{"seq": 3, "at": "2026-01-01T00:00:00.000Z", "type": "crashed", "name": "api", "exit": 2}])
    costs = tables.cost([{"key": None, "cost_usd": 2.0, "input_tokens": 1, "output_tokens": 2, "turns": 1}])
    for text in ("crashed api", "type:crash", "!nothing", "-f api"):
        assert row_filter.parsed(text, looked_in=tables.looked_in).matches(events[0])
    for text in ("cost>1", "without", "state:x !state:y"):
        assert row_filter.parsed(text, looked_in=tables.looked_in).matches(costs[0]) == ("state" not in text)


@tabled("text", ["cpu", "cpu>", "cpu>x", "size>3", "cpu>3 4", "age>5parsecs", "exit>1m"])
def test_what_is_no_comparison_is_a_word(text):
    assert row_filter.compared_quantity(text) is None


# going back and forward


def test_a_trail_goes_back_and_forward_and_there_and_back():
    history = ViewHistory().stepped("missions").stepped("events").stepped("top")
    assert history.here == "top"
    assert history.back().here == "events"
    assert history.back().back().back().here == "missions"
    assert history.back().back().forward().here == "events"
    assert history.forward() is history
    assert history.last().here == "events"
    assert history.last().last().here == "top"
    assert history.back().stepped("cost").lines == ("missions", "events", "cost")


@given(st.lists(st.sampled_from(["back", "forward", "last", "a", "b", "c"])))
def test_a_trail_is_never_lost(steps):
    history = ViewHistory()
    for step in steps:
        history = getattr(history, step)() if step in {"back", "forward", "last"} else history.stepped(step)
        assert history.here in {"", *history.lines}
        assert not history.lines or 0 <= history.at < len(history.lines)


def test_a_trail_forgets_its_beginning():
    history = ViewHistory()
    for at in range(300):
        history = history.stepped(str(at))
    assert history.here == "299"
    assert len(history.lines) == 100


def test_every_word_of_a_view_is_its_own():
    words = [word for view in registry.VIEWS.values() for word in (view.name, *view.aliases)]
    assert len(words) == len(set(words))
    assert all(re.fullmatch(r"[a-z]+", word) for word in words)


def test_what_was_found_out_of_a_row_is_known_until_another_takes_its_place():
    asked = []

    def looked_in(one):
        asked.append(one["name"])
        return str(one["now"])

    found = row_filter.parsed("error", looked_in=looked_in)
    before, after = row("api", now="fine"), row("api", now="error")
    assert [found.matches(before), found.matches(before), found.matches(after)] == [False, False, True]
    assert asked == ["api", "api"]


def test_an_age_is_never_known_for_good():
    times = iter([NOW, NOW + 3600])
    found = row_filter.parsed("age>30m", now=lambda: next(times))
    one = row("api")
    assert [found.matches(one), found.matches(one)] == [False, True]
