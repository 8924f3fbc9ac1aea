"""Memory of the stream does not grow with the corpus; measured in a process of its own."""

import json
import pathlib
import subprocess
import sys

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]

SCRIPT = """
import json, resource, sys
import numpy as np
import keras_bert as kb

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

tokenizer = kb.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghij"])
tokenizer(["a b c"])
before = peak()
stream = kb.data.PretrainingStream(
    sys.argv[1], tokenizer, epochs=1, window_bytes=1 << 18, block_windows=8
)
peaks, batches = [peak() - before], 0
for element in stream.batches():
    batches += 1
    if batches % 100 == 0:
        peaks.append(peak() - before)
json.dump({"peaks": peaks, "batches": batches, "tokens": stream.counts.tokens}, sys.stdout)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["documents", "one giant line"])
def test_peak_memory_is_flat(tmp_path, kind):
    # 64 MB of text are 1.1 GB of examples; a block holds 2 MB of text.
    sentence = b"abcdefg habcdefg iabcdefg abcdef bcdefgh\n"
    with open(tmp_path / "a.txt", "wb") as file:
        for number in range(400):
            file.write(sentence * 2_000 + b"\n")
            if kind == "one giant line" and number == 200:
                file.write(sentence.replace(b"\n", b" ") * 780_000 + b"\n\n")
                break
            elif kind == "documents" and number * len(sentence) * 2_000 > 64e6:
                break
    assert (tmp_path / "a.txt").stat().st_size > 32e6
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "a.txt")],
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
    )
    found = json.loads(run.stdout)
    assert found["batches"] > 100
    assert found["peaks"][-1] < 400, found
    # What is reached in the first third is not left behind by much later.
    assert found["peaks"][-1] < found["peaks"][len(found["peaks"]) // 3] + 100, found
