"""A mission's facts and figures in the panel."""

from __future__ import annotations

from overmind_core.domain.text.cells import width
from overmind_core.view import stats_face
from overmind_core.view.load_graph import graph
from overmind_core.view.stats_face import MissionFacts, StatsLook, asks_for, lines
from overmind_core.view.summary import Sample
from tests.kit.cases import tabled
from tests.kit.screen_panel import (
    CHANGES,
    CPU,
    HOME,
    NOW,
    SEARCH,
    SEARCH_TERMS,
    STATS_SAMPLES,
    TITLE_CPU,
    TITLE_SAMPLES,
    ZONE,
    mission,
)
from tests.kit.screen_pictures import texts

FACTS = MissionFacts(SEARCH, SEARCH_TERMS, CHANGES, asks=("push", "network"))


SAID = [
    (MissionFacts(mission("a", provider="raw", command="make all", type="task")), "task", "make all"),
    (MissionFacts(mission("a"), parent="planner"), "started", "14:23 by planner, run 1, working for 12m"),
    (MissionFacts(mission("a", status="crashed", outcome="failed", ended_at=mission("a")["started_at"])), "started",
     "14:23 by you, run 1, failed after 0s"),
    (MissionFacts(mission("a")), "folder", "~/shop"),
    (MissionFacts(mission("a", isolation={"ports": {"web": 4310, "db": 5432}})), "ports", "db 5432, web 4310"),
    (MissionFacts(mission("a"), {"agent": {"allow": ["Read"], "deny": ["Bash(rm:*)"]}}), "rules",
     "allows Read; denies rm"),
    (MissionFacts(mission("a", own_rules=["memory"]), {"agent": {"allow": ["Read"]}}, asks=asks_for("plan")), "rules",
     "allows Read, memory; asks for all else"),
    (MissionFacts(mission("a", permission_mode="acceptEdits"), asks=asks_for("acceptEdits")), "rules",
     "mode acceptEdits"),
    (MissionFacts(mission("a", permission_mode=None), {"agent": {"deny": ["Read"]}}, asks=asks_for(None)), "rules",
     "denies Read"),
    (MissionFacts(mission("a"), None, CHANGES._replace(files=())), "changed", "no changes"),
    (MissionFacts(mission("a"), None, CHANGES._replace(note="Its folder is shared.", base="")), "changed",
     "3 files, +46 −8 in the folder, nothing committed"),
]  # fmt: skip


@tabled(("facts", "label", "text"), SAID)
def test_each_fact_has_its_line(facts, label, text):
    shown = texts(lines(facts, (), StatsLook(80, NOW, ZONE, HOME)))
    assert f" {label:<9} {text}" in shown


def test_a_long_task_leaves_room_for_all_else():
    facts = MissionFacts(mission("a"), {"agent": {"prompt": "Mend the search. " * 240}})
    shown = texts(lines(facts, STATS_SAMPLES, StatsLook(120, NOW, ZONE, HOME)))
    assert shown[3].endswith("…")
    assert shown[4].startswith(" started ")
    assert all(width(line) < 120 for line in shown)
    assert len(shown) < 16


def test_what_nobody_knows_has_no_line():
    shown = "\n".join(texts(lines(MissionFacts(mission("a")), (), StatsLook(80, NOW, ZONE, HOME))))
    assert not {"rules", "notes", "changed", "cpu"} & set(shown.split())


def test_the_bars_of_the_pictures_are_what_samples_make():
    assert graph([one.cpu for one in STATS_SAMPLES], 48, full=100.0).bars == CPU
    assert graph([one.cpu for one in TITLE_SAMPLES], 12, full=100.0).bars == TITLE_CPU


FIGURES = [
    ([], []),
    ([Sample(7.0, 1e6, 0.0)], [" cpu         7 %", " out      0 kB/s", " mem      1.0 MB"]),
    ([Sample(7.0, 1e6, 0.0)] * 9, [" cpu         7 %  steady", " out      0 kB/s  steady", " mem      1.0 MB  steady"]),
]


@tabled(("samples", "shown"), FIGURES)
def test_flat_figures_are_steady_and_one_sample_has_no_bar(samples, shown):
    assert texts(stats_face.graph_lines(samples, 120)) == shown


def test_what_has_ended_has_no_load_any_more():
    samples = [Sample(0.0, 0.0, 0.0), Sample(3.0, 3_900_000.0, 929.0)]
    assert [line[1].text.strip() for line in stats_face.graph_lines(samples, 80, live=False)[:3]] == ["-", "-", "-"]


def test_the_axis_says_how_long_ago_the_first_bar_begins():
    shown = texts(stats_face.graph_lines([Sample(float(place)) for place in range(20)], 120))
    assert shown[-1] == " " * 18 + "2 min ago        now"
    assert width(shown[0].partition("  top")[0]) == 38
