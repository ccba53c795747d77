"""`restart --lost` names the plans that failed for lost agents, with the command that goes on; so does `why`."""

from __future__ import annotations

import pytest


def plan(id_, name, outcome="failed"):
    return {"id": id_, "name": name, "outcome": outcome, "file": f"/{name}.toml"}


PLANS = [plan("a1", "ci"), plan("a0", "ci", "succeeded"), plan("b1", "docs"), plan("c1", "site", "succeeded")]
AGENTS = {
    "a1": [{"name": "x", "stage": "failed", "reason": "keeper_lost"}],
    "b1": [{"name": "x", "stage": "failed", "reason": "check_failed"},
           {"name": "y", "stage": "succeeded", "reason": "keeper_lost"}],
}  # fmt: skip
GO_ON = "a1  ci: a plan, go on with: overmind apply /ci.toml --name ci --rerun failed\n"


@pytest.mark.parametrize(("plans", "out", "err"), [(PLANS, "", GO_ON), (PLANS[1:], "Nothing was lost.\n", "")])
def test_the_newest_plan_of_a_file_is_named_if_agents_of_it_were_lost(overmind, plans, out, err):
    answers = {
        "restart": [{"ok": {"missions": [], "problems": []}}],
        "plans": [{"ok": plans}],
        "plan": lambda args: [{"ok": {"agents": AGENTS[args["id"]]}}],
    }
    ran = overmind(answers, "restart", "--lost")
    assert (ran.out, ran.err) == (out, err)
