"""Specs in lists: by the title as it was written where the slug can't say it, and the title beside the slug."""

from __future__ import annotations

from overmind_core.cli.specs.commands import COLUMNS
from overmind_core.domain.text.slug import slug_of
from overmind_core.view import specs
from tests.kit.cases import tabled


def row(slug, title):
    return {"slug": slug, "title": title, "id": "5285e9e9", "state": "draft"}


@tabled(
    ("title", "shown"),
    [
        ("Спека корзины", "Спека корзины"),
        ("購物車", "購物車"),
        ("Shopping carts", "shopping-carts"),
        ("Café", "cafe"),
    ],
)
def test_a_spec_is_shown_by_its_title_where_the_slug_can_not_say_it(title, shown):
    made = row(slug_of(title, (), unnamed="spec-5285e9e9"), title)
    (name,) = (column for column in specs.COLUMNS if column.key == "name")
    assert (specs.shown(made), name.cell(specs.named(made), 0.0).text) == (shown, shown)
    assert COLUMNS["TITLE"](made) == title


def test_the_title_can_do_no_harm():
    assert "\x1b" not in specs.shown(row("spec-5285e9e9", "Спека\x1b[2J"))


EDITED, BEGUN = "changed since: :spec accept", "changed since its quest began: TSK-001: :spec accept"


@tabled(
    ("changed_since", "conflicts", "state", "why"),
    [
        (None, [], "done", ""),
        ("design", [], "done, changed since", EDITED),
        (None, ["TSK-001"], "done, changed since", BEGUN),
        ("design", ["TSK-001"], "done, changed since", EDITED),
    ],
)
def test_work_that_is_no_longer_what_is_written_is_never_plainly_done(changed_since, conflicts, state, why):
    spec = row("carts", "Carts") | {
        "state": "done", "changed_since": changed_since, "conflicts": conflicts, "phases": [], "question": None,
    }  # fmt: skip
    assert specs.state(spec) == state
    assert specs.why(spec).startswith(why)
    assert bool(specs.why(spec)) == bool(why)


def test_a_spec_of_which_nothing_runs_says_what_it_waits_for():
    held = {"name": "carts/explore", "text": "the queue is paused", "do": ["overmind queue resume"]}
    spec = row("carts", "Carts") | {
        "state": "running", "changed_since": None, "phases": [], "question": None, "held": held,
    }  # fmt: skip
    assert specs.why(spec) == "the queue is paused"
    assert not specs.why(spec | {"held": None})


@tabled(
    ("state", "why"),
    [
        ("done", BEGUN),
        ("working", BEGUN),
        ("stuck", "nothing goes on by itself: enter"),
        ("failed", "r runs it again"),
        ("draft", "r runs it"),
    ],
)
def test_what_lets_a_spec_go_on_is_said_before_the_tasks_that_have_changed(state, why):
    spec = row("carts", "Carts") | {
        "state": state, "changed_since": None, "conflicts": ["TSK-001"], "phases": [], "question": None,
    }  # fmt: skip
    assert specs.why(spec).startswith(why)


@tabled(
    ("usd", "source", "unknown", "said"),
    [
        (None, None, 0, ""),
        (1.2, "reported", 0, "$1.20"),
        (1.2, "estimated", 2, "~$1.20 +2?"),
        (0.001, "estimated", 0, "~<$0.01"),
        (None, None, 2, "– +2?"),
    ],
)
def test_the_cost_of_a_spec_says_what_is_estimated_and_what_is_unknown(usd, source, unknown, said):
    assert specs.cost({"cost_usd": usd, "cost_source": source, "cost_unknown": unknown}) == said
