"""The demo's corpus and report; the demo itself is run whole by `make demo`."""

import numpy as np

from keras_bert.demo import docstrings, report


def test_prose_leaves_code_out_and_joins_wrapped_lines():
    text = """Adds two numbers. They may be
    arrays, e.g. of `float32`.

    >>> add(1, 2)
    3

    Args:
        x: The first
            number.
        y: The second.

    ```python
    add(3, 4)
    ```
    """
    assert docstrings.prose_sentences(text) == [
        "Adds two numbers.",
        "They may be arrays, e.g. of float32.",
        "Args:",
        "x: The first number.",
        "y: The second.",
    ]


def test_gathered_documents_are_unique_labelled_and_ordered():
    documents = docstrings.gather(libraries=("numpy",), workers=2)
    texts = [" ".join(document.text.lower().split()) for document in documents]
    assert len(documents) > 500 and len(set(texts)) == len(texts)
    assert {document.library for document in documents} == {"numpy"}
    assert documents == docstrings.gather(libraries=("numpy",), workers=1)


def test_held_out_documents_are_neither_trained_on_nor_boilerplate():
    rng = np.random.default_rng(0)
    shared = ("Returns: the result.", "name: a name for the operation.")
    documents = [
        docstrings.Document("python", (f"Sentence {i} of its own {rng.random()}.", *shared))
        for i in range(600)
    ] + [
        docstrings.Document("python", (f"First {i} {rng.random()}.", f"Second {rng.random()}."))
        for i in range(600)
    ]
    training, held_out = docstrings.split(documents)
    # Two sentences in three are shared: those documents would measure boilerplate.
    assert all(len(document.sentences) == 2 for document in held_out)
    assert not {d.text for d in training} & {d.text for d in held_out}
    assert 0.04 < len(held_out) / 600 < 0.13
    assert docstrings.split(documents) == (training, held_out)


def test_report_shows_every_measure_and_escapes_text(tmp_path):
    row = {"measure": "masked accuracy", "value": 0.25, "baseline": 0.05, "baseline_is": "<none>"}
    results = {
        "table": [row, {**row, "measure": "perplexity of masks", "value": 98.7}],
        "seeds": {"pretrained": [0.7], "scratch": [0.4]},
        "filled": [("a [MASK] b", "x 10%")],
        "answers": [["<script>", "numpy", 0.8]],
        "documents": {"training": 10, "held_out": 2},
        "steps": 5,
        "seconds": {"total": 1.0},
    }
    lines = report.table(results).split("\n")
    assert len(lines) == 3 and "0.250" in lines[1] and "98.7" in lines[2]
    report.write(results, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert page.count("<tr>") == 3 + 2 + 2
