"""A value at a place: typed, named, and with all that is wrong collected, whoever parsed the text."""

from __future__ import annotations

import json

from overmind_core.documents import reading
from overmind_core.documents.reading import FileValue, Findings
from overmind_core.domain.text.problems import Problem
from tests.kit.cases import tabled


class Numbered:
    """A JSON text's values on a line each: in the order in which they are asked for."""

    def __init__(self):
        self.asked = []

    def at_value(self, path):
        self.asked.append(path)
        return len(self.asked), 1

    def at_key(self, path):
        return self.at_value(path)

    def at_character(self, path, index):
        return (self.at_value(path)[0], index + 1)


def read(text):
    notes = Findings(Numbered())
    return FileValue(notes, (), json.loads(text)), notes


def test_a_json_document_is_read_with_its_types():
    root, notes = read('{"title": "x", "needs": ["a", "b"], "weight": 3, "wait": "5m", "kept": true, "phase": "plan"}')
    table = root.table()
    assert reading.text(table["title"]) == "x"
    assert reading.texts(table["needs"]) == ["a", "b"]
    assert reading.texts(table["title"]) == ["x"]
    assert reading.whole(table["weight"]) == 3
    assert reading.seconds(table["wait"]) == 300
    assert reading.milliseconds(table["weight"]) == 0.003
    assert reading.flag(table["kept"]) is True
    assert reading.choice(["plan", "work"])(table["phase"]) == "plan"
    assert not notes.problems


WRONG = {
    "text": (reading.text, "1", "write a string in quotes"),
    "texts": (reading.texts, '{"b": "x"}', "write a string in quotes, or a list of them"),
    "a text of several": (reading.texts, '["x", 1]', "write a string in quotes"),
    "flag": (reading.flag, "1", "write true or false"),
    "whole": (reading.whole, "true", "write a whole number from 0 up"),
    "whole and negative": (reading.whole, "-1", "write a whole number from 0 up"),
    "too large": (reading.whole, str(2**53 + 1), "write a whole number from 0 up"),
    "seconds": (reading.seconds, "[]", 'write a duration: a number, or a string such as "90s", "5m" or "1.5h"'),
    "choice": (reading.choice(["plan"], "phase"), '"plam"', "unknown phase 'plam', known are plan. Did you mean plan?"),
    "table": (FileValue.table, '"x"', "write a table"),
}


@tabled("case", WRONG)
def test_what_is_wrong_is_told_under_the_name_and_nothing_is_returned(case):
    getter, written, message = WRONG[case]
    root, notes = read(f'{{"a": {written}}}')
    assert getter(root.table()["a"]) is None
    assert notes.problems == [Problem(1, 1, f"a: {message}")]


def test_everything_that_is_wrong_is_collected_at_its_place():
    root, notes = read('{"a": [1, {"b": 2}], "c": "x", "d": 1}')
    root.report_unknown(["a", "c", "dd"])
    table = root.table()
    entries = table["a"].entries()
    entries[0].wrong("no")
    entries[1].table()["b"].wrong_key("never")
    table["c"].wrong_inside(2, "there")
    table["c"].warn("hm")
    root.wrong("all of it")
    assert table["c"].entries() is None
    assert notes.problems == [
        Problem(1, 1, "unknown key 'd'. Did you mean dd?"),
        Problem(2, 1, "a: no"),
        Problem(3, 1, "b: never"),
        Problem(4, 3, "c: there"),
        Problem(6, 1, "all of it"),
    ]
    assert notes.warnings == [Problem(5, 1, "c: hm")]
    assert notes.places.asked == [("d",), ("a", 0), ("a", 1, "b"), ("c",), ("c",), ()]


def test_the_texts_in_a_value_are_found_whatever_holds_them():
    root, _ = read('{"a": "x", "b": ["y", 1], "c": {"d": "z", "e": []}}')
    table = root.table()
    assert [[one.value for one in table[name].texts()] for name in table] == [["x"], ["y"], ["z"]]
    assert [one.path for one in table["b"].texts()] == [("b", 0)]
