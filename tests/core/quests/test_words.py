"""The words that others read of quests and reports: by which name one starts, on what it lands, what became of it."""

from __future__ import annotations

from typing import Any

import pytest

from overmind_core.domain import engine_questions
from overmind_core.domain.settings import QueueSettings
from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.system.paths import Home
from overmind_core.view import inbox
from tests.kit.in_process import idle, played, until, world


@pytest.fixture
def story(tmp_path):
    settings = Settings(queue=QueueSettings(agent=("true",)))  # what does a reported quest
    return lambda play: played(Home(str(tmp_path / "home")), play, settings)


async def start(inside, name, **how):
    started = await inside.ask("quest_run", **{"name": name, "command": "true", "cwd": "/", "env": world()} | how)
    return started["id"]


async def add(inside, title, **how):
    quest = {"title": title, "command": "true", **how}
    added = await inside.ask("quest_add", quests=[quest], cwd="/", env=world())
    return added["quests"][0]["id"]


async def ends(keeper, run, code=0):
    await until(lambda: run in keeper.held, f"{run} runs")
    keeper.exit(run, code)
    await idle()


def changes(inside, quest):
    kept = ("status", "phase", "attempt", "class", "why", "reason", "exit_code")
    found = [event for event in inside.events(quest) if event["type"] == "quest"]
    return [{key: event[key] for key in kept if event.get(key) is not None} for event in found]


def test_a_quest_is_found_by_its_name_which_nobody_else_gets_until_it_is_over(story):
    async def play(inside, keeper):
        quest = await start(inside, "docs", check="make check")
        found = await inside.ask("quest", id="docs")
        await ends(keeper, f"{quest}.1")
        await until(lambda: quest not in inside.app.registry.live, "its work is over")
        with pytest.raises(OvermindError) as refused:  # its check runs
            await start(inside, "docs")
        (check,) = [run for run in keeper.held if not run.startswith(quest)]
        await ends(keeper, check)
        await until(lambda: changes(inside, quest)[-1]["status"] == "completed", "it is over")
        again = await start(inside, "docs")
        return quest, found, refused.value, again, await inside.ask("quest", id="docs")

    quest, found, refused, again, newest = story(play)
    assert (found["id"], found["name"], found["status"]) == (quest, "docs", "running")
    assert (refused.code, quest in refused.message) == ("name_taken", True)
    assert (again != quest, newest["id"]) == (True, again)


@pytest.mark.parametrize("by", ["update", "edit"])
@pytest.mark.parametrize("kind", ["at once", "ended", "waits", "in review"])
def test_a_quest_is_renamed_with_its_mission_unless_it_is_of_the_queue_and_goes_on(story, kind, by):
    """A quest has the id and name of its mission: nobody finds it by one of them alone."""

    async def play(inside, keeper):
        async def rename(name):
            if by == "update":
                return await inside.ask("update", id=quest, name=name)
            known = await inside.ask("definition", id=quest)
            return await inside.ask(
                "redefine", id=quest, as_of=known["as_of"], definition={**known["definition"], "name": name}
            )

        if kind in {"at once", "ended"}:
            quest = await start(inside, "docs", check="make check")
        else:
            quest = await add(inside, "Docs", retries=1, **({"review": "person"} if kind == "in review" else {}))
        if kind != "at once":
            await ends(keeper, f"{quest}.1", 0 if kind == "in review" else 1)
        status = {"at once": "running", "ended": "failed", "waits": "queued", "in review": "review"}[kind]
        await until(lambda: changes(inside, quest)[-1]["status"] == status, status)
        other = await start(inside, "other")
        refused = None
        for name in ("other", "web"):
            try:
                await rename(name)
            except OvermindError as error:
                refused = error
        found = await inside.ask("quest", id=quest)
        shown = await inside.ask("info", id=quest)
        assert (await inside.ask("quest", id="other"))["id"] == other
        assert found["name"] == shown["name"]
        assert (await inside.ask("quest_why", id=found["name"]))["id"] == quest
        return found["name"], refused

    name, refused = story(play)
    if kind in {"at once", "ended"}:
        assert (name, refused.code) == ("web", "name_taken")
    else:
        assert (name, refused.code) == ("docs", "not_finished")
        way = "quest edit docs --name web" if kind == "waits" else "Cancel it first: overmind quest cancel docs"
        assert way in refused.message


def test_a_quest_of_the_queue_that_was_renamed_once_it_had_failed_keeps_that_name_in_its_next_round(story):
    async def play(inside, keeper):
        quest = await add(inside, "Docs", retries=0)
        await ends(keeper, f"{quest}.1", 1)
        await until(lambda: changes(inside, quest)[-1]["status"] == "failed", "it has failed")
        await inside.ask("update", id=quest, name="web")
        await inside.ask("quest_retry", id=quest)
        await until(lambda: f"{quest}.2" in keeper.held, "its next round runs")
        return (await inside.ask("quest", id=quest))["name"], (await inside.ask("info", id=quest))["name"]

    assert story(play) == ("web", "web")


def test_a_quest_of_the_queue_is_named_by_its_title_and_by_its_own_name_where_it_has_one(story):
    async def play(inside, _keeper):
        await inside.ask("queue_set", paused=True)
        first, second = await add(inside, "Build the Site!"), await add(inside, "Build the site", name="web")
        third = await add(inside, "Build the site")
        rows = {row["id"]: row for row in await inside.ask("quests")}
        names = [rows[one]["name"] for one in (first, second, third)]
        return names, (await inside.ask("quest", id="web"))["id"] == second

    assert story(play) == (["build-the-site", "web", "build-the-site-2"], True)


def test_a_run_of_a_ritual_is_named_after_it_and_says_which(story):
    async def play(inside, keeper):
        quest = {"name": "x", "command": "true", "cwd": "/", "env": world()}
        await inside.ask("ritual_create", name="nightly", schedule="0 3 * * *", quest=quest)
        run = await inside.ask("ritual_run", id="nightly")
        (mission,) = await until(lambda: list(inside.app.registry.live.values()), "its quest")
        await ends(keeper, f"{mission.id}.1")
        await idle()
        return mission.definition.name, run["number"], await inside.ask("ritual_history", id="nightly")

    name, number, (row,) = story(play)
    assert (name, number) == ("nightly/1", 1)
    assert (row["number"], row["status"]) == (1, "completed")


ENDS: dict[str, Any] = {
    "well": (0, {}, {"status": "completed", "reason": None, "exit_code": 0}),
    "badly": (3, {"retries": 0}, {"status": "failed", "reason": "exit", "exit_code": 3, "class": "exit"}),
}


@pytest.mark.parametrize("name", ENDS)
def test_the_events_of_a_quest_say_where_it_stands_and_why(story, name):
    code, how, over = ENDS[name]

    async def play(inside, keeper):
        quest = await add(inside, "Paint it", **how)
        await ends(keeper, f"{quest}.1", code)
        await until(lambda: changes(inside, quest)[-1]["status"] in {"completed", "failed"}, "it is over")
        return changes(inside, quest)

    first, second, *_, last = story(play)
    assert first == {"status": "queued", "attempt": 0}
    assert second == {"status": "running", "phase": "work", "attempt": 1, "why": "its turn has come"}
    assert {key: last.get(key) for key in over} == over


def test_an_attempt_that_fails_is_followed_by_another_one_after_its_pause(story):
    async def play(inside, keeper):
        quest = await add(inside, "Paint it", retries=1, backoff="4s")
        await ends(keeper, f"{quest}.1", 3)
        failed_at = keeper.held[f"{quest}.1"]["exit"]["mono"]
        await until(lambda: f"{quest}.2" in keeper.held, "the second attempt")
        pause = keeper.held[f"{quest}.2"]["mono"] - failed_at
        row = next(row for row in await inside.ask("quests") if row["id"] == quest)
        return changes(inside, quest), pause, row["tries"], row["class"]

    events, pause, tries, failure = story(play)
    assert [(event["status"], event["attempt"], event.get("class")) for event in events if "attempt" in event][2:] == [
        ("queued", 1, "exit"), ("running", 2, "exit"),
    ]  # fmt: skip
    assert 4.0 <= pause <= 5.0
    assert (tries, failure) == (2, "exit")


def test_a_quest_that_failed_asks_with_what_its_answers_do(story):
    async def play(inside, keeper):
        quest = await add(inside, "Paint it", retries=0)
        await ends(keeper, f"{quest}.1", 3)
        await until(lambda: changes(inside, quest)[-1]["status"] == "failed", "it has failed")
        (question,) = await inside.ask("inbox")
        await inside.ask("answer", question=question["question"], behaviour="allow", message="use cents")
        await until(lambda: f"{quest}.2" in keeper.held, "another round")
        (row,) = await inside.ask("quests")
        return question, await inside.ask("inbox"), row

    question, after, row = story(play)
    assert (question["need"], question["name"]) == ("stuck", "paint-it")
    assert question["summary"] == "paint-it has failed: its command failed"
    assert (after, row["status"], row["round"]) == ([], "running", 2)


REPORTS = {
    "bug": ("queued", False, "prices-are-wrong"),
    "security": ("queued", False, "prices-are-wrong"),
    "missing": ("queued", False, "prices-are-wrong"),
    "question": ("asked", True, None),
    "debt": ("recorded", False, None),
    "idea": ("recorded", False, None),
    "decision": ("recorded", False, None),
}
"""Kind → what it becomes, whether a person is asked, and the name of its quest."""


@pytest.mark.parametrize("kind", REPORTS)
def test_a_report_says_what_became_of_it(story, kind):
    outcome, asks, name = REPORTS[kind]

    async def play(inside, _keeper):
        await inside.ask("queue_set", paused=True)
        answer = await inside.ask("report", kind=kind, text="Prices are wrong", cwd="/", env=world())
        inside.app.journal.flush()
        quests = {row["id"]: row["name"] for row in await inside.ask("quests")}
        return answer, quests, await inside.ask("inbox")

    answer, quests, inbox = story(play)
    assert (answer["outcome"], answer["kind"]) == (outcome, kind)
    assert (answer["quest"] and answer["quest"]["name"]) == name
    assert list(quests.values()) == ([] if name is None else [name])
    assert [question["need"] for question in inbox] == (["report"] if asks else [])


def test_the_same_report_is_counted_and_not_queued_again(story):
    async def play(inside, _keeper):
        await inside.ask("queue_set", paused=True)
        first = await inside.ask("report", kind="bug", text="Prices are wrong", cwd="/", env=world())
        second = await inside.ask("report", kind="bug", text="  prices ARE  wrong", cwd="/", env=world())
        return first, second, len(await inside.ask("quests"))

    first, second, count = story(play)
    assert (second["outcome"], second["count"], second["quest"], count) == (first["outcome"], 2, first["quest"], 1)


@pytest.mark.parametrize(
    ("kind", "then", "count"),
    [("bug", "nothing", 2), ("bug", "its quest is over", 1), ("question", "nothing", 2), ("question", "answered", 1)],
)
def test_a_report_repeats_one_whose_quest_or_question_is_open(story, kind, then, count):
    async def play(inside, _keeper):
        await inside.ask("queue_set", paused=True)
        first = await inside.ask("report", kind=kind, text="Prices are wrong", cwd="/", env=world())
        if then == "its quest is over":
            await inside.ask("quest_cancel", id=first["quest"]["id"])
        if then == "answered":
            await inside.ask("answer", question=first["question"], message="in cents")
        return first, await inside.ask("report", kind=kind, text="Prices are wrong", cwd="/", env=world())

    first, second = story(play)
    assert second["count"] == count
    assert (second["report"] == first["report"]) is (count == 2)


def test_a_report_of_another_kind_is_one_of_its_own(story):
    async def play(inside, _keeper):
        await inside.ask("queue_set", paused=True)
        await inside.ask("report", kind="idea", text="Prices are wrong", cwd="/", env=world())
        return await inside.ask("report", kind="security", text="Prices are wrong", cwd="/", env=world())

    assert story(play)["outcome"] == "queued"


def test_a_mission_that_may_have_no_children_has_its_work_checked(story):
    async def play(inside, keeper):
        quest = await start(inside, "docs", check="make check", max_depth=0, max_children=0)
        await ends(keeper, f"{quest}.1")
        await until(lambda: any(not run.startswith(quest) for run in keeper.held), "its check runs")
        (check,) = [run for run in keeper.held if not run.startswith(quest)]
        await ends(keeper, check)
        await until(lambda: changes(inside, quest)[-1]["status"] == "completed", "it is over")

    story(play)


def test_a_report_that_nobody_is_set_to_do_names_the_line_that_has_it_done(tmp_path):
    program = tmp_path / "claude"

    async def play(inside, _keeper):
        await inside.ask("queue_set", paused=True)
        env = world() | {"OVERMIND_CLAUDE_BIN": str(program)}
        for text in ("Prices are wrong", "Carts leak"):
            await inside.ask("report", kind="bug", text=text, cwd="/", env=env)
        (question,) = await inside.ask("inbox")
        refused = []
        for words in ({"behaviour": "allow"}, {"message": "klaude"}, {"message": "claude"}):
            with pytest.raises(OvermindError) as error:
                await inside.ask("answer", question=question["question"], **words)
            refused.append(error.value.message)
        program.touch(0o755)
        await inside.ask("answer", question=question["question"], message="claude")
        rows = await inside.ask("quests")
        agents = [inside.app.quest_registry.work(row["id"]).agent.program for row in rows]
        return question, refused, rows, agents, await inside.ask("inbox")

    question, refused, rows, agents, left = played(Home(str(tmp_path / "home")), play, Settings())
    assert list(engine_questions.hints(question)) == [
        ("overmind answer 1 claude", "queue it for this agent or another, once that is installed"),
        ("overmind answer 1 deny", "only record it"),
    ]
    assert [offer.name for offer in inbox.offers(inbox.Need({}, question, "", 0.0))][:2] == ["deny", "reply"]
    said = "Name one: overmind answer 1 claude, or add it yourself: overmind quest add --provider claude 'Prices are"
    assert refused[0].startswith(f"No agent is set for it. {said} wrong'")
    assert refused[1].startswith("Unknown provider 'klaude'.")
    assert refused[2].startswith(f"The program {program} does not exist. Install it with: npm ")
    assert {(row["name"], row["provider"], row["cwd"]) for row in rows} == {
        ("prices-are-wrong", "claude", "/"),
        ("carts-leak", "claude", "/"),
    }
    assert (agents, left) == ([str(program)] * 2, [])


def test_the_reports_of_a_person_have_no_limit_and_a_title_stays_as_it_was_written(story):
    async def play(inside, _keeper):
        await inside.ask("queue_set", paused=True)
        for number in range(6):
            title = "買い物かご" if number == 5 else None
            await inside.ask("report", kind="bug", text=f"Part {number} leaks", title=title, cwd="/", env=world())
        asked = await inside.ask("report", kind="question", text="Which one?", title="かご", cwd="/", env=world())
        return await inside.ask("quests"), asked, await inside.ask("inbox")

    rows, _, (question,) = story(play)
    (titled,) = [row for row in rows if row["title"] == "買い物かご"]
    assert {row["name"] for row in rows} == {*(f"part-{number}-leaks" for number in range(5)), f"quest-{titled['id']}"}
    assert question["subject"]["lines"][:2] == ["question: かご", "Which one?"]


@pytest.mark.parametrize("past", ["2020-01-01", "1970-01-01T00:00:00Z"])
def test_a_deadline_that_has_passed_is_refused_before_it_moves_a_quest_to_the_front(story, past):
    async def play(inside, _keeper):
        await inside.ask("queue_set", paused=True)
        with pytest.raises(OvermindError) as added:
            await add(inside, "Sell it", deadline=past)
        kept = await add(inside, "Paint it", deadline="1h")
        with pytest.raises(OvermindError) as edited:
            await inside.ask("quest_edit", id=kept, deadline=past)
        return added.value, edited.value, await inside.ask("quests")

    added, edited, quests = story(play)
    refused = ("invalid", f"--deadline: {past!r} has passed. Give one to come, such as 2h or 17:30.")
    assert [(one.code, one.message) for one in (added, edited)] == [refused, refused]
    assert [row["name"] for row in quests] == ["paint-it"]


def test_a_row_says_on_what_its_work_lands_and_what_it_needs(story):
    async def play(inside, _keeper):
        await inside.ask("queue_set", paused=True)
        first = await add(inside, "Paint it", priority="high", estimate="2h", group="shop")
        second = await add(inside, "Sell it", needs=[first], owns=["shop/*"], deadline="1h")
        rows = {row["id"]: row for row in await inside.ask("quests")}
        return rows[first], rows[second], (await inside.ask("quest_why", id=second))["code"]

    first, second, code = story(play)
    assert (first["into"], first["needs"], first["priority"], first["group"]) == (None, [], "high", "shop")
    assert (first["estimate_seconds"], first["landed"], first["cost_usd"]) == (7200.0, None, None)
    assert second["needs"] == [{"id": first["id"], "name": "paint-it"}]
    assert (second["owns"], second["needs_min"], code) == (["shop/*"], 0, "needs")
    assert second["deadline_at"] is not None
