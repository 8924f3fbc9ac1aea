"""tf.data service, in a network of its own: TensorFlow binds servers to all interfaces."""

import pathlib
import shutil
import subprocess
import sys

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
# A user's own network, with nothing in it but the loopback, switched on.
SCRIPT = """
import fcntl, os, socket, struct, sys
up = struct.pack("16sh", b"lo", 0x1 | 0x40)
fcntl.ioctl(socket.socket(), 0x8914, up)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
IN_A_NETWORK = ["unshare", "--user", "--map-root-user", "--net", sys.executable, "-c", SCRIPT]


def _can_unshare():
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*IN_A_NETWORK, "-c", ""], capture_output=True).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not _can_unshare(), reason="this system gives no network of one's own")
def test_in_a_network_of_its_own():
    tests = [*IN_A_NETWORK, "-m", "pytest", "-q", "-x", "tests/data/service_on_loopback.py"]
    done = subprocess.run(tests, cwd=REPOSITORY, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-5000:]
    assert " passed" in done.stdout and "skipped" not in done.stdout
