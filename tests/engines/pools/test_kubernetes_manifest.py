"""The manifest of a pool against the schemas that Kubernetes publishes of its API. No cluster runs it."""

from __future__ import annotations

import os
import subprocess

import pytest
import yaml

from overmind_core.domain.swarm.pools import pool_of
from overmind_core.pool_engines import job_manifest
from tests.kit.engines import leave_out

POOL = pool_of("k8s", {"engine": "kubernetes", "image": "example.com/overmind:1"})


@pytest.fixture
def validate(tmp_path):
    """Return what the validator says against a manifest; nothing, where it is right."""
    program = os.environ.get("OVERMIND_TEST_KUBERNETES_VALIDATE")
    if not program:
        leave_out(
            "pools",
            f"without kubernetes-validate: {os.environ.get('OVERMIND_NO_KUBERNETES_VALIDATE') or 'make test-pools'}",
        )

    def check(text: str) -> str:
        file = tmp_path / "manifest.yaml"
        file.write_text(text)
        done = subprocess.run([program, "--strict", "--quiet", str(file)], capture_output=True, text=True)
        return "" if done.returncode == 0 else done.stdout + done.stderr

    return check


def test_what_is_printed_and_what_is_made_of_it_are_jobs_of_kubernetes(validate):
    assert validate(job_manifest.printed(POOL)) == ""
    command = ["overmind", "hive", "serve", "--pool", "k8s", "--instance", "k8s-1"]
    assert validate(yaml.safe_dump(job_manifest.job_of(job_manifest.template(POOL), "k8s", "k8s-1", command))) == ""


def test_a_key_that_kubernetes_does_not_know_is_refused(validate):
    made = job_manifest.template(POOL)
    made["spec"]["backoffLimits"] = 0
    assert "'backoffLimits' was unexpected" in validate(yaml.safe_dump(made))
