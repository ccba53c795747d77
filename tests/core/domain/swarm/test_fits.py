"""Whether a post fits a hive: one condition after the other, and the words for each."""

from __future__ import annotations

import pytest

from overmind_core.domain.swarm.fits import Answer, Condition, Fit, Offered, Wanted, fits, summary

GIB = 1 << 30
EU1 = Offered(
    "eu1", labels={"region": "eu"}, slots=4, free_slots=4, cpu=8, free_cpu=8, memory=16 * GIB, free_memory=16 * GIB,
    providers=("claude",), secrets=("NPM",),
)  # fmt: skip

CASES = [
    (Wanted(), EU1, "yes"),
    (Wanted(labels={"region": "eu"}, provider="claude", secrets=("NPM",), cpu=8, memory=16 * GIB), EU1, "yes"),
    (Wanted(), EU1._replace(is_alive=False), "no: it has no session"),
    (Wanted(), EU1._replace(is_draining=True), "no: it takes nothing new"),
    (Wanted(), EU1._replace(slots=0), "no: it has no slots"),
    (Wanted(only_hive="eu2"), EU1, "no: it is for eu2"),
    (Wanted(only_hive="eu1"), EU1, "yes"),
    (Wanted(labels={"gpu": "yes"}), EU1, "no: label gpu=yes"),
    (Wanted(labels={"region": "us"}), EU1, "no: label region=us"),
    (Wanted(cpu=9), EU1, "no: cpu: it has 8"),
    (Wanted(memory=32 * GIB), EU1, "no: memory: it has 16 GB"),
    (Wanted(provider="codex"), EU1, "no: provider codex"),
    (Wanted(secrets=("NPM", "AWS")), EU1, "no: secret AWS"),
    (Wanted(posted_by="eve"), EU1._replace(accepts={"from": ["alice"]}), "no: accepts nothing from eve"),
    (Wanted(posted_by="alice"), EU1._replace(accepts={"from": ["alice"], "commands": True}), "yes"),
    (Wanted(repository="b"), EU1._replace(accepts={"repositories": ["a"]}), "no: accepts nothing of b"),
    (Wanted(), EU1._replace(accepts={"repositories": ["a"]}), "yes"),
    (Wanted(), EU1._replace(accepts={"commands": False}), "no: accepts no commands"),
    (Wanted(provider="claude"), EU1._replace(accepts={"commands": False}), "yes"),
    (
        Wanted(provider="claude", commands=("check", "verify")),
        EU1._replace(accepts={"commands": False}),
        "no: accepts no commands, and its check is one",
    ),
    (Wanted(provider="claude", commands=("check",)), EU1._replace(accepts={"commands": True}), "yes"),
    (Wanted(provider="claude", commands=("check",)), EU1._replace(accepts={}), "yes"),
    (Wanted(provider="claude"), EU1._replace(accepts={"providers": ["codex"]}), "no: accepts no claude"),
    (Wanted(format=2), EU1, "no: version: it is older than the post"),
    (Wanted(), EU1._replace(refusal="not_pushed"), "waits: given back: not_pushed"),
    (Wanted(cpu=4), EU1._replace(free_cpu=2.5), "waits: cpu: 2.5 free"),
    (Wanted(memory=GIB), EU1._replace(free_memory=GIB // 2), "waits: memory: 0.5 GB free"),
    (Wanted(), EU1._replace(free_slots=0), "waits: slots: 4 of 4 are taken"),
    (Wanted(unmet=2, needs=("docs (queued)", "api (failed)")), EU1, "waits: needs docs (queued), api (failed)"),
    (Wanted(alive="ada: one lives on eu2"), EU1, "waits: lineage ada: one lives on eu2"),
    (Wanted(prefers="eu2"), EU1, "waits: for 60 s it is for eu2, where its conversation lies"),
    (Wanted(prefers="eu1"), EU1, "yes"),
]


@pytest.mark.parametrize(("post", "hive", "line"), CASES)
def test_the_first_condition_that_fails(post, hive, line):
    assert fits(post, hive).line() == line


def test_what_can_t_change_by_itself_comes_before_what_passes():
    busy = EU1._replace(free_slots=0, free_cpu=0)
    assert fits(Wanted(labels={"gpu": "yes"}, cpu=1, unmet=1), busy).condition is Condition.LABEL
    assert fits(Wanted(cpu=1, unmet=1), busy).condition is Condition.CPU


def test_a_hive_says_where_in_its_line_a_post_stands():
    assert fits(Wanted(), EU1).line(2) == "yes, 2nd in line"


SUMMARIES = [
    (Wanted(cpu=4), [], "waits: there are no hives"),
    (Wanted(cpu=4), [EU1._replace(free_cpu=1)] * 3, "waits: cpu: 3 hives fit, none has 4 cpu free"),
    (Wanted(memory=4 * GIB), [EU1._replace(free_memory=1)], "waits: memory: 1 hive fits, none has 4 GB free"),
    (Wanted(), [EU1._replace(free_slots=0)] * 2, "waits: slots: 2 hives fit, none has a slot free"),
    (Wanted(cpu=4), [EU1._replace(free_cpu=1), EU1], "yes"),
    (Wanted(labels={"gpu": "yes"}), [EU1, EU1], "no: 2 hives, none fits: label gpu=yes"),
    (Wanted(labels={"gpu": "yes"}), [EU1._replace(slots=0), EU1], "no: 2 hives, none fits: label gpu=yes"),
    (Wanted(provider="codex", labels={"region": "eu"}), [EU1, EU1._replace(labels={})],
     "no: 2 hives, none fits: provider codex"),
    (Wanted(unmet=1, needs=("docs (queued)",)), [EU1], "waits: needs docs (queued)"),
]  # fmt: skip


@pytest.mark.parametrize(("post", "hives", "line"), SUMMARIES)
def test_one_line_for_all_hives(post, hives, line):
    assert summary(post, [fits(post, hive) for hive in hives]) == line


def test_every_condition_has_a_case():
    found = {fits(post, hive).condition for post, hive, _ in CASES}
    assert found == {None, *Condition}
    assert Fit(Answer.YES).line() == "yes"
