"""Helper processes end with their parent, whatever state they are in."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.nn.subprocesses import command, environment
from tests.support.waiting import until

PARENT = """
import subprocess, sys, time
from app.nn.subprocesses import command, environment
line, pipe = command("tests.nn.test_subprocesses"), subprocess.PIPE
helper = subprocess.Popen(line, stdin=pipe, stdout=pipe, env=environment())
print(helper.pid, helper.stdout.readline().decode().strip(), flush=True)
time.sleep(60)
"""


def main():
    """What the helper does: it says that it is there, and is busy for a minute."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    end = os.times().elapsed + 60
    while os.times().elapsed < end:
        pass


def is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and prctl")
@pytest.mark.parametrize("is_stopped", [False, True], ids=["busy", "stopped"])
def test_a_helper_ends_with_its_parent_that_was_killed(is_stopped):
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, env=environment())
    try:
        pid, said = parent.stdout.readline().split()
        assert said == "ready"
        if is_stopped:
            os.kill(int(pid), signal.SIGSTOP)
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()
    until(lambda: is_gone(int(pid)), limit=10)


def test_one_whose_parent_was_gone_before_it_began_ends_too():
    pid = subprocess.Popen([sys.executable, "-c", "pass"])
    pid.wait()
    line = command("tests.nn.test_subprocesses")
    line[-1] = line[-1].replace(f"end_with({os.getpid()})", f"end_with({pid.pid})")
    ended = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, env=environment())
    assert ended.returncode == 1
