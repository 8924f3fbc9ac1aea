"""Prepared folders as a corpus: the same stream as from text, and damage that is named."""

import json
import shutil

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.data.blocks import read_block
from keras_bert.data.fingerprint import of_tokenizer
from keras_bert.data.shards import ShardCorpus
from tests.data.prepared import SETTINGS, SPECIAL, Source, read_back

STREAM = {"sequence_length": 32, "batch_size": 16, "window_bytes": 4096, "block_windows": 4}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return Source(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def folder(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared") / "out"
    kb.data.prepare(source.files, source.tokenizer, folder, workers=1, **SETTINGS)
    return folder


@pytest.fixture
def copy(folder, tmp_path):
    """A copy to damage."""
    return shutil.copytree(folder, tmp_path / "out")


def restored(inputs, labels, weights):
    """Rows of ids with the masked ones put back."""
    rows = inputs["token_ids"].copy()
    row, slot = np.nonzero(weights["masked_lm"])
    rows[row, inputs["mask_positions"][row, slot]] = labels["masked_lm"][row, slot]
    return rows


def drain(stream):
    for _ in stream.batches():
        pass
    return stream


def test_pairs_are_of_one_document_or_of_two(source, folder):
    stream = kb.data.PretrainingStream(folder, source.tokenizer, epochs=1, **STREAM)
    seen, randoms, total = set(), 0, 0
    for inputs, labels, weights in stream.batches():
        rows = restored(inputs, labels, weights)
        for row, segments, label in zip(
            rows, inputs["segment_ids"], labels["next_sentence"], strict=True
        ):
            words = row >= len(SPECIAL)
            first, second = row[words & (segments == 0)], row[words & (segments == 1)]
            seen.update(first.tolist(), second.tolist())
            # A segment is a run of words that stand one after the other in the text.
            assert np.all(np.diff(first) == 1) and np.all(np.diff(second) == 1)
            assert len(set(source.document_of[first])) == 1
            if label:
                assert source.document_of[first[0]] != source.document_of[second[0]]
            else:
                # What is too long is cut at either end of a segment.
                assert source.document_of[first[0]] == source.document_of[second[0]]
                assert first[-1] < second[0] < first[-1] + 32
            randoms += label
            total += 1
    assert len(seen) > 0.95 * (source.tokenizer.vocabulary_size - len(SPECIAL))
    assert 0.3 < randoms / total < 0.7


def test_full_sentences_hold_every_token_once(source, folder):
    stream = kb.data.PretrainingStream(folder, source.tokenizer, epochs=1, pairs="none", **STREAM)
    rows = np.concatenate([restored(*batch).ravel() for batch in stream.batches()])
    found = np.sort(rows[rows >= len(SPECIAL)])
    truth = [id for document in source.tokenized() for sentence in document for id in sentence]
    np.testing.assert_array_equal(found, np.sort(truth))


def test_counts_are_those_of_the_text(source, folder):
    ours = drain(kb.data.PretrainingStream(folder, source.tokenizer, epochs=2, **STREAM)).counts
    text = kb.data.PretrainingStream(source.files, source.tokenizer, epochs=2, **STREAM)
    text = drain(text).counts
    assert ours[:3] == text[:3] and ours.documents == 2 * len(source.documents)


def test_going_on_from_a_place(source, folder):
    def stream(start):
        return kb.data.PretrainingStream(
            folder, source.tokenizer, epochs=1, start=start, masking="whole_word", **STREAM
        )

    whole = stream(None)
    batches = [inputs["token_ids"] for inputs, _, _ in whole.batches()]
    assert len(batches) > 8
    later = [inputs["token_ids"] for inputs, _, _ in stream(whole.position_after(5)).batches()]
    for ours, theirs in zip(later, batches[5:], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_whole_words_are_masked_from_pieces(tmp_path):
    tokenizer = kb.BertTokenizer([*SPECIAL, "ab", "##c", "x"])
    (tmp_path / "a.txt").write_text("\n\n".join("abc x abc\nx abc x" for _ in range(200)))
    kb.data.prepare(tmp_path / "a.txt", tokenizer, tmp_path / "out", workers=1)
    data = kb.data.pretraining(
        tmp_path / "out", tokenizer, masking="whole_word", mask_token_rate=1.0,
        random_token_rate=0.0, epochs=1, **STREAM,
    )  # fmt: skip
    masked = 0
    for inputs, labels, weights in data.as_numpy_iterator():
        was_masked = inputs["token_ids"] == 4
        rows = restored(inputs, labels, weights)
        # "ab" (5) and the "##c" (6) behind it, both or neither.
        row, place = np.nonzero(rows[:, :-1] == 5)
        assert np.all(rows[row, place + 1] == 6)
        np.testing.assert_array_equal(was_masked[row, place], was_masked[row, place + 1])
        masked += was_masked[row, place].sum()
    assert masked > 20


def test_chinese_words_are_masked_as_when_read_from_text(tmp_path):
    tokenizer = kb.BertTokenizer([*SPECIAL, *"我们喜欢北京"])
    (tmp_path / "zh.txt").write_text("\n\n".join(["我们喜欢北京\n北京喜欢我们"] * 30))
    kb.data.prepare(
        tmp_path / "zh.txt", tokenizer, tmp_path / "out", workers=1, word_segmenter="jieba"
    )
    data = kb.data.pretraining(
        tmp_path / "out", tokenizer, masking="whole_word", word_segmenter="jieba",
        mask_token_rate=1.0, random_token_rate=0.0, epochs=1, pairs="sop", **STREAM,
    )  # fmt: skip
    for inputs, _, _ in data.as_numpy_iterator():
        for row in inputs["token_ids"]:
            characters = row[(row != 0) & (row != 2) & (row != 3)]
            assert len(characters) % 2 == 0
            # Two characters a word: the mask covers both or neither.
            pairs = (characters == 4).reshape(-1, 2)
            np.testing.assert_array_equal(pairs[:, 0], pairs[:, 1])


def test_several_folders_are_one_corpus(source, folder, copy):
    one, two = ShardCorpus(folder, source.tokenizer), ShardCorpus([folder, copy], source.tokenizer)
    assert two.num_windows == 2 * one.num_windows > 8
    assert read_back(two) == 2 * read_back(one)
    assert two.window_sizes().sum() == 2 * one.window_sizes().sum()


def test_a_window_is_read_without_its_shard(source, folder):
    """The bytes of one window say what is read: damage elsewhere is not met."""
    corpus = ShardCorpus(folder, source.tokenizer)
    sizes = corpus.window_sizes()
    assert len(sizes) > 20 and sizes.max() < 4 * (256 + 100)
    total = sum(len(corpus.read(window).arrays["tokens"]) for window in range(corpus.num_windows))
    assert total * 4 == sizes.sum()


def test_large_vocabularies_take_four_bytes(tmp_path):
    tokenizer = kb.BertTokenizer([*SPECIAL, *(f"w{number}" for number in range(70_000))])
    (tmp_path / "a.txt").write_text("w1 w69999\n\nw66000 w2\n")
    kb.data.prepare(tmp_path / "a.txt", tokenizer, tmp_path / "out", workers=1)
    corpus = ShardCorpus(tmp_path / "out", tokenizer)
    assert sorted(read_back(corpus)) == [((6, 70_004),), ((66_005, 7),)]
    assert read_block(corpus, np.arange(1), tokenizer, "sentences").tokens.dtype == np.int32


def opened(folder, source, **settings):
    return kb.data.PretrainingStream(folder, source.tokenizer, epochs=1, **STREAM, **settings)


def test_a_missing_shard_is_named(source, copy):
    (copy / "shard-00002-of-00004.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"shard-00002-of-00004.*is missing.*anew"):
        opened(copy, source)


def test_a_shard_that_goes_while_it_is_read_is_named(source, copy):
    stream = opened(copy, source)
    (copy / "shard-00001-of-00004.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="shard-00001-of-00004"):
        drain(stream)


def test_a_cut_shard_is_named(source, copy):
    path = copy / "shard-00001-of-00004.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"shard-00001-of-00004.* is damaged: it has .* bytes"):
        opened(copy, source)


def test_every_flipped_byte_is_found(source, copy):
    """Anywhere in a shard: header, table of windows or content, on opening or on reading."""
    path = copy / "shard-00003-of-00004.safetensors"
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    on_opening = 0
    for place in [0, 9, 200, *rng.integers(600, len(whole), 40).tolist()]:
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        try:
            corpus = ShardCorpus(copy, source.tokenizer)
        except ValueError as error:
            assert "shard-00003-of-00004.safetensors is damaged" in str(error)
            on_opening += 1
            continue
        with pytest.raises(ValueError, match=r"shard-00003-of-00004\S* is damaged"):
            read_back(corpus)
    assert 3 <= on_opening < 20


def test_a_damaged_shard_stops_the_dataset(source, copy):
    path = copy / "shard-00003-of-00004.safetensors"
    damaged = bytearray(path.read_bytes())
    # The first token stands where the header says.
    begin = 8 + int.from_bytes(damaged[:8], "little")
    damaged[begin + json.loads(damaged[8:begin])["tokens"]["data_offsets"][0]] ^= 64
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match=r"shard-00003-of-00004.* is damaged: the checksum"):
        drain(opened(copy, source))


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"version": 1, "shards": 3}'])
def test_a_damaged_manifest_is_named(source, copy, text):
    (copy / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match=r"manifest\.json is not a whole manifest.*anew"):
        opened(copy, source)


def test_another_version_is_refused(source, copy):
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**manifest, "version": 7}))
    with pytest.raises(ValueError, match=r"version 7, and this keras_bert reads version 1"):
        opened(copy, source)


def test_another_tokenizer_is_refused_with_both_fingerprints(source, folder):
    cased = kb.BertTokenizer(source.tokenizer.vocabulary, lowercase=False)
    larger = kb.BertTokenizer([*source.tokenizer.vocabulary, "new"])
    ours = of_tokenizer(source.tokenizer)
    for other in (cased, larger):
        with pytest.raises(ValueError, match=f"{ours}.*{of_tokenizer(other)}.*anew"):
            kb.data.pretraining(folder, other)


def test_words_that_were_not_marked_are_refused(source, folder):
    with pytest.raises(ValueError, match=r"word_segmenter='jieba'.*--word_segmenter=jieba"):
        kb.data.pretraining(folder, source.tokenizer, word_segmenter="jieba")


def test_text_and_folders_do_not_mix(source, folder):
    with pytest.raises(ValueError, match=r"1 of 2 entries are prepared.*prepared folders alone"):
        kb.data.pretraining([folder, source.files[0]], source.tokenizer)
    with pytest.raises(ValueError, match=r"1 of 2 entries are prepared.*prepared folders alone"):
        kb.data.pretraining({folder: 1, source.files[0]: 2}, source.tokenizer)


def test_folders_are_mixed_by_weight(source, folder, copy):
    stream = kb.data.PretrainingStream(
        {folder: 1, copy: 3}, source.tokenizer, epochs=2, pairs="none", **STREAM
    )
    counts = drain(stream).counts
    one = drain(opened(folder, source)).counts
    # Two epochs of two corpora: as many tokens as four passes over one, windows being uneven.
    assert 0.9 < counts.tokens / (4 * one.tokens) < 1.1


@pytest.mark.parametrize("settings", [{"held_out_rate": 0.1}, {"drop_duplicates": True}])
def test_what_needs_the_text_is_refused(source, folder, settings):
    with pytest.raises(ValueError, match=r"need the text.*--drop_duplicates"):
        kb.data.pretraining(folder, source.tokenizer, **settings)


def test_one_document_is_refused_for_pairs(tmp_path):
    tokenizer = kb.BertTokenizer([*SPECIAL, "a"])
    (tmp_path / "a.txt").write_text("a a\na\n")
    kb.data.prepare(tmp_path / "a.txt", tokenizer, tmp_path / "out", workers=1)
    with pytest.raises(ValueError, match="one document"):
        kb.data.pretraining(tmp_path / "out", tokenizer)
