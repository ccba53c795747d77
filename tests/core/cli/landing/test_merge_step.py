"""What a plan runs to land the work of its agents: again after a daemon was lost, and nothing to do is no failure."""

from __future__ import annotations

import pytest

from overmind_core.cli import main
from overmind_core.cli.context import Context
from overmind_core.cli.landing.merge import MERGE_STEP
from overmind_core.cli.parser import parse
from overmind_core.errors import OvermindError

LOST, NOTHING, CLEAN, GONE = "daemon_lost", "nothing_to_merge", "nothing_to_commit", "not_isolated"
COMMIT, MERGE = ["commit", "aaaaaaaa", "-m", "p-copy: work of api"], ["merge", "aaaaaaaa", "--into=main", "--squash"]


@pytest.mark.parametrize(
    ("answers", "given"),
    [
        ([None, None], [COMMIT, MERGE]),
        ([CLEAN, None], [COMMIT, MERGE]),
        ([GONE, GONE], [COMMIT, MERGE]),
        ([LOST, CLEAN, LOST, LOST, NOTHING], [COMMIT, COMMIT, MERGE, MERGE, MERGE]),
    ],
)
def test_each_is_committed_and_merged(monkeypatch, answers, given):
    asked = play(monkeypatch, answers)

    assert MERGE_STEP.run(parse(MERGE_STEP, words("api=aaaaaaaa")), Context({})) == 0
    assert asked == given


def test_what_can_not_land_is_the_end(monkeypatch):
    asked = play(monkeypatch, [None, "conflicts"])

    with pytest.raises(OvermindError) as refused:
        MERGE_STEP.run(parse(MERGE_STEP, words("api=aaaaaaaa", "ui=bbbbbbbb")), Context({}))
    assert (refused.value.code, asked) == ("conflicts", [COMMIT, MERGE])


@pytest.mark.parametrize(
    ("at", "said", "told"),
    [
        (0, "no.", "api has not landed, ui, docs were not tried: no. "),
        (1, "1 file of ui conflicts with main. Nothing was changed: a (api, ui).",
         "api has landed, ui has not, docs was not tried: 1 file of ui conflicts with main. a (api, ui). "),
        (2, "The check of docs on main failed (exit 1): nothing was changed. See its output with: overmind logs dd",
         ("api, ui have landed, docs has not: The check of docs on main failed (exit 1). See its output with: "
          "overmind logs dd. ")),
    ],
)  # fmt: skip
def test_how_far_it_came_is_said_of_each_and_what_goes_on(monkeypatch, at, said, told):
    play(monkeypatch, [*[None, None] * at, None, "conflicts"], said)

    with pytest.raises(OvermindError) as refused:
        MERGE_STEP.run(parse(MERGE_STEP, words("api=aaaaaaaa", "ui=bbbbbbbb", "docs=cccccccc")), Context({}))
    assert refused.value.message == (
        f"{told}Fix it in its worktree (see: overmind worktrees) or on the branch, then go on with: "
        "overmind apply '/shop/my plan.toml' --name p-copy --rerun failed"
    )


def test_who_had_nothing_to_land_is_not_said_to_have_landed(monkeypatch):
    play(monkeypatch, [CLEAN, NOTHING, None, None, None, "conflicts"])

    with pytest.raises(OvermindError) as refused:
        MERGE_STEP.run(parse(MERGE_STEP, words("idle=aaaaaaaa", "api=bbbbbbbb", "ui=cccccccc")), Context({}))
    assert refused.value.message.startswith("api has landed, ui has not: no. Fix it")


def words(*agents):
    return ["--plan", "p-copy", "--file", "/shop/my plan.toml", "--into", "main", "--squash", *agents]


def play(monkeypatch, answers, said="no"):
    """Stand for the command line; returns what it is asked."""
    asked, left = [], list(answers)

    def run(line, _context):
        asked.append(line)
        code = left.pop(0)
        if code is not None:
            raise OvermindError(code, said)
        return 0

    monkeypatch.setattr(main, "run", run)
    return asked
