"""The worker: a process that answers which notes mean nearly the same as a question.

It is started when somebody asks, and ends with the pipe that it is asked through. A line of JSON each:

    ← {"ready": MODEL} or {"error": WHY}, once
    → {"number": 1, "questions": ["…"], "scopes": ["…"], "limit": 50}
    ← {"number": 1, "found": [[["N-…", 0.73], …]]}, a list for each question

Nothing of a question or a note is written anywhere but into the answer.
"""

from __future__ import annotations

import json
import os
import sys
from typing import IO, TYPE_CHECKING, Any

from overmind_core.memory.model import Model, ModelError
from overmind_core.memory.vector_file import FILE, VectorFile

if TYPE_CHECKING:
    from overmind_core.memory.vectors import VectorIndex

NICE = 5
"""Below the agents that it works for."""


def main() -> None:
    """Serve until the pipe closes: the arguments are the model's folder and the path of memory.db."""
    folder, path = sys.argv[1:]
    os.nice(NICE)
    serve(folder, path, sys.stdin.buffer, sys.stdout.buffer)


def serve(folder: str, path: str, asked: IO[bytes], answers: IO[bytes]) -> None:
    """Answer until nobody asks any more."""
    try:
        model = Model.load(folder)
    except ModelError as error:
        _say(answers, {"error": str(error)})
        return
    from overmind_core.memory.note_texts import NoteTexts  # noqa: PLC0415 - only with a model
    from overmind_core.memory.vectors import VectorIndex  # noqa: PLC0415 - numpy, which may be missing

    index = VectorIndex(VectorFile(os.path.join(os.path.dirname(path), FILE), model.name), model)
    texts = NoteTexts(path)
    _say(answers, {"ready": model.name})
    for line in asked:
        if (changed := texts.changed()) is not None:
            index.update(changed)
        _say(answers, _answer(index, json.loads(line)))


def _answer(index: VectorIndex, question: dict[str, Any]) -> dict[str, Any]:
    found = [index.nearest(one, question["scopes"], question["limit"]) for one in question["questions"]]
    return {"number": question["number"], "found": found}


def _say(answers: IO[bytes], answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()
