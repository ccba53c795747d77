"""What the engine does by itself: each event of it says so, and why; the table of it in docs names real events."""

from __future__ import annotations

import os
import re

import pytest

from tests.kit.events import TYPES
from tests.kit.overmind import REPOSITORY

pytestmark = pytest.mark.own_home
TOLD = {"quest", "spec", "report", "health", "steer", "overlap", "note", "landed", "cost_warning"}
"""Types of events that the engine alone records, or that say who has asked for them."""


def test_the_table_of_it_is_about_events_that_have_both_fields():
    with open(os.path.join(REPOSITORY, "docs", "engine.md"), encoding="utf-8") as page:
        rows = [line.split("|") for line in page if line.startswith("| ")][1:]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row[3])}
    assert named == TOLD
    for name in named:
        assert {"by", "why"} <= {*TYPES[name].__struct_fields__}, name


def test_the_page_of_the_queue_leads_to_the_table():
    with open(os.path.join(REPOSITORY, "docs", "queue.md"), encoding="utf-8") as page:
        assert "(engine.md)" in page.read()
