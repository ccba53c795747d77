"""Which prompt is the message that was typed, whatever its program made of it."""

from __future__ import annotations

import pytest

from overmind_core.domain.agents.conversation import same_prompt
from tests.kit.cases import tabled

SAME = [
    ("hello", "hello"), ("a\tb", "a    b"), ("two\r\nlines ", "two\nlines"), ("\x1b[31mred\x1b[0m\x07", "red"),
    ("e\u0301", "\u00e9"), ("un\u200bseen", "unseen"), ("!ls", " !ls"),
]  # fmt: skip


@tabled(("message", "prompt"), SAME)
def test_what_is_tidied_up_is_the_same(message, prompt):
    assert same_prompt(message, prompt)


@pytest.mark.parametrize(("message", "prompt"), [("hello", "hell"), ("one", "two"), ("", "x")])
def test_another_text_is_another(message, prompt):
    assert not same_prompt(message, prompt)
