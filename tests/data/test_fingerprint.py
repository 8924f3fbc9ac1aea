"""What the data depends on: kept as JSON, and every change of it is named."""

import json

import pytest

import keras_bert as kb
from keras_bert.data.fingerprint import differences, of_tokenizer
from keras_bert.data.service import _open, describe

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@pytest.fixture
def make(tmp_path):
    for name in "abcdefgh":
        (tmp_path / f"{name}.txt").write_text("a b\nb\n\n" * 4_000)

    def make(names="ab", vocabulary="ab", lowercase=True, **settings):
        tokenizer = kb.BertTokenizer([*SPECIAL, *vocabulary], lowercase=lowercase)
        files = [tmp_path / f"{name}.txt" for name in names]
        if "weights" in settings:
            files = dict(zip(files, settings.pop("weights"), strict=True))
        return kb.data.PretrainingStream(files, tokenizer, batch_size=4, **settings).fingerprint()

    return make


def test_equal_streams_have_equal_fingerprints(make):
    kept = json.loads(json.dumps(make()))
    assert differences(kept, make()) == [] and kept == make()
    # What has no influence on the data is not in it.
    assert make(workers=1, epochs=3, drop_remainder=True, start=2) == kept
    assert kept["lanes"] == 1 and len(kept["corpus"]) == 2


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"seed": 1}, ["seed was 0 and is 1"]),
        ({"sequence_length": 64}, ["sequence_length was 128 and is 64", None]),
        ({"pairs": "sop"}, ["pairs was 'nsp' and is 'sop'"]),
        ({"lanes": 2}, ["lanes was 1 and is 2"]),
        ({"held_out_rate": 0.5}, ["held_out_rate was 0.0 and is 0.5"]),
        ({"drop_duplicates": True}, ["drop_duplicates was False and is True"]),
        ({"vocabulary": "ba"}, ["the tokenizer's vocabulary or options have changed"]),
        ({"lowercase": False}, ["the tokenizer's vocabulary or options have changed"]),
        ({"weights": (3, 1)}, ["windows_per_epoch was [2] and is [2, 1]"]),
    ],
)
def test_settings_that_differ_are_named(make, settings, found):
    named = differences(make(), make(**settings))
    assert len(named) == len(found) and named[0] == found[0]


def test_every_option_of_the_tokenizer_counts():
    options = [
        {},
        {"lowercase": False},
        {"strip_accents": False},
        {"split_chinese": False},
        {"added_tokens": ["b"]},
        {"added_tokens": {"b": True}},
        {"added_tokens": ["a", "b"]},
    ]
    found = [of_tokenizer(kb.BertTokenizer([*SPECIAL, "a", "b"], **one)) for one in options]
    assert len(set(found)) == len(options)
    # Data that was prepared before there were more options stays good.
    assert found[0] == "24c66460ef16c18a9cd713d743641504"


def test_a_worker_makes_the_same_tokenizer(tmp_path):
    (tmp_path / "a.txt").write_text("a b\nb\n\n" * 4_000)
    options = {"lowercase": False, "split_chinese": False, "added_tokens": {"b": True}}
    tokenizer = kb.BertTokenizer([*SPECIAL, "a", "b"], **options)
    stream = kb.data.PretrainingStream(tmp_path / "a.txt", tokenizer, batch_size=4)
    opened = _open(describe([tmp_path / "a.txt"], tokenizer, stream.fingerprint()))
    assert opened.fingerprint()["tokenizer"] == of_tokenizer(tokenizer)


def test_files_that_differ_are_named(make, tmp_path):
    before = make("abc")
    with open(tmp_path / "a.txt", "a") as file:
        file.write("more\n")
    (tmp_path / "b.txt").write_text("a b\nb\n\n" * 3_999 + "b b\nb\n\n")
    found = differences(before, make("abd"))
    expected = [
        r"a.txt had 28,000 bytes and has 28,005",
        r"b.txt has other text",
        r"c.txt is no longer in the corpus",
        r"d.txt is new in the corpus",
    ]
    # The number of windows may differ too, before the files.
    named = [line.rsplit("/", 1)[-1] for line in found if "windows" not in line]
    assert named == expected
    more = differences(make("a"), make("abcdefgh"))
    assert more[-1] == "2 more files of the corpus differ" and len(more) == 7


def test_a_fingerprint_is_taken_when_the_stream_is_made(make, tmp_path):
    tokenizer = kb.BertTokenizer([*SPECIAL, *"ab"])
    stream = kb.data.PretrainingStream(tmp_path / "a.txt", tokenizer)
    before = stream.fingerprint()
    stream.fingerprint()["corpus"].clear()
    (tmp_path / "a.txt").write_text("other")
    assert stream.fingerprint() == before
