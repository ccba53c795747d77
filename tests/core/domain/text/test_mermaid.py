"""A flowchart says by words and by colours how a plan stands, whatever its agents are called."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.plans.progress import AgentStage
from overmind_core.domain.text.graph_drawing import mermaid
from tests.kit.cases import tabled


def test_a_flowchart_has_names_arrows_and_colours():
    edges = {"a": [], "b": ["a"], "c": ["a", "gone"], "d": ["b", "c", "b"]}
    assert mermaid(edges, {"a": "succeeded", "b": "failed", "c": "succeeded", "gone": "failed"}) == (
        "flowchart LR\n"
        '    n0["a<br/>succeeded"]\n'
        '    n1["b<br/>failed"]\n'
        '    n2["c<br/>succeeded"]\n'
        '    n3["d"]\n'
        "    n0 --> n1\n"
        "    n0 --> n2\n"
        "    n1 --> n3\n"
        "    n2 --> n3\n"
        "    classDef succeeded fill:#dafbe1,stroke:#1a7f37,color:#1f2328\n"
        "    class n0,n2 succeeded\n"
        "    classDef failed fill:#ffebe9,stroke:#cf222e,color:#1f2328,stroke-width:3px\n"
        "    class n1 failed\n"
    )


def test_a_flowchart_of_nothing_is_one():
    assert mermaid({}, {}) == "flowchart LR\n"


@tabled("stage", AgentStage)
def test_every_stage_has_a_colour(stage):
    assert f"    class n0 {stage}\n" in mermaid({"a": []}, {"a": stage})


NAMES = [
    ("a-b_c.1", "a-b_c.1"),
    ("end", "end"),
    ('a"]; click', "a#34;]#59; click"),
    ("<b>#35;&amp;", "#60;b#62;#35;35#59;#38;amp#59;"),
    ("`md`\n", "#96;md#96;#92;n"),
]


@pytest.mark.parametrize(("name", "label"), NAMES)
def test_a_name_is_shown_as_it_is(name, label):
    assert f'    n0["{label}"]\n' in mermaid({name: []}, {})


@given(st.dictionaries(st.text(), st.text(), min_size=1, max_size=4))
def test_no_name_and_no_state_ends_its_label(states):
    lines = mermaid(dict.fromkeys(states, ()), states).splitlines()[1:]
    nodes = [line for line in lines if "class" not in line.split('"')[0]]
    assert len(nodes) == len(states)
    assert all(re.fullmatch(r'    n\d+\["[^"<>]*(<br/>[^"<>]*)?"\]', line) for line in nodes)
