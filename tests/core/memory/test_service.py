"""Requests about notes, as they are answered; each test has a home of its own, without a daemon."""

from __future__ import annotations

import asyncio
import os
import stat
import threading

import pytest

from overmind_core.domain.settings import MemorySettings
from overmind_core.errors import OvermindError
from overmind_core.kernel.work_queue import MOST_WAITING
from overmind_core.memory.requests import Forget, MemorySet, Note, Notes, NoteSet, Outcome, Recall, Remember, Search
from overmind_core.memory.requests import Memory as State
from overmind_core.missions.lookup import UNKNOWN
from tests.kit.in_process import run
from tests.kit.memory import noted_home

REDIS = "The rate limiter keeps its buckets in Redis; start it with: make redis"


async def remember(home, text, inside=None, **more):
    return await home.memory.remember(Remember(text=text, **{"cwd": home.home.root, **more}), inside)


async def ids(home, **more):
    listed = await home.memory.notes(Notes(**{"cwd": home.home.root, **more}), None)
    return [one["id"] for one in listed["notes"]]


async def found(home, question, inside=None, **more):
    request = Recall(questions=[question], **{"cwd": home.home.root, **more})
    return [one["note"]["id"] for one in (await home.memory.recall(request, inside))["notes"]]


async def refused(work):
    with pytest.raises(OvermindError) as refusal:
        await work
    return refusal.value.code


def test_a_text_is_known_however_its_blanks_and_accents_are_written(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            first = await remember(home, "Café needs  make\nredis")
            again = await remember(home, " Cafe\u0301 needs make redis ")
            assert (first["new"], again["new"], again["id"]) == (True, False, first["id"])
            other = await remember(home, "Café needs make redis", scope="global")
            assert other["new"]
            assert stat.S_IMODE(os.stat(home.home.memory).st_mode) == 0o600

    run(work())


def test_a_key_has_versions_that_keep_what_they_do_not_say(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            first = await remember(home, REDIS, key="redis", tags=["a,b"], kind="gotcha")
            second = await remember(home, "make redis-2", key="redis")
            assert (second["id"], second["version"], second["kind"]) == (first["id"], 2, "gotcha")
            known = await remember(home, "make redis-2", replaces=first["id"][:7])
            assert not known["new"]
            note = await home.memory.note(Note(note="redis", history=True, cwd=home.home.root), None)
            assert (note["tags"], note["version"], note["versions"]) == (["a,b"], 2, 2)
            assert [one["text"] for one in note["history"]] == ["make redis-2", REDIS]
            assert note["created_at"] < note["edited_at"]
            assert home.told() == [(first["id"], "remembered"), (first["id"], "replaced")]
            named = await remember(home, "make redis-2", replaces=first["id"], kind="fact")
            assert (named["version"], named["kind"]) == (3, "fact")

    run(work())


def test_a_repeat_with_the_same_request_makes_no_second_version(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            first = await remember(home, REDIS, key="redis", request="one")
            await remember(home, "another", key="redis")
            again = await remember(home, REDIS, key="redis", request="one")
            assert (again["id"], again["version"]) == (first["id"], 1)
            note = await home.memory.note(Note(note="redis", cwd=home.home.root), None)
            assert (note["text"], note["versions"]) == ("another", 2)

    run(work())


@pytest.mark.parametrize(
    ("text", "matching"),
    [("100%", ["a"]), ("_", ["b"]), ("'", ["c"]), ("*", ["d"]), ('"', ["e"]), ("\\", ["f"]), ("Redis", ["g"])],
)
def test_a_literal_text_is_found_and_nothing_else_where_case_counts(tmp_path, text, matching):
    texts = {"a": "at 100% load", "b": "a_b", "c": "it's", "d": "a*b", "e": 'say "x"', "f": "a\\b", "g": "Redis redis"}

    async def work():
        async with noted_home(tmp_path) as home:
            known = {(await remember(home, one))["id"]: name for name, one in texts.items()}
            await remember(home, "redis 100 percent")
            request = Search(words=text, literal=True, cwd=home.home.root)
            answer = await home.memory.search(request, None)
            assert [known.get(one["note"]["id"]) for one in answer["notes"]] == matching

    run(work())


def test_questions_find_words_and_the_parts_of_identifiers(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            redis = (await remember(home, REDIS))["id"]
            name = (await remember(home, "getUserName is cached for a minute"))["id"]
            await remember(home, "Deployments happen on Tuesdays")
            assert await found(home, "why do the tests need redis?") == [redis]
            for question in ("getUserName", "get_user_name", "user name"):
                assert (await found(home, question))[0] == name
            await home.memory.forget(Forget(notes=[redis]), None)
            assert await found(home, "redis") == []

    run(work())


def test_a_misspelled_word_is_corrected_from_the_notes_that_may_be_seen(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            redis = (await remember(home, REDIS))["id"]
            elsewhere = str(tmp_path / "elsewhere")
            await remember(home, "the kubernetes cluster", cwd=elsewhere)
            await remember(home, "redsi", cwd=elsewhere)
            for is_spelled in (False, True):
                for question, wrong in (("redsi", {"redsi": "redis"}), ("kubernetse", {})):
                    request = Recall(questions=[question], cwd=home.home.root)
                    answer = (await home.memory.recall(request, None))["notes"]
                    assert [(one["note"]["id"], one["why"], one["corrected"]) for one in answer] == (
                        [(redis, ["spelling"], wrong)] if wrong else []
                    )
                if not is_spelled:
                    await home.memory.write(lambda writing: writing.store.upkeep())
            known = (await home.memory.recall(Recall(questions=["redis limiter"], cwd=home.home.root), None))["notes"]
            assert [(one["why"], one["corrected"]) for one in known] == [(["words"], {})]

    run(work())


def test_votes_age_and_keys_decide_between_equal_notes(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            texts = ("redis one", "redis two", "redis ten")
            old, helped, new = [(await remember(home, text))["id"] for text in texts]
            for name in "abc":
                mission = home.missions.add(name, home.home.root)
                await home.memory.outcome(Outcome(notes=[helped], helped=True), mission)
            assert await found(home, "redis") == [helped, new, old]
            key = (await remember(home, "something else", key="redis"))["id"]
            assert await found(home, "redis") == [key, helped, new, old]

    run(work())


HOSTILE = [
    '"', "'", "NEAR(", "a NEAR b", "text : x", "*", "^x", "-x", "a OR", "AND", "(", ")", "\x00", "\x00redis",
    "{a b}: c", "\ud800", "redis\udfff", "%", "_", "a" * 10_000, "é" * 5_000, "; DROP TABLE notes",
    "words MATCH 'x'", "🦊", "\u200b",
]  # fmt: skip


def test_no_question_is_a_query_of_the_database(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            await remember(home, REDIS)
            for question in HOSTILE:
                for literal in (False, True):
                    await home.memory.search(Search(words=question, literal=literal, cwd=home.home.root), None)
            for question in ("", " \n", "x" * 10_001):
                assert await refused(found(home, question)) == "invalid"
            for folder in ("relative", "/\0"):
                assert await refused(found(home, "redis", cwd=folder)) == "invalid"

    run(work())


def test_an_id_may_be_shortened_until_two_begin_so(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            note = (await remember(home, REDIS))["id"]
            for word in (note, note[:6]):
                assert (await home.memory.note(Note(note=word, cwd=home.home.root), None))["id"] == note
            assert await refused(home.memory.note(Note(note=note[:5], cwd=home.home.root), None)) == "not_found"
            for word in ("N-0000", "nothing", "", "N-", "N-il"):
                assert await refused(home.memory.note(Note(note=word, cwd=home.home.root), None)) == "not_found"

    run(work())


def test_notes_are_changed_and_each_change_is_told(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            note = (await remember(home, REDIS))["id"]

            async def change(what, **more):
                request = NoteSet(note=note, change=what, **{"cwd": home.home.root, **more})
                return await home.memory.note_set(request, None)

            assert (await change("edit", text=REDIS))["changed"] is False
            assert (await change("edit", text="make redis-2"))["note"]["version"] == 2
            assert (await change("pin"))["note"]["pinned"] is True
            assert (await change("pin"))["changed"] is False
            assert (await change("unpin"))["note"]["pinned"] is False
            assert (await change("promote", to="global"))["note"]["repository"] is None
            assert (await change("accept"))["changed"] is False
            await home.memory.forget(Forget(notes=[note]), None)
            assert await ids(home) == []
            assert await ids(home, all=True) == [note]
            assert await refused(change("edit", text="x")) == "gone"
            assert (await change("restore"))["note"]["state"] == "live"
            assert await refused(change("burn")) == "invalid"
            assert [what for _, what in home.told()] == [
                "remembered", "edited", "pinned", "unpinned", "promoted", "forgotten", "restored",
            ]  # fmt: skip

    run(work())


def test_of_several_notes_of_which_one_is_none_nothing_is_changed(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            note = (await remember(home, REDIS, key="redis"))["id"]
            told = home.told()
            assert await refused(home.memory.forget(Forget(notes=[note, "nope"]), None)) == "not_found"
            assert await refused(home.memory.outcome(Outcome(notes=[note, "nope"], helped=True), None)) == "not_found"
            assert (await ids(home), home.told()) == ([note], told)
            twice = await home.memory.forget(Forget(notes=[note, "redis"], cwd=home.home.root), None)
            assert [one["id"] for one in twice["notes"]] == [note]
            other = (await remember(home, "postgres"))["id"]
            for purge in (False, False, True, True):  # each again, as when the answer was lost half way
                done = await home.memory.forget(Forget(notes=[note, other], purge=purge), None)
                assert [one["id"] for one in done["notes"]] == [note, other]
            assert home.told().count((note, "forgotten")) == home.told().count((other, "forgotten")) == 1

    run(work())


def test_two_who_edit_the_same_version_are_both_kept_until_an_edit_replaces_them(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            note = (await remember(home, REDIS))["id"]
            seen = (await home.memory.note(Note(note=note), None))["version_id"]
            for text in ("mine", "theirs"):
                await home.memory.note_set(NoteSet(note=note, change="edit", text=text, seen=seen), None)
            one = await home.memory.note(Note(note=note, history=True), None)
            assert len(one["conflicts"]) == 1
            assert {version["text"] for version in one["history"]} == {REDIS, "mine", "theirs"}
            assert await ids(home, conflicts=True) == [note]
            await home.memory.note_set(NoteSet(note=note, change="edit", text="both"), None)
            assert (await home.memory.note(Note(note=note), None))["conflicts"] == []

    run(work())


def test_a_voter_has_one_vote_and_a_note_that_hurts_rests_until_it_is_edited(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            note = (await remember(home, REDIS))["id"]
            missions = [home.missions.add(name, home.home.root) for name in "abc"]

            async def vote(inside, *, helped):
                answer = await home.memory.outcome(Outcome(notes=[note], helped=helped), inside)
                return answer["notes"][0]["helped"], answer["notes"][0]["hurt"]

            assert await vote(missions[0], helped=True) == (1, 0)
            assert await vote(missions[0], helped=True) == (1, 0)
            assert await vote(missions[0], helped=False) == (0, 1)
            assert await vote(None, helped=False) == (0, 2)
            assert await ids(home, resting=True) == [note]
            await home.memory.note_set(NoteSet(note=note, change="edit", text="better"), None)
            assert await ids(home, resting=True) == []

    run(work())


def test_notes_of_other_repositories_and_trees_are_seen_by_nobody_else(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            here, there = str(tmp_path / "here"), str(tmp_path / "there")
            planner = home.missions.add("planner", here)
            worker = home.missions.add("worker", here, parent=planner)
            stranger = home.missions.add("stranger", there)
            of_tree = (await remember(home, "redis for the tree", worker, scope="mission", cwd=None))["id"]
            of_repo = (await remember(home, "redis for the repository", planner, cwd=None))["id"]
            for_all = (await remember(home, "redis for all", scope="global"))["id"]
            for inside in (planner, worker):
                assert set(await found(home, "redis", inside, cwd=None)) == {of_tree, of_repo, for_all}
            assert set(await found(home, "redis", stranger, cwd=None)) == {for_all}
            assert set(await found(home, "redis", None, cwd=here)) == {of_tree, of_repo, for_all}
            assert await refused(home.memory.note(Note(note=of_tree), stranger)) == "not_found"
            assert await refused(home.memory.outcome(Outcome(notes=[of_repo], helped=True), stranger)) == "not_found"
            assert await refused(home.memory.note(Note(note=of_repo[:7], cwd=there), None)) == "not_found"
            assert (await home.memory.note(Note(note=of_repo, cwd=there), None))["id"] == of_repo

    run(work())


def test_what_a_mission_writes_for_all_over_a_person_or_too_often_is_a_proposal(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            mission = home.missions.add("worker", home.home.root)
            mine = (await remember(home, REDIS, key="redis", kind="gotcha"))["id"]
            over = await remember(home, "make redis-2", mission, key="redis")
            assert (over["state"], over["kind"], over["id"] != mine) == ("proposed", "gotcha", True)
            again = await remember(home, "make redis-2", mission, key="redis")
            assert (again["id"], again["new"]) == (over["id"], False)
            assert (await home.memory.note(Note(note="redis", cwd=home.home.root), None))["text"] == REDIS
            assert (await remember(home, "for all", mission, scope="global"))["state"] == "proposed"
            states = [(await remember(home, f"note {number}", mission))["state"] for number in range(19)]
            assert states == ["live"] * 18 + ["proposed"]
            accepted = await home.memory.note_set(NoteSet(note=over["id"], change="accept"), None)
            assert (accepted["note"]["id"], accepted["note"]["text"]) == (mine, "make redis-2")
            assert (await home.memory.note(Note(note=over["id"]), None))["state"] == "replaced"
            for work in (
                remember(home, "x", mission, pin=True),
                home.memory.note_set(NoteSet(note=mine, change="accept"), mission),
                home.memory.note_set(NoteSet(note=mine, change="edit", text="x"), mission),
                home.memory.forget(Forget(notes=[mine]), mission),
                remember(home, "x", UNKNOWN),
            ):
                assert await refused(work) == "forbidden"

    run(work())


def test_proposals_of_all_repositories_are_no_forgotten_notes(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            mission = home.missions.add("worker", home.home.root)
            proposed = (await remember(home, "for all", mission, scope="global"))["id"]
            gone = (await remember(home, "we chose Postgres 16"))["id"]
            await home.memory.forget(Forget(notes=[gone]), None)
            assert await ids(home, proposed=True, all=True) == [proposed]
            assert await ids(home, conflicts=True, all=True) == await ids(home, resting=True, all=True) == []
            assert set(await ids(home, all=True)) == {proposed, gone}

    run(work())


def test_a_mission_may_edit_and_forget_what_nobody_else_has_touched(tmp_path):
    async def work():
        async with noted_home(tmp_path, settings=MemorySettings(agents="propose")) as home:
            mission, other = (home.missions.add(name, home.home.root) for name in "ab")
            own = await remember(home, REDIS, mission)
            assert own["state"] == "proposed"
            edit = NoteSet(note=own["id"], change="edit", text="better")
            assert await refused(home.memory.note_set(edit, other)) == "forbidden"
            assert (await home.memory.note_set(edit, mission))["note"]["state"] == "proposed"
            assert await ids(home, proposed=True) == [own["id"]]
            await home.memory.note_set(NoteSet(note=own["id"], change="accept"), None)
            assert await refused(home.memory.forget(Forget(notes=[own["id"]]), mission)) == "forbidden"

    run(work())


def test_secrets_are_replaced_before_anything_is_stored(tmp_path):
    async def work():
        async with noted_home(tmp_path, variables={"API_TOKEN": "hunter2hunter2"}) as home:
            mission = home.missions.add("worker", home.home.root)
            told = await remember(home, "use hunter2hunter2 for it", mission, tags=["hunter2hunter2"], redacted=1)
            assert told["redacted"] == 3
            note = await home.memory.note(Note(note=told["id"]), None)
            assert "hunter2" not in str(note)

    run(work())
    for name in os.listdir(tmp_path):
        assert b"hunter2" not in (tmp_path / name).read_bytes()


def test_a_note_whose_files_are_all_gone_is_stale(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            (tmp_path / "api").mkdir()
            (tmp_path / "api" / "limits.py").touch()
            there = (await remember(home, "redis a", files=["api/*.py", "gone.py"]))["id"]
            gone = (await remember(home, "redis b", files=["api/*.js", "web/x.py"]))["id"]
            assert await ids(home, stale=True) == [gone]
            assert await found(home, "redis") == [there, gone]
            assert await found(home, "redis", file="api/limits.py") == [there]
            assert await refused(remember(home, "x", files=["../x"])) == "invalid"

    run(work())


def test_memory_says_how_it_stands_and_can_be_switched_off(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            await remember(home, REDIS)
            state = await home.memory.memory(State(cwd=home.home.root), None)
            assert (state["on"], state["live"], state["here"], state["repository"]) == (True, 1, 1, str(tmp_path))
            for _ in range(2):
                await home.memory.memory_set(MemorySet(on=False))
            assert (await home.memory.memory(State(), None))["on"] is False
            await home.memory.memory_set(MemorySet(on=True))
            assert [what for (what,) in home.told()[1:]] == ["off", "on"]

    run(work())


def test_an_export_has_all_notes_of_the_repository_page_by_page(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            written = sorted([(await remember(home, f"note {number}"))["id"] for number in range(5)])
            await remember(home, "for all", scope="global")
            pages = [await ids(home, export=True, limit=2)]
            while pages[-1]:
                pages.append(await ids(home, export=True, after=pages[-1][-1], limit=2))
            assert pages == [written[:2], written[2:4], written[4:], []]

    run(work())


def test_the_one_after_64_in_line_is_told_to_come_again(tmp_path):
    async def work():
        async with noted_home(tmp_path) as home:
            await remember(home, REDIS)
            held, begun = threading.Event(), threading.Event()

            def hold(_reading):
                begun.set()
                held.wait()

            first = [asyncio.ensure_future(home.memory.read(hold, ours=True)) for _ in range(2)]
            await asyncio.to_thread(begun.wait)
            line = [asyncio.ensure_future(home.memory.read(lambda _: 1)) for _ in range(MOST_WAITING + 2)]
            await asyncio.sleep(0)
            held.set()
            await asyncio.gather(*first)
            done = await asyncio.gather(*line, return_exceptions=True)
            codes = [getattr(one, "code", one) for one in done]
            assert set(codes) == {1, "busy"}
            assert MOST_WAITING - 1 <= codes.count(1) <= MOST_WAITING + 1

    run(work())
