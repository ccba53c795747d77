"""What is a reference and what isn't, and what takes its place in a text that no shell reads."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from overmind_core.domain.plans.references import (
    BrokenReference,
    Reference,
    UnknownValue,
    UnusableValue,
    ValueSource,
    bind_shell,
    bind_text,
    check_text,
    references,
)
from tests.kit.cases import tabled

KEYS = [
    ("", []),
    ("nothing $HOME ${HOME} ${x:-y} $(a) $$ ${vars} ${agents} ${agent.x.result} $vars.x {vars.x}", []),
    ("${vars.base}", ["vars.base"]),
    ("a${vars.a}b${env.HOME}c${agents.x.result}d", ["vars.a", "env.HOME", "agents.x.result"]),
    ("${vars.a}${vars.a}", ["vars.a", "vars.a"]),
    ("${agents.web-1.2_b.exit_code}", ["agents.web-1.2_b.exit_code"]),
    ("$${vars.x} $${agents} $${", []),
    ("$$${vars.x}", []),
    ("$${$${${vars.x}", ["vars.x"]),
    ("${${vars.x}}", ["vars.x"]),
]


@tabled(("text", "keys"), KEYS)
def test_references_are_found_in_order(text, keys):
    found = references(text)
    assert [one.key for one in found] == keys
    assert [text[one.start : one.end] for one in found] == [f"${{{key}}}" for key in keys]


def test_a_reference_has_its_parts():
    assert references("<${agents.a.b.facts}>") == [Reference(ValueSource.AGENTS, "a.b", "facts", 1, 20)]
    assert references("${vars.a}") == [Reference(ValueSource.VARS, "a", "", 0, 9)]


BROKEN = [
    ("${vars.}", 0, "write ${vars.NAME}"),
    ("${vars.a b}", 0, "write ${vars.NAME}"),
    ("${vars.a:-b}", 0, "write ${vars.NAME}"),
    ("${vars.a.b}", 0, "write ${vars.NAME}"),
    ("${env.}", 0, "write ${env.NAME}"),
    ("${env.1a}", 0, "write ${env.NAME}"),
    ("${agents.x}", 0, "write ${agents.x.result}"),
    ("${agents.}", 0, "write ${agents.AGENT.result}"),
    ("${agents..}", 0, "write ${agents.AGENT.result}"),
    ("${agents.x.}", 0, "write ${agents.x.result}"),
    ("${agents.-x.result}", 0, "write ${agents.AGENT.result}"),
    ("${agents.x.re sult}", 0, "write ${agents.x.result}"),
    ("a ${vars.x} ${vars.x", 12, "this ${vars. is never closed"),
    ("$$${agents.x} ${agents.x}", 14, "${agents.x}: write"),
    ("a\0b", 1, "NUL"),
]


@tabled(("text", "at", "why"), BROKEN)
def test_a_misspelt_reference_is_shown_where_it_stands(text, at, why):
    with pytest.raises(BrokenReference) as broken:
        references(text)
    assert broken.value.at == at
    assert why in broken.value.why
    with pytest.raises(BrokenReference):
        bind_text(text, {"vars.x": ""})


def test_all_misspelt_references_are_shown_at_once():
    assert [one.at for one in check_text("${vars.} ${vars.x} ${agents.x} ${env.}")] == [0, 19, 31]
    assert check_text("${vars.x} $${vars.}") == []


VALUES = {"vars.a": "1", "env.HOME": "/home", "agents.x.result": "${vars.a} $${ $(x)", "vars.empty": ""}
BOUND = [
    ("", ""),
    ("plain", "plain"),
    ("${vars.a}", "1"),
    ("-${vars.a}-${env.HOME}/${vars.a}", "-1-/home/1"),
    ("${agents.x.result}!", "${vars.a} $${ $(x)!"),
    ("[${vars.empty}]", "[]"),
    ("$${vars.a} $$${vars.a} $$", "${vars.a} $${vars.a} $$"),
    ("'${vars.a}' `${vars.a}` ${HOME}", "'1' `1` ${HOME}"),
]


@tabled(("text", "expected"), BOUND)
def test_values_take_the_places_of_references(text, expected):
    assert bind_text(text, VALUES) == expected


@pytest.mark.parametrize("bind", [bind_text, bind_shell])
def test_a_value_that_nobody_gave_is_named(bind):
    with pytest.raises(UnknownValue, match=r"\$\{agents\.x\.facts\}"):
        bind("echo ${agents.x.facts}", VALUES)


@pytest.mark.parametrize("bind", [bind_text, bind_shell])
@pytest.mark.parametrize(("value", "why"), [("a\0b", "NUL"), ("\ud83d", "surrogate")])
def test_a_value_that_no_program_can_be_given_is_refused(bind, value, why):
    with pytest.raises(UnusableValue, match=why) as refused:
        bind("echo ${vars.x}", {"vars.x": value})
    assert refused.value.key == "vars.x"


def test_bytes_that_were_no_text_are_values_like_others():
    assert bind_text("${vars.x}", {"vars.x": "\udc80"}) == "\udc80"


plain = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(plain)
@example("$${")
@example("$$${vars.x}")
@example("${vars.")
def test_an_escaped_text_means_itself(text):
    assert bind_text(text.replace("${", "$${"), {}) == text


@given(st.lists(st.tuples(plain, plain)))
def test_what_a_value_contains_is_not_looked_at(pairs):
    written = "".join(before.replace("$", "") + f"${{vars.v{number}}}" for number, (before, _) in enumerate(pairs))
    values = {f"vars.v{number}": value for number, (_, value) in enumerate(pairs)}
    assert bind_text(written, values) == "".join(before.replace("$", "") + value for before, value in pairs)
