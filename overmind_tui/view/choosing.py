"""Choosing among the options of a question, or of several that are asked at once, by their numbers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Ask(NamedTuple):
    """One question: its text, its options with what is said about them, and whether several may be chosen."""

    text: str
    options: tuple[tuple[str, str], ...]
    several: bool = False


class Choosing(NamedTuple):
    """Questions one after the other: what was chosen for each, and which one is next."""

    asks: tuple[Ask, ...]
    chosen: tuple[tuple[int, ...], ...]
    at: int = 0

    @classmethod
    def of(cls, subject: Mapping[str, Any]) -> Choosing | None:
        """Nothing chosen yet; None where nothing can be."""
        questions = subject.get("questions")
        if not isinstance(questions, list) or not questions or not all(isinstance(one, dict) for one in questions):
            return None
        asks = tuple(_ask(one) for one in questions)
        return cls(asks, ((),) * len(asks))

    @property
    def several(self) -> bool:
        """Whether a number only marks an option, and something else ends the choice."""
        return not self.complete and self.asks[self.at].several

    @property
    def complete(self) -> bool:
        """Whether every question has its answer."""
        return self.at >= len(self.asks)

    @property
    def begun(self) -> bool:
        """Whether the question that is next has an answer that only has to be confirmed."""
        return self.several and bool(self.chosen[self.at])

    @property
    def labels(self) -> list[str]:
        """What was chosen, question by question."""
        return [
            ask.options[number - 1][0]
            for ask, numbers in zip(self.asks, self.chosen, strict=True)
            for number in sorted(numbers)
        ]

    def pressed(self, number: int) -> Choosing | None:
        """With this option chosen (of several: or no longer); None where there is no such option."""
        if self.complete or not 1 <= number <= len(self.asks[self.at].options):
            return None
        if self.several:
            before = self.chosen[self.at]
            return self._with(tuple(one for one in before if one != number) if number in before else (*before, number))
        return self._with((number,))._replace(at=self.at + 1)

    def confirmed(self) -> Choosing:
        """On to the question after the one of which several were chosen."""
        return self._replace(at=self.at + 1)

    def _with(self, numbers: tuple[int, ...]) -> Choosing:
        return self._replace(chosen=(*self.chosen[: self.at], numbers, *self.chosen[self.at + 1 :]))


def _ask(question: Mapping[str, Any]) -> Ask:
    options = question.get("options")
    known = [_option(one) for one in options] if isinstance(options, list) else []
    return Ask(str(question.get("question", "")), tuple(known), bool(question.get("multiSelect")))


def _option(option: Any) -> tuple[str, str]:  # noqa: ANN401 - the agent's own JSON
    if not isinstance(option, dict):
        return str(option), ""
    return str(option.get("label", "")), str(option.get("description") or "")
