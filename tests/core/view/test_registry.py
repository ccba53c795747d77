"""Views are found by each of their words."""

from __future__ import annotations

import pytest

from overmind_core.view.registry import VIEWS, find, words


@pytest.mark.parametrize("word", ["plans", "blueprints", "pipelines", "bp"])
def test_plans_are_found_by_what_they_were_called_too(word):
    assert find(word) is VIEWS["plans"]


def test_no_word_means_two_views():
    assert len(words()) == sum(1 + len(view.aliases) for view in VIEWS.values())
