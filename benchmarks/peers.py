"""Sizes and dtypes in the peers' own words, and a training loop for each framework."""

from benchmarks.measure import Stopwatch

DTYPES = ("float32", "bfloat16")


def keras_policy(dtype):
    """The Keras dtype policy that computes in `dtype` and keeps float32 variables."""
    return dtype if dtype == "float32" else f"mixed_{dtype}"


def our_config(layers, hidden, heads, vocabulary_size):
    import keras_bert as kb

    return kb.BertConfig(
        vocabulary_size=vocabulary_size,
        num_layers=layers,
        hidden_dim=hidden,
        num_heads=heads,
        intermediate_dim=4 * hidden,
    )


def kerashub_backbone(layers, hidden, heads, vocabulary_size, dtype):
    import keras_hub

    return keras_hub.models.BertBackbone(
        vocabulary_size=vocabulary_size,
        num_layers=layers,
        num_heads=heads,
        hidden_dim=hidden,
        intermediate_dim=4 * hidden,
        dropout=0.1,
        max_sequence_length=512,
        dtype=keras_policy(dtype),
    )


def kerashub_optimizer(learning_rate):
    import keras

    return keras.optimizers.AdamW(learning_rate, weight_decay=0.01, global_clipnorm=1.0)


def huggingface_config(layers, hidden, heads, vocabulary_size):
    import transformers

    return transformers.BertConfig(
        vocab_size=vocabulary_size,
        num_hidden_layers=layers,
        hidden_size=hidden,
        num_attention_heads=heads,
        intermediate_size=4 * hidden,
    )


def huggingface_tokenizer(vocabulary):
    import transformers

    return transformers.BertTokenizer(vocab=str(vocabulary), do_lower_case=True)


def torch_dtype(dtype):
    import torch

    return getattr(torch, dtype)


def fit_steps(model, data, steps, **arguments):
    """Trains in one `fit`; returns a `Stopwatch` of all steps but the first.

    What `fit` does before the first step is charged to nobody.
    """
    import keras

    class AfterFirstStep(keras.callbacks.Callback):
        watch = None

        def on_train_batch_end(self, batch, logs=None):
            if self.watch is None:
                self.watch = Stopwatch()
            self.watch.lap()

    clock = AfterFirstStep()
    model.fit(data, steps_per_epoch=steps, verbose=0, callbacks=[clock], **arguments)
    return clock.watch


def torch_steps(model, optimizer, batches, dtype):
    """Trains on the batches as transformers' Trainer does; returns as `fit_steps`."""
    import torch

    watch = None
    for batch in batches:
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bfloat16"):
            loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        loss.item()
        watch = watch or Stopwatch()
        watch.lap()
    return watch


def torch_adamw(model, learning_rate):
    """The optimizer that transformers' Trainer takes by default."""
    import torch

    return torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.01, fused=True)
