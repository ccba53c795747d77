"""`ctrl-\\ .`: from a terminal that is typed into to the next one that needs the person."""

from __future__ import annotations

from overmind_core.client import terminal_stream as stream
from overmind_core.terminal.screen import Screen
from overmind_core.view import inbox
from overmind_core.view.actions import Context
from overmind_tui.missions import following
from overmind_tui.pages.line import LineComposer
from tests.kit.cases import tabled
from tests.tui.conftest import picture, until
from tests.tui.test_line import put
from tests.tui.test_pictures import QUESTIONS, agent
from tests.tui.test_traps import Asked, run

TYPED, ASKS, IN_TERMINAL, TURN = (f"{number:08x}" for number in range(1, 5))


TERMINAL = {"tty": True, "interactive": True}
ROWS = [
    agent(1, "typed", "working", "", 0.1, cpu_percent=1.0, memory_bytes=1_000_000, **TERMINAL),
    agent(2, "asks", "waiting", "", 0.1, need="permission", **TERMINAL),
    agent(3, "dialog", "waiting", "", 0.1, need="permission", **TERMINAL),
    agent(4, "turn", "idle", "Done.", 0.1, activity_since="2025-12-31T23:58:00.000Z", unseen=True, **TERMINAL),
]
ALLOW = {**QUESTIONS[0], "id": ASKS, "name": "asks", "question": 7}
DIALOG = {**QUESTIONS[0], "id": IN_TERMINAL, "name": "dialog", "question": 8, "attach_only": True, "rule": None}


class Terminals(Asked):
    """Terminals that are joined at once, and what is typed into each."""

    def __init__(self, *names, questions=()):
        super().__init__([row for row in ROWS if row["name"] in {"typed", *names}], questions)
        self.joined: list[tuple[str, bool]] = []
        self.main.terminal_panel.session.connect = self._connect  # type: ignore[method-assign]

    def _connect(self, *, read_only, size=None):
        del size
        held = self.main.terminal_panel.session
        held._asked = not read_only
        self.joined.append((held.mission or "", not read_only))
        held._came(stream.Joined(Screen(80, 24), f"{held.mission}.1", not read_only, again=False))


async def typing_into(app, pilot, name=TYPED):
    assert app.main.table.select(name)
    await pilot.press("a")
    await until(pilot, lambda: app.main.context is Context.TYPING, what="typing")
    app.joined.clear()


def is_at_question(app, name):
    """Whether the question of this mission has the keys."""
    if app.screen.context is not Context.NEEDS or not app.screen.is_mounted or app.typed.is_waiting:
        return False
    return [row["name"] for row in app.screen.targets()] == [name]


def test_a_terminal_question_is_typed_into_at_once():
    async def scenario(app, pilot):
        await typing_into(app, pilot)
        assert "2 need you: ctrl-\\ ." in picture(app)
        put(app, "ctrl+backslash", ".")
        await until(pilot, lambda: app.joined, what="the other terminal")
        assert app.joined == [(IN_TERMINAL, True)]
        assert app.main.context is Context.TYPING
        assert app.main.terminal_panel.session.mission == IN_TERMINAL
        put(app, "ctrl+backslash", ".")
        await until(pilot, lambda: isinstance(app.screen, LineComposer), what="on its turn it is written to")
        await until(pilot, lambda: "› to turn" in picture(app), what="its name")

    run(lambda: Terminals("dialog", "turn", questions=[DIALOG]), scenario)


def test_who_is_typed_into_is_not_counted_among_the_others_that_need_the_person():
    async def scenario(app, pilot):
        await typing_into(app, pilot, IN_TERMINAL)
        assert "ctrl-\\ leaves" in picture(app)
        assert "you: ctrl-\\ ." not in picture(app)
        put(app, "ctrl+backslash", ".")
        await until(pilot, lambda: "nobody else needs you" in picture(app), what="said")

    run(lambda: Terminals("dialog", questions=[DIALOG]), scenario)


def test_the_next_one_is_offered_in_the_list_only_where_it_is_another_one():
    async def scenario(app, pilot):
        assert app.main.table.select(TYPED)
        assert "next-need" not in app.main.unusable()
        put(app, ".")
        await until(pilot, lambda: app.main.table.cursor_id == ASKS, what="who asks")
        assert "next-need" in app.main.unusable()
        put(app, ".")
        await until(pilot, lambda: "nobody else needs you" in picture(app), what="said")

    run(lambda: Terminals("asks", questions=[ALLOW]), scenario)


def test_any_other_question_is_answered_at_its_place():
    async def scenario(app, pilot):
        await typing_into(app, pilot)
        put(app, "ctrl+backslash", ".")
        await until(pilot, lambda: is_at_question(app, "asks"), what="its question")
        assert not app.main.terminal_panel.session.writes, "the terminal that was left is nobody's"
        assert app.joined == []

    run(lambda: Terminals("asks", questions=[ALLOW]), scenario)


def test_who_waits_in_its_terminal_without_a_question_that_is_known_is_typed_into():
    async def scenario(app, pilot):
        await typing_into(app, pilot)
        put(app, "ctrl+backslash", ".")
        await until(pilot, lambda: app.joined == [(IN_TERMINAL, True)], what="its terminal")

    run(lambda: Terminals("dialog"), scenario)


def test_typing_begins_where_the_cursor_is_also_before_the_panel_has_come_to_it(monkeypatch):
    monkeypatch.setattr(following, "REST_SECONDS", 60.0)

    async def scenario(app, pilot):
        assert app.main.table.select(TURN)
        put(app, "j", "a")
        await until(pilot, lambda: app.joined, what="its terminal")
        assert app.main.context is Context.TYPING
        assert app.joined == [(TYPED, True)]

    run(lambda: Terminals("turn"), scenario)


def test_a_key_between_the_two_makes_them_two_keys():
    async def scenario(app, pilot):
        await typing_into(app, pilot)
        put(app, "ctrl+backslash", "j", ".")
        await until(pilot, lambda: app.main.table.cursor_id == IN_TERMINAL, what="as `.` does everywhere")
        assert app.main.context is Context.MISSIONS
        assert app.joined == []

    run(lambda: Terminals("dialog", questions=[DIALOG]), scenario)


def test_where_nobody_else_needs_the_person_that_is_said():
    async def scenario(app, pilot):
        await typing_into(app, pilot)
        put(app, "ctrl+backslash", ".")
        await until(pilot, lambda: "nobody else needs you" in picture(app), what="said")
        assert app.main.context is Context.LOOKING

    run(Terminals, scenario)


FOUND = [inbox.Need({"id": one}, None, inbox.TURN, 0.0) for one in "abbc"]


@tabled(("left", "next_one"), [("a", "b"), ("b", "c"), ("c", "a"), ("gone", "a")])
def test_the_next_one_is_that_of_another_mission_round_and_round(left, next_one):
    need = inbox.beyond(FOUND, left)
    assert need is not None
    assert need.row["id"] == next_one


def test_who_alone_needs_the_person_is_not_the_next_one():
    assert inbox.beyond(FOUND[:1], "a") is None
    assert inbox.beyond([], "a") is None
