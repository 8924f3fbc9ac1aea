"""The benchmarks' arithmetic and table, and the dialogue with a contender; no TensorFlow."""

import importlib
import itertools
import pathlib
import time
import types

import pytest

from benchmarks import measure, table
from benchmarks.contender import Contender
from benchmarks.data import full_rows, read_sst2
from benchmarks.groups import Group, Setting, missing_packages
from benchmarks.measure import Stopwatch, rate_of_passes
from benchmarks.training_step import useful_gflop


def contender(name, figures, by_cpu, error=None, goal_ratio=None):
    return {
        "name": name,
        "figures": figures,
        "by_cpu": by_cpu,
        "error": error,
        "goal_ratio": goal_ratio,
    }


def group(*contenders, larger_is_better=True, goal=None):
    return {
        "name": "work",
        "unit": "things/s",
        "larger_is_better": larger_is_better,
        "goal": goal,
        "contenders": list(contenders),
    }


def test_ratios_are_of_medians_and_above_one_where_ours_is_faster():
    # Means would give 40 / 4 = 10.
    assert table.speedup([6, 108, 6], [3, 2, 7], True) == 2
    # Times: ours takes a quarter.
    assert table.speedup([5, 5], [20, 20], False) == 4
    assert table.speedup([], [1], True) is None
    assert table.speedup([1], [], True) is None


def test_rows():
    ours = contender("ours", [10, 30, 20], [5, 7, 6])
    peer = contender("peer", [8, 16, 12], [12, 12, 12], goal_ratio=2)
    assert table.rows(group(ours, peer, goal=8)) == [
        ["work", "ours", "20.0 things/s", "10.0–30.0", "", "", "at least 8 things/s: reached"],
        ["work", "peer", "12.0 things/s", "8.00–16.0", "1.67", "0.50", "at least 2x: missed"],
    ]


def test_goals_of_times_are_bounds_from_above():
    quick = group(contender("ours", [4.0], [4.0]), larger_is_better=False, goal=5)
    slow = group(contender("ours", [6.0], [6.0]), larger_is_better=False, goal=5)
    assert table.rows(quick)[0][-1] == "at most 5 things/s: reached"
    assert table.rows(slow)[0][-1] == "at most 5 things/s: missed"
    # A peer's goal is a ratio, of times too.
    peer = contender("peer", [12.0], [12.0], goal_ratio=2)
    both = group(contender("ours", [4.0], [4.0]), peer, larger_is_better=False)
    assert table.rows(both)[1][-1] == "at least 2x: reached"


def test_an_error_takes_one_row_and_no_more():
    broken = contender("ours", [], [], error="ValueError: no")
    peer = contender("peer", [8.0], [2.0], goal_ratio=2)
    assert table.rows(group(broken, peer, goal=1)) == [
        ["work", "ours", "ValueError: no", "", "", "", ""],
        ["work", "peer", "8.00 things/s", "8.00–8.00", "", "", ""],
    ]
    # It failed in a later round: figures of fewer rounds are not shown as if they were all.
    late = contender("peer", [8.0], [2.0], error="ended with code -9: a | b")
    assert table.rows(group(contender("ours", [1.0], [1.0]), late))[1][2:4] == [
        "ended with code -9: a | b",
        "",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.8741, "0.874"), (2.806, "2.81"), (14.66, "14.7"), (117.6, "118"), (1074.2, "1,074")],
)
def test_numbers_have_three_digits(value, text):
    assert table.number(value) == text


def test_report():
    results = {
        "header": {"machine": "two cores", "command": "run"},
        "groups": [group(contender("ours", [1.0], [1.0]), contender("a|b", [2.0], [4.0]))],
        "left_out": ["peer: torch not installed"],
    }
    lines = table.markdown(results).split("\n")
    assert lines[:2] == ["- machine: two cores", "- command: run"]
    assert lines[6] == "| work | a\\|b | 2.00 things/s | 2.00–2.00 | 0.50 | 0.25 |  |"
    assert lines[-2] == "- peer: torch not installed"
    columns = [line.replace("\\|", "").count("|") for line in lines if line.startswith("|")]
    assert columns == [len(table.COLUMNS) + 1] * 4


def test_goals_and_packages_are_found_by_the_beginning_of_a_name():
    work = Group("work", "things/s", {}, goal_ratios={"KerasHub": 1, "HF PyTorch": 2})
    assert work.goal_ratio("KerasHub, XLA") == 1
    assert work.goal_ratio("HF PyTorch") == 2
    assert work.goal_ratio("ours") is None
    assert missing_packages("ours, with pairs") == []


def test_stopwatch_counts_up_to_the_last_lap():
    watch = Stopwatch()
    while watch.lap() < 0.05:
        pass
    rate = watch.rate(10)
    assert rate["figure"] == pytest.approx(10 / watch.seconds) and rate["figure"] <= 200
    # The loop above was at work all the time, though perhaps not alone on its core.
    assert rate["by_cpu"] >= 0.5 * rate["figure"]


def test_passes_go_on_for_the_time_asked_for(monkeypatch):
    calls, clock = [], itertools.count()
    # By this clock a look at it, and so a pass, takes one second.
    fake = types.SimpleNamespace(perf_counter=lambda: next(clock), process_time=time.process_time)
    monkeypatch.setattr(measure, "time", fake)
    rate_of_passes(lambda: calls.append(1) or 2, 0)
    assert len(calls) == 1
    calls.clear()
    # The watch is read once when it is made, then after each pass.
    assert rate_of_passes(lambda: calls.append(1) or 2, 20)["figure"] == 2 * len(calls) / 20
    assert len(calls) == 19


def test_useful_arithmetic_by_hand():
    # 4 layers of 256: 12 h^2 + 13 h = 789,760 parameters each; 32 rows of 128, 20 masks a row.
    expected = 6e-9 * 32 * (4 * 789_760 * 128 + (30_522 * 256 + 256 * 256) * 20)
    assert useful_gflop("4x256") == pytest.approx(expected)


@pytest.fixture
def setting(tmp_path):
    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##b\n")
    return Setting(data=tmp_path, vocabulary=vocabulary)


def test_rows_are_filled_within_a_document(setting):
    (setting.data / "corpus.txt").write_text("a b\nA\nbb\n\na\na a a a a\nb\n")
    # At most 4 tokens a row ("bb" has two); a sentence that is longer alone has a row alone.
    assert full_rows(setting, "corpus.txt", 4) == ["a b A", "bb", "a", "a a a a a", "b"]


def test_sst2_is_read_in_the_order_of_the_file(setting):
    (setting.data / "train.tsv").write_text('sentence\tlabel\n"good\t1\nbad\t0\nnone\t0\n')
    assert read_sst2(setting, "train.tsv", 2) == (['"good', "bad"], [1, 0])


def test_a_contender_that_fails_says_so_and_leaves_no_process(tmp_path):
    """A real process, whose benchmark needs a vocabulary that is not there."""
    task = {"module": "benchmarks.tokenizer", "group": "tokenizer", "quick": True}
    task |= {"data": str(tmp_path), "vocabulary": None, "contender": "HF tokenizers (Rust)"}
    (tmp_path / "wikitext2").mkdir()
    log = tmp_path / "log"
    failing = Contender("peer", task, root=None, log=log)
    assert failing.error and failing.error.split(":")[0] in log.read_text()
    failing.repeat()
    failing.end()
    assert failing.figures == [] and failing._process.returncode == 1


def test_a_contender_works_when_it_is_told_to(tmp_path):
    """A real process: the Rust tokenizer on two lines."""
    (tmp_path / "wikitext2").mkdir()
    for name in ("test", "valid"):
        (tmp_path / "wikitext2" / f"{name}.txt").write_text("a b a\n")
    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n")
    task = {"module": "benchmarks.tokenizer", "group": "tokenizer", "quick": True}
    task |= {"data": str(tmp_path), "vocabulary": str(vocabulary)}
    task["contender"] = "HF tokenizers (Rust)"
    peer = Contender("peer", task, root=None, log=tmp_path / "log")
    assert peer.error is None and peer.figures == []
    peer.repeat()
    peer.repeat()
    peer.end()
    assert len(peer.figures) == len(peer.by_cpu) == 2 and min(peer.figures) > 0
    assert peer._process.returncode == 0


def test_every_benchmark_is_run():
    folder = pathlib.Path(__file__).parents[1] / "benchmarks"
    found = [path.stem for path in folder.glob("*.py") if "\nGROUPS = [" in path.read_text()]
    assert sorted(found) == sorted(importlib.import_module("benchmarks.run").BENCHMARKS)
