"""What parity tests share, and the table of the differences that they measured."""

import collections
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "checkpoints"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))

_MEASURED = collections.defaultdict(float)


@pytest.fixture
def record_parity():
    """A function of (source, quantity, difference): the largest of each stands in the table."""

    def record(source, quantity, difference):
        _MEASURED[source, quantity] = max(_MEASURED[source, quantity], float(difference))

    return record


def pytest_terminal_summary(terminalreporter):
    """Prints the largest differences, as docs/checkpoints.md has them."""
    if not _MEASURED:
        return
    terminalreporter.section("parity")
    terminalreporter.write_line("| Source | Quantity | Largest difference |")
    terminalreporter.write_line("|---|---|---|")
    for (source, quantity), difference in _MEASURED.items():
        terminalreporter.write_line(f"| {source} | {quantity} | {difference:.1e} |")
