"""Which option answers which of several questions that are asked at once, and what is refused."""

from __future__ import annotations

import pytest

from overmind_core.domain.agents.choices import InvalidChoice, choices_of, chosen, example, offered, typed, typed_text
from tests.kit.cases import tabled


def question(text, *labels, several=False, header=""):
    options = [{"label": label} for label in labels]
    return {"question": text, "header": header, "multiSelect": several, "options": options}


COLOUR = question("Which?", "Red", "Blue", header="Colour")
PARTS = question("Parts?", "api", "web", "docs", several=True)
SURE, NOW = question("Sure?", "Yes", "No"), question("Now?", "Yes", "No")
PORT = question("Which port?")

CHOSEN = [
    ([COLOUR], ["Blue"], None, [("Blue",)]),
    ([COLOUR], ["1:Blue"], None, [("Blue",)]),
    ([COLOUR], ["Which?=Blue"], None, [("Blue",)]),
    ([COLOUR], ["Colour=Blue"], None, [("Blue",)]),
    ([COLOUR], ["#2"], None, [("Blue",)]),
    ([COLOUR], ["1:#2"], None, [("Blue",)]),
    ([PARTS, COLOUR], ["1:#1", "1:#3", "2:#1"], None, [("api", "docs"), ("Red",)]),
    ([question("How?", "#2", "other")], ["1:#2"], None, [("#2",)]),
    ([COLOUR], [], "green", [()]),
    ([COLOUR], [], "red", [("Red",)]),
    ([COLOUR], [], " RED ", [("Red",)]),
    ([COLOUR], [], "Red, but darker", [()]),
    ([question("Case?", "a", "A")], [], "A", [("A",)]),
    ([question("Case?", "Ab", "aB")], [], "ab", [()]),
    ([SURE, NOW], [], "yes", [(), ()]),
    ([PARTS], ["api", "docs"], None, [("api", "docs")]),
    ([PARTS], ["api", "api"], None, [("api",)]),
    ([PARTS, COLOUR], ["web", "Red"], None, [("web",), ("Red",)]),
    ([PARTS, COLOUR], ["2:Red", "1:web", "1:docs"], None, [("web", "docs"), ("Red",)]),
    ([SURE, NOW], ["Yes", "No"], None, [("Yes",), ("No",)]),
    ([SURE, NOW], ["Yes", "Yes"], None, [("Yes",), ("Yes",)]),
    ([SURE, NOW], ["2:Yes", "1:No"], None, [("No",), ("Yes",)]),
    ([SURE, NOW], ["No"], "tomorrow", [("No",), ()]),
    ([question("How?", "2:1", "1:2")], ["2:1"], None, [("2:1",)]),
    ([COLOUR, PORT], ["1:#2", "2:#443"], None, [("Blue",), ("443",)]),
    ([PORT, COLOUR], ["1:#4", "1:#5", "2:#1"], None, [("4,5",), ("Red",)]),
]


@tabled(("questions", "options", "words", "labels"), CHOSEN)
def test_each_question_gets_what_was_chosen_for_it(questions, options, words, labels):
    assert chosen(choices_of({"questions": questions}), options, words) == tuple(labels)


REFUSED = [
    (
        [PARTS, COLOUR],
        ["web"],
        "Question 2 of 2 (Which?) has no answer. Answer it with the number of an option, 1 to 2",
    ),
    ([SURE, NOW], ["Yes"], "Question 2 of 2 (Now?) has no answer."),
    ([COLOUR], [], "The question has no answer. Answer it with the number of an option, 1 to 2"),
    ([COLOUR], ["Red", "Blue"], "The question takes one answer, not Red, Blue."),
    ([COLOUR], ["Green"], "'Green' is not one of its options: Red, Blue."),
    ([SURE, COLOUR], ["Green"], "'Green' is not one of its options: 1:Yes, 1:No, 2:Red, 2:Blue."),
    ([SURE, COLOUR], ["1:Red", "2:Red"], "'Red' is not an option of question 1 of 2 (Sure?): 1. Yes, 2. No."),
    ([SURE, NOW], ["3:Yes", "1:No"], "'3:Yes' is not one of its options"),
    ([], ["Yes"], "'Yes' is not one of its options: none."),
    ([COLOUR], ["#3"], "'3' is not an option of the question: 1. Red, 2. Blue."),
    ([COLOUR], ["1:#0"], "'0' is not an option of the question: 1. Red, 2. Blue."),
    ([COLOUR], ["1:#1", "2:#1"], "One question is asked: one number for each, and 1,2 for several options."),
    ([SURE, NOW], ["1:#1", "2:#1", "3:#1"], "2 questions are asked: one number for each"),
    ([SURE, NOW], ["1:#1", "2:#3"], "'3' is not an option of question 2 of 2 (Now?): 1. Yes, 2. No."),
]


@tabled(("questions", "options", "sentence"), REFUSED)
def test_an_answer_that_leaves_a_question_open_or_fits_none_is_refused(questions, options, sentence):
    with pytest.raises(InvalidChoice) as refused:
        chosen(choices_of({"questions": questions}), options, None)
    assert str(refused.value).startswith(sentence)


@tabled(
    ("options", "text"),
    [(["1:#443"], "443"), (["1:#1", "1:#3", "2:#2"], "1,3 2"), ([], ""), (["Red"], ""), (["1:#1", "Red"], ""),
     (["1:Red"], "")],
)  # fmt: skip
def test_what_was_taken_for_numbers_of_options_can_be_a_text(options, text):
    assert typed_text(options) == text


def test_the_options_of_several_questions_are_offered_with_their_numbers():
    assert offered(choices_of({"questions": [COLOUR]})) == ["Red", "Blue"]
    assert offered(choices_of({"questions": [SURE, COLOUR]})) == ["1:Yes", "1:No", "2:Red", "2:Blue"]


@tabled(
    ("questions", "numbers", "answer"),
    [
        ([COLOUR], "1 (Red), 2 (Blue)", "1"),
        ([PARTS], "1 (api), 2 (web), 3 (docs)", "1,2"),
        ([SURE, PARTS, COLOUR], "Sure?: 1 (Yes), 2 (No); Parts?: 1 (api), 2 (web), 3 (docs); Which?: 1 (Red), 2 (Blue)",
         "1 1,2 1"),
        ([question("Only?", "one", several=True), NOW], "Only?: 1 (one); Now?: 1 (Yes), 2 (No)", "1 1"),
        ([NOW, PORT], "Now?: 1 (Yes), 2 (No); Which port?: a text", "1 1"),
    ],
)  # fmt: skip
def test_what_may_be_typed_is_said_and_the_example_is_taken(questions, numbers, answer):
    choices = choices_of({"questions": questions})
    assert (typed(choices), example(choices)) == (numbers, answer)
    places = [f"{at}:#{number}" for at, word in enumerate(answer.split(), 1) for number in word.split(",")]
    assert all(chosen(choices, places, None))
