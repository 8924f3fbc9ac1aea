"""Documents held out by hash and duplicates left out, whatever the windows are."""

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.data.corpus import Corpus
from keras_bert.data.documents import read_text
from keras_bert.data.duplicates import Duplicates
from keras_bert.data.selection import Selection

WINDOWS = (64, 300, 5_000, 1 << 20)


def write(path, documents):
    path.write_text("\n\n".join("\n".join(lines) for lines in documents) + "\n")
    return path


@pytest.fixture(scope="module")
def documents():
    """Lists of lines, every one of them unlike the others; some far longer than most windows."""
    rng = np.random.default_rng(0)
    numbers = iter(range(10**6))

    def line():
        return " ".join(f"n{next(numbers)}x" for _ in range(rng.integers(1, 12)))

    lengths = np.where(rng.random(400) < 0.05, 200, rng.integers(1, 9, 400))
    documents = [[line() for _ in range(length)] for length in lengths]
    # First lines longer than a window, and than what of them decides.
    documents[7][0] = " ".join([line() for _ in range(80)])
    documents[9][0] = "苹果" * 700
    return documents


def read_all(corpus, selection, order=None):
    """The sentences taken, in the order of the corpus, and duplicates."""
    found, doubled = {}, 0
    for number in range(corpus.num_windows) if order is None else order:
        window = corpus.read(int(number))
        text, more = selection.select(int(number), window, read_text(window))
        assert len(text.sentences) == len(text.parts)
        assert sorted(set(text.parts.tolist())) == list(range(len(set(text.parts.tolist()))))
        found[int(number)] = text.sentences
        doubled += more
    return [sentence for number in sorted(found) for sentence in found[number]], doubled


def pieces(documents):
    return "".join("".join(lines).replace(" ", "") for lines in documents)


def joined(sentences):
    return "".join(sentences).replace(" ", "")


def test_every_document_is_in_one_part(tmp_path, documents):
    splits = []
    for window_bytes in WINDOWS:
        corpus = Corpus(write(tmp_path / "a.txt", documents), window_bytes)
        # Windows in any order: what was found out about those before is no help.
        order = np.random.default_rng(1).permutation(corpus.num_windows)
        train, held_out = (
            joined(read_all(corpus, Selection(corpus, 0.3, part), order)[0])
            for part in ("train", "held_out")
        )
        assert len(train) + len(held_out) == len(pieces(documents))
        split = [pieces([document]) in held_out for document in documents]
        assert pieces(d for d, out in zip(documents, split, strict=True) if out) == held_out
        assert pieces(d for d, out in zip(documents, split, strict=True) if not out) == train
        splits.append(split)
    assert 80 < sum(splits[0]) < 160
    assert splits[1:] == splits[:1] * (len(WINDOWS) - 1)


def test_the_split_does_not_depend_on_files_nor_order(tmp_path, documents):
    def held_out(name, documents):
        corpus = Corpus(write(tmp_path / name, documents), 500)
        return joined(read_all(corpus, Selection(corpus, 0.3, "held_out"))[0])

    whole = held_out("all.txt", documents)
    assert held_out("1.txt", documents[:100]) + held_out("2.txt", documents[100:]) == whole
    assert len(held_out("back.txt", documents[::-1])) == len(whole)


@pytest.mark.parametrize("rate", [0.01, 0.2, 0.5])
def test_the_rate_is_met(tmp_path, rate):
    path = write(tmp_path / "a.txt", [[f"document {n}", "text"] for n in range(20_000)])
    corpus = Corpus(path, 1 << 16)
    sentences, _ = read_all(corpus, Selection(corpus, rate, "held_out"))
    found = len(sentences) / 2 / 20_000
    assert found == pytest.approx(rate, abs=4 * np.sqrt(rate * (1 - rate) / 20_000))


def test_white_space_and_what_follows_do_not_decide(tmp_path):
    long = "word " * 300
    for n in range(40):
        documents = [[f"  title {n}\t", "a"], [f"title {n}", "b"], [f"title {n}", "c", "d"]]
        documents += [[f"{n} {long} end"], [f"\t{n} {long} other"]]
        path = write(tmp_path / f"{n}.txt", documents)
        sentences = []
        for window_bytes in (40, 1_000):
            corpus = Corpus(path, window_bytes)
            sentences.append(joined(read_all(corpus, Selection(corpus, 0.5, "train"))[0]))
        assert sentences[0] == sentences[1]
        assert (f"title{n}a" in sentences[0]) == (f"title{n}b" in sentences[0])
        assert (f"title{n}b" in sentences[0]) == (f"title{n}cd" in sentences[0])
        assert sentences[0].count("wordend") == sentences[0].count("wordother")


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("window_bytes", WINDOWS)
def test_duplicates_are_left_out(tmp_path, documents, window_bytes, workers):
    rng = np.random.default_rng(2)
    again = [documents[n] for n in rng.integers(0, len(documents), 150)]
    again += [document for document in documents if len(document) > 100][:3]
    # The same words on other lines are the same document; a part of one is another.
    again.append([" ".join(documents[3])])
    others = [documents[11] + ["more"], documents[12][:-1] or ["other"]]
    write(tmp_path / "a.txt", documents)
    write(tmp_path / "b.txt", again[:70] + others + again[70:])
    corpus = Corpus(tmp_path / "*.txt", window_bytes)
    duplicates = Duplicates(corpus, workers)
    assert duplicates.number == len(again)
    sentences, doubled = read_all(corpus, Selection(corpus, 0.0, "train", duplicates))
    assert doubled == len(again)
    assert joined(sentences) == pieces(documents + others)


def test_held_out_and_duplicates_together(tmp_path, documents):
    write(tmp_path / "a.txt", documents + documents)
    corpus = Corpus(tmp_path / "a.txt", 400)
    duplicates = Duplicates(corpus, 2)
    found = [
        read_all(corpus, Selection(corpus, 0.4, part, duplicates)) for part in ("train", "held_out")
    ]
    assert sum(doubled for _, doubled in found) == len(documents)
    assert min(doubled for _, doubled in found) > 100
    assert len(joined(found[0][0]) + joined(found[1][0])) == len(pieces(documents))


SETTINGS = {
    "sequence_length": 32,
    "batch_size": 8,
    "window_bytes": 700,
    "block_windows": 8,
    "lanes": 2,
    "pairs": "none",
    "epochs": 1,
}


def test_the_stream_reads_its_part_and_counts(tmp_path, documents):
    documents = documents[:100]
    words = sorted(
        {w for lines in documents for line in lines for w in line.split() if len(w) < 99}
    )
    tokenizer = kb.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words])
    write(tmp_path / "a.txt", documents + documents[:20])

    def counts(**settings):
        stream = kb.data.PretrainingStream(
            tmp_path / "a.txt", tokenizer, **{**SETTINGS, **settings}
        )
        for _ in stream.batches():
            pass
        return stream.counts

    whole, once = counts(), counts(drop_duplicates=True)
    assert (whole.documents, whole.duplicates) == (120, 0)
    assert (once.documents, once.duplicates) == (100, 20)
    train, held_out = (
        counts(drop_duplicates=True, held_out_rate=0.2, part=part) for part in ("train", "held_out")
    )
    assert 8 < held_out.documents < 40
    assert train.documents + held_out.documents == 100
    assert train.tokens + held_out.tokens == once.tokens
    assert train.duplicates + held_out.duplicates == 20
    assert counts(held_out_rate=0.2, pairs="nsp", epochs=2).documents > 2 * 75


def test_settings_that_take_nothing(tmp_path, documents):
    tokenizer = kb.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"])
    write(tmp_path / "a.txt", documents[:20])

    def make(**settings):
        return kb.data.PretrainingStream(tmp_path / "a.txt", tokenizer, **{**SETTINGS, **settings})

    with pytest.raises(ValueError, match="held_out_rate=0: nothing is held out"):
        make(part="held_out")
    with pytest.raises(ValueError, match="part is 'test'; expected one of 'train', 'held_out'"):
        make(part="test", held_out_rate=0.5)
    with pytest.raises(ValueError, match=r"held_out_rate is 1\.5"):
        make(held_out_rate=1.5)
    with pytest.raises(ValueError, match=r"made no example.*none is in part='train'"):
        next(make(held_out_rate=1.0, epochs=None, lanes=1).batches())
    for epochs in (1, None):
        with pytest.raises(ValueError, match="made no example"):
            next(make(held_out_rate=1.0, epochs=epochs, lanes=4).batches())


def test_other_white_space_ends_a_document_too(tmp_path):
    """U+3000 makes an empty line, which windows do not begin after."""
    documents = [[f"title {n}", *[f"line {n} {m}" for m in range(12)]] for n in range(200)]
    text = "\n\u3000\n".join("\n".join(lines) for lines in documents)
    (tmp_path / "a.txt").write_text(text)
    for window_bytes in (48, 90, 100_000):
        corpus = Corpus(tmp_path / "a.txt", window_bytes)
        selection = Selection(corpus, 0.5, "held_out")
        sentences = joined(read_all(corpus, selection)[0])
        out = [d for d in documents if joined(d) in sentences]
        assert pieces(out) == sentences
        assert len(out) == sum(selection._falls_below(d[0].encode()) for d in documents)


def words_of(lines):
    return " ".join(lines).lower().replace(".", "").replace(",", "").split()


@pytest.mark.parametrize("workers", [1, 4])
def test_prose_and_lanes_are_chosen_by_document_too(tmp_path, documents, workers):
    """Running text, several lanes and readers, copies of windows: whole documents all the same."""
    prose = [
        [f"{line.replace('x n', 'x. N', 1)}," for line in lines]
        for lines in documents[10:110]
        if len(lines[0]) < 300
    ]
    words = sorted({word for lines in prose for word in words_of(lines)})
    tokenizer = kb.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", ",", *words])
    path = write(tmp_path / "a.txt", prose)

    def tokens(part):
        stream = kb.data.PretrainingStream(
            {path: 1},
            tokenizer,
            format="prose",
            held_out_rate=0.3,
            part=part,
            workers=workers,
            **{**SETTINGS, "batch_size": 12, "lanes": 4},
        )
        found = []
        for shard in range(3):
            for inputs, labels, weights in stream.batches(shard, 3):
                ids = inputs["token_ids"].copy()
                row, slot = np.nonzero(weights["masked_lm"])
                ids[row, inputs["mask_positions"][row, slot]] = labels["masked_lm"][row, slot]
                found += ids[ids > 6].tolist()
        return found

    train, held_out = tokens("train"), tokens("held_out")
    assert sorted(train + held_out) == list(range(7, 7 + len(words)))
    held_out = set(held_out)
    for lines in prose:
        own = {tokenizer.token_to_id(word) for word in words_of(lines)}
        assert own <= held_out or not own & held_out
