"""Conversations of any length, with an agent that dies at any moment: what holds in all of them."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from overmind_core.domain.agents import conversation, conversation_step
from overmind_core.domain.agents.agent import ActivityKind, AgentMode, AgentNeed
from overmind_core.domain.agents.agent_events import (
    AskCancelled,
    Behaviour,
    Decision,
    Echoed,
    Retrying,
    TextSpoken,
    ToolCalled,
    ToolReturned,
    TurnBegan,
    TurnEnded,
    TurnResult,
)
from overmind_core.domain.agents.conversation import Conversation
from overmind_core.domain.agents.conversation_events import (
    Answered,
    AskClosed,
    Asking,
    AskOpened,
    CloseInput,
    Deliver,
    EndRun,
    InputHeld,
    LeaveProgram,
    MessageMoved,
    ModeWanted,
    Queued,
    RunBegun,
    RunOver,
    TurnPaid,
    Withdrawn,
    WriteAnswer,
)
from tests.kit import torture

FINAL = {"answered", "failed", "cancelled"}
NEXT = {
    "queued": {"delivered", "answered", "failed", "cancelled", "queued"},
    "delivered": {"answered", "failed", "queued"},
}
"""What may become of a message. It is queued again when the agent died with it; a result may come unannounced."""
DEATHS = 2
"""How often a message may be sent: once, and once again; a change-over that cuts it off does not count."""
YES = Decision(Behaviour.ALLOW)


class Program:
    """An agent as it really behaves: it takes one message at a time, and its total lives as long as its process.

    Attributes:
        turn: The message of the turn under way; 0 = nobody's; None = no turn.
        given: What was written and not taken yet.
        saved: US dollars that outlive a process that is killed.
    """

    def __init__(self) -> None:
        self.saved = 0.0
        self.start()

    def start(self):
        self.turn: int | None = None
        self.given: int | None = None
        self.questions: list[int] = []
        self.total = self.saved
        self.ending = False

    @property
    def idle(self):
        return self.turn is None and self.given is None


class Conversations(RuleBasedStateMachine):
    """Tells a conversation what people and a program do, and does to the program what follows."""

    def __init__(self) -> None:
        super().__init__()
        self.c = Conversation("s", AgentMode.HEADLESS, AgentMode.HEADLESS, AgentMode.HEADLESS, held=True)
        self.program = Program()
        self.now = 1000.0
        self.messages: dict[int, str] = {}
        self.order: list[int] = []
        """As they are to be delivered, as far as nobody died."""
        self.sent: dict[int, int] = {}
        self.cut_off: dict[int, int] = {}
        """How often a change-over was to blame that a message is sent again."""
        self.opened: set[int] = set()
        self.closed: dict[int, int] = {}
        self.replied: set[int] = set()
        self.number = 0
        self.spent = 0.0
        self.true_cost = 0.0
        self.deaths = 0
        self.over = False

    # telling and carrying out

    def tell(self, fact):
        self.now += 1.0
        self.c, effects = conversation_step.step(self.c, fact, self.now)
        for effect in effects:
            self.carry_out(effect)

    def carry_out(self, effect):
        match effect:
            case Deliver(message):
                assert self.program.idle, "two messages in flight"
                assert self.c.running
                assert not self.c.held
                self.sent[message] = self.sent.get(message, 0) + 1
                self.program.given = message
            case MessageMoved(message, state):
                assert state in NEXT[self.messages[message]], (message, self.messages[message], state)
                self.messages[message] = state
            case AskOpened(number):
                assert number not in self.opened
                self.opened.add(number)
            case AskClosed(number):
                self.closed[number] = self.closed.get(number, 0) + 1
            case WriteAnswer(number):
                assert number not in self.replied
                assert number in self.closed
                self.replied.add(number)
                if number in self.program.questions:
                    self.program.questions.remove(number)
            case TurnPaid(usd):
                self.spent += usd or 0.0
            case CloseInput() | LeaveProgram() | EndRun():
                assert self.c.leaving
                self.program.ending = True
            case _:
                pass

    def start_run(self):
        self.c = conversation.plan_run(self.c, self.c.run + 1, session="unused", token="t")
        assert self.c.session == "s"
        assert self.c.mode is self.c.wanted
        self.program.start()
        first = conversation.first_prompt(self.c)
        if first is not None:
            self.sent[first] = self.sent.get(first, 0) + 1
            self.program.given = first
        self.tell(RunBegun(self.c.run, first))
        if self.c.mode is AgentMode.INTERACTIVE and first is None:
            self.tell(TurnEnded(None))  # its screen shows a prompt

    @initialize()
    def begin(self):
        self.start_run()

    @property
    def can_ask(self):
        return self.c.running and self.program.turn is not None

    # people

    @rule()
    @precondition(lambda self: not self.over)
    def send(self):
        number = len(self.messages) + 1
        self.messages[number] = "queued"
        self.tell(Queued(number))

    @rule(data=st.data())
    @precondition(lambda self: self.c.queue)
    def withdraw(self, data):
        self.tell(Withdrawn(data.draw(st.sampled_from(self.c.queue))))

    @rule()
    @precondition(lambda self: self.c.running)
    def freeze(self):
        self.tell(InputHeld(on=not self.c.held))

    @rule(keep=st.booleans())
    @precondition(lambda self: not self.over)
    def attach(self, keep):
        self.tell(ModeWanted(AgentMode.INTERACTIVE, keep))

    @rule()
    @precondition(lambda self: not self.over)
    def leave(self):
        self.tell(ModeWanted(AgentMode.HEADLESS))

    @rule(data=st.data())
    @precondition(lambda self: self.program.questions)
    def answer(self, data):
        self.tell(Answered(data.draw(st.sampled_from(self.program.questions)), YES, "a person"))

    @rule()
    def answer_what_nobody_asks(self):
        self.tell(Answered(10**6, YES, "a person"))

    # the program

    @rule(announced=st.booleans())
    @precondition(lambda self: self.c.running and self.program.given is not None and self.program.turn is None)
    def take_the_message(self, announced):
        message, self.program.given = self.program.given, None
        self.program.turn = message
        if announced and self.c.mode is AgentMode.HEADLESS:
            self.tell(TurnBegan())
        self.tell(Echoed("text", str(message)))

    @rule()
    @precondition(lambda self: self.c.running and self.program.idle and self.c.mode is AgentMode.INTERACTIVE)
    def a_person_types(self):
        self.program.turn = 0
        self.tell(Echoed("typed", None))

    @rule(said=st.sampled_from([TextSpoken("a"), TextSpoken("b", thought=True), ToolCalled("c", "Bash", "Bash: x"),
                                ToolReturned("c", failed=False), Retrying(1, 2, 0.5, "overloaded")]))  # fmt: skip
    @precondition(lambda self: self.can_ask and not self.program.questions)
    def work(self, said):
        self.tell(said)

    @rule(ruled=st.booleans(), need=st.sampled_from([AgentNeed.PERMISSION, AgentNeed.QUESTION, AgentNeed.PLAN]))
    @precondition(lambda self: self.can_ask)
    def ask(self, ruled, need):
        self.number += 1
        self.program.questions.append(self.number)
        decision = (YES, "Bash") if ruled else None
        self.tell(Asking(self.number, f"r{self.number}", need, "Bash: x", decision))

    @rule()
    @precondition(lambda self: self.program.questions)
    def withdraw_a_question(self):
        self.tell(AskCancelled(f"r{self.program.questions.pop(0)}"))

    @rule(ok=st.booleans(), cents=st.integers(0, 50), tells=st.booleans())
    @precondition(lambda self: self.can_ask and not self.program.questions)
    def finish(self, ok, cents, tells):
        message, self.program.turn = self.program.turn, None
        if self.c.mode is AgentMode.INTERACTIVE:
            self.tell(TurnEnded(None))
            return
        self.program.total += cents / 100
        self.true_cost += cents / 100
        known = cents / 100 if tells or self.deaths else None
        reason = None if ok else "api_error 529"
        self.tell(TurnEnded(TurnResult(ok, reason, cost_total=self.program.total, cost_turn=known)))
        assert message is None or self.messages[message] == ("answered" if ok else "failed")

    @rule()
    @precondition(lambda self: self.c.running and self.program.ending)
    def end_as_asked(self):
        """A change-over: what it has spent is saved."""
        self.program.saved = self.program.total
        self.end_run(final=False)

    @rule(again=st.sampled_from([True, True, True, False]))
    @precondition(lambda self: self.c.running)
    def die(self, again):
        self.deaths += 1
        self.end_run(final=not again)

    def end_run(self, *, final):
        flying = self.c.turn.message if self.c.sending is None and self.c.turn is not None else self.c.sending
        if flying is not None and (self.c.leaving or self.c.wanted is not self.c.mode):
            self.cut_off[flying] = self.cut_off.get(flying, 0) + 1
        self.tell(RunOver(final))
        assert not self.c.running
        self.over = final
        if not final:
            self.start_run()

    @rule(cents=st.integers(1, 50))
    @precondition(lambda self: self.c.running and not self.c.held and self.program.idle and not self.program.ending)
    def a_whole_turn(self, cents):
        self.send()
        if self.program.given is not None:
            self.take_the_message(announced=True)
            self.finish(ok=True, cents=cents, tells=True)

    # what holds

    @invariant()
    def every_message_is_in_one_place(self):
        turn = self.c.turn.message if self.c.turn is not None else None
        flying = [one for one in (self.c.sending, turn) if one is not None]
        assert len(flying) <= 1
        living = sorted(number for number, state in self.messages.items() if state not in FINAL)
        assert sorted([*self.c.queue, *flying]) == living
        assert set(self.c.resent) <= set(living)
        assert all(count <= DEATHS + self.cut_off.get(one, 0) for one, count in self.sent.items()), self.sent

    @invariant()
    def the_queue_keeps_the_order(self):
        fresh = [one for one in self.c.queue if one not in self.c.resent]
        assert fresh == sorted(fresh)

    @invariant()
    def a_free_agent_is_given_what_waits(self):
        free = self.c.running and not self.c.held and not conversation.is_busy(self.c) and self.c.wanted is self.c.mode
        if free and self.c.mode is AgentMode.HEADLESS and not self.c.leaving:
            assert not self.c.queue

    @invariant()
    def a_free_agent_changes_over_when_somebody_wants_it(self):
        if self.c.running and not self.c.held and self.program.idle and self.c.wanted is not self.c.mode:
            assert self.c.leaving

    @invariant()
    def every_question_is_closed_once(self):
        open_ones = {one.number for one in self.c.open}
        for number in range(1, self.number + 1):
            assert self.closed.get(number, 0) == (0 if number in open_ones else 1)
        assert open_ones <= self.opened

    @invariant()
    def it_waits_exactly_while_something_is_asked(self):
        assert (self.c.activity.doing is ActivityKind.WAITING) == bool(self.c.open)

    @invariant()
    def every_turn_was_counted_once(self):
        assert abs(self.spent - self.true_cost) < 1e-6
        assert abs(self.c.cost - self.true_cost) < 1e-6

    def teardown(self):
        if not self.over:
            self.tell(RunOver(final=True))
        assert all(state in FINAL for state in self.messages.values()), self.messages
        assert (self.c.queue, self.c.open, self.c.turn, self.c.sending) == ((), (), None, None)


Conversations.TestCase.settings = settings(max_examples=torture.examples(150), stateful_step_count=40)
test_whatever_happens = Conversations.TestCase
