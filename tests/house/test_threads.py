"""What several threads decode is known to msgspec before the first of them does: else it may end the process."""

from __future__ import annotations

import subprocess
import sys

import pytest

LEARNED = """
import importlib, sys
import msgspec

importlib.import_module(sys.argv[1])
kinds = [one for one in vars(importlib.import_module(sys.argv[2])).values()
         if isinstance(one, type) and issubclass(one, msgspec.Struct) and one is not msgspec.Struct]
calls = []
sys.setprofile(lambda frame, event, argument: calls.append(frame.f_code.co_name) if event == "call" else None)
for kind in kinds:
    if sys.argv[3] in ("", kind.__name__):
        msgspec.json.Decoder(kind)
sys.setprofile(None)
print(len(kinds), calls.count("get_class_annotations"))
"""
"""Prints how many types there are, and how many msgspec had yet to learn: it asks for the annotations of each once."""


@pytest.mark.parametrize(
    ("reader", "types", "kind"),
    [
        ("overmind_core.swarm.database", "overmind_core.swarm.answers", ""),
        ("overmind_core.memory.episode_table", "overmind_core.domain.memory.episodes", "Episode"),
    ],
)
def test_what_threads_decode_is_learned_when_its_reader_is_imported(reader, types, kind):
    def yet_to_learn(imported):
        ended = subprocess.run(
            [sys.executable, "-c", LEARNED, imported, types, kind], capture_output=True, text=True, check=True
        )
        count, left = map(int, ended.stdout.split())
        assert count > 0
        return left

    assert yet_to_learn(types) > 0  # so it is seen
    assert yet_to_learn(reader) == 0
