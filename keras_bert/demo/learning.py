"""What the demo learns: a small BERT, its measures on held-out text, and two classifiers."""

import collections
import math

import keras
import numpy as np

import keras_bert as kb
from keras_bert.training.evaluation import classification_report, predict_classes
from keras_bert.training.stopping import StopAfter

SEQUENCE_LENGTH = 64
BATCH_SIZE = 64


def pretrain(training_path, held_out_path, tokenizer, steps, seed=0):
    """Pretrains a small BERT on sentence pairs.

    Args:
        training_path, held_out_path: str, corpus files.
        tokenizer: `BertTokenizer`.
        steps: int, training steps.
        seed: int, default 0.

    Returns:
        The `BertPretrainer`, its history (dict of lists) and its measures on the held-out corpus
        (dict of floats).
    """
    keras.utils.set_random_seed(seed)
    settings = {"sequence_length": SEQUENCE_LENGTH, "batch_size": BATCH_SIZE}
    data = kb.data.pretraining(training_path, tokenizer, seed=seed, **settings)
    held_out = kb.data.pretraining(held_out_path, tokenizer, seed=seed + 1, epochs=1, **settings)
    config = kb.BertConfig.named(
        "tiny",
        vocabulary_size=tokenizer.vocabulary_size,
        max_sequence_length=2 * SEQUENCE_LENGTH,
        # Less than a pass over the text is no danger of learning it by heart.
        dropout=0.0,
        attention_dropout=0.0,
        # The paper's 0.02 suits 768 dimensions; the narrower the model, the slower it starts.
        initializer_range=0.08,
    )
    with kb.strategy("auto").scope():
        model = kb.BertPretrainer(kb.BertBackbone(config))
        model.compile(
            optimizer=kb.optimizers.adamw(
                3e-3, warmup_steps=steps // 10, total_steps=steps, beta_2=0.98
            ),
            **kb.losses.pretraining(),
        )
    reports = 8
    history = model.fit(
        data,
        steps_per_epoch=-(-steps // reports),
        epochs=reports,
        validation_data=held_out,
        callbacks=[kb.Throughput(), StopAfter(steps)],
        verbose=2,
    ).history
    measures = {name: column[-1] for name, column in history.items() if name.startswith("val_")}
    return model, history, measures


def baselines(training_path, held_out_path, tokenizer, seed=0):
    """Measures what knows no context: the commonest token, token frequencies, the commoner label.

    Returns:
        dict of floats: `masked_accuracy` of always answering the commonest training token,
        `perplexity` of the training frequencies (one added to each), `next_sentence_accuracy` of
        always answering the commoner label; all on the held-out masks and pairs.
    """
    counts = np.ones(tokenizer.vocabulary_size)
    with open(training_path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    np.add.at(counts, tokenizer(lines).flat_values.numpy(), 1)
    log_shares = np.log(counts / counts.sum())
    data = kb.data.pretraining(
        held_out_path,
        tokenizer,
        seed=seed + 1,
        epochs=1,
        sequence_length=SEQUENCE_LENGTH,
        batch_size=BATCH_SIZE,
    )
    answers, labels = [], []
    for _, targets, weights in data.as_numpy_iterator():
        answers.append(targets["masked_lm"][weights["masked_lm"] > 0])
        labels.append(targets["next_sentence"])
    answers, labels = np.concatenate(answers), np.concatenate(labels)
    return {
        "masked_accuracy": float(np.mean(answers == counts.argmax())),
        "perplexity": math.exp(-log_shares[answers].mean()),
        "next_sentence_accuracy": float(max(labels.mean(), 1 - labels.mean())),
    }


def write_labelled(documents, path, per_class, seed):
    """Writes up to `per_class` documents of each library as TSV rows `text`, `label`."""
    rng = np.random.default_rng(seed)
    by_library = collections.defaultdict(list)
    for document in documents:
        by_library[document.library].append(document.text)
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write("text\tlabel\n")
        for library in sorted(by_library):
            texts = by_library[library]
            for i in rng.permutation(len(texts))[:per_class]:
                file.write(f"{texts[i]}\t{library}\n")


def finetune(backbone, preprocess, train_path, test_path, seed, pretrained, epochs=12):
    """Fine-tunes a classifier on `backbone`'s weights, or on new ones of the same shape.

    Args:
        backbone: `BertBackbone`, left as it is.
        preprocess: `TextClassifierPreprocessor`.
        train_path, test_path: str, TSV files.
        seed: int, decides new weights, dropout and order.
        pretrained: bool, whether to start from the backbone's weights.
        epochs: int, default 12.

    Returns:
        The `BertTextClassifier` and its `classification_report` on the test file.
    """
    keras.utils.set_random_seed(seed)
    train = kb.data.classification(train_path, preprocess, batch_size=16, seed=seed)
    test = kb.data.classification(test_path, preprocess, labels=train.labels, shuffle=False)
    fresh = kb.BertBackbone(backbone.config.replace(dropout=0.1, attention_dropout=0.1))
    if pretrained:
        fresh.set_weights(backbone.get_weights())
    model = kb.BertTextClassifier(fresh, labels=train.labels)
    steps = epochs * int(train.cardinality())
    model.compile(
        optimizer=kb.optimizers.adamw(5e-4, warmup_steps=steps // 10, total_steps=steps),
        **kb.losses.classification(),
    )
    model.fit(train, epochs=epochs, verbose=0)
    return model, classification_report(*predict_classes(model, test), train.labels)
