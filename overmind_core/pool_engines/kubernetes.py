"""A pool of Kubernetes: each instance is a Job, found again by the pool's label.

Source: kubectl of Kubernetes 1.32; batch/v1 and core/v1 of its API.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from overmind_core.domain.swarm.instance_names import is_instance_name
from overmind_core.domain.swarm.pools import PoolSettings
from overmind_core.pool_engines.job_manifest import INSTANCE_LABEL, POOL_LABEL, job_of, read_manifest, template
from overmind_core.pool_engines.program import EngineSilent, SeenInstance, State, asked, failed, run

_EXISTS = re.compile(r"AlreadyExists|already exists")
_POD = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


class KubernetesEngine:
    """The command `kubectl`, with the pool's `args`, which name a context and a namespace."""

    def __init__(self, settings: PoolSettings) -> None:
        self._settings = settings
        self._kubectl = ["kubectl", *settings.args]

    def start(self, instance: str, command: Sequence[str]) -> str:
        """As in `Engine`."""
        path = self._settings.manifest
        manifest = read_manifest(path) if path else template(self._settings)
        argv = [*self._kubectl, "create", "-f", "-"]
        answer = run(argv, json.dumps(job_of(manifest, self._settings.name, instance, command)))
        if answer.code != 0 and _EXISTS.search(answer.err) is None:
            raise failed(argv, answer)
        return instance

    def seen(self) -> list[SeenInstance]:
        """As in `Engine`."""
        selector = f"{POOL_LABEL}={self._settings.name}"
        return listed(asked([*self._kubectl, "get", "jobs,pods", "-l", selector, "-o", "json"]))

    def alive(self) -> list[SeenInstance]:
        """As in `Engine`."""
        return self.seen()

    def end(self, seen: SeenInstance) -> None:
        """As in `Engine`."""
        argv = [*self._kubectl, "delete", "job", seen.name, "--ignore-not-found", "--wait=false"]
        asked(argv)

    def gate(self, seen: SeenInstance) -> list[str] | None:
        """As in `Engine`; None while it has no pod."""
        if seen.engine_id == seen.name or _POD.fullmatch(seen.engine_id) is None:
            return None
        return [*self._kubectl, "exec", "-i", seen.engine_id, "--", "overmind", "gate", "--instance", seen.name]


def listed(printed: str) -> list[SeenInstance]:
    """Return the instances of what `kubectl get jobs,pods -o json` printed.

    Raises:
        EngineSilent: that is no list.
    """
    try:
        items = json.loads(printed)["items"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise EngineSilent("kubectl printed no list of jobs. Try it by hand: kubectl get jobs") from None
    resources = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    running: dict[str, str] = {}
    for pod in resources:
        if pod.get("kind") == "Pod" and _at(pod, "status", "phase") == "Running":
            instance = str(_at(pod, "metadata", "labels", INSTANCE_LABEL))
            leaves = _at(pod, "metadata", "deletionTimestamp") is not None
            running.setdefault(instance, instance)
            running[instance] = running[instance] if leaves else str(_at(pod, "metadata", "name"))
    found = []
    for job in resources:
        name = _at(job, "metadata", "name")
        if job.get("kind") == "Job" and isinstance(name, str) and is_instance_name(name):
            state: State = "ended" if _has_ended(job) else "running" if name in running else "pending"
            found.append(SeenInstance(name, running.get(name, name), state))
    return found


def _has_ended(job: Mapping[str, Any]) -> bool:
    conditions = _at(job, "status", "conditions")
    return any(
        _at(one, "type") in {"Complete", "Failed"} and _at(one, "status") == "True"
        for one in (conditions if isinstance(conditions, list) else [])
    )


def _at(value: object, *keys: str) -> object:
    """Return what is there; None: nothing is."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
