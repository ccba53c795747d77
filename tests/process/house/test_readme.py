"""What the README promises in the first minutes is what happens."""

from __future__ import annotations

import re
from functools import partial

from tests.house.test_docs import read
from tests.house.test_readme import commands
from tests.kit.waiting import eventually


def between(text, name):
    return text.partition(f"<!-- {name}: begin -->")[2].partition(f"<!-- {name}: end -->")[0]


SAID = {
    "ps": r"demo-agent .*\n.*└─ demo-tests ",
    "inbox": r"return FORMAT\.format",
    "answer": r"\(demo-agent\): allow\n",
    "logs": r"✔ job \d+ ",
}
"""What a command of the first minutes shows, at the latest when it is tried again."""


def test_the_first_minutes_go_as_they_are_written(om):
    clear, begin, *middle, end = commands(between(read("README.md"), "first minutes"))
    om.ok(*clear)
    om.ok(*begin)
    assert [words[0] for words in middle] == list(SAID)
    for words in middle:
        eventually(partial(_shows, om, words, SAID[words[0]]), timeout=60, what=" ".join(words))
    assert re.fullmatch(r"Removed \d demo missions\n", om.ok(*end))


def _shows(om, words, pattern):
    finished = om(*words)
    return finished.returncode == 0 and re.search(pattern, finished.stdout)
