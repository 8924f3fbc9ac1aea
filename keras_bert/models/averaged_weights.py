"""The mean of several trained models' weights."""

import keras
import numpy as np

from keras_bert.models.alike import check_alike, mean_thresholds, thresholds_of
from keras_bert.models.lora import has_lora
from keras_bert.models.rebuilding import rebuilt


def averaged_weights(models):
    """Averages the weights of several trained models: a model soup, as large and fast as one.

    It makes sense of models that were fine-tuned from the same checkpoint, by other seeds, rates
    or data: these lie in one valley. Of others the mean is no model of anything. Source: Wortsman
    et al. 2022, https://arxiv.org/abs/2203.05482 ("uniform soup"). Thresholds are averaged too;
    tune them anew where there is data.

    Args:
        models: iterable of two or more task models or backbones of one class, configuration and
            labels. With a generator only one of them is in memory at a time, beside the sums.

    Returns:
        A model of their class, which is not compiled; `save_preset` writes it.

    Raises:
        ValueError: fewer than two models, or models that differ in what they must share.

    Example:
        >>> folders = [f"runs/seed_{i}/model" for i in range(3)]
        >>> model = kb.averaged_weights(kb.model_from_preset(folder) for folder in folders)
        >>> kb.save_preset("runs/soup", model, preprocess)
    """
    first, sums, tuned, count = None, [], [], 0
    for model in models:
        if has_lora(model):
            raise ValueError(
                f"averaged_weights: model {count} has LoRA; end it by merge_lora(model)"
            )
        if first is None:
            first = rebuilt(model, [])
            sums = [np.zeros(weight.shape, "float64") for weight in model.weights]
        check_alike("averaged_weights", first, model, count)
        if model.config != first.config:
            raise ValueError(
                f"averaged_weights: models 0 and {count} have other configurations, {first.config} "
                f"and {model.config}; expected one"
            )
        for total, weight in zip(sums, model.weights, strict=True):
            total += keras.ops.convert_to_numpy(weight)
        tuned.append(thresholds_of(model))
        count += 1
    if count < 2:
        raise ValueError(f"averaged_weights: expected two models or more; received {count}")
    for weight, total in zip(first.weights, sums, strict=True):
        weight.assign(total / count)
    for name, value in mean_thresholds(tuned).items():
        setattr(first, name, value)
    return first
