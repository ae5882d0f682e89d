"""The reaction of a running process to signals."""

import os
import signal
import subprocess
import sys
import time

import pytest

from search.processes.signals import StopFlag, listening

WAITS = """
import sys, time
from search.processes.signals import listening
with listening() as flag:
    print("ready", flush=True)
    while not flag.draining: time.sleep(.01)
    time.sleep(.5)
sys.exit(9 if flag.now else 75)
"""


def test_the_first_signal_drains_and_a_later_one_means_now(monkeypatch):
    flag = StopFlag()
    assert not flag.draining
    flag.receive(signal.SIGTERM)
    assert flag.draining
    assert not flag.now
    later = time.monotonic() + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    flag.receive(signal.SIGINT)
    assert flag.now


def test_a_second_hang_up_does_not_hurry_a_drain(monkeypatch):
    flag = StopFlag()
    flag.receive(signal.SIGHUP)
    later = time.monotonic() + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    flag.receive(signal.SIGHUP)
    assert flag.draining
    assert not flag.now


def test_the_handlers_from_before_are_back_afterwards():
    before = signal.getsignal(signal.SIGTERM)
    with listening() as flag:
        os.kill(os.getpid(), signal.SIGTERM)
        assert flag.draining
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_signal_that_arrives_twice_at_once_is_one_request():
    command = ["timeout", "0.5", sys.executable, "-c", WAITS]
    assert subprocess.run([*command[:1], "--preserve-status", *command[1:]]).returncode == 75


def test_nohup_keeps_the_hang_up_ignored():
    ignoring = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + WAITS
    with subprocess.Popen([sys.executable, "-c", ignoring], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 75


@pytest.mark.parametrize("warning", ["SIGUSR1", "SIGUSR2", "SIGXCPU"])
def test_a_schedulers_warnings_drain_and_never_hurry(warning: str, monkeypatch):
    with listening() as flag:
        os.kill(os.getpid(), getattr(signal, warning))
        assert flag.draining
        later = time.monotonic() + 1
        monkeypatch.setattr(time, "monotonic", lambda: later)
        os.kill(os.getpid(), getattr(signal, warning))
        assert not flag.now
        os.kill(os.getpid(), signal.SIGTERM)
        assert flag.now
