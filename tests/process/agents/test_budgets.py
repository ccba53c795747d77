"""Budgets of specs, and of the queue in a day: warned, asked, held, raised, stopped; also over a kill."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from overmind_core.domain.specs.spec import PhaseName
from tests.kit import scripted
from tests.kit.agents import Agents
from tests.kit.killing import kill
from tests.kit.queued import Queued
from tests.kit.repositories import AUTHOR, Repository
from tests.kit.specs import SpecWorld, handed_in
from tests.kit.waiting import eventually

pytestmark = pytest.mark.own_home
STAY = [{"touch": "stays"}, {"until": "let-go"}]
PATIENCE = 30.0


class Shop:
    """A home with a limit for each day, and quests whose agents cost what a script says."""

    def __init__(self, agents: Agents, folder: str, *, limit: float = 1.0, slots: int = 1) -> None:
        self.agents, self.om = agents, agents.om
        self.script: dict[str, object] = {}
        self.folder = folder
        self.repository = Repository(os.path.join(self.om.environment["HOME"], "shop"))
        self.repository.commit("first", {"a.txt": "1\n"})
        scripted.behind(self.om, os.path.join(folder, "script.json"))
        scripted.write(folder, {"quests": {}})
        settings = f'[queue]\nslots = {slots}\nmax_cost_per_day = {limit}\nbackoff = "10ms"\n'
        self.queue = Queued(self.om, settings, cwd=self.repository.folder)

    def add(self, name, *steps, **how):
        """Queue one that plays these steps; a number is what it costs."""
        played = [{"cost": one} if isinstance(one, float) else one for one in steps]
        self.script[name] = played or [{"say": "done"}]
        scripted.write(self.folder, {"quests": self.script})
        quest = {"title": name, "provider": "claude", "retries": 0, "isolate": False, **how}
        self.om.environment |= AUTHOR
        (made,) = self.om.api("quest_add", quests=[quest], cwd=self.queue.cwd, env=self.om.environment)["quests"]
        return made["id"]

    def done(self, name):
        found = self.queue.ended(name)
        assert found["status"] == "completed", found
        return found

    def budget_questions(self):
        return [one for one in self.om.api("inbox") if one["need"] == "budget"]

    def times_asked(self):
        return len([one for one in self.om.events("asked") if one["need"] == "budget"])

    def held(self, name):
        """Wait until only money keeps it from starting; return why."""

        def look():
            why = self.queue.why(name)
            return why if why["code"] == "budget" else None

        return eventually(look, timeout=PATIENCE, what=f"{name} is held by the budget")


@pytest.fixture
def shop(agents, tmp_path):
    return Shop(agents, str(tmp_path))


def test_at_80_percent_it_is_warned_once_at_100_nothing_begins_and_one_is_asked_and_once_raised_it_goes_on(shop):
    """Acceptance 49."""
    shop.add("one", 0.40)
    shop.done("one")
    assert shop.om.events("cost_warning") == []
    shop.add("two", 0.45)
    assert shop.done("two")["cost_usd"] == pytest.approx(0.45)
    (warning,) = shop.om.events("cost_warning")
    assert (warning["cost_usd"], warning["about"]["kind"]) == (pytest.approx(0.85), "queue")
    assert (warning["by"], warning["why"]) == ("engine", "$0.85 of $1.00 of today spent")
    shop.add("three", 0.15)
    shop.done("three")
    shop.add("four", 0.10)
    why = shop.held("four")
    (question,) = shop.budget_questions()
    assert why["text"] == "$1.00 of $1.00 of today are spent"
    assert why["do"] == [f"overmind answer {question['question']} allow"]
    assert (question["about"]["kind"], question["summary"]) == ("queue", "$1.00 of $1.00 of today are spent")
    assert shop.queue.info("four")["status"] == "queued"
    shop.queue.answer(question, "allow")
    shop.done("four")
    assert (shop.times_asked(), len(shop.om.events("cost_warning"))) == (1, 1)


def test_a_person_may_name_the_dollars(shop):
    shop.add("one", 1.0)
    shop.done("one")
    shop.add("two", 0.3)
    shop.held("two")
    (question,) = shop.budget_questions()
    shop.queue.answer(question, "allow", "another $0.20, please")
    shop.done("two")
    shop.add("three", 0.1)
    assert shop.held("three")["text"] == "$1.30 of $1.20 of today are spent"


def test_at_120_percent_what_runs_is_ended_with_its_class(agents, tmp_path):
    """Acceptance 49."""
    shop = Shop(agents, str(tmp_path), slots=2)
    shop.add("stays", *STAY)
    eventually(lambda: os.path.exists(os.path.join(shop.queue.cwd, "stays")), timeout=PATIENCE)
    shop.add("dear", 1.25)
    shop.done("dear")
    over = shop.queue.ended("stays")
    assert (over["status"], over["class"], over["reason"]) == ("failed", "max_cost", "max_cost")
    assert "--- stopped: $1.25 of $1.00 of today spent ---" in shop.om.ok("quest", "logs", "stays")
    assert {one["need"] for one in shop.om.api("inbox")} == {"budget", "stuck"}


def test_a_cost_that_nobody_knows_is_null_and_left_out(shop):
    """Acceptance 49."""
    shop.add("free", provider="raw", command="true")
    assert shop.done("free")["cost_usd"] is None
    shop.add("one", 0.79)
    shop.done("one")
    assert shop.om.events("cost_warning") == []
    assert shop.om.ok("quest", "list").splitlines()[1].split()[1] == "free"


def test_denied_what_runs_is_stopped_the_rest_is_held_and_nothing_is_gone(agents, tmp_path):
    """Acceptance 37: of `budget`."""
    shop = Shop(agents, str(tmp_path), slots=2)
    shop.add("stays", {"write": "new.txt", "text": "work"}, *STAY, isolate=True)
    worktree = eventually(lambda: shop.om.json("changes", "stays", "--json")["files"] and _worktree(shop), PATIENCE)
    shop.add("dear", 1.05)
    shop.done("dear")
    shop.add("later", 0.1)
    shop.held("later")
    (question,) = shop.budget_questions()
    before = _rows(shop), shop.repository.git("branch", "--list"), sorted(os.listdir(worktree))
    shop.queue.answer(question, "deny")
    over = shop.queue.ended("stays")
    assert (over["status"], over["reason"]) == ("cancelled", None)
    assert shop.held("later")["do"] == ["overmind queue --max-cost-per-day 1.5 --today"]
    assert (_rows(shop), shop.repository.git("branch", "--list"), sorted(os.listdir(worktree))) == before
    assert shop.budget_questions() == []
    assert shop.times_asked() == 1


def _rows(shop):
    return sorted(one["name"] for one in shop.om.api("quests"))


def _worktree(shop):
    return shop.om.info("stays")["cwd"]


def test_it_is_asked_once_with_the_same_number_and_warned_once_over_a_kill_of_the_daemon(shop):
    shop.add("one", 1.0)
    shop.done("one")
    shop.add("two", 0.1)
    shop.held("two")
    (before,) = shop.budget_questions()
    kill(shop.om.supervisor_pid())
    shop.om.ok("start")
    assert shop.held("two")["text"] == "$1.00 of $1.00 of today are spent"
    (after,) = shop.budget_questions()
    assert after["question"] == before["question"]
    shop.queue.answer(after, "allow")
    kill(shop.om.supervisor_pid())
    shop.om.ok("start")
    shop.done("two")
    assert (shop.times_asked(), len(shop.om.events("cost_warning"))) == (1, 1)


def test_what_runs_is_estimated_and_nothing_begins_that_would_pass_the_limit_with_it(agents, tmp_path):
    shop = Shop(agents, str(tmp_path), limit=1.0, slots=2)
    for name in ("one", "two", "three"):
        shop.add(name, 0.2)
        shop.done(name)
    shop.add("stays", *STAY, 0.1)  # 60 cents are spent, and 20 are expected
    eventually(lambda: os.path.exists(os.path.join(shop.queue.cwd, "stays")), timeout=PATIENCE)
    shop.add("fourth", *STAY, 0.1)  # 20 more: that is just enough; but there is no third slot
    shop.queue.is_in("fourth", "work")
    shop.om.ok("queue", "slots", "3")
    shop.add("fifth", 0.1)
    assert shop.held("fifth")["text"] == "$0.60 of $1.00 of today are spent, and $0.60 would follow"
    assert shop.budget_questions() == []  # what runs may cost less
    shop.repository.write({"let-go": ""})
    shop.done("fifth")


# specs

DEAR = {"explore": 0.40, "requirements": 0.45, "design": 0.20, "tasks": 0.01}


@pytest.fixture
def world(agents, tmp_path):
    """A spec whose agent is the stand-in, and whose phases cost so much."""
    world = SpecWorld(agents.om)
    world.write(phases={phase: [*handed_in(PhaseName(phase)), {"cost": cost}] for phase, cost in DEAR.items()})
    scripted.behind(agents.om, os.path.join(agents.om.environment["HOME"], "script.json"))
    agents.om.ok("spec", "new", "Carts", "--provider", "claude", "--max-cost", "1", "--brief", "x", cwd=world.folder)
    return world


def test_a_spec_stops_where_its_money_ends_and_goes_on_once_there_is_more(agents, world):
    """Acceptance 49."""
    om = agents.om
    world.run()
    question = world.asked("budget")
    assert question["summary"] == "$1.05 of $1.00 of spec carts are spent"
    assert world.attempts() == ["explore 1", "requirements 1", "design 1"]
    (warning,) = om.events("cost_warning")
    assert (warning["name"], warning["about"]["kind"]) == ("carts", "spec")
    shown = world.show()
    assert (shown["cost_usd"], shown["cost_unknown"], shown["max_cost_usd"]) == (pytest.approx(1.05), 0, 1.0)
    why = eventually(lambda: (found := om.api("quest_why", id="carts/tasks"))["code"] == "budget" and found, PATIENCE)
    assert why["do"] == [f"overmind answer {question['question']} allow"]
    om.ok("answer", "carts", "allow")
    assert world.asked("phase")["part"] == "tasks"
    assert world.show()["max_cost_usd"] == 1.5
    assert world.attempts()[-1] == "tasks 1"


def test_who_waits_for_a_spec_is_told_once_that_its_money_is_spent_and_how_it_goes_on(agents, world):
    waiting = agents.om.popen("spec", "run", "carts", "--wait")
    said = (line for line in waiting.stderr if not line.startswith("waits for carts/"))  # what goes on
    assert next(said) == "Spec carts: explore queued\n"
    number = world.asked("budget")["question"]
    assert next(said) == "carts/tasks waits: $1.05 of $1.00 of spec carts are spent\n"
    assert next(said) == f"  go on with: overmind answer {number} allow\n"
    agents.om.ok("answer", "carts", "allow")
    gate = world.asked("phase")["question"]
    waiting.send_signal(signal.SIGINT)
    assert waiting.wait(PATIENCE) == 130
    of_gate = f"waits for you: question {gate} (gate of carts/tasks): overmind answer {gate} allow\n"  # if it looks now
    rest = [line for line in said if line != of_gate]
    assert rest == ["\n", "Spec carts goes on. See it with: overmind spec show carts\n"]


def test_another_limit_settles_the_question(agents, world):
    world.run()
    world.asked("budget")
    world.run("carts", "--max-cost", "4")
    assert world.asked("phase")["part"] == "tasks"
    assert [one["need"] for one in agents.om.api("inbox")] == ["phase"]


def test_an_archived_spec_asks_for_no_money(agents, world):
    world.run()
    world.asked("budget")
    agents.om.ok("spec", "archive", "carts")
    assert agents.om.api("inbox") == []


def test_denied_a_spec_waits_and_says_with_what_it_goes_on(agents, world):
    """Acceptance 37: of `budget`."""
    om = agents.om
    world.run()
    world.asked("budget")
    eventually(lambda: world.quests().get("carts/tasks") == "queued", PATIENCE)
    eventually(lambda: world.repository.git("branch", "--list") == "* main", PATIENCE, what="only main is left")
    before = _documents(world), world.quests(), world.repository.git("branch", "--list")
    om.ok("answer", "carts", "deny")
    why = om.api("quest_why", id="carts/tasks")
    assert (why["code"], why["do"]) == ("budget", ["overmind spec run carts --max-cost 1.5"])
    assert (_documents(world), world.quests(), world.repository.git("branch", "--list")) == before
    om.ok(*why["do"][0].split()[1:])
    assert world.asked("phase")["part"] == "tasks"


def _documents(world):
    return sorted(os.listdir(os.path.dirname(world.path("brief.md"))))


def test_at_midnight_the_question_is_withdrawn_and_the_queue_goes_on(shop):
    shop.add("one", 1.0)
    shop.done("one")
    shop.add("two", 0.1)
    shop.held("two")
    kill(shop.om.supervisor_pid())
    with contextlib.closing(sqlite3.connect(shop.om.path("state.db"))) as database, database:
        ((text,),) = database.execute("SELECT value FROM meta WHERE key = 'budget:queue'")
        yesterday = json.loads(text) | {"since": json.loads(text)["since"] - 86400}
        database.execute("UPDATE meta SET value = ? WHERE key = 'budget:queue'", (json.dumps(yesterday),))
        database.execute("UPDATE costs SET at = at - 86400")
    shop.om.ok("start")
    shop.done("two")
    assert shop.budget_questions() == []
    assert shop.times_asked() == 1


@pytest.mark.parametrize("limit", ["2.0", "0"])
def test_another_limit_of_the_configuration_settles_the_question(shop, limit):
    shop.add("one", 1.0)
    shop.done("one")
    shop.add("two", 0.1)
    shop.held("two")
    kill(shop.om.supervisor_pid())
    with open(shop.om.path("config.toml")) as config:
        text = config.read()
    with open(shop.om.path("config.toml"), "w") as config:
        config.write(text.replace("max_cost_per_day = 1.0", f"max_cost_per_day = {limit}"))
    shop.om.ok("start")
    shop.done("two")
    assert shop.budget_questions() == []


def test_two_answers_at_once_raise_it_once(shop):
    shop.add("one", 1.0)
    shop.done("one")
    shop.add("two", 0.1)
    shop.held("two")
    (question,) = shop.budget_questions()
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(shop.om, "answer", str(question["question"]), "allow") for _ in range(4)]
        codes = sorted(one.result().returncode for one in asked)
    assert codes == [0, 1, 1, 1]
    shop.done("two")
    shop.add("three", 0.45)
    shop.done("three")
    shop.add("four", 0.1)
    assert shop.held("four")["text"] == "$1.55 of $1.50 of today are spent"
