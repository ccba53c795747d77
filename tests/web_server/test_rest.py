"""`/api/v1/…`: what scripts elsewhere ask; each answer is held against the document that the server itself serves."""

from __future__ import annotations

import json

import pytest

from overmind_core.domain.operation import Danger
from overmind_core.domain.operations import OPERATIONS, REQUESTS
from scripts.reference import openapi as written
from tests.contract.golden_refusals import WITH_A_SWARM

pytestmark = pytest.mark.shared_home
KEPT_BACK = {
    "attach",
    "definition",
    "environment",
    "fork",
    "hello",
    "hook",
    "redefine",
    "shutdown",
    "used",
    *WITH_A_SWARM,
}


def test_the_document_has_each_request_that_is_offered_and_no_other():
    paths = written.document()["paths"]
    offered = {row.name for row in REQUESTS if row.on_web}
    assert paths.keys() == {f"/{name}" for name in offered} | {"/log/{id}", "/screen/{id}"}
    gets = {path.removeprefix("/") for path, row in paths.items() if "get" in row}
    assert all(OPERATIONS[name].danger is Danger.NONE for name in gets - {"log/{id}", "screen/{id}"})
    kept_back = {row.name for row in REQUESTS} - offered
    assert {name for name in kept_back if not name.startswith("web_")} == KEPT_BACK


def test_each_reference_of_the_document_leads_somewhere():
    document = written.document()
    text = json.dumps(document)
    references = {part.partition('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert references == set(document["components"]["schemas"])
