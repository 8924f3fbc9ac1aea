"""Pictures of training and of its results, as PNG files; needs the extra `plots`."""

import contextlib
import math
import os

# Chinese labels need a font that has them; the default one is kept for the rest.
_CHINESE = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "SimHei",
    "PingFang SC",
)
# What a history holds beside its measures: where each value stands, and what needs no picture.
_NOT_DRAWN = ("step", "epoch", "minutes_left")


@contextlib.contextmanager
def _figure(path, **options):
    """A figure, written to `path` at the end, whole or not; pyplot's state, a notebook's, stays."""
    try:
        import matplotlib
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install 'keras_bert[plots]'") from error
    import matplotlib.figure
    import matplotlib.font_manager as fonts

    known = {font.name for font in fonts.fontManager.ttflist}
    settings = {
        "font.sans-serif": ["DejaVu Sans", *(name for name in _CHINESE if name in known)],
        "axes.unicode_minus": False,
    }
    with matplotlib.rc_context(settings):
        figure = matplotlib.figure.Figure(layout="constrained", **options)
        yield figure
        temporary = f"{os.fspath(path)}.{os.getpid()}.tmp"
        try:
            figure.savefig(temporary, dpi=120, format="png")
            os.replace(temporary, path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.remove(temporary)


def curves(history, path):
    """Draws each training curve, with its validation curve, over the steps or else the epochs.

    Perplexity is drawn on a logarithmic scale once it has changed tenfold.

    Args:
        history: dict of str to list of float, as `model.fit(...).history` or `RunLog.history`;
            with `step` among them, that is what it is drawn over. None: no value there.
        path: str or path-like, the PNG to write.

    Raises:
        ImportError: matplotlib is missing.
        ValueError: the history is empty.

    Example:
        >>> curves(model.fit(data, epochs=3).history, "runs/sst2/curves.png")
    """
    names = [n for n in history if not n.startswith("val_") and n not in _NOT_DRAWN]
    if not names:
        raise ValueError("curves: the history is empty; train for an epoch first")
    columns = 2 if len(names) == 4 else min(3, len(names))
    rows = math.ceil(len(names) / columns)
    with _figure(path, figsize=(4.2 * columns, 3.0 * rows)) as figure:
        axes = figure.subplots(rows, columns, squeeze=False)
        for axis, name in zip(axes.flat, names, strict=False):
            _curve(axis, history, name)
        for axis in axes.flat[len(names) :]:
            axis.remove()


def _curve(axis, history, name):
    drawn = []
    for key, label in ((name, "training"), (f"val_{name}", "held out")):
        column = history.get(key, [])
        places = history.get("step", range(1, len(column) + 1))
        # A point has no height where there is no number.
        points = [
            (x, y)
            for x, y in zip(places, column, strict=False)
            if y is not None and math.isfinite(y)
        ]
        # The marks of many points would hide their curve.
        style = {"marker": "."} if len(points) <= 40 else {"linewidth": 1.2}
        if points:
            axis.plot(*zip(*points, strict=True), label=label, **style)
            drawn += [y for _, y in points]
    if f"val_{name}" in history:
        axis.legend(frameon=False)
    if name.endswith("perplexity") and drawn and max(drawn) > 10 * min(drawn) > 0:
        axis.set_yscale("log")
    axis.set_title(name.replace("_", " "))
    axis.set_xlabel("step" if "step" in history else "epoch")
    axis.xaxis.set_major_locator(_integers())
    axis.xaxis.set_major_formatter(_thousands)
    axis.yaxis.set_major_formatter(_thousands)
    axis.grid(alpha=0.3)


def _integers():
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10], integer=True)


def learning_rates(found, path):
    """Draws the losses of a learning-rate range test over their rates.

    Args:
        found: `FoundRate`, of `kb.find_learning_rate`.
        path: str or path-like, the PNG to write.

    Raises:
        ImportError: matplotlib is missing.

    Example:
        >>> learning_rates(kb.find_learning_rate(model, train), "learning_rate.png")
    """
    with _figure(path, figsize=(6.0, 4.0)) as figure:
        axis = figure.subplots()
        axis.plot(found.rates, found.losses, linewidth=0.8, alpha=0.4, label="loss of a batch")
        axis.plot(found.rates, found.smoothed, label="smoothed")
        axis.axvline(found.suggestion, linestyle=":", color="gray", label=f"{found.suggestion:.1e}")
        axis.set_xscale("log")
        # What lies far above the start would flatten the part that matters.
        axis.set_ylim(top=1.5 * max(found.smoothed[0], min(found.smoothed)))
        axis.set_xlabel("learning rate")
        axis.legend(frameon=False)
        axis.grid(alpha=0.3)


def confusion_matrix(counts, labels, path):
    """Draws how often each class (row) was taken for each (column), with shares as colour.

    Args:
        counts: int array `(classes, classes)`, row = true class, column = predicted class.
        labels: list of str, the classes' names.
        path: str or path-like, the PNG to write.

    Raises:
        ImportError: matplotlib is missing.

    Example:
        >>> confusion_matrix([[8, 2], [1, 9]], ["negative", "positive"], "confusion.png")
    """
    import numpy as np

    counts = np.asarray(counts)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    is_large = len(labels) > 20  # then numbers would not be legible
    size = max(3.5, (0.2 if is_large else 0.55) * len(labels) + 2.0)
    font = {"fontsize": 7} if is_large else {}
    with _figure(path, figsize=(size + 0.8, size)) as figure:
        axis = figure.subplots()
        image = axis.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
        figure.colorbar(image, label="share of the true class", shrink=0.8, aspect=30)
        axis.set_xticks(
            range(len(labels)),
            labels,
            rotation=90 if is_large else 45,
            ha="center" if is_large else "right",
            **font,
        )
        axis.set_yticks(range(len(labels)), labels, **font)
        axis.set_xlabel("predicted")
        axis.set_ylabel("true")
        if not is_large:
            for row, column in np.ndindex(counts.shape):
                colour = "white" if shares[row, column] > 0.5 else "black"
                axis.text(
                    column, row, f"{counts[row, column]:,}", ha="center", va="center", color=colour
                )


def _thousands(value, place):
    return f"{value:,.6g}"
