"""Actions on questions: allow, deny, always, answer, each to the one that was read; and the way to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.domain import engine_questions
from overmind_core.errors import OvermindError
from overmind_core.view import quests as quests_rows
from overmind_core.view import subject
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.hive_keys import is_of_swarm, question_key
from overmind_core.view.inbox import ALWAYS, Key, done, in_words, line_title
from overmind_tui.pages.compose import Purpose
from overmind_tui.pages.dialog import Answer, Dialog
from overmind_tui.pages.line import LineComposer

if TYPE_CHECKING:
    from overmind_tui.inbox.messages import Drafts
    from overmind_tui.pages.compose import Composer
    from overmind_tui.shell.shell import Shell

Answers = Sequence[Any | OvermindError]
BESIDE, ABOVE = 8, 8
"""Cells and lines of a dialog, and around it, that its text has not."""


class AnswerActions:
    """Answers to questions, once the person may give them."""

    def __init__(self, shell: Shell, drafts: Drafts) -> None:
        self._shell = shell
        self._drafts = drafts
        self.given: set[Key] = set()
        """Questions that were answered from here."""
        self.listeners: list[Callable[[Row, str], None]] = []
        """Told which question has its answer from here, and what that did."""
        self._ended: set[int | str] = set()
        """Questions that somebody has answered, or that were withdrawn, by their keys."""

    def give(self, question: Row, behaviour: str, options: Sequence[str] = ()) -> None:
        """Answer; who was late hears who was faster."""
        several = len(question.get("choices") or ()) > 1
        labels = [one.partition(":")[2] if several else one for one in options]
        chosen = ", ".join(map(safe, labels)) or done(question, behaviour)

        def on_result(error: OvermindError | None) -> None:
            if error is None:
                self._shell.flash(f"{safe(question['name'])}: {chosen}", "good")
            else:
                self._shell.flash(error.message, "bad")

        self.answer(question, {"behaviour": behaviour, "options": list(options)}, on_result)

    def always(self, question: Row) -> None:
        """Show the rule that would be stored; enter stores it."""
        if not question["rule"]:
            self._shell.flash("no rule can cover this: y allows it once", "slow")
            return
        name, size = safe(question["name"]), self._shell.app.size
        rows = subject.wrapped([[Cell(safe(question["rule"]))]], max(size.width - BESIDE, 1), 0)
        if len(rows) > max(size.height - ABOVE, 1):
            command = f"overmind answer {question_key(question)} always"
            self._shell.flash(f"its rule is too long to be read here: y allows it once, {command} stores it", "slow")
            return
        rule = ["".join(cell.text for cell in row) for row in rows]
        lines = [*rule, f"{name} will no longer ask for anything this rule allows."]
        answers = [
            Answer(("enter",), "store the rule", lambda: self.give(question, ALWAYS), "slow"),
            Answer(("n",), "cancel", lambda: None),
        ]
        self._shell.open(Dialog("always allow?", lines, answers, first=0))

    def write(self, question: Row) -> None:
        """Take the answer in the line: words are the answer to a question, and say why of all else."""
        behaviour, _, was_done = in_words(question)
        place, drafts = _place(question), self._drafts

        def send(composer: Composer, text: str) -> None:
            def on_result(error: OvermindError | None) -> None:
                if error is not None:
                    composer.refused(error.message)
                    return
                drafts.add(text)
                self._shell.flash(f"{safe(question['name'])}: {was_done}", "good")
                composer.done()

            self.answer(question, {"behaviour": behaviour, "message": text}, on_result)

        def keep(text: str) -> None:
            drafts.keep(place, text)
            is_open = self._is_open(question)
            if not is_open:
                drafts.give_up(place)
            if text.strip():
                way_back = "draft kept: m opens it again" if is_open else "kept: m, then up, restores it"
                self._shell.flash(way_back, "quiet")

        self._shell.open(
            LineComposer(
                Purpose(
                    line_title(question), send, keep, drafts.draft(place), drafts.sent, recall=drafts.add,
                    way_back="m, then up, restores the text",
                )
            )
        )  # fmt: skip

    def _is_open(self, question: Row) -> bool:
        """True where a question still waits for an answer."""
        asked = [(one["id"], one["question"]) for one in self._shell.fleet.questions]
        return (question["id"], question["question"]) in asked and question_key(question) not in self._ended

    def happened(self, events: Iterable[Row]) -> None:
        """Questions ended: what was written about them from here, and was not sent, is not lost with them."""
        ended = (one for one in events if one["type"] == "answered" and one.get("question"))
        for event in ended:
            if (event.get("mission"), event["question"]) not in self.given:
                self._ended.add(question_key(event))
                self._drafts.give_up(_place(event))

    def answer(self, question: Row, answer: dict[str, Any], on_result: Callable[[OvermindError | None], None]) -> None:
        """Answer with these fields; `on_result` gets None, or why it was refused."""
        key = question["id"], int(question["question"])
        self.given.add(key)

        def on_answered(answers: Answers) -> None:
            error = answers[0] if isinstance(answers[0], OvermindError) else None
            if error is not None:
                self.given.discard(key)
            on_result(error)
            by_text = bool(answer.get("message")) and engine_questions.is_of_engine(question)
            was_done = in_words(question).done if by_text else done(question, answer["behaviour"])
            for listener in self.listeners if error is None else ():
                listener(question, was_done)

        if is_of_swarm(question):
            self._shell.request("swarm_answer", [{"question": int(question["question"]), **answer}], on_answered)
        else:
            self._shell.request("answer", [{"question": question_key(question), **answer}], on_answered)


def _place(question: Row) -> list[str]:
    """The key by which a text about a question, or about that of an event, is kept."""
    return [f"question {question_key(question)}"]


class InboxActions:
    """Opens the view of those who need a person, and goes round them."""

    def __init__(self, shell: Shell, answer_actions: AnswerActions) -> None:
        self._shell = shell
        self.answer_actions = answer_actions
        self.handlers: dict[str, Callable[[list[Row]], object]] = {
            "inbox": self.inbox,
            "next-need": self.next_need,
            "question": self.question,
        }

    def inbox(self, rows: list[Row]) -> None:
        """Show who needs the person."""
        del rows
        self._shell.main.show_needs()

    def next_need(self, rows: list[Row]) -> None:
        """Go to the next one."""
        del rows
        self._shell.main.next_need()

    def question(self, rows: list[Row]) -> None:
        """Show what is asked about the first of these, which need not be missions."""
        asked = quests_rows.question_of(rows[0], self._shell.fleet.questions)
        if asked is None:
            self._shell.flash(f"nothing is asked about {safe(rows[0]['name'])}", "slow")
        else:
            self._shell.main.show_needs((asked["id"], int(asked["question"])))
