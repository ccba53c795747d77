"""Learning: each attempt leaves one outcome, and one that failed and then passed a lesson, which is a note."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from tests.kit.repositories import AUTHOR, Repository
from tests.kit.specs import SpecWorld
from tests.kit.waiting import eventually

pytestmark = pytest.mark.linux

FAILS_ONCE = 'test "$OVERMIND_ATTEMPT" -gt 1 || { echo "AssertionError: carts total misses shipping"; exit 1; }'


@pytest.fixture
def shop(om):
    """A home with one slot whose retries come at once, and a repository to work in."""
    with open(om.path("config.toml"), "w") as file:
        file.write('[queue]\nslots = 1\nbackoff = "10ms"\n')
    om.ok("start")
    repository = Repository(om.path("shop"))
    repository.commit("first", {"carts.py": "total = 0\n"})
    om.repository = repository
    return om


def add(om, title, command, **more):
    quest = {"title": title, "command": command, "isolate": False, "retries": 1, **more}
    (made,) = om.api("quest_add", quests=[quest], cwd=om.repository.folder, env=om.environment | AUTHOR)["quests"]
    return made


def ended(om, quest):
    return eventually(lambda: (row := om.api("quest", id=quest))["ended_at"] and row, what=f"{quest} is over")


def outcomes(om):
    with contextlib.closing(sqlite3.connect(f"file:{om.path('state.db')}?mode=ro", uri=True)) as database:
        return list(database.execute("SELECT quest, attempt, type, provider, class FROM outcomes ORDER BY id"))


def taught(om, name="carts"):
    """A quest whose first attempt fails; return its lesson."""
    add(om, f"{name} total", FAILS_ONCE, name=name)
    ended(om, name)
    return lesson_of(om, name)


def lessons(om, **how):
    return om.api("notes", kind="lesson", cwd=om.repository.folder, **how)["notes"]


def lesson_of(om, name):
    def found():
        return next((one for one in lessons(om) if one["author"]["name"] == name), None)

    return eventually(found, what=f"{name} has taught something")


def learn(om, *words):
    """What `learn` prints in the repository."""
    return om.ok("learn", *words, cwd=om.repository.folder)


def test_each_attempt_leaves_one_outcome_with_its_class(shop):
    made = add(shop, "carts total", FAILS_ONCE, group="api")
    assert ended(shop, made["id"])["status"] == "completed"
    assert outcomes(shop) == [
        (made["id"], 1, "api", "raw", "exit"),
        (made["id"], 2, "api", "raw", None),
    ]


def test_an_attempt_that_somebody_ends_counts_as_cancelled_and_a_quest_that_never_began_not_at_all(shop):
    made = add(shop, "endless", "exec sleep 1000")
    add(shop, "waits", "true")
    eventually(lambda: shop.api("quest", id="endless")["status"] == "running")
    shop.ok("quest", "cancel", "waits", "endless")
    ended(shop, "endless")
    assert [(quest, failure) for quest, _, _, _, failure in outcomes(shop)] == [(made["id"], "cancelled")]


def test_figures_come_with_three_quests_and_before_that_there_are_only_counts(shop):
    for name in ("one", "two"):
        add(shop, name, FAILS_ONCE, group="api")
        ended(shop, name)
    (few,) = shop.api("learn")["groups"]
    assert (few["key"], few["quests"], few["attempts"]) == ("api", 2, 4)
    assert (few["rate"], few["tries"], few["cost_usd"], few["seconds"]) == (None, None, None, None)
    assert shop.api("quest", id="one")["estimate_seconds"] is None
    add(shop, "three", "exit 3", retries=0, group="api")
    ended(shop, "three")
    (enough,) = shop.api("learn")["groups"]
    assert (enough["rate"], enough["tries"], enough["cost_unknown"]) == (0.667, 1.667, 3)
    assert enough["failures"] == {"exit": 3}
    titles, row = shop.ok("learn").splitlines()
    assert titles.split() == ["TYPE", "N", "RATE", "TRIES", "COST", "TIME", "FAILURES"]
    assert row.split()[:4] == ["api", "3", "0.67", "1.7"]
    assert shop.json("learn", "--by", "provider", "--json")[0]["key"] == "raw"


def test_three_attempts_that_went_well_are_the_estimate_of_the_next(shop):
    for name in ("one", "two", "three"):
        add(shop, name, "true")
        ended(shop, name)
    add(shop, "four", "true")
    assert ended(shop, "four")["estimate_seconds"] is not None
    add(shop, "five", "true", estimate="30m")
    assert ended(shop, "five")["estimate_seconds"] == 1800


def test_an_attempt_that_failed_and_then_passed_proposes_a_lesson(shop):
    lesson = taught(shop)
    assert (lesson["state"], lesson["scope"], lesson["from"]) == ("proposed", "repo", "overmind")
    said = "carts: its command failed:\n> AssertionError: carts total misses shipping\nThe next attempt passed."
    assert lesson["text"] == said
    (event,) = shop.events("note")
    assert (event["note"], event["change"], event["by"]) == (lesson["id"], "proposed", "engine")
    assert learn(shop, "--lessons") == shop.ok("notes", "--kind", "lesson", "--proposed", cwd=shop.repository.folder)
    titles, row = learn(shop, "--lessons").splitlines()
    assert (titles.split()[:3], row.split()[:3]) == (["ID", "KIND", "SCOPE"], [lesson["id"], "lesson", "repo"])


def test_the_same_lesson_is_proposed_once(shop):
    taught(shop, "carts")
    add(shop, "carts total", FAILS_ONCE, name="again")
    ended(shop, "again")
    add(shop, "carts total", FAILS_ONCE.replace("misses", "lacks"), name="last")
    ended(shop, "last")
    lesson_of(shop, "last")
    assert [one["author"]["name"] for one in lessons(shop)] == ["last", "carts"]


def test_only_an_accepted_lesson_is_given_and_only_to_quests_that_it_fits(shop):
    lesson = taught(shop)["id"]
    reads = 'cat "$OVERMIND_IN/notes.md" 2>/dev/null; true'
    about = "AssertionError: carts total misses shipping"
    add(shop, about, reads, name="before")
    ended(shop, "before")
    assert learn(shop, "accept", lesson) == f"Accepted {lesson}\n"
    assert learn(shop, "--lessons") == ""
    add(shop, about, reads, name="alike")
    add(shop, "documentation pages", reads, name="other")
    ended(shop, "alike")
    ended(shop, "other")
    assert f"[{lesson}] lesson" in shop.ok("logs", "alike")
    assert "  | > AssertionError: carts total misses shipping" in shop.ok("logs", "alike")
    assert shop.ok("logs", "before") == shop.ok("logs", "other") == ""
    assert learn(shop, "drop", lesson[:8]) == f"Forgot {lesson}\n"
    add(shop, about, reads, name="after")
    ended(shop, "after")
    assert shop.ok("logs", "after") == ""


def test_quests_that_were_given_a_lesson_vote_on_it_and_it_rests(shop):
    lesson = taught(shop)["id"]
    learn(shop, "accept", lesson)
    shop.ok("note", "pin", lesson, cwd=shop.repository.folder)

    def votes():
        (found,) = lessons(shop)
        return found["helped"], found["hurt"], found["rests"]

    add(shop, "shipping of carts", "true", name="good")
    ended(shop, "good")
    eventually(lambda: votes() == (1, 0, False), what="it has helped")
    add(shop, "shipping and carts", "exit 1", name="bad", retries=2)
    ended(shop, "bad")
    eventually(lambda: votes() == (1, 3, True), what="it has hurt")
    add(shop, "carts with shipping", 'test ! -e "$OVERMIND_IN/notes.md"', name="rested")
    assert ended(shop, "rested")["status"] == "completed"


def test_a_lesson_names_the_files_that_the_attempt_which_passed_has_changed(shop):
    work = f"{FAILS_ONCE}; echo 'total = 1' > carts.py; git add -A; git commit -qm more; echo x > new.py"
    add(shop, "carts total", work, name="carts", isolate=True)
    ended(shop, "carts")
    assert lesson_of(shop, "carts")["files"] == ["carts.py", "new.py"]


def test_what_landed_is_what_a_lesson_names(shop):
    work = f"{FAILS_ONCE}; echo 'total = 1' > carts.py"
    add(shop, "carts total", work, name="carts", into="main", isolate=True)
    assert ended(shop, "carts")["status"] == "completed"
    assert lesson_of(shop, "carts")["files"] == ["carts.py"]


def test_lessons_and_outcomes_outlive_the_supervisor(shop):
    lesson = taught(shop)["id"]
    before = outcomes(shop)
    shop.ok("shutdown")
    shop.ok("start")
    assert learn(shop, "accept", lesson) == f"Accepted {lesson}\n"
    assert outcomes(shop) == before


def test_a_lesson_that_is_not_there_is_not_found(shop):
    for word in ("L-2", "N-0000", "x"):
        shop.refused("learn", "accept", word, code="not_found")
        shop.refused("learn", "drop", word, code="not_found")


def test_inside_of_a_mission_one_may_look_but_not_decide(shop):
    lesson = taught(shop)["id"]
    add(shop, "looks", f"overmind learn --lessons; overmind learn accept {lesson}", name="looks", retries=0)
    assert ended(shop, "looks")["status"] == "failed"
    assert lesson in shop.ok("logs", "looks")
    assert "forbidden" in shop.ok("logs", "looks")
    assert lesson_of(shop, "carts")["state"] == "proposed"


@pytest.mark.own_home
def test_how_quests_of_a_spec_went_is_told_by_its_slug(om):
    world = SpecWorld(om)
    world.new()
    world.run("carts", "--to", "requirements", "--wait")
    (group,) = om.api("learn", by="spec")["groups"]
    assert (group["key"], group["quests"], group["attempts"]) == ("carts", 2, 2)
    add_one(om, world.folder)
    assert [one["key"] for one in om.api("learn", by="spec")["groups"]] == ["carts", ""]
    assert om.ok("learn", "--by", "spec").splitlines()[2].split()[:2] == ["-", "1"]


def add_one(om, cwd):
    om.api("quest_add", quests=[{"title": "beside", "command": "true"}], cwd=cwd, env=om.environment)
    ended(om, "beside")
