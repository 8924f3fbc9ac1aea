"""A corpus prepared on a cluster's engine: text in, shuffled shards of tokens out, once for all.

One order of steps: list windows, read, clean, split sentences, tokenize, shuffle, drop duplicates,
write shards, write the manifest. The pipeline is Apache Beam's; through it travel names and counts
alone, and the text's tokens through files beside the output.
"""

import os
import re
import shutil

from keras_bert.atomic import atomic_directory
from keras_bert.data import shard_files
from keras_bert.data.documents import FORMATS
from keras_bert.data.fingerprint import of_tokenizer
from keras_bert.data.progress import progress_bar
from keras_bert.text.files import expand_files

# Text of a shard, whose tokens one worker holds in memory while it writes them.
_SHARD_BYTES = 64 << 20
# Text is about so many times as large as what a compressed file takes on disk.
_COMPRESSION = 3


def prepare(
    files,
    tokenizer,
    output,
    *,
    format="sentences",
    word_segmenter=None,
    drop_duplicates=False,
    shards=None,
    seed=0,
    overwrite=False,
    workers=None,
    beam_args=(),
    window_bytes=1 << 20,
    window_tokens=1 << 15,
    progress=None,
):
    """Prepares a corpus for pretraining with Apache Beam: tokens, shuffled among all documents.

    `kb.data.pretraining` reads the folder as it reads text files, and draws pairs and masks anew in
    each epoch. The output depends on files, tokenizer and settings alone: byte for byte the same
    over runs, runners and numbers of workers. It appears whole when all is done, or not at all.

    Documents are shuffled through files in a hidden folder beside the output, about half as large
    as the text, so memory does not grow with the corpus. Every worker must see the input and this
    folder under the same names: on a cluster, a shared file system.

    A document longer than `window_bytes` is shuffled, and compared with others, in pieces of about
    that size; the shards keep which pieces are of one document.

    Args:
        files: str, path-like, or a list of these: paths and globs, compressed or plain.
        tokenizer: a `keras_bert.BertTokenizer`.
        output: str or path-like, the folder to write.
        format: str; `"sentences"`, one on each line, or `"prose"`, see `PretrainingStream`.
        word_segmenter: str; `"jieba"` marks the words of Chinese for whole-word masking; None.
        drop_duplicates: bool, whether of documents with the same tokens one stays; False.
        shards: int, files to write; by default one for each 64 MiB of text.
        seed: int, decides the order; 0.
        overwrite: bool, whether a prepared folder is replaced; False.
        workers: int, processes on this machine where no other runner is named; one for each core.
        beam_args: list of str, Beam's pipeline options, `["--runner=FlinkRunner", ...]`. Without a
            runner it is Beam's direct runner in Python, with `workers` processes.
        window_bytes: int, text read at a time; 1 MiB.
        window_tokens: int, tokens that can be read alone later, rounded up to whole documents;
            32,768, about 128 KiB of text.
        progress: text file to draw a progress bar on, for instance `sys.stderr`; None.

    Returns:
        dict, the manifest: `version`, `settings`, `tokenizer` (its fingerprint), `counts`
        (documents, sentences, tokens, duplicates, invalid_lines, long_lines) and `shards` (name,
        bytes and windows of each).

    Raises:
        ModuleNotFoundError: Apache Beam is not installed; the message says how to.
        FileNotFoundError: a file is missing.
        FileExistsError: the output exists.
        ValueError: a damaged file, no text, or a setting out of range.
        RuntimeError: the runner failed.

    Example:
        >>> import pathlib, tempfile, keras_bert as kb
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "a.txt").write_text("a b\\nb c\\n\\nc c\\nb a\\n\\na b\\nb c\\n")
        >>> tokenizer = kb.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abc"])
        >>> manifest = kb.data.prepare(
        ...     folder / "a.txt", tokenizer, folder / "out", drop_duplicates=True, workers=1)
        >>> manifest["counts"]["documents"], manifest["counts"]["duplicates"]
        (2, 1)
        >>> data = kb.data.pretraining(folder / "out", tokenizer, sequence_length=16, batch_size=4)
    """
    _check(format, word_segmenter, shards, seed, window_bytes, window_tokens)
    paths = expand_files(files)
    sizes = [os.path.getsize(path) for path in paths]
    text = sum(
        size * (_COMPRESSION if path.endswith((".gz", ".zst")) else 1)
        for path, size in zip(paths, sizes, strict=True)
    )
    shards = shards or -(-text // _SHARD_BYTES)
    kept = {
        "format": format,
        "word_segmenter": word_segmenter,
        "drop_duplicates": bool(drop_duplicates),
        "seed": int(seed),
        "window_bytes": window_bytes,
        "window_tokens": window_tokens,
        "vocabulary_size": tokenizer.vocabulary_size,
        "lowercase": tokenizer.lowercase,
        "strip_accents": tokenizer.strip_accents,
        "input": [[os.path.basename(p), size] for p, size in zip(paths, sizes, strict=True)],
    }
    pipeline, run = _open_pipeline(workers, beam_args)
    with atomic_directory(output, overwrite, shard_files.MANIFEST) as temporary:
        from keras_bert.data.pieces import Settings

        folder = os.path.join(temporary, "chunks")
        os.mkdir(folder)
        settings = Settings(
            folder=folder,
            vocabulary=tuple(tokenizer.vocabulary),
            lowercase=tokenizer.lowercase,
            strip_accents=tokenizer.strip_accents,
            split_chinese=tokenizer.split_chinese,
            added_tokens=tuple(tokenizer.added_tokens.items()),
            format=format,
            word_segmenter=word_segmenter,
            drop_duplicates=bool(drop_duplicates),
            shards=shards,
            seed=int(seed),
            window_bytes=window_bytes,
            window_tokens=window_tokens,
        )
        header = {"tokenizer": of_tokenizer(tokenizer), "settings": kept}
        _build(pipeline, [os.path.abspath(path) for path in paths], temporary, settings, header)
        with progress_bar(temporary, folder, -(-text // window_bytes), shards, progress):
            run(pipeline)
        shutil.rmtree(folder)
        manifest = shard_files.read_manifest(temporary)
        if not manifest["counts"]["tokens"]:
            raise ValueError(f"{', '.join(paths[:5])}: no text, only white space.")
        return manifest


def _build(pipeline, paths, output, settings, header):
    """The pipeline from paths to the manifest."""
    import apache_beam as beam

    # Functions of a module, not closures: they travel by name.
    from keras_bert.data import pieces

    chunks = (
        pipeline
        | "files" >> beam.Create(list(enumerate(paths)))
        | "deal out files" >> beam.Reshuffle()
        | "list windows" >> beam.FlatMap(pieces.list_chunks, settings)
        | "deal out windows" >> beam.Reshuffle()
        | "tokenize" >> beam.Map(pieces.tokenize_chunk, settings)
    )
    names = chunks | "names" >> beam.Keys()
    shards = (
        pipeline
        | "shards" >> beam.Create(range(settings.shards))
        | "deal out shards" >> beam.Reshuffle()
        | "write shards" >> beam.Map(pieces.make_shard, beam.pvalue.AsList(names), output, settings)
    )
    _ = (
        pipeline
        | "once" >> beam.Create([output])
        | "write manifest"
        >> beam.Map(
            _write_manifest,
            beam.pvalue.AsList(shards),
            beam.pvalue.AsList(chunks | "counts" >> beam.Values()),
            header,
        )
    )


def _write_manifest(output, shards, line_counts, header):
    counts = {}
    for some in [*(counts for _, counts in shards), *line_counts]:
        for name, number in some.items():
            counts[name] = counts.get(name, 0) + number
    entries = sorted((entry for entry, _ in shards), key=lambda entry: entry["name"])
    shard_files.write_manifest(
        output, {"version": shard_files.VERSION, **header, "counts": counts, "shards": entries}
    )


def _open_pipeline(workers, beam_args):
    """A pipeline, and a function that runs it to its end."""
    try:
        import apache_beam as beam
        from apache_beam.options.pipeline_options import DirectOptions, StandardOptions
        from apache_beam.runners.portability.fn_api_runner import FnApiRunner
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "keras-bert prepare needs Apache Beam: pip install 'keras_bert[beam]'"
        ) from error
    options = beam.options.pipeline_options.PipelineOptions(list(beam_args))
    runner = options.view_as(StandardOptions).runner
    if runner in (None, "DirectRunner"):
        # By its name, for "DirectRunner" may download another program and run that.
        runner = FnApiRunner()
        direct = options.view_as(DirectOptions)
        direct.direct_num_workers = workers or len(os.sched_getaffinity(0))
        if direct.direct_num_workers > 1:
            direct.direct_running_mode = "multi_processing"
    elif workers is not None:
        raise ValueError(
            f"workers={workers} is for this machine's runner, and beam_args name {runner}; give "
            "that runner's own option for the number of workers instead."
        )
    return beam.Pipeline(runner=runner, options=options), _run


def _run(pipeline):
    # Worker processes tokenize on the CPU; each would else take the memory of a GPU.
    before = os.environ.get("CUDA_VISIBLE_DEVICES")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    try:
        pipeline.run().wait_until_finish()
    except Exception as error:
        raise _plain(error) from error
    finally:
        del os.environ["CUDA_VISIBLE_DEVICES"]
        if before is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = before


def _plain(error):
    """The error of a worker, which arrives as text within the runner's traceback."""
    kinds = {kind.__name__: kind for kind in (FileNotFoundError, ModuleNotFoundError, ValueError)}
    found = re.findall(r"^(?:\w+\.)*(\w+(?:Error|Exception)): (.+)$", str(error), re.M)
    name, message = found[-1] if found else (type(error).__name__, str(error))
    message = re.sub(r" \[while running .*", "", message)
    if "Channel closed prematurely" in message:
        message = (
            f"a worker process was lost ({message}): killed, perhaps for want of memory. Nothing "
            "has been written; start again, with fewer workers if it was that."
        )
    return kinds.get(name, RuntimeError)(message)


def _check(format, word_segmenter, shards, seed, window_bytes, window_tokens):
    for name, value, choices in (
        ("format", format, FORMATS),
        ("word_segmenter", word_segmenter, (None, "jieba")),
    ):
        if value not in choices:
            raise ValueError(
                f"{name} is {value!r}; expected one of {', '.join(map(repr, choices))}."
            )
    for name, value, least in (
        ("shards", 1 if shards is None else shards, 1),
        ("seed", seed, 0),
        ("window_bytes", window_bytes, 16),
        ("window_tokens", window_tokens, 1),
    ):
        if not isinstance(value, int) or value < least:
            raise ValueError(f"{name} is {value!r}; expected a whole number of at least {least}.")
