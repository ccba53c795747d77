"""What `ray job` is told and prints: its list is read token by token, so that no text in it is taken for a job."""

from __future__ import annotations

import pprint

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.swarm.instance_names import is_instance_name
from overmind_core.domain.swarm.pools import pool_of
from overmind_core.pool_engines.engine import EngineSilent, SeenInstance, engine_of
from overmind_core.pool_engines.program import State
from overmind_core.pool_engines.ray import listed, submission

HEAD = "2026-01-05 12:55:30,474\tINFO cli.py:600 -- "


class JobDetails:
    """Written as Ray 2.60 writes one."""

    def __init__(self, name: str | None, status: str, message: str = "", entrypoint: str = "sleep 300") -> None:
        self.row = (name, status, message, entrypoint)

    def __repr__(self) -> str:
        name, status, message, entrypoint = self.row
        return (
            f"JobDetails(type=<JobType.SUBMISSION: 'SUBMISSION'>, job_id=None, submission_id={name!r}, "
            f"driver_info=None, status=<JobStatus.{status}: '{status}'>, entrypoint={entrypoint!r}, "
            f"message={message!r}, error_type=None, start_time=1795524928417, metadata={{'status': {message!r}}}, "
            "runtime_env={}, driver_exit_code=None)"
        )


@pytest.mark.parametrize("head", ["", HEAD, f"{HEAD}Job submission server address\n{HEAD}"])
def test_jobs_are_read_from_rays_list(head):
    jobs = [JobDetails("ray-1", "PENDING"), JobDetails("ray-2", "RUNNING"), JobDetails("ray-3", "STOPPED"),
            JobDetails("ray-4", "FAILED"), JobDetails("ray-5", "SUCCEEDED"), JobDetails("ray-6", "A_LATER_ONE"),
            JobDetails(None, "RUNNING"), JobDetails("a b", "RUNNING")]  # fmt: skip
    states: list[State] = ["pending", "running", "ended", "ended", "ended", "running"]
    assert listed(head + pprint.pformat(jobs)) == [
        SeenInstance(f"ray-{number}", f"ray-{number}", state) for number, state in enumerate(states, 1)
    ]
    assert listed(f"{head}[]\n") == []


@given(st.text(), st.text())
def test_no_text_of_a_job_is_taken_for_another_one(message, entrypoint):
    jobs = [JobDetails("ray-1", "RUNNING", message, entrypoint), JobDetails("ray-2", "STOPPED", entrypoint, message)]
    assert listed(HEAD + pprint.pformat(jobs)) == [
        SeenInstance("ray-1", "ray-1", "running"),
        SeenInstance("ray-2", "ray-2", "ended"),
    ]


def test_a_text_that_looks_like_a_job_is_a_text():
    forged = f"'), {JobDetails('evil-1', 'RUNNING')!r}, JobDetails(message='"
    assert [one.name for one in listed(pprint.pformat([JobDetails("ray-1", "RUNNING", forged, forged)]))] == ["ray-1"]


@given(st.text())
def test_no_output_breaks_the_reading(printed):
    try:
        found = listed("[JobDetails(" + printed)
    except EngineSilent:
        return
    assert all(is_instance_name(one.name) for one in found)


@pytest.mark.parametrize(
    "printed", ["", "Traceback (most recent call last):", "{'a': 1}", "JobDetails(submission_id='x'"]
)
def test_what_is_no_list_is_none(printed):
    with pytest.raises(EngineSilent, match="no list of jobs"):
        listed(printed)


def test_an_instance_is_submitted_by_its_name_and_not_waited_for():
    assert submission(["--address=http://h:8265"], "ray-1", ["overmind", "hive", "serve"]) == [
        "ray", "job", "submit", "--address=http://h:8265", "--submission-id", "ray-1", "--no-wait", "--",
        "overmind", "hive", "serve",
    ]  # fmt: skip


@pytest.mark.parametrize("word", ["$(id)", "a b", "a;b", "", "'", "*", "~", "a\n", "`id`", "a&b"])
def test_a_word_that_rays_shell_would_change_is_refused(word):
    with pytest.raises(EngineSilent, match="its shell would change it"):
        submission([], "ray-1", ["overmind", word])


def test_a_pool_of_ray_is_reached_through_the_swarm_only():
    engine = engine_of(pool_of("ray", {"engine": "ray", "args": ["--address=http://127.0.0.1:1"]}))
    assert engine.gate(SeenInstance("ray-1", "ray-1", "running")) is None
