"""What it costs to read a document of 200 tasks and to check it, beside decoding the same as JSON and nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from bench.figures import Figure, at_most, milliseconds, take_turns
from bench.product import Product
from bench.sizes import choose_size
from overmind_core.domain.specs.check import CheckContext, DocumentVerdict, judge
from overmind_core.domain.specs.document_json import read_json
from overmind_core.domain.specs.markdown import parse, render
from overmind_core.domain.specs.reading import Reading, read
from overmind_core.domain.specs.spec import PhaseName

TASKS = choose_size(200, smoke=20)
PER_GROUP, PER_REQUIREMENT = 10, 5
ROUNDS = choose_size(15, smoke=1)
TIMES = choose_size(5, smoke=1)
"""A side of a round does it so often."""
GOAL = 12.0


def measure(product: Product, folder: str) -> list[Figure]:
    del product, folder
    requirements = read(PhaseName.REQUIREMENTS, _requirements()).document
    context = CheckContext({PhaseName.REQUIREMENTS: requirements}, frozenset(map(_file, range(TASKS))))
    value = _tasks()
    as_json = json.dumps(value)
    as_markdown = render(read(PhaseName.TASKS, value).document)

    def checked(reading: Callable[[PhaseName, str], Reading], text: str) -> Callable[[], DocumentVerdict]:
        return lambda: judge(reading(PhaseName.TASKS, text), context)

    readers = {"as JSON": checked(read_json, as_json), "as Markdown": checked(parse, as_markdown)}
    for how, reader in readers.items():
        verdict = reader()
        if verdict.score < 1 or verdict.vetoes:
            raise RuntimeError(f"{how} the document has faults: {verdict}")
    sides = {how: _timed(reader) for how, reader in readers.items()}
    taken = take_turns({**sides, "json.loads of it": _timed(lambda: json.loads(as_json))}, rounds=ROUNDS)
    theirs = taken.pop("json.loads of it")
    return [
        at_most(f"a document of {TASKS} tasks {how}, read and checked", ours, theirs, GOAL, milliseconds)
        for how, ours in taken.items()
    ]


def _timed(work: Callable[[], object]) -> Callable[[], float]:
    def round_() -> float:
        began = time.process_time()
        for _ in range(TIMES):
            work()
        return (time.process_time() - began) / TIMES

    return round_


def _requirements() -> dict[str, Any]:
    return {
        "feature_name": "Carts",
        "requirements": [
            {
                "id": f"REQ-{number:03}",
                "title": f"Requirement {number}",
                "text": f"When a visitor asks for {number}, the shop shall answer it.",
                "acceptance": ["the answer is shown"],
            }
            for number in range(TASKS // PER_REQUIREMENT)
        ],
    }


def _tasks() -> dict[str, Any]:
    """All fields that a task of a real document has."""
    return {
        "groups": {f"TKT-{number:03}": f"Part {number}" for number in range(TASKS // PER_GROUP)},
        "tasks": [
            {
                "id": f"TSK-{number:03}",
                "title": f"Write part {number} of the cart",
                "description": "Add and remove books, count them, and keep each cart beside its session.",
                "type": "feature",
                "priority": "medium",
                "group": f"TKT-{number // PER_GROUP:03}",
                "creates": [f"shop/new{number}.py", f"tests/test_new{number}.py"],
                "modifies": [_file(number)],
                "hours": 2,
                "needs": [f"TSK-{number - 1:03}"] if number % PER_GROUP else [],
                "requirements": [f"REQ-{number // PER_REQUIREMENT:03}"],
                "acceptance": ["a book that is added twice counts 2", "a cart survives a restart"],
                "check": f"pytest -q tests/test_new{number}.py",
            }
            for number in range(TASKS)
        ],
    }


def _file(number: int) -> str:
    return f"shop/part{number}.py"
