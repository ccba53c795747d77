"""What a person chose, as the answer to each of several questions that were asked at once."""

from __future__ import annotations

import pytest

from overmind_core.domain.agents.agent_events import Behaviour, Decision
from overmind_core.providers.claude.messages import chosen_answers


def question(text, *labels, several=False):
    return {"question": text, "multiSelect": several, "options": [{"label": label} for label in labels]}


COLOUR = question("Which?", "Red", "Blue")
PARTS = question("Parts?", "api", "web", "docs", several=True)
SURE, NOW = question("Sure?", "Yes", "No"), question("Now?", "Yes", "No")

CHOSEN = [
    ([COLOUR], ["Blue"], None, {"Which?": "Blue"}),
    ([COLOUR], [], "green", {"Which?": "green"}),
    ([PARTS], ["api", "docs"], None, {"Parts?": "api, docs"}),
    ([PARTS, COLOUR], ["web", "Red"], None, {"Parts?": "web", "Which?": "Red"}),
    ([SURE, NOW], ["Yes", "No"], None, {"Sure?": "Yes", "Now?": "No"}),
    ([SURE, NOW], ["Yes", "Yes"], None, {"Sure?": "Yes", "Now?": "Yes"}),
    ([SURE, NOW], ["No"], "tomorrow", {"Sure?": "No", "Now?": "tomorrow"}),
    ([COLOUR], [], None, {}),
]


@pytest.mark.parametrize(("questions", "options", "words", "told"), CHOSEN)
def test_each_question_gets_what_was_chosen_for_it(questions, options, words, told):
    assert chosen_answers(questions, Decision(Behaviour.ALLOW, words, tuple(options))) == told
