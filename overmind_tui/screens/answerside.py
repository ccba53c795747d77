"""Keys that answer the question on the page of who needs the person, once it can have been read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_tui.deeds import answering
from overmind_tui.screens.readfirst import Sight
from overmind_tui.view import asking, missions
from overmind_tui.view.cells import Row, safe
from overmind_tui.view.choosing import Choosing
from overmind_tui.view.needs import Need

if TYPE_CHECKING:
    from overmind_tui.screens.needs import NeedsPage


class AnswerSide:
    """What was chosen so far, how long the question has been in sight, and the answer."""

    def __init__(self, page: NeedsPage) -> None:
        self._page = page
        self.choosing: Choosing | None = None
        self.sight = Sight()

    def begin(self, need: Need | None) -> None:
        """Something else is on the screen."""
        self.choosing = Choosing.of(need.asked["subject"]) if need and need.asked else None
        self.sight.begin(self._page)

    # keys

    def do_allow(self) -> None:
        """Once."""
        question = self._question()
        if question is None:
            return
        if question["need"] == answering.QUESTION:
            self._page.program.flash("it is a question: choose with 1-9, or m answers in your own words", "slow")
        else:
            self._deeds.give(question, answering.ALLOW)

    def do_deny(self) -> None:
        """No."""
        question = self._question()
        if question is not None:
            self._deeds.give(question, answering.DENY)

    def do_always(self) -> None:
        """From now on; the rule is shown first."""
        question = self._question()
        if question is not None:
            self._deeds.always(question)

    def do_reply(self) -> None:
        """In the person's own words; who asks nothing gets a message."""
        need = self._page.current
        if need is not None and need.asked is None and missions.is_live(need.row) and not self._page.restless:
            self._page.program.deeds.talking.message([need.row])
        elif (question := self._question()) is not None:
            self._deeds.write(question)

    def choose(self, number: int) -> None:
        """An option of the question that is next."""
        question = self._question()
        if question is None:
            return
        chosen = None if self.choosing is None else self.choosing.pressed(number)
        if chosen is None:
            self._page.program.flash(f"it has no option {number}", "slow")
        else:
            self._chosen(question, chosen)

    def confirm(self) -> bool:
        """With several options marked: that was all. False where there is nothing to confirm."""
        if self.choosing is None or not self.choosing.begun:
            return False
        question = self._question()
        if question is not None:
            self._chosen(question, self.choosing.confirmed())
        return True

    def _chosen(self, question: Row, choosing: Choosing) -> None:
        """Answer once all is chosen; the next of several questions has to be read first, too."""
        if choosing.complete:
            self._deeds.give(question, answering.ALLOW, choosing.labels)
            return
        if self.choosing is not None and choosing.at != self.choosing.at:
            self.sight.begin(self._page)
        self.choosing = choosing
        self._page.show()

    # what may be answered

    @property
    def _deeds(self) -> answering.Answering:
        return self._page.program.deeds.answering

    def _question(self) -> Row | None:
        """The question on the screen, if a key may answer it by now; else it is said why none may."""
        need = self._page.current
        if need is not None and need.key[1] in self._deeds.given:
            return None
        refusal = asking.NOBODY if need is None else self._refusal(need)
        if refusal:
            self._page.program.flash(refusal, "slow")
            return None
        return None if need is None else need.asked

    def _refusal(self, need: Need) -> str:
        name = safe(need.row["name"])
        if self._page.restless:
            return "the row under the cursor just changed: look again, then press the key"
        if need.asked is None:
            live = missions.is_live(need.row)
            return f"{name} asks nothing: m writes to it" if live else f"{name} asks nothing: r starts it again"
        if not self.sight.enough:
            return "this question has just come: read it, then press the key"
        return f"only its own terminal takes the answer: a opens {name}" if need.asked["attach_only"] else ""
