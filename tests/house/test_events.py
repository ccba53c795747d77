"""Every type of event is a class of its own, stands where events stand, and is in the reference."""

from __future__ import annotations

import json
import os
import re
from collections import Counter

import overmind_core.daemon.app  # noqa: F401 - all features, with all classes that they have
from overmind_core.domain.events import Event, MissionEvent, type_of
from tests.kit.cases import each
from tests.kit.events import TYPES
from tests.kit.overmind import REPOSITORY


def classes(kind: type[Event]) -> list[type[Event]]:
    return [kind, *(found for below in kind.__subclasses__() for found in classes(below))]


def golden(name: str):
    with open(os.path.join(REPOSITORY, "tests", "contract", "goldens", name), encoding="utf-8") as file:
        return json.load(file)


def reference() -> str:
    with open(os.path.join(REPOSITORY, "docs", "events.md"), encoding="utf-8") as file:
        return file.read()


ALL = classes(Event)
GOLDEN = golden("events.json")


def test_no_two_classes_share_a_name_or_a_type():
    assert [name for name, count in Counter(kind.__name__ for kind in ALL).items() if count > 1] == []
    assert [name for name, count in Counter(map(type_of, ALL)).items() if count > 1] == []


def test_a_type_has_nothing_below_it_and_what_has_something_below_is_no_type():
    assert set(TYPES.values()) == {kind for kind in ALL if not kind.__subclasses__()}
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", name) for name in TYPES)


@each(ALL, lambda kind: kind.__name__)
def test_its_class_stands_where_events_stand(kind):
    assert kind.__module__.endswith(".events")


@each(ALL, lambda kind: kind.__name__)
def test_it_never_changes_for_it_is_published_to_many(kind):
    assert kind.__struct_config__.frozen


@each(TYPES, str)
def test_it_is_in_the_reference_with_all_its_fields(name):
    (row,) = re.findall(rf"^\| `{name}` \| (.+) \| (.*) \|$", reference(), re.MULTILINE)
    sentence, fields = row
    assert sentence.endswith(".")
    own = [field for field in TYPES[name].__struct_encode_fields__ if field not in MissionEvent.__struct_fields__]
    assert [field for field in own if f"`{field}`: " not in fields] == []


@each(GOLDEN, str)
def test_what_was_seen_of_it_has_its_fields_in_their_order(name):
    kind = TYPES[name]
    order = [field for field in kind.__struct_encode_fields__ if field not in {"seq", "at"}]
    for event in GOLDEN[name]:
        assert list(event) == ["seq", "type", *(field for field in order if field in event), "at"]


def test_no_publisher_or_subscriber_names_a_type_by_its_text():
    """Of the daemon: what reads the stream from outside has nothing but the text."""
    call = re.compile(r"(?:record|event|note)\w*\(\s*f?\"(\w+)\"")
    found = []
    for folder, _, names in os.walk(os.path.join(REPOSITORY, "overmind_core")):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), REPOSITORY)
            if name.endswith(".py") and not path.startswith(("overmind_core/cli", "overmind_core/demo")):
                with open(os.path.join(REPOSITORY, path), encoding="utf-8") as file:
                    found += [(path, one) for one in call.findall(file.read())]
    assert found == []
