"""Pictures of training and of its results, as PNG files; needs the extra `plots`."""

import math


def _pyplot():
    try:
        import matplotlib
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install 'keras_bert[plots]'") from error
    matplotlib.use("Agg")
    import matplotlib.font_manager as fonts
    import matplotlib.pyplot as plt

    # Chinese labels need a font that has them; the default one is kept for the rest.
    known = {font.name for font in fonts.fontManager.ttflist}
    chinese = (
        "Noto Sans CJK SC",
        "Source Han Sans SC",
        "WenQuanYi Micro Hei",
        "SimHei",
        "PingFang SC",
    )
    plt.rcParams["font.sans-serif"] = [
        "DejaVu Sans",
        *(name for name in chinese if name in known),
    ]
    plt.rcParams["axes.unicode_minus"] = False
    return plt


def curves(history, path):
    """Draws each training curve, with its validation curve, over the epochs.

    Args:
        history: dict of str to list of float, as `model.fit(...).history`.
        path: str or path-like, the PNG to write.

    Raises:
        ImportError: matplotlib is missing.
        ValueError: the history is empty.

    Example:
        >>> curves(model.fit(data, epochs=3).history, "runs/sst2/curves.png")
    """
    names = [name for name in history if not name.startswith("val_") and name != "learning_rate"]
    if not names:
        raise ValueError("curves: the history is empty; train for an epoch first")
    plt = _pyplot()
    columns = min(3, len(names))
    rows = math.ceil(len(names) / columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(4.2 * columns, 3.0 * rows), squeeze=False, layout="constrained"
    )
    for axis, name in zip(axes.flat, names, strict=False):
        epochs = range(1, len(history[name]) + 1)
        axis.plot(epochs, history[name], marker=".", label="training")
        if f"val_{name}" in history:
            axis.plot(epochs, history[f"val_{name}"], marker=".", label="held out")
            axis.legend(frameon=False)
        axis.set_title(name.replace("_", " "))
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
    for axis in axes.flat[len(names) :]:
        axis.remove()
    _save(plt, figure, path)


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

    plt = _pyplot()
    counts = np.asarray(counts)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = max(3.5, 0.55 * len(labels) + 2.0)
    figure, axis = plt.subplots(figsize=(size + 0.8, size), layout="constrained")
    image = axis.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    figure.colorbar(image, label="share of the true class", shrink=0.8)
    axis.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axis.set_yticks(range(len(labels)), labels)
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    if len(labels) <= 20:  # beyond that the numbers would not be legible
        for row, column in np.ndindex(counts.shape):
            colour = "white" if shares[row, column] > 0.5 else "black"
            axis.text(
                column, row, f"{counts[row, column]:,}", ha="center", va="center", color=colour
            )
    _save(plt, figure, path)


def _save(plt, figure, path):
    figure.savefig(path, dpi=120)
    plt.close(figure)
