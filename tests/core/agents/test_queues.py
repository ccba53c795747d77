"""The parts that agents share, each by itself: messages, questions, rules and inputs, on a database of their own."""

from __future__ import annotations

import asyncio
import base64
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from overmind_core.agents import answering
from overmind_core.agents.input_queue import InputQueue
from overmind_core.agents.messages import MessageQueue, decode
from overmind_core.agents.questions import Questions
from overmind_core.agents.rules import ALONE, Rules
from overmind_core.agents.store import DELIVERED, FAILED, QUESTION_OPEN, QUEUED, WITHDRAWN
from overmind_core.daemon.state import State
from overmind_core.domain.agents.agent import Agent, AgentMode, AgentNeed
from overmind_core.domain.agents.agent_events import Asked, Behaviour, Decision
from overmind_core.domain.agents.conversation_events import MessageMoved
from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.kernel.database import StoreError
from overmind_core.kernel.journal import Journal
from overmind_core.kernel.keeper_client import CurrentKeeper, KeeperGone, KeeperRefused
from overmind_core.missions.spec import Environment
from overmind_core.missions.store import MissionRow, RunRow
from tests.kit.clock import FakeClock

if TYPE_CHECKING:
    from overmind_core.kernel.keeper_client import KeeperConnection

MISSION = "m1"
RUN = "m1.1"
SHELL = Asked("r1", AgentNeed.PERMISSION, "Bash", "touch x", {"command": "touch x"})


class Parts:
    """Real parts over a real database, for one test inside of a loop."""

    def __init__(self, folder):
        self.clock = FakeClock()
        self.state = State.open(str(folder / "state.db"))
        self.journal = Journal(self.state.database, asyncio.get_running_loop())
        self.messages = MessageQueue(self.journal, self.state.messages, self.clock)
        self.questions = Questions(self.journal, self.state.questions, self.clock)
        row = MissionRow(
            id=MISSION, name="one", live=True, hidden=False, parent=None, type="session", provider="claude",
            status="running", request=None, created_at=1.0, ended_at=None, record="{}",
        )  # fmt: skip
        if self.state.missions.get(MISSION) is None:
            run = RunRow(RUN, MISSION, 1, 1.0, None, swept=False, state="{}")
            self.journal.save(lambda: self.state.missions.insert(row))
            self.journal.save(lambda: self.state.runs.insert(run))
            self.journal.flush()

    def close(self):
        self.journal.close()
        self.state.close()

    def message(self, text="hello", request=None):
        message = self.messages.new(MISSION, text, sender=None, request=request)
        self.messages.insert(message)
        return message.id


def story(tmp_path, play):
    async def inside():
        parts = Parts(tmp_path)
        try:
            return await play(parts)
        finally:
            parts.close()

    return asyncio.run(inside())


def test_numbers_go_on_behind_those_that_were_given_before(tmp_path):
    async def first(parts):
        parts.questions.insert(parts.questions.next_number(), MISSION, RUN, SHELL)
        numbers = parts.message(), parts.message(), parts.questions.upcoming
        await parts.journal.saved()
        return numbers

    async def second(parts):
        parts.messages.load()
        parts.questions.load()
        return parts.message(), parts.questions.upcoming, parts.questions.next_number()

    assert story(tmp_path, first) == (1, 2, 2)
    assert story(tmp_path, second) == (3, 2, 2)


def test_who_waits_for_a_message_is_woken_once_its_move_is_saved(tmp_path):
    async def play(parts):
        number = parts.message()
        event = parts.messages.watch(number)
        parts.messages.move(MessageMoved(number, DELIVERED), resent=lambda: False)
        woken = [event.is_set()]
        await parts.journal.saved()
        woken.append(event.is_set())
        event.clear()
        parts.messages.unwatch(number, event)
        parts.messages.move(MessageMoved(number, FAILED, "exited"), resent=lambda: False)
        await parts.journal.saved()
        return woken, event.is_set(), parts.messages.get(number)

    woken, again, message = story(tmp_path, play)
    assert (woken, again) == ([False, True], False)
    assert message is not None
    assert (message.state, message.delivered_at, message.ended_at) == (FAILED, 1_800_000_000.0, 1_800_000_000.0)
    assert decode(message.answer)["error"] == "exited"


def test_whether_a_message_was_sent_again_is_asked_when_its_move_is_saved(tmp_path):
    async def play(parts):
        number, resent = parts.message(), []
        parts.messages.move(MessageMoved(number, QUEUED), resent=lambda: number in resent)
        resent.append(number)
        sent_again = parts.messages.get(number).resent
        resent.clear()
        parts.messages.move(MessageMoved(number, DELIVERED), resent=lambda: number in resent)
        return sent_again, parts.messages.get(number).resent

    assert story(tmp_path, play) == (True, True)


def test_a_message_that_could_not_be_saved_is_forgotten(tmp_path, monkeypatch):
    async def play(parts):
        def full(_write):
            raise StoreError("test", "the disk is full")

        message = parts.messages.new(MISSION, "hello", sender=None, request="key")
        with monkeypatch.context() as patch:
            patch.setattr(parts.journal, "_write", full)
            with pytest.raises(StoreError):
                await parts.messages.store(message)
        parts.journal.save_at_once()
        return parts.messages.get(message.id), parts.messages.by_request("key")

    assert story(tmp_path, play) == (None, None)


@pytest.mark.parametrize(
    ("decision", "by", "state"),
    [(Decision(Behaviour.ALLOW), "a person", "answered"), (None, None, WITHDRAWN)],
)
def test_a_question_is_open_until_it_is_closed(tmp_path, decision, by, state):
    async def play(parts):
        number = parts.questions.next_number()
        parts.questions.insert(number, MISSION, RUN, SHELL)
        opened = [(one.id, one.state) for one in parts.questions.open(MISSION)]
        parts.questions.close(number, decision, by)
        return opened, parts.questions.open(), parts.questions.get(number)

    opened, left, question = story(tmp_path, play)
    assert opened == [(1, QUESTION_OPEN)]
    assert left == []
    assert question is not None
    assert (question.state, question.by) == (state, by)


ALLOW, DENY = Settings(allow=("Bash(touch:*)",)), Settings(deny=("Bash(touch:*)",))


@pytest.mark.parametrize(
    ("settings", "agent", "need", "unattended", "decided"),
    [
        pytest.param(Settings(), {}, AgentNeed.PERMISSION, False, None, id="a person must answer"),
        pytest.param(ALLOW, {}, AgentNeed.PERMISSION, False, (Behaviour.ALLOW, "Bash(touch:*)"), id="allowed"),
        pytest.param(
            ALLOW, {"deny": ("Bash",)}, AgentNeed.PERMISSION, False, (Behaviour.DENY, "Bash"), id="a denial wins"
        ),
        pytest.param(ALLOW, {}, AgentNeed.QUESTION, False, None, id="rules are for permissions"),
        pytest.param(Settings(), {}, AgentNeed.PERMISSION, True, (Behaviour.DENY, "headless"), id="nobody is there"),
        pytest.param(ALLOW, {}, AgentNeed.PERMISSION, True, (Behaviour.ALLOW, "Bash(touch:*)"), id="rules come first"),
        pytest.param(Settings(), {}, AgentNeed.QUESTION, True, (Behaviour.DENY, "headless"), id="nobody can answer"),
        pytest.param(Settings(), {}, AgentNeed.SETUP, True, None, id="its own dialog takes its own keys"),
    ],
)
def test_what_is_answered_without_a_person(settings, agent, need, unattended, decided):
    rules = Rules(
        settings,
        lambda _mission: Environment({"HOME": "/home/me"}, {}),
        has_memory=lambda _mission: False,
        unattended=unattended,
    )
    found = rules.decide(Agent(home=AgentMode.HEADLESS, **agent), SHELL._replace(need=need), MISSION, "/work")
    assert (None if found is None else (found[0].behaviour, found[1])) == decided
    if decided is not None and decided[1] == "headless":
        assert found is not None
        assert found[0].message == ALONE[need]


class Link:
    """A line to a keeper that answers when the test says so."""

    def __init__(self):
        self.asked = []

    def request(self, op, **fields):
        future = asyncio.get_running_loop().create_future()
        self.asked.append((op, fields))
        return future

    @property
    def sent(self):
        return [fields["seq"] for op, fields in self.asked if op == "write"]


def line_of(link):
    line = CurrentKeeper(headless=False)
    line.link = cast("KeeperConnection", link)
    line.is_settled = True
    return line


def test_an_input_is_kept_until_the_keeper_has_it(tmp_path):
    notes: dict[str, str] = {}

    async def play(parts):
        link = Link()
        inputs = InputQueue(parts.journal, parts.state.inputs, line_of(link), written_notes=notes.get)
        sends = [inputs.queue(RUN, number, b"x") for number in (1, 2, 3, 4)]
        await parts.journal.saved()
        assert link.asked == [], "it is on disk before it is sent"
        answers = [cast("asyncio.Future[object]", send()) for send in sends]
        answers[0].set_result({})
        answers[1].set_exception(KeeperRefused({"error": "eof"}))
        answers[2].set_exception(KeeperGone())
        await asyncio.sleep(0)
        await parts.journal.saved()
        kept = [number for number, _ in parts.state.inputs.after(RUN, 0)]
        inputs.resume(RUN, 3)
        await parts.journal.saved()
        return link.sent, kept, [number for number, _ in parts.state.inputs.after(RUN, 0)]

    sent, kept, left = story(tmp_path, play)
    assert kept == [3, 4], "what was refused is not tried again, what nobody answered is"
    assert sent == [1, 2, 3, 4, 4], "the next keeper gets what it has not"
    assert left == [4]


def test_notes_are_sent_again_from_their_file_which_a_purge_has_written_anew(tmp_path):
    notes = {RUN.partition(".")[0]: "kept"}

    async def play(parts):
        link = Link()
        inputs = InputQueue(parts.journal, parts.state.inputs, line_of(link), written_notes=notes.get)
        inputs.queue_notes(RUN, 1, "kept and purged")()
        inputs.queue(RUN, 2, b" prompt")()
        await parts.journal.saved()
        inputs.resume(RUN, 0)
        notes.clear()
        inputs.resume(RUN, 0)
        held = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        return [base64.b64decode(fields["data"]) for _, fields in link.asked], held

    sent, held = story(tmp_path, play)
    assert sent == [b"kept and purged", b" prompt", b"kept", b" prompt", b"", b" prompt"]
    assert b" prompt" in held
    assert b"purged" not in held, "state.db holds no note"


def test_without_a_keeper_nothing_is_sent(tmp_path):
    async def play(parts):
        link = Link()
        line = line_of(link)
        inputs = InputQueue(parts.journal, parts.state.inputs, line, written_notes=lambda _: None)
        assert inputs.output_was_read(RUN, 7)
        line.link = None
        send = inputs.queue(RUN, 1, b"x")
        inputs.close(RUN)
        return inputs.output_was_read(RUN, 9), send(), link.asked

    assert story(tmp_path, play) == (False, None, [("cursor", {"run": RUN, "out": 7, "err": 0})])


@pytest.mark.parametrize("mode", [AgentMode.ONE_SHOT, AgentMode.HEADLESS])
def test_a_word_that_answers_no_permission_is_refused_with_those_that_do(mode):
    program = SimpleNamespace(name="claude", speaks_json=True, reads_reasons=True)
    session: Any = SimpleNamespace(state=SimpleNamespace(mode=mode), provider=program)
    with pytest.raises(OvermindError) as refused:
        answering._check(7, SHELL, session, Decision(Behaviour.ALLOW, "no"), is_named=False)
    way = "Answer it with allow, deny or always: overmind answer 7 allow"
    assert refused.value.message == f"This is no question with options. {way}"


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ({}, ("443", ())),
        ({"questions": [{"question": "Which port?", "options": []}]}, ("443", ())),
        ({"questions": [{"question": "Which port?", "options": [{"label": "443"}]}]}, (None, ("1:#443",))),
    ],
)
def test_a_number_is_a_text_where_an_agent_offers_no_options(subject, words):
    asked = Asked("r2", AgentNeed.QUESTION, "", "Which port?", subject)
    decision = answering._in_words(asked, Decision(Behaviour.ALLOW, None, ("1:#443",)))
    assert (decision.message, decision.options) == words
