"""The demo from end to end: documentation on this machine to a served classifier."""

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time

from keras_bert.demo import docstrings

LABELLED_PER_LIBRARY = 32
TESTED_PER_LIBRARY = 100
SEEDS = (0, 1, 2)
MASKED_SENTENCES = (
    "Returns a list of [MASK].",
    "A tensor of [MASK] float32.",
    "Raises ValueError if the [MASK] is not valid.",
    "The shape of the input [MASK].",
)
PASSAGES = (
    "Return the matrix product of two arrays, summed over the last axis.",
    "A layer that applies dropout to its inputs during training.",
    "Open a file and return a stream; raise OSError when the path cannot be opened.",
)

# Run in a process of its own: TensorFlow and its text ops are all a server needs.
FRESH_PROCESS = """
import json, sys
import tensorflow as tf, tensorflow_text
model = tf.saved_model.load(sys.argv[1])
out = model.signatures["serving_default"](text=tf.constant(json.loads(sys.argv[2])))
rows = zip(out["label"].numpy(), out["score"].numpy())
print(json.dumps([[label.decode(), float(score)] for label, score in rows]))
"""


def run(directory, steps, start_tensorflow=lambda: None):
    """Runs the demo and writes models, pictures and `report.html` to `directory`.

    Args:
        directory: str, the run folder; made if missing.
        steps: int, pretraining steps.
        start_tensorflow: function called before TensorFlow is first used.

    Returns:
        dict: the measures, as written to `results.json`.
    """
    _require_pictures()
    clock = _Clock()
    os.makedirs(directory, exist_ok=True)

    def path(name):
        return os.path.join(directory, name)

    clock.start("Gathering the docstrings of the installed libraries")
    documents = docstrings.gather()
    training, held_out = docstrings.split(documents)
    docstrings.write_corpus(training, path("train.txt"))
    docstrings.write_corpus(held_out, path("held_out.txt"))
    size = sum(len(document.text) for document in documents) / 1e6
    clock.say(
        f"{len(documents):,} docstrings, {size:.1f} MB; {len(held_out):,} held out, "
        "duplicates removed"
    )

    # TensorFlow starts after the worker processes have ended.
    start_tensorflow()
    import keras_bert as kb
    from keras_bert import plots
    from keras_bert.demo import learning

    clock.start("Training a vocabulary")
    vocabulary = kb.text.train_vocabulary(path("train.txt"), size=8_000)
    tokenizer = kb.BertTokenizer(vocabulary)
    clock.say(f"{len(vocabulary):,} tokens")

    clock.start(f"Pretraining a small BERT for {steps:,} steps")
    model, history, measures = learning.pretrain(
        path("train.txt"), path("held_out.txt"), tokenizer, steps
    )
    baseline = learning.baselines(path("train.txt"), path("held_out.txt"), tokenizer)
    kb.save_preset(path("pretrained"), model, tokenizer, overwrite=True)
    plots.curves(history, path("curves.png"))
    clock.say(f"{model.count_params():,} parameters")

    clock.start("Filling masks")
    kb.export_saved_model(
        kb.BertMaskedLM.from_preset(path("pretrained")),
        kb.MaskedLMPreprocessor(tokenizer, sequence_length=learning.SEQUENCE_LENGTH),
        path("saved_models/fill_mask/1"),
        overwrite=True,
    )
    fill = kb.Predictor(path("saved_models/fill_mask/1"))
    filled = []
    for sentence in MASKED_SENTENCES:
        words = [f"{guess['token']} {guess['score']:.0%}" for guess in fill(sentence)[0][:4]]
        filled.append((sentence, ", ".join(words)))
        clock.say(f"{sentence}  ->  {filled[-1][1]}")

    clock.start(
        f"Fine-tuning 'which library is this from' on {LABELLED_PER_LIBRARY} passages each, from "
        f"the pretrained weights and from scratch, {len(SEEDS)} seeds"
    )
    preprocess = kb.TextClassifierPreprocessor(tokenizer, sequence_length=128)
    learning.write_labelled(held_out, path("test.tsv"), TESTED_PER_LIBRARY, seed=0)
    accuracies, classifiers = {True: [], False: []}, {}
    for seed in SEEDS:
        learning.write_labelled(training, path("train.tsv"), LABELLED_PER_LIBRARY, seed)
        for pretrained in (True, False):
            classifiers[pretrained] = learning.finetune(
                model.backbone, preprocess, path("train.tsv"), path("test.tsv"), seed, pretrained
            )
            accuracies[pretrained].append(classifiers[pretrained][1]["accuracy"])
        clock.say(
            f"seed {seed}: accuracy {accuracies[True][-1]:.3f} pretrained, "
            f"{accuracies[False][-1]:.3f} from scratch"
        )
    # The better way of the two over all seeds; of its classifiers the last, not the luckiest.
    means = {pretrained: statistics.mean(values) for pretrained, values in accuracies.items()}
    classifier, report = classifiers[means[True] > means[False]]
    kb.save_preset(path("classifier"), classifier, preprocess, overwrite=True)
    plots.confusion_matrix(report["confusion"], classifier.labels, path("confusion.png"))

    clock.start("Exporting the better one and asking it in a fresh process")
    saved_model = path("saved_models/library/1")
    kb.export_saved_model(classifier, preprocess, saved_model, overwrite=True)
    answers = _ask_in_fresh_process(saved_model, PASSAGES)
    for passage, (label, score) in zip(PASSAGES, answers, strict=True):
        clock.say(f"{passage}  ->  {label} {score:.0%}")

    commonest = max(entry["examples"] for entry in report["classes"].values()) / report["examples"]
    return {
        "table": [
            _row(
                "masked accuracy",
                measures["val_masked_lm_accuracy"],
                baseline["masked_accuracy"],
                "the commonest token",
            ),
            _row(
                "perplexity of masks",
                measures["val_masked_lm_perplexity"],
                baseline["perplexity"],
                "token frequencies",
            ),
            _row(
                "next-sentence accuracy",
                measures["val_next_sentence_accuracy"],
                baseline["next_sentence_accuracy"],
                "the commoner answer",
            ),
            _row(
                "library, from pretrained weights",
                means[True],
                commonest,
                "the commonest library",
            ),
            _row(
                "library, from scratch",
                means[False],
                commonest,
                "the commonest library",
            ),
        ],
        "seeds": {"pretrained": accuracies[True], "scratch": accuracies[False]},
        "filled": filled,
        "answers": [[p, *answer] for p, answer in zip(PASSAGES, answers, strict=True)],
        "documents": {"training": len(training), "held_out": len(held_out)},
        "steps": steps,
        "seconds": clock.seconds(),
    }


def _row(name, value, baseline, meaning):
    return {"measure": name, "value": value, "baseline": baseline, "baseline_is": meaning}


def _ask_in_fresh_process(saved_model, texts):
    command = [sys.executable, "-c", FRESH_PROCESS, saved_model, json.dumps(list(texts))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().split("\n")[-1]
        raise RuntimeError(f"the fresh process ended with code {done.returncode}: {said}")
    return json.loads(done.stdout.splitlines()[-1])


def _require_pictures():
    """Raises at once, rather than after minutes of training, where matplotlib is missing."""
    if importlib.util.find_spec("matplotlib") is None:
        raise ImportError("the demo draws pictures: pip install 'keras_bert[plots]'")


class _Clock:
    """Says what is going on and how long each part took."""

    def __init__(self):
        self._begin = time.perf_counter()
        self._parts = []

    def start(self, part):
        self._parts.append((part, time.perf_counter()))
        print(f"\n[{time.perf_counter() - self._begin:4.0f} s] {part}", flush=True)

    def say(self, text):
        print(f"         {text}", flush=True)

    def seconds(self):
        """Returns a dict of part to seconds, and `total`."""
        ends = [begin for _, begin in self._parts[1:]] + [time.perf_counter()]
        parts = {part: end - begin for (part, begin), end in zip(self._parts, ends, strict=True)}
        return {**parts, "total": ends[-1] - self._begin}
