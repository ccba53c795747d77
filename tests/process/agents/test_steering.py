"""Steering through the command line: each pattern is noticed, proposed with its evidence, sent once a person allows it.

Agents play scripts behind the stand-in; the guardian looks often, and what it waits for is counted in samples or beats.
"""

from __future__ import annotations

import os

import pytest

from tests.kit import scripted
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually

PATIENCE = 40.0
ERROR = "ImportError: no module named 'carts'"
OFTEN = """
[queue]
backoff = "10ms"
[health]
beat = "{beat}"
stalled = {stalled}
[guardian]
every = "{every}"
pause = "{pause}"
steer = "{steer}"
"""
PATIENT = 100_000
"""Beats until one is stalled, where silence is not what a test is about."""
SOON = 10
STAY = [{"signal": "STOP"}, {"sleep": 0.5}] * 3
"""Silent, and without a tick of the CPU, also after it is thawed; a signal may take a moment."""


AT_ONCE = ("--grace", "10ms")
"""A process that is stopped hears no signal that asks it to end."""


def failing(number, error=ERROR):
    return {"tool": "Bash", "command": f"pytest -q # {number}", "error": error}


def slowly(*steps):
    """The steps with a pause behind each, in which the guardian may look."""
    return [one for step in steps for one in (step, {"sleep": 0.1})]


LOOP = [*slowly(*map(failing, range(12))), *STAY]
EDIT = {"tool": "Edit", "file": "api/carts.py"}
THRASH = [*slowly(*[EDIT] * 5, *(failing(number, f"{number} of 9 failed") for number in range(9))), *STAY]
ASTRAY = [
    *slowly({"tool": "Edit", "file": "web/index.js"}, *({"tool": "Read", "file": f"{one}.py"} for one in range(9))),
    *STAY,
]
PATTERNS = {
    "loop": (LOOP, 0.65, f"times: {ERROR}"),
    "thrash": (THRASH, 0.8, "api/carts.py was edited 5 times, and this still fails: "),
    "drift": (ASTRAY, 0.75, "web/index.js"),
    "silence": (STAY, None, "no sign of life for "),
}
"""Term → what an agent does, the alignment that this alone makes, and the end of what shows it."""


class Watched:
    """A home whose guardian looks often, a repository, and agents that play scripts there."""

    def __init__(self, agents, folder):
        self.agents, self.om = agents, agents.om
        self._folder = folder
        self.shop = Repository(os.path.join(self.om.environment["HOME"], "shop"))
        self.shop.commit("first", {"api/carts.py": "x = 1\n", "web/index.js": "1\n"})
        agents.work = self.shop.folder
        self.configure()

    def configure(self, steer="ask", pause="1h", every="50ms", beat="100ms", stalled=PATIENT, more=""):
        with open(self.om.path("config.toml"), "w", encoding="utf-8") as config:
            config.write(OFTEN.format(steer=steer, pause=pause, every=every, beat=beat, stalled=stalled) + more)

    def play(self, script):
        scripted.behind(self.om, scripted.write(self._folder, script))

    def session(self, name, *options):
        return self.agents.session("--name", name, *AT_ONCE, *options, prompt="begin")

    def quest(self, name, *options):
        words = ("--name", name, "--provider", "claude", "--cwd", self.shop.folder, *AT_ONCE, *options, "Work on it")
        self.om.ok("quest", "add", *words)
        return name

    def health(self, name):
        return self.om.json("health", name, "--json")[0]

    def await_alignment(self, name, value):
        eventually(lambda: self.health(name)["alignment"] == value, timeout=PATIENCE, what=f"{name} has {value}")

    def inbox(self):
        return self.om.json("inbox", "--json")

    def asked(self):
        """The one question that is open, once it is."""
        (found,) = eventually(self.inbox, timeout=PATIENCE, what="somebody is asked")
        assert found["need"] == "steer"
        return found

    def steers(self, *, judged=False):
        """What was done, and to which patterns; or what came of it."""
        events = self.om.events("steer")
        return [
            event["outcome"] if judged else (event["rung"], event["terms"])
            for event in events
            if (event["outcome"] is not None) is judged
        ]

    def levels(self, mission):
        return [event["level"] for event in self.om.events("health", mission=mission)]

    def sent(self, mission):
        """The messages that a session was sent, but for its prompt."""
        return [one["text"] for one in self.agents.messages(mission)][1:]


@pytest.fixture
def watched(agents, tmp_path):
    return Watched(agents, str(tmp_path))


@pytest.mark.parametrize("term", ["loop", "thrash", "silence"])
def test_a_pattern_that_stays_is_proposed_with_what_shows_it_and_sent_once_a_person_allows_it(watched, term):
    """Each is noticed, proposed in the inbox, and sent once after `y`, never by itself."""
    steps, alignment, evidence = PATTERNS[term]
    watched.configure(stalled=SOON if term == "silence" else PATIENT)
    watched.play({"quests": {"login": steps}})
    mission = watched.session("login")
    asked = watched.asked()
    (shown,) = [line for line in asked["subject"]["lines"] if line.startswith(f"{term}: ")]
    assert evidence in shown
    assert asked["summary"] == f"Steer login? {shown}"
    row = watched.health("login")
    assert [one["term"] for one in row["terms"] if one["holds"]] == [term]
    assert row["alignment"] == alignment if term != "silence" else row["level"] in {"stalled", "hung"}
    assert (watched.steers(), watched.sent(mission), row["steers"]) == ([], [], 0)
    watched.om.ok("answer", "login", "allow")
    eventually(lambda: watched.sent(mission), timeout=PATIENCE)
    assert [shown.partition(": ")[2] in text for text in watched.sent(mission)] == [True]
    assert watched.steers() == [("message", [term])]
    assert watched.health("login")["steers"] == 1


def test_a_quest_that_leaves_its_files_is_proposed_to_end_and_its_next_attempt_reads_why(watched):
    """Drift: an agent of the queue takes no messages, so its attempt ends, and the next one is told."""
    watched.play({"quests": {"login": {"1": ASTRAY, "2": [{"read": "feedback.md"}]}}})
    watched.quest("login", "--owns", "api/**")
    assert watched.asked()["summary"] == "Steer login? drift: web/index.js"
    assert (watched.health("login")["alignment"], watched.steers()) == (0.75, [])
    watched.om.ok("answer", "login", "allow")
    assert watched.om.json("quest", "wait", "login", "--json")["status"] == "completed"
    assert [one["class"] for one in watched.om.json("quest", "info", "login")["attempt_list"]] == ["steered", None]
    assert "> web/index.js" in watched.om.ok("quest", "logs", "login")
    assert watched.steers() == [("end", ["drift"])]


def test_a_steer_that_ends_an_attempt_is_judged_by_the_next_one(watched):
    """Two samples later it is told whether it has helped; the timeline says so."""
    read = [{"tool": "Read", "file": f"{number}.py"} for number in range(12)]
    watched.play({"quests": {"login": {"1": LOOP, "2": [*slowly(*read), {"until": "go"}]}}})
    watched.quest("login")
    watched.asked()
    watched.om.ok("answer", "login", "allow")
    eventually(lambda: watched.steers(judged=True), timeout=PATIENCE)
    assert (watched.steers(judged=True), watched.steers()) == (["helped"], [("end", ["loop"])])
    assert "helped" in watched.om.ok("timeline", "login")
    watched.shop.write({"go": ""})
    assert watched.om.json("quest", "wait", "login", "--json")["status"] == "completed"


def test_a_refusal_leaves_an_agent_alone_also_in_its_next_attempt_and_under_the_next_daemon(watched):
    """`deny`: quiet about this mission for an hour."""
    watched.configure(pause="1ms", stalled=SOON)
    watched.play({"quests": {"login": {"1": [*LOOP[:-1], {"until": "go"}, {"exit": 3}], "2": LOOP}}})
    watched.quest("login")
    watched.asked()
    watched.om.ok("answer", "login", "deny")
    watched.shop.write({"go": ""})
    watched.await_alignment("login", 0.65)
    watched.om.ok("start", "--replace")
    quest = watched.om.json("quest", "info", "login")["id"]
    eventually(lambda: "hung" in watched.levels(quest), timeout=PATIENCE)
    assert (watched.inbox(), watched.steers()) == ([], [])


def test_with_auto_it_acts_by_itself_once_and_then_waits_for_what_comes_of_it(watched):
    """Acceptance 46: none within the pause."""
    watched.configure(steer="auto")
    watched.play({"quests": {"login": [*LOOP[:-1], *slowly(*map(failing, range(12))), *STAY]}})
    mission = watched.session("login")
    eventually(lambda: watched.steers(judged=True), timeout=PATIENCE)
    assert [f"times: {ERROR}" in text for text in watched.sent(mission)] == [True]
    assert (watched.steers(), watched.inbox()) == ([("message", ["loop"])], [])


def test_after_three_steers_of_a_mission_a_person_is_asked_whatever_is_set(watched):
    """Acceptance 46: no fourth. A message, an interrupt, freezing; whoever is frozen waits for a person."""
    watched.configure(steer="auto", pause="1ms")
    watched.play({"quests": {"login": [*slowly(*map(failing, range(200))), *STAY]}})
    mission = watched.session("login")
    asked = watched.asked()
    assert [rung for rung, _ in watched.steers()] == ["message", "interrupt", "freeze"]
    assert "It is frozen until you answer." in asked["subject"]["lines"]
    watched.om.wait_status(mission, "paused")
    watched.om.ok("answer", "login", "allow", "-m", "look into api")
    watched.om.wait_status(mission, "running")
    eventually(lambda: "look into api" in watched.sent(mission), timeout=PATIENCE)
    again = watched.asked()
    assert again["question"] != asked["question"]
    assert len(watched.steers()) == 4, "three by itself, and the one that a person wanted"
    watched.om.ok("answer", "login", "deny")
    assert watched.om.info(mission)["status"] == "running"


def test_what_is_off_steers_nobody_and_shows_all_the_same(watched):
    watched.configure(steer="off", stalled=SOON)
    watched.play({"quests": {"login": LOOP, "still": STAY}})
    watched.session("login")
    still = watched.session("still")
    watched.await_alignment("login", 0.65)
    eventually(lambda: "hung" in watched.levels(still), timeout=PATIENCE)
    assert (watched.inbox(), watched.steers()) == ([], [])


def test_one_that_hangs_and_is_no_quest_is_frozen_and_a_person_is_asked_where_it_may_act(watched):
    """`hung`: `auto` ends the attempt of a quest, others are frozen and ask; a silent server may just serve."""
    watched.configure(steer="auto", stalled=SOON)
    watched.play({"quests": {"login": STAY}})
    server = watched.om.mission("exec sleep 1000", "--name", "server")
    task = watched.agents.start("begin", "--name", "login", *AT_ONCE)
    asked = watched.asked()
    assert (asked["name"], watched.levels(task)[:3]) == ("login", ["quiet", "stalled", "hung"])
    watched.om.wait_status(task, "paused")
    eventually(lambda: watched.health("server")["level"] == "quiet", timeout=PATIENCE)
    assert watched.levels(server) == []
    assert [one["name"] for one in watched.inbox()] == ["login"]
    watched.om.ok("answer", "login", "allow")
    watched.om.wait_status(task, "running")
    assert watched.steers() == [("freeze", ["silence"])]


def test_one_that_hangs_is_asked_about_where_it_may_only_ask_and_runs_on(watched):
    watched.configure(stalled=SOON)
    watched.play({"quests": {"login": STAY}})
    watched.quest("login")
    quest = watched.om.json("quest", "info", "login")["id"]
    asked = watched.asked()
    assert asked["summary"].startswith("Steer login? silence: no sign of life for ")
    eventually(lambda: "hung" in watched.levels(quest), timeout=PATIENCE)
    assert [one["question"] for one in watched.inbox()] == [asked["question"]]
    assert (watched.om.info(quest)["status"], watched.steers()) == ("running", [])


def test_one_that_is_limited_is_neither_quiet_nor_stalled_nor_hung(watched):
    """Acceptance 45."""
    watched.configure(stalled=SOON)
    watched.play({"quests": {"login": [{"limit": 3600}]}})
    mission = watched.session("login")
    eventually(lambda: watched.om.info(mission)["activity"] == "limited", timeout=PATIENCE)
    still = watched.om.mission("exec sleep 1000", "--name", "still", "--activity-timeout", "1h")
    eventually(lambda: watched.levels(still) == ["quiet", "stalled", "hung"], timeout=PATIENCE)
    assert (watched.levels(mission), watched.health("login")["level"]) == ([], None)


def test_coherence_is_half_with_one_that_is_aligned_and_one_at_half_that_was_steered(watched):
    """Acceptance 47; the half is the number of a review."""
    watched.configure(
        every="1h", beat="1h", more='review = "claude"\n'
    )  # what came of the steer is not known for an hour
    looks = [{"tool": "Read", "file": "api/carts.py"}, *STAY]
    half = {"alignment": 0.5, "reason": "It reads what nobody asked for.", "message": "Write the cart."}
    watched.play({"quests": {"good": looks, "login": looks}, "guardian": [{"output": "review.json", "data": half}]})
    for name in ("good", "login"):
        watched.session(name)
        watched.await_alignment(name, 1.0)
    assert watched.om.ok("health").splitlines()[-1] == "2 running"
    assert watched.om.json("health", "login", "--review", "--json")[0]["alignment"] == 0.5
    watched.asked()
    assert watched.health("login")["coherence"] == 0.65
    watched.om.ok("answer", "login", "allow")
    assert watched.health("good")["coherence"] == 0.5
    assert watched.om.ok("health").splitlines()[-1].endswith(" · 1 steered")
