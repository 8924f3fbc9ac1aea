"""Writes tests/golden/heads.json: what Hugging Face makes of a tiny model, for `make test`.

    python tests/parity/make_golden.py

The weights are those of `hf_tensors` (NumPy's generator, seed 0), the batches those of `batch`, so
that only results are kept: outputs and losses of every head in float64, rounded to 9 digits.
"""

import json
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "checkpoints"), str(HERE.parents[1])]

import torch  # noqa: E402
import transformers  # noqa: E402
from head_batches import CLASSES, batch, golden_config  # noqa: E402
from hf_heads import outputs_of_theirs, tensors  # noqa: E402
from numpy_bert import hf_tensors  # noqa: E402
from safetensors.numpy import save_file  # noqa: E402

PATH = HERE.parent / "golden" / "heads.json"


def compute(name, activation):
    """Outputs by our names, and the loss where there is one."""
    config = golden_config(name, activation)
    with tempfile.TemporaryDirectory() as folder:
        weights = hf_tensors(config, labels=1 if name in ("choice", "score") else 3)
        save_file(weights, f"{folder}/model.safetensors", metadata={"format": "pt"})
        pathlib.Path(folder, "config.json").write_text(json.dumps(config))
        theirs, report = getattr(transformers, CLASSES[name][0]).from_pretrained(
            folder, output_loading_info=True, dtype=torch.float64
        )
    assert not report["missing_keys"] and not report["mismatched_keys"], report
    x, _, _, arguments = batch(name, config["vocab_size"], rows=2, length=5)
    with torch.no_grad():
        outputs = theirs.eval()(**tensors(arguments))
    result = {
        key: value.round(9).tolist() for key, value in outputs_of_theirs(name, outputs, x).items()
    }
    return result if name == "backbone" else {**result, "loss": round(float(outputs.loss), 9)}


if __name__ == "__main__":
    golden = {name: compute(name, "gelu") for name in CLASSES}
    golden["masked_lm, tanh"] = compute("masked_lm", "gelu_new")
    lines = [f"{json.dumps(name)}: {json.dumps(values)}" for name, values in golden.items()]
    PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{PATH}: {PATH.stat().st_size:,} bytes")
