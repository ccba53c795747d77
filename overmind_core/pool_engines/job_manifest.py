"""The Job of an instance on Kubernetes: what `overmind pool manifest` prints, and what a person has made of it."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from overmind_core.domain.swarm.pools import INVITATION_IN_POD, PLACEHOLDER, PoolSettings
from overmind_core.pool_engines.program import EngineSilent

POOL_LABEL, INSTANCE_LABEL = "overmind/pool", "overmind/instance"
CONTAINER = "overmind"
"""The container that the instance's command goes into."""
SECRET_KEY = INVITATION_IN_POD.rpartition("/")[2]
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
"""Of a Job whose pods are to have names; source: RFC 1035 labels."""
GRACE = 30
"""Seconds between SIGTERM and SIGKILL: an instance drains for 20."""
KEPT = 3600
"""Seconds that a Job that ended is kept, so that its log can be read."""


def secret_name(pool: str) -> str:
    """Return the name of the Secret with a pool's invitation."""
    return f"overmind-{pool}"


def template(settings: PoolSettings) -> dict[str, Any]:
    """Return the Job of a pool's instances, with `{instance}` where the name of one belongs."""
    labels = {
        "app.kubernetes.io/managed-by": "overmind",
        POOL_LABEL: settings.name,
        INSTANCE_LABEL: PLACEHOLDER,
    }
    folder = INVITATION_IN_POD.rpartition("/")[0]
    container = {
        "name": CONTAINER,
        "image": settings.image or "registry.example.com/overmind:latest",
        "volumeMounts": [
            {"name": "invitation", "mountPath": folder, "readOnly": True},
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108 - of the pod alone
        ],
    }
    pod = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": GRACE,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"fsGroup": 1000},
        "containers": [container],
        "volumes": [
            {"name": "invitation", "secret": {"secretName": secret_name(settings.name), "defaultMode": 0o440}},
            {"name": "scratch", "emptyDir": {}},
        ],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": PLACEHOLDER, "labels": labels},
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "ttlSecondsAfterFinished": KEPT,
            "template": {"metadata": {"labels": dict(labels)}, "spec": pod},
        },
    }


def printed(settings: PoolSettings) -> str:
    """Return the manifest as `overmind pool manifest` prints it."""
    secret = secret_name(settings.name)
    head = (
        f"# An instance of pool {settings.name}. Change it, keep it as a file, and name its path in config.toml:\n"
        f'#   [pools.{settings.name}]\n#   manifest = "/path/of/this.yaml"\n'
        f"# {PLACEHOLDER} becomes the instance's name, and the container {CONTAINER} gets the instance's command.\n"
        f"# The invitation is a file of a Secret, made once:\n"
        f"#   kubectl create secret generic {secret} --from-file={SECRET_KEY}=FILE\n"
    )
    return head + yaml.safe_dump(template(settings), sort_keys=False)


def read_manifest(path: str) -> dict[str, Any]:
    """Return the Job that a file has.

    Raises:
        EngineSilent: it can't be read, or has something else.
    """
    try:
        with open(path, encoding="utf-8") as file:
            found = yaml.safe_load(file)
    except OSError as error:
        raise EngineSilent(f"The manifest {path} can't be read: {error.strerror}.") from None
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError):
        raise EngineSilent(f"The manifest {path} must be YAML of one document.") from None
    if not isinstance(found, dict) or found.get("kind") != "Job" or not _containers(found):
        raise EngineSilent(f"The manifest {path} has no Job with a container. Start from: overmind pool manifest NAME")
    return found


def job_of(manifest: Mapping[str, Any], pool: str, instance: str, command: Sequence[str]) -> dict[str, Any]:
    """Return the Job of one instance.

    Args:
        manifest: Of the pool.
        pool: Its name, for the label by which the Job is found again.
        instance: Its name.
        command: The words that the container runs.

    Raises:
        ValueError: no Job can be called so.
    """
    if _NAME.fullmatch(instance) is None:
        raise ValueError(f"{instance!r} can't be the name of a Job: it has lower-case letters, digits and '-'")
    job: dict[str, Any] = _filled(copy.deepcopy(dict(manifest)), instance)
    pod = job["spec"]["template"]
    for holder in (job, pod):
        metadata = holder["metadata"] = _table(holder.get("metadata"))
        metadata["labels"] = {**_table(metadata.get("labels")), POOL_LABEL: pool, INSTANCE_LABEL: instance}
    job["metadata"]["name"] = instance
    containers = _containers(job)
    chosen = next((one for one in containers if one.get("name") == CONTAINER), containers[0])
    chosen["command"] = list(command)
    chosen.pop("args", None)
    return job


def _filled(value: Any, instance: str) -> Any:  # noqa: ANN401 - of any file
    if isinstance(value, str):
        return value.replace(PLACEHOLDER, instance)
    if isinstance(value, list):
        return [_filled(one, instance) for one in value]
    if isinstance(value, dict):
        return {key: _filled(one, instance) for key, one in value.items()}
    return value


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _containers(job: Mapping[str, Any]) -> list[dict[str, Any]]:
    spec = _table(_table(_table(job.get("spec")).get("template")).get("spec"))
    containers = spec.get("containers")
    return [one for one in containers if isinstance(one, dict)] if isinstance(containers, list) else []
