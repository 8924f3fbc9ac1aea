"""Ending training where a measure no longer improves, with the best weights."""

import keras


def less_is_better(measure):
    """Whether a measure of this name is the better the smaller: a loss, an error, a perplexity."""
    return measure.endswith(("loss", "error", "perplexity"))


class EarlyStopping(keras.callbacks.EarlyStopping):
    """Ends training where a measure no longer improves; the model then has its best weights.

    Keras's callback, but it always gives back the weights of the best epoch, knows which way is
    better of every measure here (less of a loss, an error or a perplexity, more of anything else),
    and fails where the measure is not there. The best weights are in host memory meanwhile.

    Args:
        monitor: str, the name of the measure in the logs, `val_...` for those on the validation
            data. Default `"val_loss"`.
        patience: int, epochs without a better value before the end. Default 1.

    Attributes:
        best: float, the best value; `best_epoch`: int, its epoch, from 0.

    Raises:
        ValueError: the logs have no such measure, which the message lists; or patience is below 1.

    Example:
        >>> stopping = EarlyStopping("val_accuracy", patience=2)
        >>> model.fit(train, validation_data=dev, epochs=20, callbacks=[stopping])
        >>> kb.save_preset("runs/best", model, preprocess)
    """

    def __init__(self, monitor="val_loss", patience=1):
        if isinstance(patience, bool) or not isinstance(patience, int) or patience < 1:
            raise ValueError(
                f"EarlyStopping: patience must be an int of at least 1; received {patience!r}"
            )
        mode = "min" if less_is_better(monitor) else "max"
        super().__init__(monitor, patience=patience, mode=mode, restore_best_weights=True)

    def get_monitor_value(self, logs):
        if self.monitor not in logs:
            advice = ""
            if self.monitor.startswith("val_") and not any(n.startswith("val_") for n in logs):
                advice = "; there is no validation data"
            raise ValueError(
                f"EarlyStopping: {self.monitor!r} is not among the measures "
                f"{', '.join(sorted(logs))}{advice}"
            )
        return logs[self.monitor]
