"""Bad corpora and settings: an error that says what to do, or a counted skip."""

import gzip
import itertools

import numpy as np
import pytest

import keras_bert as kb


@pytest.fixture(scope="module")
def tokenizer():
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return kb.BertTokenizer([*special, "a", "b", "c", "word", "##s"])


def make(path, text, tokenizer, **settings):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return kb.data.PretrainingStream(
        path, tokenizer, **{"sequence_length": 16, "batch_size": 4, "epochs": 1, **settings}
    )


TWO_DOCUMENTS = "a b c\nb c\n\nword words\na\n"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pairs": "next"}, "pairs is 'next'; expected one of 'nsp', 'sop', 'none'"),
        ({"masking": "word"}, "masking is 'word'"),
        ({"format": "text"}, "format is 'text'; expected one of 'sentences', 'prose'"),
        ({"word_segmenter": "ltp"}, "word_segmenter is 'ltp'"),
        ({"sequence_length": 4}, "sequence_length is 4"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"batch_size": 2.5}, "batch_size is 2.5"),
        ({"epochs": 0}, "epochs is 0"),
        ({"workers": 0}, "workers is 0"),
        ({"seed": 0.5}, "seed is 0.5"),
        ({"block_windows": 0}, "block_windows is 0"),
        ({"window_bytes": 0}, "window_bytes is 0"),
        ({"mask_selection_rate": 15}, "mask_selection_rate is 15"),
        ({"mask_selection_length": 0}, "mask_selection_length is 0"),
        ({"short_sequence_rate": 2}, "short_sequence_rate is 2"),
        ({"start": -1}, "start is -1"),
        ({"start": (0, 5, 0)}, "blocks 0 to 0"),
        ({"start": [(0, 0, 0)] * 2}, "places of 2 lanes; this stream has 1.*lanes=2 keeps"),
        ({"lanes": 0}, "lanes is 0"),
        ({"lanes": 3}, "lanes=3 does not divide batch_size=4"),
        ({"start": (0, 0, -1)}, "start is Position"),
        ({"start": (0, 0, 10_000)}, "offset 10000 lies behind"),
    ],
)
def test_settings_out_of_range(tmp_path, tokenizer, settings, message):
    with pytest.raises(ValueError, match=message):
        next(make(tmp_path / "a.txt", TWO_DOCUMENTS, tokenizer, **settings).batches())


@pytest.mark.parametrize(
    "start",
    ["middle", (1, 2), {"epoch": 1}, (0.5, 0, 0), [], [[0, 0]], [[0, 0, 0], [1]], [[[[0, 0, 0]]]]],
)
def test_a_start_of_another_kind(tmp_path, tokenizer, start):
    with pytest.raises(TypeError, match="expected a Position"):
        make(tmp_path / "a.txt", TWO_DOCUMENTS, tokenizer, start=start)


def test_unknown_settings_raise(tmp_path, tokenizer):
    with pytest.raises(TypeError, match="batchsize"):
        make(tmp_path / "a.txt", TWO_DOCUMENTS, tokenizer, batchsize=3)


def test_one_document_needs_another_for_pairs(tmp_path, tokenizer):
    text = "a b c\n" * 500
    with pytest.raises(ValueError, match=r"a\.txt.*one document.*empty lines.*'sop'.*'none'"):
        make(tmp_path / "a.txt", text, tokenizer, window_bytes=100)
    for pairs in ("sop", "none"):
        stream = make(tmp_path / "a.txt", text, tokenizer, pairs=pairs)
        assert len(list(stream.batches())) > 5


def test_a_block_with_one_document_takes_real_pairs_and_counts_them(tmp_path, tokenizer):
    # The second document is alone in its windows: most blocks hold one document.
    text = "a b c\n\n" + "b c word\n" * 400
    stream = make(tmp_path / "a.txt", text, tokenizer, window_bytes=200, block_windows=2)
    labels = np.concatenate([labels["next_sentence"] for _, labels, _ in stream.batches()])
    counts = stream.counts
    assert counts.documents == 2
    assert counts.unpaired > 0.7 * counts.examples > 20
    assert (labels == 1).sum() <= counts.examples - counts.unpaired


def test_empty_files_are_passed_over(tmp_path, tokenizer):
    (tmp_path / "empty.txt").touch()
    (tmp_path / "packed.txt.gz").write_bytes(gzip.compress(b""))
    (tmp_path / "a.txt").write_text(TWO_DOCUMENTS)
    stream = kb.data.PretrainingStream(tmp_path / "*", tokenizer, sequence_length=16, epochs=1)
    assert [path.rsplit("/", 1)[-1] for path in stream.corpus.paths] == ["a.txt"]
    with pytest.raises(ValueError, match=r"empty\.txt"):
        kb.data.pretraining(tmp_path / "empty.txt", tokenizer)
    with pytest.raises(FileNotFoundError, match=r"no\.txt"):
        kb.data.pretraining(tmp_path / "no.txt", tokenizer)


@pytest.mark.parametrize("pairs", ["nsp", "sop", "none"])
def test_text_without_text(tmp_path, tokenizer, pairs):
    with pytest.raises(ValueError, match=r"a\.txt: no text"):
        make(tmp_path / "a.txt", " \n\n\t\n", tokenizer, pairs=pairs)
    # Control characters are no white space, and no token either.
    stream = make(tmp_path / "a.txt", "\x01\n\n\x02\n", tokenizer, pairs=pairs, epochs=None)
    with pytest.raises(ValueError, match=r"a\.txt: a whole pass over the text made no example"):
        next(stream.batches())
    with pytest.raises(ValueError, match="made no example"):
        make(tmp_path / "a.txt", "\x01\n\n\x02\n", tokenizer, pairs=pairs, start=3, epochs=None)


def test_invalid_utf8_is_replaced_and_counted(tmp_path, tokenizer):
    text = b"a b \xff c\nb\xc3\n\nword words\n\xe8\x8b\xb9 a\n"
    stream = make(tmp_path / "a.txt", text, tokenizer)
    list(stream.batches())
    assert stream.counts.invalid_lines == 2
    assert stream.counts.sentences == 4


def test_a_single_token_makes_no_sentence_order_pair(tmp_path, tokenizer):
    stream = make(tmp_path / "a.txt", "a\n\nb c\n\na\n", tokenizer, pairs="sop")
    list(stream.batches())
    assert (stream.counts.skipped, stream.counts.examples) == (2, 1)


@pytest.mark.parametrize("space", [b"", b" "])
def test_a_line_of_ten_megabytes(tmp_path, tokenizer, space):
    line = (b"word" + space) * (10_000_000 // (4 + len(space)))
    text = b"a b\n" + line + b"\n\nb c\n"
    # Each of its windows ends with a shorter piece.
    stream = make(tmp_path / "a.txt", text, tokenizer, batch_size=64, window_bytes=1 << 20)
    for inputs, _, _ in itertools.islice(stream.batches(), 200):
        assert inputs["token_ids"].shape[1] == 16
    assert stream.counts.long_lines == 1
    # With spaces every word is a token; without, each piece of 1,000 letters is unknown.
    words = 2_000_000 if space else 10_000
    assert stream.counts.tokens == pytest.approx(words, rel=0.002)


def test_damaged_gzip_is_named(tmp_path, tokenizer):
    packed = gzip.compress(TWO_DOCUMENTS.encode() * 100)
    with pytest.raises(ValueError, match=r"a\.gz is damaged"):
        make(tmp_path / "a.gz", packed[:-12], tokenizer)


def test_jieba_missing_says_how_to_install_it(tmp_path, tokenizer, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "jieba", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'keras_bert\[zh\]'"):
        make(tmp_path / "a.txt", TWO_DOCUMENTS, tokenizer, word_segmenter="jieba")


def test_an_error_in_a_thread_reaches_the_reader(tmp_path, tokenizer):
    stream = make(tmp_path / "a.txt", TWO_DOCUMENTS * 100, tokenizer, window_bytes=100)
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(ValueError, match=r"a\.txt has become shorter"):
        list(stream.batches())
