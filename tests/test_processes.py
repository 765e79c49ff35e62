"""A process that watches its parent ends with it, and not before."""

import subprocess
import sys
import time

from running import is_running

CHILD = """
import os, sys, time
from helpers.processes import watch_parent

watch_parent(int(sys.argv[1]) if len(sys.argv) > 1 else None, interval=0.05)
print(os.getpid(), flush=True)
time.sleep(120)
"""
PARENT = """
import subprocess, sys, time

child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE, text=True)
print(child.stdout.readline().strip(), flush=True)
time.sleep(120)
"""


def ends(pid: int, within: float) -> bool:
    deadline = time.monotonic() + within
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_running(pid)


def test_a_child_ends_when_its_parent_is_killed():
    parent = subprocess.Popen([sys.executable, "-c", PARENT, CHILD], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    assert not ends(child, within=0.5), "while the parent lives"
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert ends(child, within=10)


def test_a_child_whose_parent_is_gone_already_ends_at_once():
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True
    )
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, gone.stdout.strip()], stdout=subprocess.DEVNULL, text=True
    )
    assert child.wait(timeout=20) == 1
