"""What comes after training: the model directory, thresholds, and what measures the model."""

import os


def finish(job, model, preprocess, dev, folder):
    """Writes FOLDER/model, and with a set to measure on tunes and measures what was written.

    Args:
        job: module of `keras_bert.jobs`.
        model: trained task model.
        preprocess: its preprocessor.
        dev: dataset to measure on, or None.
        folder: str, where the model directory goes, and `report.json` with pictures.

    Returns:
        What `job.measure` does, a dict; None without a set.
    """
    import keras_bert as kb

    directory = os.path.join(folder, "model")
    kb.save_preset(directory, model, preprocess, overwrite=True)
    report = None
    if dev is not None:
        saved = type(model).from_preset(directory)
        if hasattr(job, "tune") and job.tune(saved, preprocess, dev):
            kb.save_preset(directory, saved, preprocess, overwrite=True)
        report = job.measure(saved, preprocess, dev, folder)
    print(f"{directory}: {type(model).__name__}")
    return report
