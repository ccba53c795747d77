"""What Slurm's programs are told and print: strict about numbers and names, whatever else stands there."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.swarm.instance_names import is_instance_name
from overmind_core.domain.swarm.pools import pool_of
from overmind_core.pool_engines.engine import EngineSilent, SeenInstance, engine_of
from overmind_core.pool_engines.slurm import listed, script, state_of, submission, submitted, variables

SLURM = pool_of("hpc", {"engine": "slurm", "args": ["--partition=gpu"]})


def test_a_job_gets_a_few_variables_and_what_is_for_slurm_itself():
    given = {"PATH": "/bin", "HOME": "/h", "SLURM_CONF": "/c", "SBATCH_ACCOUNT": "web", "API_KEY": "x", "SLURM_ID": "1"}
    assert variables(given) == {"PATH": "/bin", "HOME": "/h", "SLURM_CONF": "/c", "SBATCH_ACCOUNT": "web"}


def test_an_instance_is_submitted_once_by_its_name():
    words = submission(["--partition=gpu"], "hpc-3")
    assert words[0] == "sbatch"
    assert words[-4:] == ["--parsable", "--job-name", "hpc-3", "--no-requeue"]
    assert "--partition=gpu" in words
    assert "--dependency=singleton" in words


@pytest.mark.parametrize("name", ["", "a b", "--wrap=id", "a;b", "a\nb"])
def test_an_instance_that_could_not_be_found_again_is_not_submitted(name):
    with pytest.raises(ValueError, match="can't be the name of an instance"):
        submission([], name)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8), max_size=4))
def test_the_script_runs_the_words_as_they_are(words):
    argv = ["printf", "%s\\0", *words]
    assert shlex.split(script(argv).split("\n", 1)[1]) == ["exec", *argv]


def test_a_shell_gets_from_the_script_what_was_given():
    hostile = ["", "a b", "$(id)", "`id`", "'", '"', "\n", "\\", "*", "~", ";", "&"]
    done = subprocess.run(["sh"], input=script(["printf", r"%s\0", *hostile]).encode(), stdout=subprocess.PIPE)
    assert done.stdout.decode() == "".join(f"{word}\0" for word in hostile)


@pytest.mark.parametrize(("printed", "job"), [("4711\n", "4711"), ("4711;cluster\n", "4711"), (" 1 ", "1")])
def test_the_number_of_a_job_is_read(printed, job):
    assert submitted(printed) == job


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "Submitted batch job 3",
        "4711 x",
        "4711;a b",
        "-1",
        "\N{ARABIC-INDIC DIGIT ONE}",
        "4711\n4712",
        "0x1",
        "9" * 11,
    ],
)
def test_what_is_no_number_of_a_job_is_none(printed):
    with pytest.raises(EngineSilent, match="no number"):
        submitted(printed)


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("4711|RUNNING|hpc-1", [("hpc-1", "4711", "running")]),
        ("4711|PENDING|hpc-1", [("hpc-1", "4711", "pending")]),
        ("4711|CONFIGURING|hpc-1", [("hpc-1", "4711", "pending")]),
        ("4711|COMPLETING|hpc-1", [("hpc-1", "4711", "running")]),
        ("4711|SUSPENDED|hpc-1", [("hpc-1", "4711", "running")]),
        ("4711|A_STATE_OF_LATER|hpc-1", [("hpc-1", "4711", "running")]),
        ("4711|COMPLETED|hpc-1", [("hpc-1", "4711", "ended")]),
        ("4711|CANCELLED by 1000|hpc-1", [("hpc-1", "4711", "ended")]),
        ("4711|CANCELLED+|hpc-1", [("hpc-1", "4711", "ended")]),
        ("4711|NODE_FAIL|hpc-1", [("hpc-1", "4711", "ended")]),
        ("4711|RUNNING|my job", []),
        ("4711|RUNNING|a|b", []),
        ("4711|RUNNING|", []),
        ("4711||hpc-1", []),
        ("4711_3|RUNNING|hpc-1", []),
        ("4711.batch|RUNNING|hpc-1", []),
        ("slurm_load_jobs error: Unable to contact slurm controller", []),
        ("", []),
    ],
)
def test_jobs_are_read_from_what_squeue_and_sacct_print(line, seen):
    assert listed(line) == [SeenInstance(*one) for one in seen]


@given(st.text())
def test_no_output_breaks_the_reading_or_brings_a_word_that_means_something_to_a_shell(printed):
    for one in listed(printed):
        assert is_instance_name(one.name)
        assert one.engine_id.isascii()
        assert one.engine_id.isdigit()


@given(st.text())
def test_a_state_that_nobody_knows_may_have_processes(said):
    assert state_of(said) in {"pending", "running", "ended"}
    assert state_of(f"X{said}") == "running"


def test_a_gate_is_a_step_of_the_job():
    gate = engine_of(SLURM).gate(SeenInstance("hpc-3", "4711", "running"))
    assert gate is not None
    assert gate[:2] == ["srun", "--overlap"]
    assert gate[-6:] == ["--jobid", "4711", "overmind", "gate", "--instance", "hpc-3"]


@pytest.mark.parametrize("engine_id", ["", "4711;id", "--all", "4711 4712", "\N{ARABIC-INDIC DIGIT FOUR}"])
def test_what_is_no_number_of_a_job_goes_into_no_command(engine_id):
    for ask in (engine_of(SLURM).gate, engine_of(SLURM).end):
        with pytest.raises(EngineSilent, match="gives its jobs numbers"):
            ask(SeenInstance("hpc-3", engine_id, "running"))


def test_where_slurm_is_not_installed_it_is_said_with_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineSilent, match=r"There is no squeue here\. Install it"):
        engine_of(SLURM).seen()
