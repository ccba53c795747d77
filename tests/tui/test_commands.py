"""The line behind `:` in the program: every verb has its place, views come by one row, what is typed does it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from overmind_core.cli.command import COMMANDS as COMMAND_LINE
from overmind_core.domain.operation import Danger
from overmind_core.view import keymap, registry
from overmind_core.view.actions import Context
from overmind_core.view.keymap import ACTIONS
from overmind_tui.command_line import line as command_line
from overmind_tui.command_line import verbs
from overmind_tui.command_line.verbs import ELSEWHERE, VERBS
from overmind_tui.render import texts
from overmind_tui.shell import messages
from tests.kit.cases import each, tabled
from tests.tui.walks import Recording, walk


def view(app):
    return getattr(app.screen, "view", "missions")


def test_every_verb_of_the_command_line_has_its_twin_or_a_reason():
    assert set(COMMAND_LINE) <= set(VERBS) | set(ELSEWHERE)
    assert not set(VERBS) & set(ELSEWHERE)
    assert all(len(reason) > 5 for reason in ELSEWHERE.values())


@each(VERBS.values(), lambda verb: verb.name)
def test_every_verb_is_on_the_command_line_or_says_why_not(verb):
    assert (verb.name in COMMAND_LINE) != bool(verb.alone)


@each(ACTIONS, lambda action: f"{action.context.value}: {action.name}")
def test_every_action_has_a_key_and_two_verbs_or_a_reason(action):
    assert action.keys
    assert action.summary
    assert bool(action.verb) != bool(action.alone)
    if action.verb:
        assert action.verb in {*VERBS, *registry.words()}
        assert action.verb in COMMAND_LINE


@each(VERBS.values(), lambda verb: verb.name)
def test_a_verb_that_is_done_inside_is_an_action_of_the_table(verb):
    named = {action.name for action in ACTIONS}
    assert not verb.inside or verb.inside in named or verb.alone


@each(VERBS.values(), lambda verb: verb.name)
def test_what_takes_missions_here_takes_them_on_the_command_line(verb):
    known = verbs.known(verb.name)
    assert not (verb.takes_missions or verb.one) or known.missions
    assert set(verb.prose or ()) <= known.valued


@tabled("view", registry.VIEWS.values(), ids=list(registry.VIEWS))
def test_every_view_can_be_opened_and_says_what_to_type_when_it_is_empty(view):
    opener = command_line.OPENERS.get(view.name, command_line.TABLE)
    module, _, function = opener.partition(":")
    assert callable(getattr(__import__(module, fromlist=[function]), function))
    assert view.summary
    assert bool(view.columns and view.fetch) or opener != command_line.TABLE
    if view.fetch:
        assert ":" in view.empty
        assert view.order in {"", *view.orders}
        assert {column.key for column in view.columns} & set(view.orders) or not view.columns


def test_the_help_of_a_context_has_each_of_its_keys_once_and_no_other():
    for context in Context:
        found = keymap.keymap(context)
        lines = ["".join(cell.text for cell in line) for line in texts.help_lines(context, read_only=False)]
        for key, action in found.items():
            assert sum(action.summary in line for line in lines) >= 1, (context, key)
        sections = texts.help_sections(context, read_only=False)
        beside = sum(len(section.entries) for section in sections if section.title in {"marks", "mouse"})
        shown = sum(line.startswith("   ") for line in lines) - beside
        assert shown == len({(action.context, action.name) for action in found.values()}), context


def test_read_only_help_and_aliases_show_nothing_that_changes():
    for lines in (texts.help_lines(Context.MISSIONS, read_only=True), texts.aliases(read_only=True)):
        text = "\n".join("".join(cell.text for cell in line) for line in lines)
        assert f"({Danger.CHANGES.value})" not in text
        assert f"({Danger.ENDS_WORK.value})" not in text


ACTING = {("queue", "--max-cost-per-day"), ("messages", "--cancel"), ("health", "--review")}
"""Readings, each with an option with which it changes something."""


def test_each_verb_and_each_option_of_a_reading_that_changes_something_is_known_to_do_so():
    acting = {
        (verb.name, flag)
        for verb in VERBS.values()
        for flag in verbs.known(verb.name).flags
        if not verb.change([]) and verb.change([flag])
    }
    assert acting == ACTING
    assert all(VERBS[name].change(["api", f"{flag}=1"]) == f"{name} {flag}" for name, flag in ACTING)
    off = {verb.name for verb in VERBS.values() if verb.change([])}
    assert off == {verb.name for verb in VERBS.values() if verb.danger is not Danger.NONE}
    assert off >= {"memory export", "cortex backup"}, "files are changed, too"


OFF = {
    ":queue --max-cost-per-day 500 --today": "queue --max-cost-per-day",
    ":queue --today --max-cost-per-day=500": "queue --max-cost-per-day",
    ":queue 'pause'": "queue pause",
    ":messages api --cancel 12": "messages --cancel",
    ":health api --review": "health --review",
    ":memory export": "memory export",
}
"""Line → what of it is off in read-only mode."""


def test_read_only_no_line_that_changes_something_is_run():
    async def scenario(app, press):
        for line, off in OFF.items():
            await press(line)
            assert app.notice.text == f"read-only: {off} is off", line
        assert app.ran == []
        await press(":messages api")
        assert app.ran == [["messages", "api"]]

    walk(scenario, Recording, read_only=True)


PLAN_ROW = {"id": "a1b2c3d4", "name": "release", "type": "blueprint"}


class Begun:
    """A `:` line of a program that has just begun, whose missions come later."""

    def __init__(self, text, rows=()):
        self.fleet = SimpleNamespace(loaded=False, rows={}, home_rows=[])
        self.settings = SimpleNamespace(aliases={})
        self.flashed: list[str] = []
        self.opened: list[Any] = []
        unused: Any = None
        shell: Any = self
        self.commands: Any = command_line.Commands(shell, unused, leave=unused, remembered=unused)
        vars(self.commands)["_open"] = self.opened.append
        self.commands.begin(text)
        self.before = [*self.opened]
        self.fleet.rows, self.fleet.home_rows, self.fleet.loaded = {row["id"]: row for row in rows}, [*rows], True
        self.commands.missions_came()
        self.commands.missions_came()

    def flash(self, text, _tone):
        self.flashed.append(text)


@tabled("text", ["plan release", ":plan release", "plan a1b2c3d4", "logs release", "describe release"])
def test_the_first_view_may_name_what_is_known_only_later(text):
    begun = Begun(text, [PLAN_ROW])
    assert (begun.before, begun.flashed) == ([], [])
    assert [show.words for show in begun.opened] == [(text.rpartition(" ")[2],)]


@tabled(
    ("text", "said"),
    [
        ("nonsense", "unknown view 'nonsense' · ctrl-a lists all"),
        ("plan relaese", "plan: no plan named 'relaese', 'release'? · :plans lists them"),
        ("describe x", "describe: no mission named 'x' · :missions lists them"),
    ],
)
def test_a_first_view_that_is_none_is_said_once_with_what_it_lacks(text, said):
    begun = Begun(text, [PLAN_ROW])
    assert (begun.opened, begun.flashed) == ([], [said])


def test_a_first_view_that_names_nothing_is_open_at_once_and_none_is_opened_over_another():
    assert Begun("events").before == Begun("events").opened != []


def test_new_begins_no_mission_of_an_option_and_a_shell_that_can_be_typed_into():
    async def scenario(app, press):
        await press(":new --help")
        assert app.ran == [["run", "--help"]]
        await press(":new --name api make")
        assert app.notice.text == "new: takes no options; :run takes them, as in :run --name api make test"
        assert app.of("run") == []
        await press(":new bash", ":new make test")
        assert [(one["command"], one.get("type")) for one in app.of("run")] == [
            ("bash", "session"),
            ("make test", None),
        ]

    walk(scenario, Recording)


def test_what_is_answered_while_the_program_ends_shows_nothing():
    ended: list[Any] = []

    async def scenario(app, _press):
        ended.append(app)

    walk(scenario, Recording)
    (app,) = ended
    app._done(messages.Done(lambda: app.is_at_rest))
