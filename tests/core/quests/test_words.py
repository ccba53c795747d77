"""The words that others read of quests and reports: by which name one starts, on what it lands, what became of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from overmind_core.domain import engine_questions
from overmind_core.domain.quests.quest import Goal, Quest, QuestStatus, QueueState
from overmind_core.domain.replacing import replace
from overmind_core.domain.reports import MOST_AT_ONCE, Report, ReportKind
from overmind_core.domain.settings import QueueSettings, ReportSettings
from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.quests import question_subjects
from overmind_core.reports.checking import checked
from overmind_core.reports.requests import Report as Asked
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


def test_the_question_about_one_that_was_too_slow_gives_more_time_to_it_and_to_no_older_one_of_its_name():
    made = Quest("a1b2c3d4", "docs", "make", "/", "raw", 0.0, status=QuestStatus.FAILED, goal=Goal(), limit=60.0)
    late = replace(made, queue=QueueState(failure="timeout"), reason="timeout")
    subject = question_subjects.stuck(late, None, None, "")
    assert "More time: overmind quest edit a1b2c3d4 --timeout 120s" in str(subject["lines"])


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
        ("overmind answer 1 claude", "queue all 2 for this agent or another, once that is installed"),
        ("overmind answer 1 deny", "only record them"),
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


PAST_LIMIT = Settings(queue=QueueSettings(agent=("true",)), reports=ReportSettings(per_source=0))
"""Settings of a home in which a person is asked about each report."""


@pytest.fixture
def past(tmp_path):
    return lambda play: played(Home(str(tmp_path / "home")), play, PAST_LIMIT)


async def report(inside, mission, *texts, block=False):
    """Have a mission report these bugs; what became of the last one."""
    reports = inside.app.engine.reports
    source = reports.source_of(inside.app.registry.get(mission))
    answers = []
    for text in texts:
        wanted = Report(ReportKind.BUG, text, source.id, source.name, 0.0)
        answers.append(await reports.report(source, wanted, block=block, waits=False, at_hand=None))
    return answers[-1]


def test_reports_past_a_limit_are_one_question_that_names_them_all(past):
    async def play(inside, _keeper):
        await inside.ask("queue_set", paused=True)
        api = await inside.run("sleep 9", name="api")
        await report(inside, api, "Prices are wrong", "Carts leak", "Names are empty")
        with pytest.raises(OvermindError) as unread:
            await inside.ask("answer", question=1, behaviour="allow")
        (asked,) = await inside.ask("inbox")
        await inside.ask("answer", question=1, behaviour="allow")
        return unread.value, asked, await inside.ask("quests"), await inside.ask("inbox")

    unread, asked, quests, left = past(play)
    assert (unread.code, unread.message) == ("changed", "Question 1 is about 3 reports by now. See: overmind inbox")
    assert engine_questions.body(asked) == [
        "api has reported 3 things that are not queued by themselves: this mission has queued 0 quests already",
        "bug: Prices are wrong",
        "bug: Carts leak",
        "bug: Names are empty",
    ]
    assert list(engine_questions.hints(asked)) == [
        ("overmind answer 1 allow", "queue all 3; -m TEXT: the answer"),
        ("overmind answer 1 deny", "only record them"),
    ]
    assert {row["name"] for row in quests} == {"prices-are-wrong", "carts-leak", "names-are-empty"}
    assert left == []


def test_what_is_reported_after_its_question_was_shown_is_no_part_of_the_answer(past):
    async def play(inside, _keeper):
        await inside.ask("queue_set", paused=True)
        api = await inside.run("sleep 9", name="api")
        await report(inside, api, "Prices are wrong")
        (first,) = await inside.ask("inbox")
        await report(inside, api, "Carts leak", "Names are empty")
        (still,) = await inside.ask("inbox")
        await inside.ask("answer", question=1, behaviour="allow")
        queued = [row["name"] for row in await inside.ask("quests")]
        (second,) = await inside.ask("inbox")
        await inside.ask("answer", question=2, behaviour="deny")
        return first, still, queued, second, await inside.ask("quests"), await inside.ask("inbox")

    first, still, queued, second, quests, left = past(play)
    more = "2 more have come since: asked about after this answer."
    assert (still["question"], still["summary"]) == (first["question"], first["summary"])
    assert still["subject"]["lines"] == [*first["subject"]["lines"], more] == ["bug: Prices are wrong", more]
    assert engine_questions.effects_of(still) is engine_questions.EFFECTS["report"]
    assert queued == ["prices-are-wrong"]
    assert (second["question"], second["subject"]["lines"]) == (2, ["bug: Carts leak", "bug: Names are empty"])
    assert ([row["name"] for row in quests], left) == (queued, [])


def test_a_question_is_about_so_many_reports_as_can_be_read(past):
    async def play(inside, _keeper):
        await inside.ask("queue_set", paused=True)
        api = await inside.run("sleep 9", name="api")
        await report(inside, api, *(f"Part {number} leaks" for number in range(MOST_AT_ONCE + 1)))
        (first,) = await inside.ask("inbox")
        await inside.ask("answer", question=1, behaviour="allow")
        (second,) = await inside.ask("inbox")
        return first["subject"]["lines"], len(await inside.ask("quests")), second["subject"]["lines"]

    lines, count, left = past(play)
    assert lines[MOST_AT_ONCE - 1 :] == [
        f"bug: Part {MOST_AT_ONCE - 1} leaks",
        "1 more has come since: asked about after this answer.",
    ]
    assert (count, left) == (MOST_AT_ONCE, [f"bug: Part {MOST_AT_ONCE} leaks"])


def test_who_is_blocked_by_what_the_answer_was_not_about_waits_for_the_next_one(past):
    async def play(inside, keeper):
        quest = await add(inside, "Find it")
        await until(lambda: f"{quest}.1" in keeper.held, "it runs")
        await report(inside, quest, "Prices are wrong", block=True)
        await inside.ask("inbox")
        await report(inside, quest, "Carts leak", block=True)
        await inside.ask("answer", question=1, behaviour="allow")
        known = inside.app.quest_registry.live[quest]
        return known.queue.waits_for, [inside.app.quest_registry.get(one).name for one in known.goal.needs]

    assert past(play) == (2, ["prices-are-wrong"])


def test_who_is_blocked_by_one_report_does_not_wait_for_the_others_of_the_same_answer(past):
    async def play(inside, keeper):
        quest = await add(inside, "Find it")
        await until(lambda: f"{quest}.1" in keeper.held, "it runs")
        await report(inside, quest, "Prices are wrong")
        await report(inside, quest, "Carts leak", block=True)
        (asked,) = await inside.ask("inbox")
        await inside.ask("answer", question=asked["question"], behaviour="allow")
        known = inside.app.quest_registry.live[quest]
        needs = [inside.app.quest_registry.get(one).name for one in known.goal.needs]
        return needs, {row["name"] for row in await inside.ask("quests")}

    assert past(play) == (["carts-leak"], {"find-it", "prices-are-wrong", "carts-leak"})


@pytest.mark.parametrize("others", [(), ("Prices are wrong",)])
def test_a_question_goes_with_the_quest_that_waits_for_it_where_it_is_about_nothing_else(past, others):
    async def play(inside, keeper):
        quest = await add(inside, "Find it")
        await until(lambda: f"{quest}.1" in keeper.held, "it runs")
        for other in others:
            await report(inside, quest, other)
        await report(inside, quest, "Carts leak", block=True)
        cancelling = asyncio.ensure_future(inside.ask("quest_cancel", id=quest))
        await until(lambda: inside.app.quest_registry.live[quest].cancelling, "it is cancelled")
        keeper.exit(f"{quest}.1")
        await cancelling
        return [one["question"] for one in await inside.ask("inbox")]

    assert past(play) == ([1] if others else [])


def test_each_report_of_a_spec_that_one_answer_queues_has_a_name_of_its_own(past):
    async def play(inside, keeper):
        quest = await add(inside, "Find it")
        await until(lambda: f"{quest}.1" in keeper.held, "it runs")
        known, reports = inside.app.quest_registry.live[quest], inside.app.engine.reports
        inside.app.quest_registry.put(replace(known, queue=replace(known.queue, spec="0000002a")))
        reports._slug_of_spec, reports._on_queued = (lambda _: "carts"), (lambda _: None)
        await report(inside, quest, "Prices are wrong", "Carts leak")
        (asked,) = await inside.ask("inbox")
        await inside.ask("answer", question=asked["question"], behaviour="allow")
        return {row["name"] for row in await inside.ask("quests")}

    assert past(play) == {"find-it", "carts/R-001", "carts/R-002"}


@pytest.mark.parametrize(("settings", "answer"), [(Settings(), "claude"), (PAST_LIMIT, "allow")])
def test_who_is_blocked_by_a_report_goes_on_with_the_answer_that_is_taken(tmp_path, settings, answer):
    async def play(inside, keeper):
        quest = await add(inside, "Find it")
        await until(lambda: f"{quest}.1" in keeper.held, "it runs")
        await report(inside, quest, "Prices are wrong", block=True)
        return inside.app.engine.quest_asker.hold(inside.app.quest_registry.live[quest])

    wait = played(Home(str(tmp_path / "home")), play, settings)
    assert (wait.text, wait.do) == ("question 1 is open", (f"overmind answer 1 {answer}",))


def test_a_report_that_a_person_has_denied_stays_recorded_and_nobody_waits_for_it(past):
    async def play(inside, keeper):
        quest = await add(inside, "Find it")
        await until(lambda: f"{quest}.1" in keeper.held, "it runs")
        await report(inside, quest, "Prices are wrong")
        await inside.ask("answer", question=1, behaviour="deny")
        again = await report(inside, quest, "Prices are wrong")
        with pytest.raises(OvermindError) as refused:
            await report(inside, quest, "Prices are wrong", block=True)
        return again, refused.value, inside.app.quest_registry.live[quest].queue.waits_for, await inside.ask("inbox")

    again, refused, waits_for, left = past(play)
    why = "It was reported before, and stays recorded: question 1 was denied or withdrawn"
    assert (again["count"], again["question"], again["outcome"], again["why"]) == (2, None, "recorded", why)
    assert (refused.code, refused.message) == ("invalid", f"{why}. Go on without it, or say what is new")
    assert (waits_for, left) == (None, [])


BLOCKING = [
    ("decision", True, "--block is for what becomes a quest, and decision does not."),
    ("bug", False, "--block is for quests of the queue: it begins their attempt again. Report it without --block"),
]


@pytest.mark.parametrize(("kind", "in_queue", "message"), BLOCKING)
def test_a_report_blocks_nothing_where_no_quest_follows_or_nothing_begins_again(story, kind, in_queue, message):
    async def play(inside, keeper):
        quest = await add(inside, "Find it") if in_queue else await start(inside, "docs")
        await until(lambda: f"{quest}.1" in keeper.held, "it runs")
        source = inside.app.engine.reports.source_of(inside.app.registry.get(quest))
        with pytest.raises(OvermindError) as refused:
            checked(Asked(kind=kind, text="Prices are wrong", block=True), source, 0.0)
        return refused.value.message

    assert story(play) == message


@pytest.mark.parametrize(("repository", "count"), [(None, 2), ("/elsewhere", 1)])
def test_what_became_no_quest_is_new_where_another_repository_has_it(story, repository, count):
    async def play(inside, keeper):
        quest = await add(inside, "Find it")
        await until(lambda: f"{quest}.1" in keeper.held, "it runs")
        reports = inside.app.engine.reports
        source = reports.source_of(inside.app.registry.get(quest))
        there = replace(source.quest, queue=replace(source.quest.queue, repository=repository))
        counts = []
        for one in (source, source._replace(id="other", quest=there)):
            wanted = Report(ReportKind.IDEA, "Cache it", one.id, one.name, 0.0)
            answer = await reports.report(one, wanted, block=False, waits=False, at_hand=None)
            counts.append(answer["count"])
        return counts

    assert story(play) == [1, count]


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
