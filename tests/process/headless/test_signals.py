"""The end of the runner, from outside and at every moment: nothing that it started lives on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time

import pytest

from overmind_core.cli.headless.runner import ECHO
from tests.kit import torture
from tests.kit.waiting import eventually

STUBBORN = "trap '' TERM HUP INT; echo on; while :; do sleep @; done"
ESCAPING = "setsid sh -c 'sleep @ & exec sleep @' & (env -i sleep @ &) ; echo on; sleep @"
ENDINGS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
KILLED_WITHIN = 8.0
"""Seconds: two until the keeper strikes, the rest for a busy machine."""


@pytest.mark.parametrize(("number", "status"), ENDINGS)
def test_a_signal_ends_the_work_and_names_it(headless, lock, number, status):
    run = headless.popen("run", "--name", "job", lock.wrap("trap 'echo bye; exit 0' TERM; echo on; sleep @ & wait"))
    assert run.stdout.readline() == "on\n"
    run.send_signal(number)
    out, err = run.communicate(timeout=30)
    assert run.returncode == status
    assert out == "bye\n"
    assert f"(interrupted by {number.name})" in err
    assert not lock.held()
    assert headless.living() == []


def test_what_ignores_the_signal_is_killed_within_five_seconds(headless, lock):
    run = headless.popen("run", "--grace", "60", lock.wrap(STUBBORN))
    assert run.stdout.readline() == "on\n"
    began = time.monotonic()
    run.send_signal(signal.SIGTERM)
    assert run.wait(30) == 143
    assert time.monotonic() - began < 6.0  # five, and the machine's own slowness
    assert not lock.held()


def test_a_second_signal_kills_at_once(headless, lock):
    run = headless.popen("run", lock.wrap(STUBBORN))
    assert run.stdout.readline() == "on\n"
    began = time.monotonic()
    run.send_signal(signal.SIGINT)
    eventually(lambda: status_of(headless) == "stopping")
    time.sleep(ECHO)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=30)
    assert run.returncode == 130
    assert time.monotonic() - began < 2.9  # the grace is three
    assert "killed" in err
    assert not lock.held()


@pytest.mark.parametrize("order", [(signal.SIGTERM, signal.SIGHUP), (signal.SIGHUP, signal.SIGTERM)])
def test_a_hangup_beside_another_signal_is_no_second_one(headless, lock, order):
    run = headless.popen("run", lock.wrap("trap 'sleep 0.5; echo bye; exit' TERM; echo on; sleep @ & wait"))
    assert run.stdout.readline() == "on\n"
    for number in order:
        run.send_signal(number)
        time.sleep(ECHO)
    assert run.communicate(timeout=30)[0] == "bye\n"
    assert run.returncode == 143


def test_a_reader_that_reads_nothing_does_not_keep_it_alive(headless, lock):
    read, write = os.pipe()
    run = headless.raw("run", lock.wrap("echo on; yes | head -c 1000000; sleep @"), stdout=write, stderr=write)
    os.close(write)
    assert os.read(read, 3) == b"on\n"
    eventually(lambda: status_of(headless) == "running")
    run.send_signal(signal.SIGTERM)
    assert run.wait(30) == 143
    eventually(lambda: not lock.held(), KILLED_WITHIN)
    os.close(read)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("delay", torture.some([0.05, 0.1, 0.15, 0.2, 0.3, 0.5]))
def test_a_signal_at_any_moment_of_the_start_leaves_nothing(headless, lock, number, delay):
    run = headless.popen("run", lock.wrap("sleep @"))
    time.sleep(delay)
    run.send_signal(number)
    run.communicate(timeout=30)
    # Before our first line runs, the kernel's answer is all there is, or the interpreter's, which is 1.
    assert run.returncode in {128 + number, -number, 1}
    assert not lock.held()
    headless.gone()


def test_a_signal_while_the_home_is_made_starts_nothing(headless, lock):
    run = headless.popen("run", lock.wrap("sleep @"))
    headless.one_home()
    run.send_signal(signal.SIGTERM)
    run.communicate(timeout=30)
    assert run.returncode == 143
    assert not lock.held()


def test_a_signal_after_the_end_of_the_work_changes_nothing(headless):
    for _ in range(5):
        run = headless.popen("run", "--name", "job", "echo on; exit 3")
        assert run.stdout.readline() == "on\n"
        run.send_signal(signal.SIGTERM)
        _, err = run.communicate(timeout=30)
        assert run.returncode in {3, 143}
        assert err.startswith("overmind: job: ")


@pytest.mark.parametrize("script", ["echo on; sleep @", STUBBORN, ESCAPING])
def test_its_own_kill_minus_nine_leaves_nothing(headless, lock, script):
    run = headless.popen("run", "--restart", "always", "--backoff", "0", lock.wrap(script))
    assert run.stdout.readline() == "on\n"
    run.kill()
    eventually(lambda: not lock.held() and not headless.living(), KILLED_WITHIN)


def test_a_killed_run_leaves_its_home_to_look_at(headless):
    run = headless.popen("run", "echo on; sleep 60")
    assert run.stdout.readline() == "on\n"
    run.kill()
    headless.gone()
    (home,) = headless.homes()
    assert os.listdir(f"{home}/logs")


def test_kill_minus_nine_while_it_stops_leaves_nothing(headless, lock):
    run = headless.popen("run", lock.wrap(STUBBORN))
    assert run.stdout.readline() == "on\n"
    run.send_signal(signal.SIGTERM)
    eventually(lambda: status_of(headless) == "stopping")
    run.kill()
    eventually(lambda: not lock.held() and not headless.living(), KILLED_WITHIN)


@pytest.mark.torture
def test_kill_minus_nine_at_random_moments_leaves_nothing(headless, lock):
    moments = random.Random(5)
    for _ in range(torture.portion(12)):
        run = headless.raw("run", lock.wrap("sleep @"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0.0, 0.6))
        run.kill()
        run.wait()
    eventually(lambda: not lock.held() and not headless.living(), 20.0)


def test_what_asks_for_a_daemon_after_kill_minus_nine_gets_none(headless, lock):
    ask = "while :; do overmind run --name other 'sleep @' >/dev/null 2>&1; overmind ps >/dev/null 2>&1; done"
    run = headless.popen("run", lock.wrap(f"echo on; {ask} & {ask} & wait"))
    assert run.stdout.readline() == "on\n"
    eventually(lambda: "other" in headless.overmind("ps", env={"OVERMIND_HOME": headless.one_home()}).stdout)
    run.kill()
    eventually(lambda: not lock.held() and not headless.living(), KILLED_WITHIN)


def test_the_keepers_death_is_the_works_failure(headless, lock):
    run = headless.popen("run", lock.wrap("echo on; sleep @"))
    assert run.stdout.readline() == "on\n"
    with open(f"{headless.one_home()}/keeper.lock") as file:
        os.kill(int(file.read()), signal.SIGKILL)
    _, err = run.communicate(timeout=30)
    assert run.returncode == 1
    assert ": lost: the program that held it, or the machine, went away" in err
    assert not lock.held()


def status_of(headless):
    """The status of the only mission, "" while nobody answers."""
    rows = headless.overmind("ps", "--json", env={"OVERMIND_HOME": headless.one_home()}).stdout
    return rows.partition('"status":"')[2].partition('"')[0]
