"""The registry of views, a row each: what it is called, what it shows, how it is asked for, where its keys are.

A table needs no more than its row: who shows it reads everything from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from overmind_core.view import board as board_rows
from overmind_core.view import columns as missions_columns
from overmind_core.view import conversations, swarm_tables, tables, transcripts
from overmind_core.view import health as health_rows
from overmind_core.view import hives as hives_rows
from overmind_core.view import landing as lines
from overmind_core.view import learning as learning_rows
from overmind_core.view import notes as notes_rows
from overmind_core.view import plans as rows
from overmind_core.view import quests as quests_rows
from overmind_core.view import queue as queue_rows
from overmind_core.view import schedules as schedules_rows
from overmind_core.view import specs as specs_rows
from overmind_core.view import swarm as swarm_rows
from overmind_core.view import timeline as timeline_rows
from overmind_core.view.actions import Context
from overmind_core.view.columns import Column

NEWEST_ENDED: Mapping[str, Any] = {"all": True, "ended": 1000}
"""All posts of a swarm; of those that have ended the newest: a screen asks again and again."""


class Fetch(NamedTuple):
    """Where the rows of a table come from.

    Attributes:
        request: What the supervisor is asked.
        arguments: With these.
        shape: The answer as rows.
        every: Seconds after which it is asked again; 0: only when something happened.
        events: Kinds of events after which it is asked again; `*` is any.
        ways: Word that may follow the view's → the arguments that it means.
    """

    request: str
    arguments: Mapping[str, Any]
    shape: tables.Shape
    every: float = 0.0
    events: frozenset[str] = frozenset()
    ways: Mapping[str, Mapping[str, Any]] = {}


class View(NamedTuple):
    """A view, which `:` and `-c` know.

    Attributes:
        name: The word for it.
        aliases: Other words.
        summary: One line for the list of commands.
        context: Whose keys it has.
        empty: What it says when it has nothing to show, and what to type then; a line break starts another line.
        columns: Of a table.
        fetch: Where its rows come from.
        order: The column that orders the rows to begin with; "" is the order of the answer.
        orders: Key of a column → what is compared.
        at_end: The newest row is the last one, and the cursor begins there.
        missions: Its rows are missions: the keys of a mission act on them.
        about: It is about one mission, which may be named.
        named: What a word behind the view's names, of which nobody here knows all: a spec; "" takes no such word.
        rows_of: The view whose verbs act on its rows, where that is another one.
        noun: One of its rows.
    """

    name: str
    aliases: tuple[str, ...]
    summary: str
    context: Context
    empty: str = ""
    columns: tuple[Column, ...] = ()
    fetch: Fetch | None = None
    order: str = ""
    orders: tables.Orders = tables.NO_ORDERS
    at_end: bool = False
    missions: bool = False
    about: bool = False
    named: str = ""
    rows_of: str = ""
    noun: str = "row"


OF_SWARM: Mapping[str, Mapping[str, Any]] = {"swarm": {}}
"""The word behind a view's with which it shows what the swarm holds, by a request of its own."""
FIRST_ROWS = {"limit": quests_rows.FIRST}
VIEWS: dict[str, View] = {
    view.name: view
    for view in (
        View(
            "missions",
            ("m", "mission", "ms", "monitor"),
            "missions, with the log and load of the selected one",
            Context.MISSIONS,
            "No missions yet.",
            missions_columns.MISSIONS,
        ),
        View(
            "logs",
            ("l", "log"),
            "log of the selected or named mission",
            Context.LOG,
            "No output yet.",
            about=True,
        ),
        View(
            "describe",
            ("desc",),
            "details of the selected or named mission",
            Context.TEXT,
            "No mission is selected.\n:missions   chooses one",
            about=True,
        ),
        View(
            "changes",
            ("diff", "vc"),
            "changes in the folder of the selected or named mission",
            Context.CHANGES,
            "No mission is selected.\n:missions   chooses one",
            about=True,
        ),
        View(
            "events",
            ("e", "ev", "event"),
            "events, newest last",
            Context.TABLE,
            "No events yet.\n:new   starts a mission\n:demo   starts a demonstration",
            tables.EVENTS,
            Fetch("events", {}, tables.events, events=frozenset({"*"})),
            orders=tables.EVENT_ORDERS,
            at_end=True,
            noun="event",
        ),
        View(
            "inbox",
            ("i", "needs"),
            "agents that wait for you or have finished a turn",
            Context.TEXT,
            "Nothing needs your attention.",
        ),
        View(
            "top",
            ("t", "load"),
            "resource use of live missions",
            Context.MISSIONS,
            "No live missions.\n:new   starts a mission\n:demo   starts a demonstration",
            columns=tables.TOP,
            fetch=Fetch("top", {}, tables.top, every=1.0, events=frozenset({"*"})),
            order="cpu",
            orders=tables.TOP_ORDERS,
            missions=True,
            noun="mission",
        ),
        View(
            "cost",
            ("costs", "usage"),
            "cost of agents; also: cost day, cost label",
            Context.TABLE,
            "No costs yet.\n:new claude fix the tests   starts an agent",
            columns=tables.COST,
            fetch=Fetch(
                "cost",
                {"by": "mission"},
                tables.cost,
                events=frozenset({"turn_ended", "removed"}),
                ways={by: {"by": by} for by in ("mission", "day", "label")},
            ),
            orders=tables.COST_ORDERS,
        ),
        View(
            "plans",
            ("bp", "blueprints", "pipelines"),
            "all plans and their progress",
            Context.PLANS,
            "No plans yet.\n:init   writes an example\n:apply blueprint.toml   starts it",
            rows.PLANS_COLUMNS,
            Fetch("plans", {}, rows.plans, events=rows.CHANGES),
            orders=rows.PLAN_ORDERS,
            about=True,
            noun="plan",
        ),
        View(
            "plan",
            ("dag",),
            "agents of the selected or named plan, live",
            Context.PLAN,
            "This plan has no agents.\n:plans   lists all plans",
            rows.COLUMNS,
            Fetch("plan", {}, rows.whole, events=rows.CHANGES),
            orders=rows.AGENT_ORDERS,
            about=True,
            noun="agent",
        ),
        View(
            "quests",
            ("quest",),
            "one-time work and its result",
            Context.QUESTS,
            "No quests yet.\n:quest run make test   starts one",
            quests_rows.COLUMNS,
            Fetch("quests", {}, quests_rows.quests, events=quests_rows.CHANGES),
            orders=quests_rows.ORDERS,
            noun="quest",
        ),
        View(
            "board",
            ("kb", "kanban"),
            "all quests as cards in five columns, or those of a spec; also: board swarm",
            Context.BOARD,
            "No quests yet.\n:quest add 'Build the site' -- make site   puts one into the queue",
            fetch=Fetch(
                "board", FIRST_ROWS, board_rows.whole, 5.0, quests_rows.CHANGES, {"all": {"all": True}, **OF_SWARM}
            ),
            named="spec",
            rows_of="quests",
            noun="quest",
        ),
        View(
            "queue",
            ("qu",),
            "quests that wait for their turn, and why; also: queue swarm",
            Context.QUEUE,
            "The queue is empty.\n:quest add 'Build the site' -- make site   puts a quest into it",
            queue_rows.COLUMNS,
            Fetch("queue", FIRST_ROWS, queue_rows.whole, 5.0, quests_rows.CHANGES, OF_SWARM),
            orders=queue_rows.ORDERS,
            rows_of="quests",
            noun="quest",
        ),
        View(
            "hives",
            ("hive", "hosts", "nodes", "no"),
            "this home, the machines that config.toml names and those of the swarm: how each is reached",
            Context.HIVES,
            "No other hives.\n:hive add eu1 eu1.example.com   adds a machine that ssh reaches",
            hives_rows.COLUMNS,
            Fetch("hives", {}, list),
            orders=hives_rows.ORDERS,
            noun="hive",
        ),
        View(
            "swarm",
            ("posts", "po"),
            "runs, quests and places of fleets that any fitting hive takes; also: swarm all",
            Context.POSTS,
            "The swarm holds nothing.\n:run --on any make test   posts a run that any fitting hive takes\n"
            ":quest add --on any Docs -- make docs   posts a quest",
            swarm_rows.COLUMNS,
            Fetch("swarm_posts", {"all": False}, swarm_rows.posts, 2.0, ways={"all": NEWEST_ENDED}),
            orders=swarm_rows.ORDERS,
            noun="post",
        ),
        View(
            "fleets",
            ("fleet", "deploy", "dp"),
            "fleets and sentinels of the swarm: places that are kept filled",
            Context.FLEETS,
            "The swarm has no fleets.\n:apply team.toml   posts those that the blueprint has as [fleets.NAME]",
            swarm_tables.FLEETS,
            Fetch("swarm_fleets", {}, swarm_tables.fleets, 2.0),
            orders=swarm_tables.FLEET_ORDERS,
            noun="fleet",
        ),
        View(
            "pools",
            ("pool",),
            "pools of the swarm: machines that other engines give, and what of them has joined",
            Context.POOLS,
            'There are no pools.\n[pools.hpc]   with engine = "slurm" in config.toml makes one\n'
            ":swarm status   shows what the swarm has",
            swarm_tables.POOLS,
            Fetch("pool_list", {}, swarm_tables.pools, 2.0),
            orders=swarm_tables.POOL_ORDERS,
            noun="pool",
        ),
        View(
            "vault",
            ("secrets", "secret"),
            "secrets that runs of the swarm get: names, never values",
            Context.VAULT,
            "There are no secrets.\n:vault set NPM_TOKEN   sets one, sealed for the hives that get it",
            swarm_tables.SECRETS,
            Fetch("vault_list", {}, swarm_tables.secrets, 5.0),
            orders=swarm_tables.SECRET_ORDERS,
            noun="secret",
        ),
        View(
            "specs",
            ("sp",),
            "specs: their phases, tasks and cost",
            Context.SPECS,
            "No specs yet.\n:spec new 'Shopping carts' --provider claude   creates one\n"
            ":spec new 'Shopping carts' -- my-agent   with a command of yours",
            specs_rows.COLUMNS,
            Fetch("specs", {}, specs_rows.specs, 5.0, specs_rows.CHANGES, {"all": {"all": True}}),
            orders=specs_rows.ORDERS,
            named="spec",
            noun="spec",
        ),
        View(
            "spec",
            (),
            "phases and tasks of the named spec, and its documents",
            Context.SPEC,
            "This spec has neither phases nor tasks.\n:specs   lists all specs",
            specs_rows.PART_COLUMNS,
            Fetch("spec", {}, specs_rows.whole, 5.0, specs_rows.CHANGES),
            orders=specs_rows.PART_ORDERS,
            named="spec",
            rows_of="specs",
            noun="task",
        ),
        View(
            "health",
            ("hl",),
            "signs of life and alignment of missions that run",
            Context.HEALTH,
            "No agents or tasks are running.\n:new claude fix the tests   starts an agent",
            health_rows.COLUMNS,
            Fetch("health", {}, health_rows.whole, 1.0, health_rows.CHANGES),
            orders=health_rows.ORDERS,
            noun="mission",
        ),
        View(
            "timeline",
            ("tl",),
            "timeline of the named quest, spec or mission",
            Context.TIMELINE,
            "Nothing has happened to it yet.\n:queue   shows which quest is next",
            timeline_rows.COLUMNS,
            Fetch("timeline", {}, timeline_rows.whole, events=frozenset({"*"})),
            orders=timeline_rows.ORDERS,
            at_end=True,
            about=True,
            named="quest, spec or mission",
            noun="event",
        ),
        View(
            "learn",
            ("lessons", "lesson"),
            "how quests went, and the lessons they taught; also: learn provider, learn model, learn spec",
            Context.LEARN,
            "No quest of the queue has had an attempt yet.\n"
            ":quest add 'Build the site' -- make site   puts one into the queue",
            learning_rows.COLUMNS,
            Fetch(
                "notes",
                learning_rows.LESSONS,
                notes_rows.whole,
                0.0,
                learning_rows.CHANGES,
                dict.fromkeys(learning_rows.GROUPS, learning_rows.LESSONS),
            ),
            orders=notes_rows.ORDERS,
            noun="lesson",
        ),
        View(
            "notes",
            ("note", "memory", "akasha"),
            "notes that agents and people left for the next one; also: notes proposed, notes conflicts, notes all",
            Context.NOTES,
            "No notes yet.\n:remember The tests need Redis: make redis   writes one\nn   writes one",
            notes_rows.COLUMNS,
            Fetch("notes", {}, notes_rows.whole, events=notes_rows.CHANGES, ways=notes_rows.WAYS),
            orders=notes_rows.ORDERS,
            noun="note",
        ),
        View(
            "rituals",
            ("ritual", "cron", "schedules"),
            "work on a schedule",
            Context.RITUALS,
            "No rituals yet.\n:ritual create nightly '0 3 * * *' make backup   creates one",
            schedules_rows.RITUALS_COLUMNS,
            Fetch("rituals", {}, schedules_rows.rituals, events=schedules_rows.RITUALS_CHANGES),
            orders=schedules_rows.RITUAL_ORDERS,
            noun="ritual",
        ),
        View(
            "worktrees",
            ("wt", "worktree"),
            "worktrees of isolated missions, to land or discard",
            Context.WORKTREES,
            "No worktrees yet.\n:run --isolate make test   runs a mission in its own worktree, with its own ports\n"
            ":init --isolation   writes .overmind.yml, which gives every mission a worktree",
            lines.COLUMNS,
            Fetch("worktrees", {"ids": None}, lines.worktrees, events=lines.CHANGES),
            orders=lines.ORDERS,
            noun="worktree",
        ),
        View(
            "doctor",
            ("dr", "check"),
            "installed programs and problems, with fixes",
            Context.TEXT,
            "Checking …",
        ),
        View(
            "web",
            ("dashboard",),
            "a link to the dashboard in a browser, with its code for a phone",
            Context.TEXT,
            "Making a link …",
        ),
        View(
            "adopt",
            ("conversations",),
            "conversations that programs of agents keep for this folder, to go on with; also: adopt all",
            Context.CONVERSATIONS,
            "No conversation of an agent is kept for this folder.\n:adopt all   lists those of all folders",
            conversations.COLUMNS,
            Fetch("adopt", {}, conversations.conversations, ways={"all": {"all": True}}),
            orders=conversations.ORDERS,
            noun="conversation",
        ),
        View("help", ("h", "keys"), "keys of this view", Context.TEXT),
        View(
            "aliases",
            ("commands", "a"),
            "all views and commands, your aliases and hotkeys",
            Context.TEXT,
        ),
    )
}
SWARM_BOARD = VIEWS["board"]._replace(
    context=Context.POST_BOARD,
    empty=VIEWS["swarm"].empty,
    fetch=Fetch("swarm_posts", NEWEST_ENDED, swarm_rows.posts, 2.0),
)
SWARM_QUEUE = VIEWS["queue"]._replace(
    context=Context.POSTS,
    empty="Nothing waits.\n:quest add --on any Docs -- make docs   posts a quest that any fitting hive takes",
    columns=swarm_rows.QUEUE_COLUMNS,
    fetch=Fetch("swarm_queue", {}, swarm_rows.whole, 2.0),
    orders=swarm_rows.QUEUE_ORDERS,
)
"""Both are opened by their views with the word `swarm`."""
CONVERSATIONS_OF_ALL = VIEWS["adopt"]._replace(
    columns=conversations.COLUMNS_OF_ALL,
    empty="No conversation of an agent is kept.\n:new claude fix the tests   starts an agent",
)
"""Opened by its view with the word `all`."""
HITS = View(
    "transcripts",
    (),
    "lines that a search has found in transcripts",
    Context.TRANSCRIPTS,
    "No transcript has these words in one line or message.\n:transcripts WORDS   searches for others",
    transcripts.COLUMNS,
    Fetch("search", {}, transcripts.hits),
    orders=transcripts.ORDERS,
    noun="line",
)
"""Opened by the verbs that search."""
RUNS = View(
    "history",
    (),
    "runs of a ritual",
    Context.RUNS,
    "No runs yet.\nshift-r  runs it now, in the list of rituals",
    columns=schedules_rows.RUNS,
    fetch=Fetch("ritual_history", {}, schedules_rows.runs, events=schedules_rows.RITUALS_CHANGES),
    orders=schedules_rows.RUN_ORDERS,
    noun="run",
)
"""Opened from the row of its ritual."""
LEAVE = {"q": True, "quit": True, "exit": True, "q!": False, "qa": True, "qa!": False}
"""Word after `:` that leaves the program → whether it asks about missions that only this program supervises."""
COLONIES = ("local",)
"""Where missions live; there is one."""
_ONE_COLONY = "this home has one colony; another home: OVERMIND_HOME=… overmind tui"
SAYINGS = {
    "ns": _ONE_COLONY,
    "namespace": _ONE_COLONY,
    "ctx": _ONE_COLONY,
    "context": _ONE_COLONY,
    "colony": _ONE_COLONY,
}
"""Words of other programs → what they are here."""


def words() -> dict[str, str]:
    """Word → name of its view."""
    return {word: view.name for view in VIEWS.values() for word in (view.name, *view.aliases)}


def find(word: str) -> View | None:
    """The view that a word means."""
    name = words().get(word)
    return None if name is None else VIEWS[name]
