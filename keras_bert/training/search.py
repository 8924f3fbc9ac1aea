"""Searching for good settings of a training, by keras-tuner."""

import logging
import numbers
import warnings

from keras_bert.training.early_stopping import less_is_better

_logger = logging.getLogger(__name__)


def search(run, space, trials, directory, objective, seed=0, overwrite=False):
    """Tries settings at random and says which were best; a search that was cut goes on.

    Source: Bergstra and Bengio 2012, https://jmlr.org/papers/v13/bergstra12a.html; keras-tuner's
    `RandomSearch` draws and keeps the trials. No settings are tried twice. Needs the extra
    `search`.

    Args:
        run: function of (settings, trial): a dict by the names of `space`, and the trial's number
            from 0, an int. It trains, and returns a dict of float, what it measured; raised
            `FloatingPointError`s make a trial that failed, others end the search.
        space: dict, name -> a list of values, or a range, a dict of `min`, `max` and if need be
            `step` or `log` (True: drawn evenly by its logarithm); of whole numbers where both ends
            are int, both ends included.
        trials: int, how many there are to be in all.
        directory: str or path-like, where the trials are kept: the same search started again goes
            on there, with more trials where `trials` is larger.
        objective: str, the measure that is to be best: least of a loss, an error or a perplexity,
            most of anything else.
        seed: int, default 0.
        overwrite: bool, whether to begin anew. Default False.

    Returns:
        List of dicts, the best trial first, those that failed left out: `trial` int, `settings`
        dict, `measures` dict of float.

    Raises:
        ImportError: keras-tuner is missing.
        ValueError: a space that is none, or another one than the directory's search has; no trial
            succeeded; `run` measured no `objective`.

    Example:
        >>> def run(settings, trial):
        ...     model = make_model()
        ...     model.compile(kb.optimizers.adamw(**settings), **kb.losses.classification())
        ...     history = model.fit(train, validation_data=dev, epochs=3).history
        ...     return {"val_accuracy": max(history["val_accuracy"])}
        >>> space = {"learning_rate": {"min": 1e-5, "max": 1e-4, "log": True},
        ...          "layer_decay": [0.8, 0.9, 1.0]}
        >>> best, *others = kb.search(run, space, 12, "runs/search", "val_accuracy")
    """
    try:
        import keras_tuner
    except ImportError as error:
        raise ImportError("a search needs keras-tuner: pip install 'keras_bert[search]'") from error

    class Tuner(keras_tuner.RandomSearch):
        def run_trial(self, trial, **_):
            settings = dict(trial.hyperparameters.values)
            try:
                measures = run(settings, int(trial.trial_id))
            except FloatingPointError as error:
                _logger.warning("trial %s failed: %s", trial.trial_id, error)
                return {objective: float("nan")}  # which keras-tuner counts as failed
            except Exception as error:
                raise keras_tuner.errors.FatalError(str(error)) from error
            if objective not in measures:
                raise keras_tuner.errors.FatalError(
                    f"{objective!r} is not among what is measured, {', '.join(measures)}"
                )
            return measures

        def load_model(self, trial):
            raise NotImplementedError  # `run` keeps its models itself

    if isinstance(trials, bool) or not isinstance(trials, int) or trials < 1:
        raise ValueError(f"search: trials must be an int of at least 1; received {trials!r}")
    wanted = _hyperparameters(keras_tuner, space)
    direction = "min" if less_is_better(objective) else "max"
    tuner = Tuner(
        objective=keras_tuner.Objective(objective, direction),
        max_trials=trials,
        max_consecutive_failed_trials=trials + 1,  # high rates may fail in a row
        seed=seed,
        hyperparameters=wanted,
        directory=str(directory),
        project_name="trials",
        overwrite=overwrite,
    )
    found = tuner.oracle.get_space()
    if found.get_config()["space"] != wanted.get_config()["space"]:
        raise ValueError(
            f"search: {directory} holds a search of {[hp.name for hp in found.space]} with other "
            "values; expected the same space. Name another directory, or begin anew"
        )
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "All-NaN axis encountered")  # of a failed trial
            tuner.search(verbose=0)
    except keras_tuner.errors.FatalError as error:
        raise error.__cause__ or ValueError(str(error)) from None
    # Behind them it lists those that failed.
    best = [t for t in tuner.oracle.get_best_trials(trials) if t.status == "COMPLETED"]
    if not best:
        raise ValueError(f"search: no trial succeeded; {directory} has what became of each")
    return [
        {
            "trial": int(trial.trial_id),
            "settings": dict(trial.hyperparameters.values),
            "measures": {
                name: float(trial.metrics.get_last_value(name)) for name in trial.metrics.metrics
            },
        }
        for trial in best
    ]


def _hyperparameters(keras_tuner, space):
    """The space in keras-tuner's words."""
    if not isinstance(space, dict) or not space:
        raise ValueError(
            f"search: the space is a dict of names with lists or ranges; received {space!r}"
        )
    found = keras_tuner.HyperParameters()
    for name, values in space.items():
        if isinstance(values, (list, tuple)) and values:
            found.Choice(name, list(values), ordered=False)
            continue
        if not _is_range(values):
            raise ValueError(
                f"search: {name} is to be a list of values, or a range such as "
                f'{{"min": 1e-5, "max": 1e-4, "log": true}}; received {values!r}'
            )
        ends = values["min"], values["max"]
        draw = found.Int if all(isinstance(end, int) for end in ends) else found.Float
        sampling = "log" if values.get("log") else "linear"
        draw(name, *ends, step=values.get("step"), sampling=sampling)
    return found


def _is_range(values):
    return (
        isinstance(values, dict)
        and {"min", "max"} <= values.keys() <= {"min", "max", "step", "log"}
        and all(isinstance(values[end], numbers.Real) for end in ("min", "max"))
        and values["min"] < values["max"]
        and (not values.get("log") or values["min"] > 0)
    )
