"""Embeddings from a file to a served model, by the commands, on sets that can be learned."""

import json
import random

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.cli.main import main
from keras_bert.jobs import embedding, job_of

TOPICS = {
    "food": "apple bread soup rice 苹果 米饭",
    "sport": "ball race goal team 足球 比赛",
    "sea": "boat wave fish salt 大海 渔船",
    "sky": "bird cloud star moon 星星 月亮",
}
WORDS = {topic: words.split() for topic, words in TOPICS.items()}


def run(command, *more, **flags):
    return main([command, *(f"--{name}={value}" for name, value in flags.items()), *more])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny untrained model; pairs scored by whether they share their topic; pairs that do."""
    folder = tmp_path_factory.mktemp("embedding")
    rng = random.Random(0)
    names = list(WORDS)

    def text(topic):
        return " ".join(rng.choices(WORDS[topic], k=3))

    for name, rows in (("train", 160), ("dev", 60)):
        scored, pairs = ["sentence1\tsentence2\tscore"], ["anchor\tpositive"]
        for number in range(rows):
            one, other = rng.sample(names, 2)
            scored.append(
                f"{text(one)}\t{text(one)}\t5" if number % 2 else f"{text(one)}\t{text(other)}\t0"
            )
            pairs.append(f"{text(one)}\t{text(one)}")
        (folder / f"{name}.tsv").write_text("\n".join(scored) + "\n", encoding="utf-8")
        (folder / f"{name}_pairs.tsv").write_text("\n".join(pairs) + "\n", encoding="utf-8")
    characters = sorted({c for words in TOPICS.values() for c in words if c > "一"})
    words = sorted({w for words in WORDS.values() for w in words if w < "一"})
    tokenizer = kb.BertTokenizer(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *characters], lowercase=True
    )
    config = kb.BertConfig(
        vocabulary_size=tokenizer.vocabulary_size,
        hidden_dim=16,
        num_heads=2,
        num_layers=1,
        max_sequence_length=16,
    )
    keras.utils.set_random_seed(0)
    embedder = kb.BertTextEmbedder(kb.BertBackbone(config), pooling="max", normalize=True)
    kb.save_preset(folder / "start", embedder, tokenizer)
    return folder


def measured(folder, preset, data):
    output = folder / f"report_{preset.parent.name}_{data}"
    assert run("evaluate", preset=preset, input=folder / f"{data}.tsv", output=output) == 0
    return json.loads((output / "report.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["", "_pairs"])
def test_commands_from_a_file_to_answers(folder, capsys, kind):
    before = measured(folder, folder / "start", f"dev{kind}")
    output = folder / f"run{kind}"
    flags = {"epochs": 12, "batch_size": 16, "learning_rate": 5e-3, "sequence_length": 16}
    data = {name: folder / f"{name}{kind}.tsv" for name in ("train", "dev")}
    assert (
        run("finetune", task="embedding", preset=folder / "start", output=output, **data, **flags)
        == 0
    )
    after = json.loads((output / "report.json").read_text())
    if kind:
        assert after["examples"] == 60 and after["recall_at_1"] <= after["recall_at_5"]
        assert after["recall_at_10"] > before["recall_at_10"] + 0.1
    else:
        assert after["spearman"] > 0.8 > before["spearman"] + 0.1
        assert after["spearman"] <= after["pearson"] + 0.2
    # What was saved is the embedder, pooled as the one it started from.
    model = kb.model_from_preset(output / "model")
    assert type(model) is kb.BertTextEmbedder and job_of(model) is embedding
    assert model.pooling == "max" and (output / "model" / "modules.json").exists()
    assert measured(folder, output / "model", f"dev{kind}") == pytest.approx(after, abs=1e-5)

    assert run("export", preset=output / "model", output=output / "saved/1") == 0
    capsys.readouterr()
    assert (
        run(
            "predict",
            "--text=bread rice",
            "--text=米饭 apple",
            "--text=月亮",
            model=output / "saved/1",
        )
        == 0
    )
    food, also_food, sky = (np.array(json.loads(x)) for x in capsys.readouterr().out.splitlines())
    assert food @ also_food > food @ sky + 0.05
    preprocess = kb.TextClassifierPreprocessor.from_preset(output / "model")
    encode = kb.SentenceEncoder(model, preprocess)
    np.testing.assert_allclose(food, encode("bread rice"), atol=1e-6)
    index = kb.SemanticIndex(encode, ["ball goal", "fish boat", "苹果 soup"])
    assert index.search("米饭", top_k=1)[0]["text"] == "苹果 soup"


def test_measuring_counts_what_it_should(folder):
    """Recall and correlation against the same by hand, from the vectors of single texts."""
    model = kb.BertTextEmbedder.from_preset(folder / "start")
    preprocess = kb.TextClassifierPreprocessor.from_preset(folder / "start")
    encode = kb.SentenceEncoder(model, preprocess)
    rows = [
        ("apple", "bread"),
        ("apple", "soup"),
        ("ball", "race"),
        ("Race", "goal"),
        ("bird", "bread"),
    ]
    data = embedding.read(
        [{"anchor": a, "positive": b} for a, b in rows], preprocess, shuffle=False
    )
    report = embedding.measure(model, preprocess, data)
    assert (report["examples"], report["queries"], report["texts"]) == (5, 4, 4)
    texts = ["bread", "soup", "race", "goal"]
    wanted = {"apple": {"bread", "soup"}, "ball": {"race"}, "race": {"goal"}, "bird": {"bread"}}
    shares = []
    for query, right in wanted.items():
        cosines = encode(texts) @ encode(query)
        best = texts[int(np.argmax(cosines))]
        shares.append((best in right) / len(right))
    assert report["recall_at_1"] == pytest.approx(np.mean(shares))
    assert report["recall_at_5"] == 1

    scored = [(a, b, n) for n, (a, b) in enumerate(rows)]
    data = embedding.read(
        [dict(zip(("sentence1", "sentence2", "score"), row, strict=True)) for row in scored],
        preprocess,
    )
    report = embedding.measure(kb.BertEmbeddingTrainer(model), preprocess, data)
    cosines = [float(encode(a) @ encode(b)) for a, b in rows]
    ranks = np.argsort(np.argsort(cosines))
    assert report["spearman"] == pytest.approx(np.corrcoef(ranks, range(5))[0, 1])
    assert report["pearson"] == pytest.approx(np.corrcoef(cosines, range(5))[0, 1], abs=1e-5)


def test_dev_must_be_of_the_kind_of_train(folder):
    preprocess = kb.TextClassifierPreprocessor.from_preset(folder / "start")
    train = embedding.read(folder / "train.tsv", preprocess)
    assert embedding.read(folder / "dev.tsv", preprocess, train).score_range == train.score_range
    with pytest.raises(ValueError, match="rows without scores, and the training set scored pairs"):
        embedding.read(folder / "dev_pairs.tsv", preprocess, train)
    positive = embedding.read(folder / "dev.tsv", preprocess, positive_score=4)
    assert positive.below == 30 and not positive.scored


def test_flags_of_the_loss_and_of_pooling(folder, capsys):
    """What the flags say is what is compiled, and what the model directory keeps."""
    preprocess = kb.TextClassifierPreprocessor.from_preset(folder / "start")
    backbone = kb.BertBackbone.from_preset(folder / "start")
    pairs = embedding.build(backbone, embedding.read(folder / "train_pairs.tsv", preprocess))
    scored = embedding.build(backbone, embedding.read(folder / "train.tsv", preprocess), "cls")
    triplets = embedding.read([("apple", "bread", "ball"), ("goal", "race", "soup")], preprocess)
    three = embedding.build(backbone, triplets, normalize=False)
    assert (scored.embedder.pooling, three.embedder.normalize) == ("cls", False)

    def compiled(model, **options):
        return embedding.losses(model, **options)["loss"]["embeddings"]

    assert compiled(pairs, temperature=0.2).temperature == 0.2
    assert compiled(three, loss="triplet", margin=0.3).margin == 0.3
    assert compiled(three).temperature == 0.05
    assert type(compiled(scored)) is type(kb.losses.cosine_regression()["loss"]["embeddings"])
    for model, options, message in (
        (pairs, {"loss": "triplet"}, "needs anchor, positive and negative; .* rows of 2 texts wi"),
        (pairs, {"loss": "cosine_regression"}, "needs pairs with scores; .*without scores"),
        (scored, {"loss": "in_batch_negatives"}, "needs rows without scores; .*with scores"),
        (scored, {"temperature": 0.1}, "cosine_regression has no temperature; leave it out"),
        (three, {"loss": "triplet", "temperature": 0.1}, "triplet has no temperature"),
    ):
        with pytest.raises(ValueError, match=message):
            embedding.losses(model, **options)

    output = folder / "run_flags"
    flags = {"epochs": 1, "sequence_length": 16, "output": output, "preset": folder / "start"}
    flags |= {"train": folder / "train_pairs.tsv", "pooling": "cls", "normalize": "false"}
    assert run("finetune", task="embedding", temperature=0.5, **flags) == 0
    model = kb.model_from_preset(output / "model")
    assert (model.pooling, model.normalize) == ("cls", False)
    flags["output"] = folder / "refused"
    assert run("finetune", task="embedding", margin=0.5, **flags) == 1
    assert "in_batch_negatives has no margin" in capsys.readouterr().err
    flags["train"] = folder / "train.tsv"
    assert run("finetune", task="regression", **flags) == 1
    assert "--normalize, --pooling means nothing to this job" in capsys.readouterr().err
