"""What is asked about a quest is named by `quest_why`, whoever asks and whatever is needed, with its answer."""

from __future__ import annotations

import pytest

from overmind_core.domain.engine_questions import EngineNeed
from overmind_core.domain.events import About, AboutKind
from overmind_core.domain.quests.why import from_answer, why_lines
from overmind_core.kernel.config import Settings
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until, world

HOW = {
    EngineNeed.REVIEW: "overmind answer 1 allow (accept the work, and land it) or deny (fail this attempt)",
    EngineNeed.STUCK: "?: overmind answer 1 allow (begin a new round) or deny (leave it failed)",
    EngineNeed.BUDGET: "?: overmind answer 1 allow (raise the limit beyond what is spent) or deny (stop what runs, "
    "hold the rest)",
}
"""By need the answer of those that have more to say than that they are allowed."""


def played(tmp_path, scene):
    """What a scene finds while the quest `api` runs."""

    async def story():
        keeper = ScriptedKeeper(Home(str(tmp_path / "home")))
        async with supervising(Home(str(tmp_path / "home")), keeper) as inside:
            started = await inside.ask("quest_run", command="sleep 9", cwd="/", env=world(), name="api", check="true")
            found = await scene(inside, started["id"])
        keeper.close()
        return found

    return in_process.run(story())


@pytest.mark.parametrize("need", list(EngineNeed))
def test_each_question_about_it_is_named_with_the_command_that_answers_it(tmp_path, need):
    async def scene(inside, quest):
        inside.app.engine_questions.ask(need, About(AboutKind.QUEST, quest, "api"), summary="?")
        return await inside.ask("quest_why", id=quest)

    answer = played(tmp_path, scene)
    text = f"question 1 ({need} of api): {HOW.get(need, 'overmind answer 1 allow')}"
    assert answer["questions"] == [{"question": 1, "need": need, "name": "api", "text": text}]
    assert why_lines(from_answer(answer))[1] == f"  waits for you: {text}"


def test_those_of_what_it_has_started_and_of_its_checks_are_named_and_those_of_others_are_not(tmp_path):
    async def scene(inside, quest):
        child = await inside.run("sleep 9", name="child", parent=quest)
        below = await inside.run("sleep 9", name="below", parent=child)
        other = await inside.run("sleep 9", name="other")
        abouts = [(child, "child"), (below, "below"), (other, "other"), ("c1", "api/check"), ("c2", "apis/check")]
        for id_, name in abouts:
            inside.app.engine_questions.ask(EngineNeed.STEER, About(AboutKind.MISSION, id_, name), summary="?")
        found = [await inside.ask("quest_why", id=quest)]
        for number in (1, 2):
            await inside.ask("answer", question=number, behaviour="deny")
            found.append(await inside.ask("quest_why", id=quest))
        return [[one["name"] for one in why["questions"]] for why in found]

    all_three = ["child", "below", "api/check"]
    assert played(tmp_path, scene) == [all_three, all_three[1:], all_three[2:]]


def test_a_prune_keeps_what_somebody_is_asked_about_with_what_that_has_started(tmp_path):
    async def play(inside, keeper):
        kept = await inside.run("true", name="kept")
        ids = {name: await inside.run("true", name=name, parent=kept) for name in ("check", "below")}
        ids |= {"kept": kept, "gone": await inside.run("true", name="gone")}
        runs = [f"{one}.1" for one in ids.values()]
        await until(lambda: keeper.held.keys() >= set(runs), "they run")
        for run in runs:
            keeper.exit(run)
        await until(lambda: not inside.app.registry.live, "all have ended")
        inside.app.engine_questions.ask(EngineNeed.STEER, About(AboutKind.MISSION, kept, "kept"), summary="?")
        first = await inside.ask("prune", dry_run=True)
        inside.app.engine_questions.withdraw(kept)
        return first, await inside.ask("prune", dry_run=True)

    first, then = in_process.played(Home(str(tmp_path / "home")), play, Settings())
    assert [one["name"] for one in first["missions"]] == ["gone"]
    assert first["note"] == "Kept, as they wait for your answer: kept. See: overmind inbox"
    assert {one["name"] for one in then["missions"]} == {"kept", "check", "below", "gone"}
    assert "note" not in then
