"""Services of a quest's work run on, and its ports stay held, while its check or its reviewing agent uses them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from overmind_core.domain.missions.mission import Status
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until, world
from tests.kit.repositories import Repository

PROJECT = "services:\n  web:\n    command: serve\n    port: 3000\nisolation: { port_range: 23900-23949 }\n"
OURS = ("PORT", "WEB_PORT", "WEB_HOST", "OVERMIND_WORKTREE", "OVERMIND_BRANCH")


class Shop:
    """A project with a service that is a process, and the keeper of its missions."""

    def __init__(self, folder):
        self.home = Home(str(folder / "home"))
        self.code = Repository(str(folder / "shop"))
        self.code.commit("first", {".overmind.yml": PROJECT})
        self.keeper = ScriptedKeeper(self.home)
        self.environ = self.code.environ

    def supervising(self):
        return supervising(self.home, self.keeper, cwd=self.code.folder)

    def play(self, story):
        in_process.run(story)
        self.keeper.close()

    async def quest(self, inside, kind, **how):
        """Add a quest with a check, at once or of the queue, once its work runs; its id."""
        await inside.ask("trust", cwd=self.code.folder, env=self.code.environ)
        where = {"cwd": self.code.folder, "env": self.environ}
        how = {"name": "red", "command": "work", "check": "look", **how}
        if kind == "at once":
            red = (await inside.ask("quest_run", isolate=True, **how, **where))["id"]
        else:
            quest = {"title": "Red", "isolate": True, **how}
            red = (await inside.ask("quest_add", quests=[quest], **where))["quests"][0]["id"]
        await until(lambda: f"{red}.1" in self.keeper.held, "the work runs")
        return red

    async def began(self, name, but=None):
        """The newest run of a name, but not this one, once it has been asked for; with the variables that it has."""

        def found():
            asked = [one for one in self.keeper.asked["spawn"] if one["env"]["OVERMIND_MISSION_NAME"] == name]
            return asked[-1] if asked and asked[-1]["run"] != but else None

        one = await until(found, f"{name} runs")
        return one["run"], {key: one["env"][key] for key in OURS if key in one["env"]}

    def service(self, inside, red):
        """The mission that is its service."""
        return inside.app.registry.get(inside.app.workspace.records[red].services["web"])

    async def let_go(self, inside, red):
        """Wait until the service is asked to end, let it, and see that nothing is held any more."""
        await until(lambda: self.service(inside, red).status is Status.STOPPING, "the service ends")
        self.keeper.exit(self.service(inside, red).run_id, -15)
        await until(lambda: inside.app.workspace.records[red].ended, "its ports are free")
        assert [row for row in inside.app.state.ports.all() if row.held] == []

    def is_served(self, inside, red):
        service, record = self.service(inside, red), inside.app.workspace.records[red]
        held = {row.port for row in inside.app.state.ports.all() if row.held}
        return service.status is Status.RUNNING and not record.ended and held == set(record.ports.values())


KINDS = ["at once", "of the queue"]


@pytest.mark.parametrize("died", ["nobody", "while it works", "as it is checked"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_check_finds_the_services_of_the_work_and_they_end_with_the_quest(tmp_path, kind, died):
    shop = Shop(tmp_path)

    async def story():
        async with shop.supervising() as inside:
            red = await shop.quest(inside, kind)
            _, worked = await shop.began("red")
            if died != "while it works":
                shop.keeper.exit(f"{red}.1")
            if died == "as it is checked":
                await shop.began("red/check")
            if died == "nobody":
                await checked(inside, red, worked)
        if died != "nobody":
            if died == "while it works":
                shop.keeper.exit(f"{red}.1")
            async with shop.supervising() as inside:
                await checked(inside, red, worked)

    async def checked(inside, red, worked):
        check, given = await shop.began("red/check")
        assert given == worked
        assert len(given) == len(OURS)
        await asyncio.sleep(60)
        assert shop.is_served(inside, red)
        shop.keeper.exit(check)
        await shop.let_go(inside, red)
        assert (await inside.ask("quest", id=red))["status"] == "completed"

    shop.play(story())


@pytest.mark.parametrize("kind", KINDS)
def test_work_that_nothing_follows_takes_its_services_along_at_once(tmp_path, kind):
    shop = Shop(tmp_path)

    async def story():
        async with shop.supervising() as inside:
            red = await shop.quest(inside, kind, check=None)
            shop.keeper.exit(f"{red}.1")
            await shop.let_go(inside, red)

    shop.play(story())


@pytest.mark.parametrize("kind", KINDS)
def test_a_later_attempt_has_services_whatever_became_of_those_before(tmp_path, kind):
    shop = Shop(tmp_path)

    async def story():
        async with shop.supervising() as inside:
            red = await shop.quest(inside, kind, retries=1)
            shop.keeper.exit(f"{red}.1")
            check, _ = await shop.began("red/check")
            shop.keeper.exit(check, 7)
            if kind == "of the queue":  # it waits for its turn
                await shop.let_go(inside, red)
            await until(lambda: f"{red}.2" in shop.keeper.held, "the second attempt")
            assert shop.is_served(inside, red)
            shop.keeper.exit(f"{red}.2")
            again, _ = await shop.began("red/check", but=check)
            assert shop.is_served(inside, red)
            shop.keeper.exit(again)
            await shop.let_go(inside, red)

    shop.play(story())


def test_a_person_who_reviews_needs_no_service_and_what_is_started_there_is_told_of_none(tmp_path):
    shop = Shop(tmp_path)

    async def story():
        async with shop.supervising() as inside:
            red = await shop.quest(inside, "of the queue", review="person")
            shop.keeper.exit(f"{red}.1")
            check, _ = await shop.began("red/check")
            assert shop.is_served(inside, red)
            shop.keeper.exit(check)
            await shop.let_go(inside, red)
            assert (await inside.ask("quest", id=red))["status"] == "review"
            worktree = inside.app.workspace.records[red].worktree
            assert inside.app.environments.of(red).chosen.keys() & {*OURS} == {"OVERMIND_WORKTREE", "OVERMIND_BRANCH"}
            await inside.run("look", name="mine", cwd=worktree, isolate=False, env=shop.code.environ)
            assert (await shop.began("mine"))[1] == {}
            below = await inside.run(
                "look", name="below", cwd=worktree, parent=red, isolate=False, env=shop.code.environ
            )
            assert below
            assert not {"PORT", "WEB_PORT", "WEB_HOST"} & (await shop.began("below"))[1].keys()

    shop.play(story())


def test_an_agent_that_reviews_has_the_services_until_it_has_ended(tmp_path):
    shop = Shop(tmp_path)
    shop.environ = {**shop.code.environ, **world(str(tmp_path / "bin"), "claude")}

    async def story():
        async with shop.supervising() as inside:
            red = await shop.quest(inside, "of the queue", check=None, review="claude")
            _, worked = await shop.began("red")
            shop.keeper.exit(f"{red}.1")
            review, given = await shop.began("red/review")
            assert given == worked
            await asyncio.sleep(60)
            assert shop.is_served(inside, red)
            shop.keeper.exit(review)
            await shop.let_go(inside, red)
            assert (await inside.ask("quest", id=red))["status"] == "review", "it has said nothing: a person decides"

    shop.play(story())


@pytest.mark.parametrize("state", ["live", "ended"])
def test_what_is_merged_is_verified_with_a_port_of_its_own_and_without_the_services_of_another_folder(tmp_path, state):
    shop = Shop(tmp_path)

    async def story():
        async with shop.supervising() as inside:
            red = await shop.quest(inside, "at once", check=None)
            Repository(shop.code.path(".overmind", "worktrees", red)).commit("one", {"b": "1\n"})
            if state == "ended":
                shop.keeper.exit(f"{red}.1")
                await shop.let_go(inside, red)

            def ends_soon(asked):
                asyncio.get_running_loop().call_later(1, shop.keeper.exit, asked["run"])

            shop.keeper.on_ask["spawn"] = ends_soon
            merged = [item async for item in inside.stream("merge", id=red, verify="look")][-1]
            assert merged["merged"] is True
            _, given = await shop.began("red/verify")
            record = inside.app.workspace.records[red]
            assert given.keys() == {"PORT", "OVERMIND_WORKTREE", "OVERMIND_BRANCH"}
            assert given["OVERMIND_WORKTREE"] != record.worktree
            if state == "live":
                assert int(given["PORT"]) not in record.ports.values(), "the mission may listen there"
            free = await inside.app.workspace.ports.reserve("next", replace(record.project, services=()), {})
            assert free == {"": int(given["PORT"])}, "nobody holds it any more"

    shop.play(story())


def test_a_service_that_was_ended_is_seen_where_its_port_is_listed_and_so_is_the_end_of_what_it_served(tmp_path):
    shop = Shop(tmp_path)

    async def story():
        async with shop.supervising() as inside:
            red = await shop.quest(inside, "at once")

            async def listed():
                rows = (await inside.ask("ports"))["ports"]
                return {row["service"]: (row["status"], row["held"]) for row in rows}

            async def held():
                (row,) = (await inside.ask("worktrees"))["worktrees"]
                info = (await inside.ask("info", id=red))["isolation"]
                assert info["ports_held"] is bool(row["ports"])
                return row["ports"]

            ports = inside.app.workspace.records[red].ports
            assert await listed() == {None: ("running", True), "web": ("running", True)}
            assert await held() == ports
            service = shop.service(inside, red)
            ending = asyncio.ensure_future(inside.ask("kill", id=service.id))
            await until(lambda: shop.service(inside, red).status is Status.STOPPING)
            shop.keeper.exit(service.run_id, -9)
            await ending
            assert await listed() == {None: ("running", True), "web": ("killed", True)}
            shop.keeper.exit(f"{red}.1")
            check, _ = await shop.began("red/check")
            assert await listed() == {None: ("stopped", True), "web": ("killed", True)}
            assert await held() == ports
            shop.keeper.exit(check)
            await until(lambda: inside.app.workspace.records[red].ended)

    shop.play(story())
