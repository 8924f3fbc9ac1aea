"""Fine-tuning with fixed hyperparameters, a recipe a row group of the table.

A recipe is what one would type: flags of `keras-bert finetune`, files of the data folder, and
flags of `keras-bert evaluate`. `peer` is what Hugging Face on PyTorch reached from the same weights
(one seed, bfloat16), where that was measured.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Measure:
    """A figure of a run.

    Attributes:
        name: str, its key in the report that `evaluate` writes; `a.b` is `b` in `a`.
        title: str, as the table calls it.
        goal: float or None, what is to be reached, or to be passed.
        peer: float or None, see above.
        scale: float, by which the report's number is multiplied for the table.
        digits: int, after the point in the table.
    """

    name: str
    title: str
    goal: float | None = None
    peer: float | None = None
    scale: float = 100.0
    digits: int = 1


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A job on a set.

    Attributes:
        name: str, a folder name.
        title: str, as the table calls it.
        task: str, as `--task`.
        train, test: str, below the data folder.
        flags: dict of `finetune`'s other flags.
        measures: tuple of `Measure`.
        dev: str or None, where thresholds are tuned.
        reading: dict of the flags that both commands read files with.
        evaluating: dict of flags of `evaluate` alone.
        start: str, what training starts from, a key of `benchmarks.tasks.starts.STARTS`.
    """

    name: str
    title: str
    task: str
    train: str
    test: str
    flags: dict
    measures: tuple
    dev: str | None = None
    reading: dict = dataclasses.field(default_factory=dict)
    evaluating: dict = dataclasses.field(default_factory=dict)
    start: str = "minilm"


def _rate(learning_rate, epochs, batch_size=32, sequence_length=128, **others):
    return {
        "learning_rate": learning_rate,
        "epochs": epochs,
        "batch_size": batch_size,
        "sequence_length": sequence_length,
        **others,
    }


ACCURACY = Measure("accuracy", "accuracy")

# Short runs first: an interrupted `make results` has something to show.
RECIPES = [
    # Cer et al. 2017, https://aclanthology.org/S17-2001; cosines as Reimers and Gurevych 2019.
    Recipe(
        "stsb",
        "STS-B dev, embeddings",
        "embedding",
        "stsb/train.tsv",
        "stsb/dev.tsv",
        _rate(2e-5, 4, batch_size=16),
        (
            Measure("spearman", "Spearman", 0.855, 0.842, 1.0, 3),
            Measure("pearson", "Pearson", None, None, 1.0, 3),
        ),
    ),
    # Dagan et al. 2006; a cut of its own, see the data's README.
    Recipe(
        "rte",
        "RTE test",
        "classification",
        "rte/train.tsv",
        "rte/test.tsv",
        _rate(5e-5, 5, batch_size=16),
        (ACCURACY,),
    ),
    # Derczynski et al. 2017, https://aclanthology.org/W17-4418.
    Recipe(
        "wnut17",
        "WNUT-17 test, entities",
        "tokens",
        "wnut17/train.conll",
        "wnut17/test.conll",
        _rate(2e-4, 4, batch_size=16),
        (Measure("f1", "F1", 38.0),),
    ),
    # Coucke et al. 2018, https://arxiv.org/abs/1805.10190.
    Recipe(
        "snips_intent",
        "SNIPS, intent",
        "classification",
        "snips/train.jsonl",
        "snips/valid.jsonl",
        _rate(2e-4, 2, sequence_length=64),
        (dataclasses.replace(ACCURACY, goal=98.0),),
        reading={"text_columns": "text", "label_column": "intent"},
    ),
    Recipe(
        "snips_slots",
        "SNIPS, slots",
        "tokens",
        "snips/train.jsonl",
        "snips/valid.jsonl",
        _rate(5e-4, 4, sequence_length=64),
        (Measure("f1", "F1", 92.0),),
    ),
    # Larson et al. 2019, https://aclanthology.org/D19-1131.
    Recipe(
        "clinc150",
        "CLINC150 test, intent",
        "classification",
        "clinc150/data_full.json#train",
        "clinc150/data_full.json#test+oos_test",
        _rate(2e-4, 4, sequence_length=64, out_of_scope="oos"),
        (
            Measure("in_scope_accuracy_without_threshold", "in-scope accuracy", 95.7, 95.7),
            Measure("in_scope_accuracy", "in-scope accuracy, threshold on"),
            Measure("out_of_scope_recall", "out-of-scope recall"),
        ),
        dev="clinc150/data_full.json#val+oos_val",
    ),
    # Hendrickx et al. 2010, https://aclanthology.org/S10-1006; Soares et al. 2019 for the markers.
    Recipe(
        "semeval2010",
        "SemEval-2010 task 8 test, relations",
        "relations",
        "semeval2010_task8/train.tsv",
        "semeval2010_task8/test.tsv",
        _rate(1e-4, 5),
        (
            dataclasses.replace(ACCURACY, goal=82.0, peer=82.2),
            Measure("semeval_macro_f1", "official macro F1"),
        ),
    ),
    # Rajpurkar et al. 2016, https://arxiv.org/abs/1606.05250; a sample, see the data's README.
    Recipe(
        "squad1",
        "SQuAD 1.1 sample",
        "qa",
        "squad1/train.json",
        "squad1/dev.json",
        _rate(2e-4, 4, batch_size=16, sequence_length=256),
        (
            Measure("f1", "F1", 60.0, None, 1.0),
            Measure("exact_match", "exact match", None, None, 1.0),
        ),
    ),
    # Rajpurkar et al. 2018, https://arxiv.org/abs/1806.03822; the threshold from the training set.
    Recipe(
        "squad2",
        "SQuAD 2.0 sample",
        "qa",
        "squad2/train.json",
        "squad2/dev.json",
        _rate(2e-4, 4, batch_size=16, sequence_length=256),
        (
            Measure("f1", "F1", 50.71, None, 1.0, 2),
            Measure("exact_match", "exact match", None, None, 1.0),
            Measure("has_answer.f1", "F1 of questions with an answer", None, None, 1.0),
        ),
    ),
    # Socher et al. 2013, https://aclanthology.org/D13-1170.
    Recipe(
        "sst2",
        "SST-2 dev",
        "classification",
        "sst2/train.tsv",
        "sst2/dev.tsv",
        _rate(5e-5, 2),
        (dataclasses.replace(ACCURACY, goal=90.0, peer=89.7),),
    ),
    # Tan and Zhang 2008; texts of the test that are nowhere in train or dev.
    *(
        Recipe(
            name,
            title,
            "classification",
            "chnsenticorp/train.tsv",
            "chnsenticorp/test_unseen.tsv",
            _rate(2e-4, 3, sequence_length=256, precision="mixed_bfloat16"),
            (ACCURACY,),
            start=start,
        )
        for name, title, start in (
            ("chnsenticorp", "ChnSentiCorp test_unseen", "chinese"),
            ("chnsenticorp_new", "the same without pretraining", "chinese_untrained"),
        )
    ),
    # People's Daily of 1998, the first 10,000 sentences; by character.
    *(
        Recipe(
            name,
            title,
            "tokens",
            "peopledaily_ner/train.conll",
            "peopledaily_ner/dev.conll",
            _rate(5e-4, 4, sequence_length=256, precision="mixed_bfloat16"),
            (Measure("f1", "F1"),),
            start=start,
        )
        for name, title, start in (
            ("peopledaily", "People's Daily dev, entities", "chinese"),
            ("peopledaily_new", "the same without pretraining", "chinese_untrained"),
        )
    ),
    # Elliott et al. 2016, https://aclanthology.org/W16-3210; UniLM as Dong et al. 2019.
    Recipe(
        "multi30k",
        "Multi30k test 2016, English to German",
        "seq2seq",
        "multi30k/train.en,multi30k/train.de",
        "multi30k/test_2016_flickr.en,multi30k/test_2016_flickr.de",
        _rate(5e-4, 6, sequence_length=96, target_length=56, label_smoothing=0.1),
        (
            Measure("bleu", "BLEU, 4 beams", 14.92, None, 1.0),
            Measure("rougeL", "ROUGE-L", None, None, 1.0),
        ),
        evaluating={"beams": 4},
        start="english_german",
    ),
]
