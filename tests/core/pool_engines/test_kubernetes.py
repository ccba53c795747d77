"""A pool of Kubernetes: the shape of its Job, and what kubectl prints. No cluster was asked."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.swarm.instance_names import is_instance_name
from overmind_core.domain.swarm.pools import pool_of
from overmind_core.pool_engines import job_manifest
from overmind_core.pool_engines.engine import EngineSilent, SeenInstance, engine_of
from overmind_core.pool_engines.kubernetes import listed

POOL = pool_of("k8s", {"engine": "kubernetes", "image": "example.com/overmind:1", "args": ["--namespace=agents"]})
COMMAND = ["overmind", "hive", "serve", "--pool", "k8s", "--instance", "k8s-1"]


def job(name: str, *conditions: str) -> dict[str, object]:
    ends = [{"type": one, "status": "True"} for one in conditions]
    return {"kind": "Job", "metadata": {"name": name}, "status": {"conditions": ends}}


def pod(name: str, instance: str, phase: str = "Running", **more: object) -> dict[str, object]:
    labels = {job_manifest.INSTANCE_LABEL: instance}
    return {"kind": "Pod", "metadata": {"name": name, "labels": labels, **more}, "status": {"phase": phase}}


def test_what_is_printed_is_a_job_that_runs_once_and_has_its_invitation_as_a_file():
    printed = yaml.safe_load(job_manifest.printed(POOL))
    assert (printed["apiVersion"], printed["kind"]) == ("batch/v1", "Job")
    assert printed["spec"]["backoffLimit"] == 0
    pod_spec = printed["spec"]["template"]["spec"]
    assert pod_spec["restartPolicy"] == "Never"
    secret = next(volume["secret"] for volume in pod_spec["volumes"] if "secret" in volume)
    assert secret["secretName"] == "overmind-k8s"
    (container,) = pod_spec["containers"]
    assert container["image"] == "example.com/overmind:1"
    assert "env" not in container
    mounted = next(mount for mount in container["volumeMounts"] if mount["name"] == "invitation")
    assert f"{mounted['mountPath']}/{job_manifest.SECRET_KEY}" == POOL.invitation
    assert mounted["readOnly"] is True


def test_an_instances_job_has_its_name_its_labels_and_its_command():
    made = job_manifest.job_of(job_manifest.template(POOL), "k8s", "k8s-1", COMMAND)
    assert made["metadata"]["name"] == "k8s-1"
    for labels in (made["metadata"]["labels"], made["spec"]["template"]["metadata"]["labels"]):
        assert (labels[job_manifest.POOL_LABEL], labels[job_manifest.INSTANCE_LABEL]) == ("k8s", "k8s-1")
    assert made["spec"]["template"]["spec"]["containers"][0]["command"] == COMMAND
    assert "{instance}" not in json.dumps(made)


def test_a_changed_manifest_keeps_what_a_person_wrote(tmp_path):
    mine = yaml.safe_load(job_manifest.printed(POOL))
    mine["metadata"] = {"annotations": {"team": "web", "of": "{instance}"}}
    spec = mine["spec"]["template"]["spec"]
    spec["containers"] = [{"name": "proxy", "image": "p"}, {"name": "overmind", "image": "mine:2", "args": ["x"]}]
    spec["nodeSelector"] = {"gpu": "yes"}
    path = tmp_path / "job.yaml"
    path.write_text(yaml.safe_dump(mine))
    made = job_manifest.job_of(job_manifest.read_manifest(str(path)), "k8s", "k8s-1", COMMAND)
    assert made["metadata"]["annotations"] == {"team": "web", "of": "k8s-1"}
    assert made["metadata"]["labels"][job_manifest.POOL_LABEL] == "k8s"
    pod_spec = made["spec"]["template"]["spec"]
    assert pod_spec["nodeSelector"] == {"gpu": "yes"}
    assert pod_spec["containers"] == [
        {"name": "proxy", "image": "p"},
        {"name": "overmind", "image": "mine:2", "command": COMMAND},
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kind: Pod\n", "no Job with a container"),
        ("kind: Job\nspec: {}\n", "no Job with a container"),
        ("kind: Job\nspec: {template: {spec: {containers: [3]}}}\n", "no Job with a container"),
        ("- a\n", "no Job with a container"),
        ("a: b: c\n", "must be YAML"),
        ("a: 1\n---\na: 2\n", "must be YAML"),
        pytest.param("[" * 5000, "must be YAML", id="too deep"),
        ("!!python/object/apply:os.system [id]\n", "must be YAML"),
    ],
)
def test_a_manifest_that_is_no_job_is_refused(tmp_path, text, says):
    path = tmp_path / "job.yaml"
    path.write_text(text)
    with pytest.raises(EngineSilent, match=says):
        job_manifest.read_manifest(str(path))


def test_a_manifest_that_is_not_there_is_named(tmp_path):
    with pytest.raises(EngineSilent, match=r"nowhere\.yaml can't be read: No such file"):
        job_manifest.read_manifest(str(tmp_path / "nowhere.yaml"))


@pytest.mark.parametrize("name", ["", "K8s-1", "a_b", "1a", "a-", "a" * 64, "a b", "a\n"])
def test_a_name_that_no_job_can_have_is_refused(name):
    with pytest.raises(ValueError, match="can't be the name of a Job"):
        job_manifest.job_of(job_manifest.template(POOL), "k8s", name, COMMAND)


def test_instances_are_jobs_and_run_where_their_pod_does():
    items = [
        job("k8s-1"), pod("k8s-1-abcde", "k8s-1"),
        job("k8s-2"), pod("k8s-2-abcde", "k8s-2", "Pending"),
        job("k8s-3", "Failed"), pod("k8s-3-abcde", "k8s-3", "Failed"),
        job("k8s-4", "Complete"),
        job("k8s-5"), pod("k8s-5-abcde", "k8s-5", deletionTimestamp="2026-01-01T00:00:00Z"),
    ]  # fmt: skip
    assert listed(json.dumps({"kind": "List", "items": items})) == [
        SeenInstance("k8s-1", "k8s-1-abcde", "running"),
        SeenInstance("k8s-2", "k8s-2", "pending"),
        SeenInstance("k8s-3", "k8s-3", "ended"),
        SeenInstance("k8s-4", "k8s-4", "ended"),
        SeenInstance("k8s-5", "k8s-5", "running"),
    ]


def test_a_gate_is_a_command_in_the_pod_that_runs():
    engine = engine_of(POOL)
    gate = engine.gate(SeenInstance("k8s-1", "k8s-1-abcde", "running"))
    assert gate is not None
    assert gate[:6] == ["kubectl", "--namespace=agents", "exec", "-i", "k8s-1-abcde", "--"]
    assert engine.gate(SeenInstance("k8s-1", "k8s-1", "running")) is None
    assert engine.gate(SeenInstance("k8s-1", "--all; id", "running")) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "items", "metadata", "labels", "name", "status", "phase", "conditions", "type"]),
            inner,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_output_breaks_the_reading_or_brings_a_word_that_means_something_to_a_shell(items):
    for one in listed(json.dumps({"items": items})):
        assert is_instance_name(one.name)


@pytest.mark.parametrize("printed", ["", "{}", "[]", "null", "error: no context", "[" * 100_000])
def test_what_is_no_list_is_none(printed):
    with pytest.raises(EngineSilent, match="no list of jobs"):
        listed(printed)
