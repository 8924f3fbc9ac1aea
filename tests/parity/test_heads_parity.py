"""Every head against Hugging Face's: files, outputs, loss, gradients, steps of training.

Needs torch and transformers. The tolerance is 1e-5, written once here, against Hugging Face in
float64; absolute for outputs of tiny models, relative to the norm at base size.
"""

import gc

import numpy as np
import pytest

import keras_bert as kb

torch = pytest.importorskip("torch", reason="needs the extra `parity`")
transformers = pytest.importorskip("transformers", reason="needs the extra `parity`")

from head_batches import CLASSES, LABELS, batch  # noqa: E402
from hf_heads import (  # noqa: E402
    HEADS,
    at_hugging_face,
    compute_ours,
    compute_theirs,
    outputs_of_theirs,
    randomize,
    tensors,
)

TOLERANCE = 1e-5
TRAINED = [name for name, head in HEADS.items() if head.losses]


def backbone(activation="gelu", **sizes):
    sizes = {"hidden_dim": 16, "num_heads": 4, "num_layers": 3, "max_sequence_length": 20, **sizes}
    config = kb.BertConfig(
        vocabulary_size=sizes.pop("vocabulary_size", 50),
        activation=activation,
        dropout=0.0,
        attention_dropout=0.0,
        **sizes,
    )
    return kb.BertBackbone(config)


@pytest.mark.parametrize(
    "name, activation",
    [
        *(("backbone", name) for name in ("gelu", "gelu_tanh", "relu", "silu", "tanh")),
        ("masked_lm", "gelu_tanh"),
        *((name, "gelu") for name in TRAINED),
    ],
)
def test_what_we_write_is_computed_there(name, activation, tmp_path):
    model = randomize(HEADS[name].make(backbone(activation)))
    theirs = at_hugging_face(model, name, tmp_path)
    assert theirs.config.problem_type == CLASSES[name][2]
    if hasattr(model, "labels"):
        assert theirs.config.id2label == dict(enumerate(model.labels))
        assert theirs.config.label2id == {label: i for i, label in enumerate(model.labels)}
    x, y, w, arguments = batch(name, 50, rows=3, length=9)
    if name == "backbone":
        with torch.no_grad():
            expected = outputs_of_theirs(name, theirs(**tensors(arguments)), x)
        actual = model(x)
    else:
        expected, loss, _ = compute_theirs(theirs, name, x, arguments)
        actual, our_loss, _ = compute_ours(model, name, x, y, w)
        assert our_loss == pytest.approx(loss, rel=TOLERANCE)
    for key, value in expected.items():
        assert np.ptp(value) > 0.1
        np.testing.assert_allclose(actual[key], value, atol=TOLERANCE, err_msg=key)


@pytest.mark.parametrize("name", HEADS)
def test_what_they_write_is_computed_here(name, tmp_path):
    """A directory as `save_pretrained` of today makes it: labels, problem type and dropout too."""
    architecture, _, problem_type = CLASSES[name]
    values = {"problem_type": problem_type} if problem_type else {}
    if name in ("single_label", "multi_label", "regression", "token"):
        values["id2label"] = dict(enumerate(LABELS))
    elif name == "score":
        values |= {"num_labels": 1, "problem_type": None}  # then it means regression, as there
    config = transformers.BertConfig(
        vocab_size=50,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=32,
        max_position_embeddings=20,
        initializer_range=0.3,
        classifier_dropout=0.25,
        **values,
    )
    torch.manual_seed(0)
    theirs = getattr(transformers, architecture)(config).eval()
    theirs.save_pretrained(tmp_path)
    model_class = type(HEADS[name].make(backbone(num_layers=1)))
    model = model_class.from_preset(tmp_path)
    if name in ("single_label", "multi_label", "regression", "token"):
        assert model.labels == LABELS
    if problem_type:
        assert model.problem_type == problem_type.removesuffix("_classification")
    if hasattr(model, "dropout_rate"):
        assert model.dropout_rate == 0.25
    x, _, _, arguments = batch(name, 50, rows=3, length=9)
    arguments = {key: value for key, value in arguments.items() if key in INPUTS}
    with torch.no_grad():
        expected = outputs_of_theirs(name, theirs.double()(**tensors(arguments)), x)
    for key, value in model(x).items():
        np.testing.assert_allclose(value, expected[key], atol=TOLERANCE, err_msg=key)


INPUTS = ("input_ids", "token_type_ids", "attention_mask")


def test_transformers_refuses_variants(tiny_vocabulary, tmp_path):
    config = kb.BertConfig(
        vocabulary_size=len(tiny_vocabulary), hidden_dim=8, num_heads=2, num_layers=1, pre_norm=True
    )
    kb.save_preset(tmp_path / "x", kb.BertBackbone(config), kb.BertTokenizer(tiny_vocabulary))
    with pytest.raises(ValueError, match="keras_bert"):
        transformers.AutoModel.from_pretrained(tmp_path / "x")


def error(actual, expected, scale=None):
    """The norm of the difference, relative to the norm of what is expected, or to `scale`."""
    return np.linalg.norm(actual - expected) / (scale or np.linalg.norm(expected))


def gradient_errors(actual, expected):
    """Relative errors by tensor.

    A bias's gradient is a sum that may cancel. That of some is 0 whatever the weights: a softmax
    over positions or choices does not see what is added to all of its inputs (the keys' biases,
    those of choices, all that is added to every token before a span's). What is left is rounding,
    in float64 as in float32. So a bias's error is measured against a tenth of the gradient of the
    same layer's kernel, where its own is smaller; where nothing cancels they are about equal.
    """
    assert set(actual) == set(expected)
    table = next(name for name in expected if name.endswith("word_embeddings.weight"))
    if not expected[table][0].any():
        # Hugging Face never trains the padding token's vector as an input. Here and at Google it
        # is trained where padding has a part in the loss: spans are chosen among all positions.
        actual = {**actual, table: np.concatenate([0 * actual[table][:1], actual[table][1:]])}
    errors = {}
    for name, value in expected.items():
        kernel = name.removesuffix("bias") + "weight"
        scale = np.linalg.norm(value)
        if name.endswith("bias") and kernel in expected:
            scale = max(scale, np.linalg.norm(expected[kernel]) / 10)
        errors[name] = error(actual[name], value, scale)
    return errors


@pytest.fixture(scope="module", params=["gelu", "gelu_tanh"])
def base(request):
    """A backbone of base size; its vocabulary is small, to spare memory."""
    made = backbone(
        request.param,
        vocabulary_size=1_000,
        hidden_dim=768,
        num_heads=12,
        num_layers=12,
        max_sequence_length=64,
    )
    # BERT's own range: twice as much, and twelve layers make all tokens of a row alike, so that
    # attention hardly matters and float32 has no digits left for its gradient, there as here.
    yield randomize(made, spread=0.02)
    gc.collect()


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_outputs_loss_and_gradients_at_base_size(base, name, record_parity):
    model = HEADS[name].make(base)
    for weight in model.weights:
        if not any(weight is other for other in base.weights):
            weight.assign(np.random.default_rng(1).normal(0, 0.02, weight.shape))
    theirs = at_hugging_face(model, name)
    x, y, w, arguments = batch(name, 1_000, rows=4 if name != "choice" else 2, length=32)
    expected, loss, gradients = compute_theirs(theirs, name, x, arguments)
    del theirs
    actual, our_loss, our_gradients = compute_ours(model, name, x, y, w)
    source = f"Hugging Face, 12 x 768, {base.config.activation}, every head"
    assert our_loss == pytest.approx(loss, rel=TOLERANCE)
    record_parity(source, "loss, relative", abs(our_loss / loss - 1))
    for key, value in expected.items():
        record_parity(source, "outputs, relative", error(actual[key], value))
        assert error(actual[key], value) < TOLERANCE, key
    errors = gradient_errors(our_gradients, gradients)
    worst = max(errors, key=errors.get)
    record_parity(source, "gradients, tensor by tensor, relative", errors[worst])
    assert errors[worst] < TOLERANCE, (worst, errors[worst])
    del gradients, our_gradients
    gc.collect()  # gigabytes


@pytest.mark.parametrize("name", ["single_label", pytest.param("token", marks=pytest.mark.slow)])
def test_ten_steps_of_training(name, record_parity):
    """AdamW as `kb.optimizers.adamw` has it, configured alike: ten steps, then all weights."""
    rate, decay, epsilon, clip = 5e-5, 0.01, 1e-6, 1.0
    model = HEADS[name].make(
        backbone(num_layers=4, hidden_dim=128, num_heads=4, vocabulary_size=200)
    )
    theirs = at_hugging_face(model, name, dtype=torch.float32).train()  # no dropout in its config
    batches = [batch(name, 200, rows=8, length=16, seed=seed) for seed in range(10)]
    start = model.get_weights()

    model.compile(
        kb.optimizers.adamw(rate, weight_decay=decay, epsilon=epsilon, clip_norm=clip),
        **HEADS[name].losses(),
    )
    losses = []
    for x, y, w, _ in batches:
        model.reset_metrics()
        losses.append(model.train_on_batch(x, y, w, return_dict=True)["loss"])

    parameters = list(theirs.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.999), eps=epsilon)
    for step, (*_, arguments) in enumerate(batches):
        optimizer.zero_grad()
        loss = theirs(**tensors(arguments, torch.float32)).loss
        loss.backward()
        assert losses[step] == pytest.approx(float(loss.detach()), rel=TOLERANCE)
        torch.nn.utils.clip_grad_norm_(parameters, clip)
        for group in optimizer.param_groups:
            # Keras and TensorFlow add epsilon before the second moment's bias is corrected, Adam's
            # "epsilon hat" (Kingma and Ba 2014, section 2); PyTorch adds it afterwards.
            group["eps"] = epsilon / np.sqrt(1 - 0.999 ** (step + 1))
        optimizer.step()

    from keras_bert.checkpoints import names

    expected = dict(theirs.named_parameters())
    moved = max(np.abs(a - b).max() for a, b in zip(start, model.get_weights(), strict=True))
    assert moved > 5 * rate
    for tensor in names.model_tensors(model):
        if tensor.part == "pooler" and names.has_unused_pooler(model):
            continue
        value = expected[tensor.name].detach().numpy()
        value = value.T if tensor.transposed else value
        record_parity(
            "Hugging Face on PyTorch, ten AdamW steps, 4 x 128",
            "weights",
            np.abs(tensor.variable.numpy() - value).max(),
        )
        np.testing.assert_allclose(
            tensor.variable.numpy(), value, rtol=0, atol=TOLERANCE, err_msg=tensor.name
        )
