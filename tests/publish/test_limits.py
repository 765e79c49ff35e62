"""Limits of the shell: refused in one line before a library waits or dies of them."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.errors import DataError
from helpers.publish.limits import NEEDED, check_limits


def limits(addresses: int = resource.RLIM_INFINITY, files: int = 1024):
    found = {resource.RLIMIT_AS: addresses, resource.RLIMIT_NOFILE: files}
    return lambda which: (found[which], resource.RLIM_INFINITY)


@pytest.mark.parametrize("command", sorted(NEEDED))
def test_a_limit_of_addresses_is_compared_with_what_the_command_needs(command):
    check_limits(command, limit=limits())
    check_limits(command, limit=limits(NEEDED[command]), cores=2)
    with pytest.raises(
        DataError, match=rf"limit of addresses is .* `rxrx19 {command}` needs .*ulimit -v \d+"
    ):
        check_limits(command, limit=limits(NEEDED[command] - 1), cores=2)
    with pytest.raises(DataError, match="on 64 cores"):
        check_limits(command, limit=limits(NEEDED[command]), cores=64)


def test_open_files_are_counted_and_small_commands_need_nothing():
    with pytest.raises(DataError, match=r"open files is 64, .* needs 256: raise it with `ulimit -n 256`"):
        check_limits("run", limit=limits(files=64))
    check_limits("params", limit=limits(1, 1))


@pytest.mark.parametrize("kilobytes", [400_000, 700_000, 1_000_000])
def test_the_command_says_so_before_anything_is_loaded(kilobytes, tmp_path):
    command = Path(sys.executable).with_name("rxrx19")
    call = f"ulimit -v {kilobytes}; exec {command} data make twin {tmp_path / 'twin'} --scale tiny"
    ended = subprocess.run(call, shell=True, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith("rxrx19: the limit of addresses is ")
    assert list(tmp_path.iterdir()) == []
