"""`kb.data.prepare`: every document once, in one order, whole or not at all."""

import collections
import gzip
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

import keras_bert as kb
from keras_bert.cli.main import main
from keras_bert.data.blocks import read_block
from keras_bert.data.shards import ShardCorpus
from keras_bert.text.sentences import split_sentences
from tests.data.prepared import SETTINGS, SPECIAL, Source, contents, read_back

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return Source(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def prepare(source, tmp_path_factory):
    """Prepares the source with other settings; returns the folder and the manifest."""

    def run(files=source.files, tokenizer=source.tokenizer, **settings):
        folder = tmp_path_factory.mktemp("prepared") / "out"
        settings = {"workers": None if "beam_args" in settings else 1, **SETTINGS, **settings}
        return folder, kb.data.prepare(files, tokenizer, folder, **settings)

    return run


@pytest.fixture(scope="module")
def prepared(prepare):
    return prepare()


def test_every_document_is_there_with_its_tokens(source, prepared):
    found = read_back(ShardCorpus(prepared[0], source.tokenizer))
    assert collections.Counter(found) == collections.Counter(source.tokenized())
    assert len({len(document) for document in found}) > 3


def test_counts_are_those_of_the_text_stream(source, prepared):
    stream = kb.data.PretrainingStream(source.files, source.tokenizer, epochs=1)
    collections.deque(stream.batches(), maxlen=0)
    counts = prepared[1]["counts"]
    names = ("documents", "sentences", "tokens", "invalid_lines", "long_lines")
    assert {name: counts[name] for name in names} == {
        name: getattr(stream.counts, name) for name in names
    }
    assert counts["documents"] == len(source.documents) and counts["duplicates"] == 0
    assert sum(shard["tokens"] for shard in prepared[1]["shards"]) == counts["tokens"]


def test_two_processes_write_the_same_bytes(prepare, prepared):
    folder, _ = prepare(workers=2)
    assert contents(folder) == contents(prepared[0])
    assert len(contents(folder)) == 5


def test_another_runner_writes_the_same_bytes(prepare, prepared):
    folder, _ = prepare(beam_args=["--runner=BundleBasedDirectRunner"])
    assert contents(folder) == contents(prepared[0])


def test_workers_are_not_for_another_runner(prepare):
    with pytest.raises(ValueError, match=r"workers=2.*BundleBasedDirectRunner"):
        prepare(beam_args=["--runner=BundleBasedDirectRunner"], workers=2)


def test_the_shuffle_is_global(source, prepared):
    order = {document: place for place, document in enumerate(source.tokenized())}
    corpus = ShardCorpus(prepared[0], source.tokenizer)
    places = np.array([order[document] for document in read_back(corpus)])
    # Independent orders of 440 documents correlate by less than 0.15 in 99.8% of cases.
    assert abs(np.corrcoef(places, np.arange(len(places)))[0, 1]) < 0.15
    # Neighbours are as far apart as in a random order, a third of the whole, not a window.
    assert np.mean(np.abs(np.diff(places))) > len(places) / 4
    # Every shard holds about a quarter, from all of the text.
    for shard in prepared[1]["shards"]:
        assert 70 < shard["documents"] < 150, shard
    for some in np.array_split(places, 4):
        assert some.min() < 40 and some.max() > 360


def test_copies_lie_apart(source, prepared):
    found = read_back(ShardCorpus(prepared[0], source.tokenizer))
    places = collections.defaultdict(list)
    for place, document in enumerate(found):
        places[document].append(place)
    distances = [two[1] - two[0] for two in places.values() if len(two) == 2]
    assert len(distances) == source.copies and np.median(distances) > 50


def test_another_seed_is_another_order(source, prepare, prepared):
    folder, _ = prepare(seed=1)
    ours = read_back(ShardCorpus(prepared[0], source.tokenizer))
    theirs = read_back(ShardCorpus(folder, source.tokenizer))
    assert ours != theirs and sorted(ours) == sorted(theirs)


def test_duplicates_are_dropped(source, prepare):
    folder, manifest = prepare(drop_duplicates=True)
    found = read_back(ShardCorpus(folder, source.tokenizer))
    assert sorted(found) == sorted(set(source.tokenized()))
    assert manifest["counts"]["duplicates"] == source.copies
    assert manifest["counts"]["documents"] == len(source.documents) - source.copies


def test_a_long_document_is_known_by_its_pieces(tmp_path, prepare):
    words = [f"w{number}" for number in range(9_000)]
    tokenizer = kb.BertTokenizer(SPECIAL + words)
    lines = [" ".join(words[begin : begin + 10]) for begin in range(0, 9_000, 10)]
    # The second one goes over several windows, and over the end of a chunk of eight.
    text = "\n".join(lines[:5]) + "\n\n" + "\n".join(lines[5:890]) + "\n\n" + "\n".join(lines[890:])
    (tmp_path / "long.txt").write_text(text)
    folder, manifest = prepare(tmp_path / "long.txt", tokenizer, shards=2)
    assert manifest["counts"]["documents"] == 3 and manifest["counts"]["tokens"] == 9_000
    corpus = ShardCorpus(folder, tokenizer)
    block = read_block(corpus, np.arange(corpus.num_windows), tokenizer, "sentences")
    assert len(block.documents) > 10
    # Side by side, three names in all, and each word under its document's name.
    assert np.sum(np.diff(block.documents) != 0) == 2
    names = np.repeat(block.documents, np.diff(block.parts))
    first_words = block.tokens[block.offsets[:-1]] - len(SPECIAL)
    truth = np.searchsorted([50, 8_900], first_words, side="right")
    assert len(set(zip(names.tolist(), truth.tolist(), strict=True))) == 3
    assert sorted(block.tokens.tolist()) == list(range(5, 9_005))


def test_prose_is_split(tmp_path, prepare):
    tokenizer = kb.BertTokenizer([*SPECIAL, *"abcdefg", ".", "dr"])
    prose = "A b. C d\ne f.\n\nDr. B c. G g."
    (tmp_path / "prose.txt").write_text(prose)
    folder, _ = prepare(tmp_path / "prose.txt", tokenizer, format="prose")
    truth = [
        tuple(map(tuple, tokenizer(split_sentences(part)).to_list()))
        for part in prose.split("\n\n")
    ]
    assert sorted(read_back(ShardCorpus(folder, tokenizer))) == sorted(truth)
    assert [len(document) for document in truth] == [2, 2]


def test_all_options_of_the_tokenizer_reach_the_workers(tmp_path, prepare):
    options = {"lowercase": False, "strip_accents": True, "split_chinese": False}
    vocabulary = [*SPECIAL, "我爱", "A", "e", "[X]", "b"]
    added = {"[X]": False, "b": True}
    tokenizer = kb.BertTokenizer(vocabulary, added_tokens=added, **options)
    (tmp_path / "mixed.txt").write_text("A我爱 我爱[X]\né b[X]Ab\n")
    folder, _ = prepare(tmp_path / "mixed.txt", tokenizer)
    assert read_back(ShardCorpus(folder, tokenizer)) == [((1, 5, 8), (7, 9, 8, 6, 9))]
    with pytest.raises(ValueError, match="was prepared with another tokenizer"):
        ShardCorpus(folder, kb.BertTokenizer(vocabulary, **options))


def test_chinese_words_are_marked(tmp_path, prepare):
    text = "我们喜欢北京"
    tokenizer = kb.BertTokenizer([*SPECIAL, *text])
    (tmp_path / "zh.txt").write_text(text)
    folder, _ = prepare(tmp_path / "zh.txt", tokenizer, word_segmenter="jieba")
    corpus = ShardCorpus(folder, tokenizer, "jieba")
    block = read_block(corpus, np.arange(1), tokenizer, "sentences")
    assert block.tokens.tolist() == list(range(5, 11))
    assert block.continues_word.tolist() == [False, True] * 3


def test_lines_that_cannot_be_read_as_they_are_are_counted(tmp_path, prepare, source):
    (tmp_path / "bad.txt").write_bytes(b"w1 w2\n\xff w3\n\nw4 \xfe\n")
    (tmp_path / "empty.txt.gz").write_bytes(gzip.compress(b""))
    _, manifest = prepare([tmp_path / "bad.txt", tmp_path / "empty.txt.gz"])
    assert manifest["counts"]["invalid_lines"] == 2 and manifest["counts"]["documents"] == 2


@pytest.mark.parametrize("workers", [1, 2])
def test_a_damaged_file_is_named_and_leaves_nothing(source, tmp_path, workers):
    path = tmp_path / "cut.txt.gz"
    path.write_bytes(source.files[1].read_bytes()[:-20])
    files = [source.files[0], path]
    with pytest.raises(ValueError, match=r"^\S+cut\.txt\.gz is damaged: .*cut short"):
        kb.data.prepare(files, source.tokenizer, tmp_path / "out", workers=workers, **SETTINGS)
    assert os.listdir(tmp_path) == ["cut.txt.gz"]


def test_a_worker_that_is_lost_is_said_so_and_leaves_nothing(source, tmp_path):
    """SIGKILL to one of the workers alone, as a system does that runs out of memory."""
    process = _start(source, tmp_path, stderr=subprocess.PIPE)
    workers = [
        child
        for child in psutil.Process(process.pid).children(recursive=True)
        if child.exe() == os.path.realpath(sys.executable)
    ]
    workers[-1].kill()
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1 and b"a worker process was lost" in errors
    assert os.listdir(tmp_path) == ["vocab.txt"]


def test_white_space_is_no_text(tmp_path, source):
    (tmp_path / "white.txt").write_text(" \n\n \n")
    with pytest.raises(ValueError, match=r"white\.txt: no text"):
        kb.data.prepare(tmp_path / "white.txt", source.tokenizer, tmp_path / "out", workers=1)
    assert os.listdir(tmp_path) == ["white.txt"]


def test_an_output_is_replaced_only_when_asked(source, prepared, tmp_path):
    def prepare(output, **settings):
        kb.data.prepare(source.files, source.tokenizer, output, workers=1, **SETTINGS, **settings)

    before = contents(prepared[0])
    with pytest.raises(FileExistsError, match="overwrite"):
        prepare(prepared[0], seed=5)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"no manifest\.json"):
        prepare(tmp_path, overwrite=True)
    assert contents(prepared[0]) == before and os.listdir(tmp_path) == ["notes.txt"]
    prepare(tmp_path / "out", seed=5)
    prepare(tmp_path / "out", overwrite=True)
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize(
    "settings",
    [
        {"format": "poetry"},
        {"shards": 0},
        {"seed": -1},
        {"word_segmenter": "x"},
        {"window_tokens": 0},
    ],
)
def test_settings_out_of_range(source, tmp_path, settings):
    with pytest.raises(ValueError, match=f"^{next(iter(settings))} is "):
        kb.data.prepare(source.files, source.tokenizer, tmp_path / "out", **settings)
    assert not os.listdir(tmp_path)


def test_without_beam_it_says_what_to_install(source, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'keras_bert\[beam\]'"):
        kb.data.prepare(source.files, source.tokenizer, tmp_path / "out")


def _start(source, tmp_path, stderr):
    """Starts a preparation with two workers; returns the process after the first chunk."""
    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text("\n".join(source.tokenizer.vocabulary) + "\n")
    output = tmp_path / "out"
    script = (
        "import sys, keras_bert as kb\n"
        f"kb.data.prepare(sys.argv[3:], kb.BertTokenizer(sys.argv[1]), sys.argv[2], workers=2, "
        f"**{SETTINGS})"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, vocabulary, output, *source.files],
        cwd=REPOSITORY,
        start_new_session=True,
        stderr=stderr,
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".out.new/chunks/chunk-*")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    return process


def test_killed_it_leaves_no_half_output(source, prepared, tmp_path):
    """SIGKILL to the whole process group, workers too, when the first chunk has been written."""
    process, output = _start(source, tmp_path, stderr=subprocess.DEVNULL), tmp_path / "out"
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not output.exists()
    # What is left behind is hidden, no corpus for a reader, and no hindrance to the next run.
    with pytest.raises(FileNotFoundError):
        kb.data.pretraining(output, source.tokenizer)
    kb.data.prepare(source.files, source.tokenizer, output, workers=1, **SETTINGS)
    assert contents(output) == contents(prepared[0])
    assert sorted(os.listdir(tmp_path)) == ["out", "vocab.txt"]


def test_command_line(source, prepare, tmp_path, capsys):
    (tmp_path / "vocab.txt").write_text("\n".join(source.tokenizer.vocabulary) + "\n")
    flags = {"vocab": tmp_path / "vocab.txt", "output": tmp_path / "out", "workers": 1, "seed": 3}
    command = ["prepare", *(f"--input={path}" for path in source.files), "--drop_duplicates"]
    command += [f"--{name}={value}" for name, value in flags.items()]
    assert main(command) == 0
    assert (
        f"1 shards, {len(source.documents) - source.copies:,} documents" in capsys.readouterr().out
    )
    folder, _ = prepare(
        drop_duplicates=True, seed=3, shards=1, window_bytes=1 << 20, window_tokens=1 << 15
    )
    assert contents(tmp_path / "out") == contents(folder)
    assert main(command) == 1
    assert "overwrite" in capsys.readouterr().err
