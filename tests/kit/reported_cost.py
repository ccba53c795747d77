"""What an agent has cost, by its program's own result lines: what the product's figures are held against."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.kit.overmind import Overmind


def results(om: Overmind, mission: str) -> list[dict[str, Any]]:
    """Return the program's result lines of all runs, oldest first."""
    lines = om.raw("logs", mission, "--raw").decode().splitlines()
    found = [json.loads(line) for line in lines if line.startswith("{") and '"type":"result"' in line]
    return [line for line in found if line.get("type") == "result"]


def by_turns(om: Overmind, mission: str) -> float:
    """Return US dollars: what each turn says that it has cost, added up."""
    models = [model for line in results(om, mission) for model in line["model_usage_since_last_result"].values()]
    return sum(float(model["costUSD"]) for model in models)


def by_total(om: Overmind, mission: str) -> float:
    """Return US dollars: what the program's newest line says that the whole conversation has cost."""
    return float(results(om, mission)[-1]["total_cost_usd"])


def assert_known(om: Overmind, mission: str, usd: float) -> None:
    """Everything that tells of cost tells `usd`."""
    row = {one["key"]: one["cost_usd"] for one in om.json("cost", "--json")}
    assert usd > 0
    assert (om.info(mission)["cost_usd"], row[mission]) == (pytest.approx(usd, abs=1e-5), pytest.approx(usd, abs=1e-5))
