"""What every model here shares: configuration, presets, counting of real tokens, clear errors."""

import contextlib
import re
import warnings

import keras
from keras import ops

from keras_bert.config import BertConfig
from keras_bert.models.adversarial import check_fgm
from keras_bert.models.micro_batches import check_micro_batches, train_in_parts
from keras_bert.models.steps import (
    after,
    check_scope,
    deal_out,
    element_spec,
    logs_of_workers,
    lost_workers,
    weighed_by_rows,
)
from keras_bert.training.nonfinite import check_float16, with_nonfinite
from keras_bert.training.r_drop import check_r_drop, divergence


class BertModel(keras.Model):
    """A functional Keras model with a `BertConfig`; the parent of the backbone and all tasks.

    Training and evaluation report `real_tokens`, the number of tokens that are not padding, and
    with a masked-LM head `masked_tokens` among their logs (`kb.Throughput` turns them into rates).
    """

    def __init__(self, inputs, outputs, config, dtype=None, **kwargs):
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)
        self.config = config
        self._policy = keras.dtype_policies.get(dtype)
        self.real_tokens = keras.metrics.Sum(name="real_tokens")
        self.masked_tokens = None
        if isinstance(inputs, dict) and "mask_positions" in inputs:
            self.masked_tokens = keras.metrics.Sum(name="masked_tokens")
        self._micro_batches = 1
        self._r_drop = self._fgm = 0.0

    def _resolve_auto_jit_compile(self):
        # What jit_compile="auto" stands for. XLA would compile anew for every length of batch that
        # bucketing makes, and it reads a wrong row where an id lies outside its table; on
        # TensorFlow it runs where it is asked for. (Keras loads no compiled state into a model
        # whose `compile` is overridden.)
        if keras.backend.backend() == "tensorflow":
            return False
        return super()._resolve_auto_jit_compile()

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        if training and self._r_drop:
            again = self(x, training=True)  # other draws of dropout
            loss = (loss + super().compute_loss(x, y, again, sample_weight, training)) / 2
            loss += self._r_drop * divergence(self, y, y_pred, again, sample_weight)
        return weighed_by_rows(loss, ops.shape(x["padding_mask"])[0])

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        self.real_tokens.update_state(ops.cast(x["padding_mask"], "float32"))
        if self.masked_tokens is not None:  # unused slots are 0
            self.masked_tokens.update_state(ops.cast(x["mask_positions"] > 0, "float32"))
        return super().compute_metrics(x, y, y_pred, sample_weight)

    # The batch is the last argument on every backend.
    def train_step(self, *args):
        with after(args[-1]):
            if self._micro_batches > 1 or self._fgm:
                parts = self._micro_batches
                return logs_of_workers(train_in_parts(self, args[-1], parts, self._fgm))
            return logs_of_workers(super().train_step(*args))

    def test_step(self, *args):
        with after(args[-1]):
            return logs_of_workers(super().test_step(*args))

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # Keras takes a batch from the data to learn its shapes, under a strategy only, and not all
        # that several workers hand out is accepted there. The data says its shapes itself, and so
        # all variables are there before the first step.
        if iterator is None or keras.backend.backend() != "tensorflow":
            super()._maybe_symbolic_build(iterator=iterator, data_batch=data_batch)
            return
        with self.distribute_strategy.scope():
            self._symbolic_build(data_batch=element_spec(iterator.data_adapter.get_tf_dataset()))
        check_scope(self.metrics_variables, self.distribute_strategy)

    def fit(self, x=None, *args, micro_batches=1, r_drop=0.0, fgm=0.0, **kwargs):
        """Trains as `keras.Model.fit` does, whose arguments it takes.

        Args:
            micro_batches: int, parts in which a batch (each replica's) goes through the model,
                with one update for all of them: a batch that is larger than memory. With
                `kb.losses` the step is that of the whole batch, but for the draws of dropout.
                Default 1.
            r_drop: float, weight of how much the model's answers differ between two passes with
                other draws of dropout (Wu et al. 2021, https://arxiv.org/abs/2106.14448): half the
                sum of both Kullback-Leibler divergences, added to the mean of both passes' loss.
                Twice the arithmetic. 0.5 to 5 are usual. Default 0.0: one pass.
            fgm: float, length of the adversarial change of token vectors (Miyato et al. 2017,
                https://arxiv.org/abs/1605.07725): after each pass a second one, with the vectors
                of each row's tokens moved so far along their gradient; both gradients are added.
                Losses and metrics are the first pass's. Twice the arithmetic. Default 0.0: none.

        Returns:
            `keras.callbacks.History`.

        Raises:
            ValueError: ids or labels that do not fit the model, or `micro_batches` that does not
                divide a batch of fixed size; `r_drop` with a loss that is no cross-entropy of
                logits, or a model without dropout; the message says what to do.
            FloatingPointError: a loss or a gradient is not finite; names step, loss and learning
                rate. See `on_nonfinite` of `kb.optimizers.adamw`.

        Example:
            >>> model.fit(data, micro_batches=4, steps_per_epoch=1_000, epochs=100)
        """
        step = (check_micro_batches(micro_batches), check_r_drop(self, r_drop), check_fgm(fgm))
        if step != (self._micro_batches, self._r_drop, self._fgm):
            self._micro_batches, self._r_drop, self._fgm = step
            self.train_function = None  # the step that was compiled is another
        if hasattr(x, "element_spec"):
            # A dataset is in its own order; Keras would warn that it cannot shuffle it.
            kwargs.setdefault("shuffle", False)
        check_float16(self)
        args, kwargs = with_nonfinite(args, kwargs)
        if kwargs.get("validation_data") is not None:
            kwargs["validation_data"] = self._own_rows(kwargs["validation_data"])
        has_steps = kwargs.get("steps_per_epoch") is not None
        with contextlib.ExitStack() as around:
            around.enter_context(expected_warnings(end_of_data=not has_steps))
            for callback in _callbacks(kwargs.get("callbacks")):
                if hasattr(callback, "around_fit"):  # `kb.Resume`
                    around.enter_context(callback.around_fit(x, has_steps))
            return self._with_clear_errors(super().fit, self._own_rows(x), *args, **kwargs)

    def evaluate(self, x=None, *args, **kwargs):
        with expected_warnings(end_of_data=kwargs.get("steps") is None):
            return self._with_clear_errors(super().evaluate, self._own_rows(x), *args, **kwargs)

    def predict(self, x, *args, **kwargs):
        return self._with_clear_errors(super().predict, self._own_rows(x), *args, **kwargs)

    def _own_rows(self, x):
        """Data of ours gives each worker and replica its own rows; other data Keras deals out."""
        if keras.backend.backend() != "tensorflow":
            return x
        return deal_out(x, self.distribute_strategy)

    def _with_clear_errors(self, method, *args, **kwargs):
        """Runs `method`; what a compiled step says of bad input becomes an error with advice."""
        try:
            return method(*args, **kwargs)
        except Exception as error:  # TensorFlow's classes are not imported on other backends
            if keras.backend.backend() == "jax":
                self.jax_state_sync()  # evaluate and predict would keep the weights to themselves
            if advice := self._advice(str(error)):
                raise ValueError(advice) from error
            if lost := lost_workers(str(error)):
                raise ConnectionError(
                    f"lost {lost} of this run; its own output says why. Start all workers again: "
                    "with kb.Resume the same command goes on from the last checkpoint"
                ) from error
            # A step whose tracing failed cannot be called again, not even with good data.
            self.train_function = self.test_function = self.predict_function = None
            raise

    def _advice(self, message):
        """Returns what to do about an error of TensorFlow's kernels, or None if unknown."""
        if found := re.search(r"indices\[.*\] = -?\d+ is not in \[0, \d+\)", message):
            return (
                f"A token id lies outside the embedding table, or a mask position outside its row "
                f"({found[0]}). The model was built with vocabulary_size="
                f"{self.config.vocabulary_size}; use the tokenizer this model belongs to"
            )
        if found := re.search(r"Incompatible shapes: \[\d+,(\d+),\d+\] vs\. \[(\d+),", message):
            length, rows = int(found[1]), int(found[2])
            if length > rows == self.config.max_sequence_length:
                return (
                    f"Received sequences of {length} tokens, but the position table has "
                    f"max_sequence_length={rows} entries; shorten the preprocessor's "
                    "sequence_length or build the model with a longer table"
                )
        if found := re.search(
            r"axis 0 is partitioned (\d+) times, but the dimension size is (\d+)", message
        ):
            return (
                f"Received a batch of {found[2]} rows for {found[1]} devices, which must divide "
                "it, the last one too; choose another batch size, or leave rows out"
            )
        if found := re.search(
            r"label value of (-?\d+) which is outside the valid range of (\[0, \d+\))", message
        ):
            return (
                f"Received the label {found[1]}, expected labels in {found[2]}: the number of the "
                "right class, or of the right token for a masked-LM head"
            )
        return None


@contextlib.contextmanager
def expected_warnings(end_of_data):
    """Keeps Keras from warning of what is as it should be.

    The end of data of unknown length is no interruption; and a pooler that no head reads, as of a
    tagger or a masked language model, has no gradient.
    """
    with warnings.catch_warnings():
        if end_of_data:
            warnings.filterwarnings("ignore", "Your input ran out of data")
        warnings.filterwarnings(
            "ignore", r"Gradients do not exist for variables \['pooler/\S*', 'pooler/\S*'\]"
        )
        yield


def _callbacks(callbacks):
    """The callbacks that `fit` was given: none, one, a list, or Keras's own list of them."""
    callbacks = getattr(callbacks, "callbacks", callbacks)
    return keras.tree.flatten([] if callbacks is None else callbacks)


def backbone_inputs(dimensions=1):
    """Returns the backbone's three inputs, int32 `(batch, sequence)`, or more dimensions, each."""
    return {
        name: keras.Input((None,) * dimensions, dtype="int32", name=name)
        for name in ("token_ids", "segment_ids", "padding_mask")
    }


def as_config(config):
    """Returns a `BertConfig` from one, or from the dict that `get_config` wrote."""
    if isinstance(config, BertConfig):
        return config
    if isinstance(config, dict):
        return BertConfig.from_dict(config)
    raise ValueError(
        f"Expected a BertConfig; received {type(config).__name__}. Use BertConfig(...) or "
        'BertConfig.named("base")'
    )
