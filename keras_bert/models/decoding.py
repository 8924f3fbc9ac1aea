"""Writing a target token by token; what comes next is the choice of a sampler of KerasHub."""

from keras import ops, tree

from keras_bert.models.encoder import empty_keys_values

SAMPLERS = ("beam", "greedy", "random", "top_k", "top_p")
_IMPOSSIBLE = -1e9


def check_sampler(sampler):
    """Raises what `find_sampler` does; a name alone is looked up without loading KerasHub."""
    if not isinstance(sampler, str):
        find_sampler(sampler)
    elif sampler not in SAMPLERS:
        raise ValueError(f"sampler: expected one of {', '.join(SAMPLERS)}; received {sampler!r}")


def find_sampler(sampler):
    """The sampler of `keras_hub.samplers` that a name, a configuration or a sampler itself means.

    Args:
        sampler: str, one of `SAMPLERS`; dict, as `serialized` makes it; or
            `keras_hub.samplers.Sampler`, also one of your own that has `get_next_token`.

    Raises:
        ValueError: it is none of these, or one that needs more than the next token's logits.
    """
    from keras_hub import samplers

    found = samplers.get(sampler) if isinstance(sampler, (str, dict)) else sampler
    loops = (samplers.Sampler.__call__, samplers.BeamSampler.__call__)
    if not isinstance(found, samplers.Sampler) or type(found).__call__ not in loops:
        raise ValueError(
            f"sampler: expected one of {', '.join(SAMPLERS)}, or a keras_hub.samplers.Sampler of "
            f"such a kind; received {sampler!r}"
        )
    if getattr(found, "return_all_beams", False):
        raise ValueError("sampler: expected a BeamSampler that returns its best beam alone")
    return found


def serialized(sampler):
    """A sampler as plain values: its name, or a dict.

    Args:
        sampler: str or `keras_hub.samplers.Sampler`.
    """
    if isinstance(sampler, str):
        return sampler
    from keras_hub import samplers

    return samplers.serialize(sampler)


def write_targets(model, inputs, sampler, target_length, stop_id, pad_id):
    """Writes a target for each source.

    A step reads one token a row: the source is read once, and keys and values of what was written
    are kept. The first step reads the source's last token, its [SEP], again, which has the place
    before the target: every step predicts what follows the token it reads, as in training. Where a
    row has its end, nothing but padding follows, at no cost in probability, so that what stands
    beside it in a batch changes nothing.

    Probabilities, tokens and beams are the sampler's; the loop around them is not. KerasHub's own
    writes a token by an operation that TensorFlow has under XLA alone, which TF Serving lacks on a
    GPU (tensorflow/serving issue 2217), and moves beams element by element, 35 times slower on a
    CPU than row by row.

    Args:
        model: `BertSeq2SeqLM`.
        inputs: dict of int `(batch, sequence)`, `token_ids`, `segment_ids`, `padding_mask` of
            sources.
        sampler: as `find_sampler` returns it.
        target_length: int, most tokens of a target, its [SEP] included.
        stop_id, pad_id: int, the tokens [SEP] and [PAD].

    Returns:
        int32 `(batch, target_length)`: the tokens, the [SEP] that ends them, padding; float32
        `(batch,)`: the geometric mean of the probabilities of its tokens, its [SEP] included.
    """
    copies = getattr(sampler, "num_beams", 1)
    batch = ops.shape(inputs["token_ids"])[0]
    next_logits, cache = step_by_step(model, inputs, target_length, stop_id, pad_id, copies)
    choose = _choose_beams if hasattr(sampler, "num_beams") else _choose_token
    places = ops.arange(target_length)

    def is_open(prompt, cache, index, total):
        return ops.logical_not(ops.all(ops.any(prompt == stop_id, axis=1)))

    def write_one(prompt, cache, index, total):
        logits, cache = next_logits(prompt, cache, index)
        kept = prompt, cache
        tokens, total, rows = choose(sampler, sampler.compute_probabilities(logits), total)
        if rows is not None:
            kept = tree.map_structure(lambda x: ops.take(x, rows, axis=0), kept)
        prompt = ops.where(places == index, ops.cast(tokens, "int32")[:, None], kept[0])
        return prompt, kept[1], index + 1, total

    # Of the beams of a source there is one at first.
    total = ops.cast(ops.arange(copies) > 0, "float32") * _IMPOSSIBLE
    prompt, _, _, total = sampler.run_loop(
        is_open,
        write_one,
        model=model,
        loop_vars=(
            ops.full((batch * copies, target_length), pad_id, dtype="int32"),
            cache,
            ops.convert_to_tensor(0, dtype="int32"),
            ops.zeros((batch, 1)) + total,
        ),
        maximum_iterations=target_length,
    )
    best = ops.cast(ops.argmax(total, axis=1), "int32")
    prompt = ops.take(prompt, ops.arange(batch) * copies + best, axis=0)
    total = ops.take_along_axis(total, best[:, None], axis=1)[:, 0]
    has_end = ops.cast(ops.any(prompt == stop_id, axis=1), "int32")
    end = ops.cast(ops.argmax(ops.cast(prompt == stop_id, "int32"), axis=1), "int32") + 1
    count = ops.where(has_end == 1, end, target_length)
    return prompt, ops.exp(total / ops.cast(count, "float32"))


def step_by_step(model, inputs, target_length, stop_id, pad_id, copies=1):
    """What a model predicts for the next token of each row, after those that are written.

    Args:
        model, inputs, target_length, stop_id, pad_id: as `write_targets`.
        copies: int, rows that are written for each source, one after the other. Default 1.

    Returns:
        A function of (prompt, int32 `(batch * copies, target_length)`, the tokens so far; cache;
        index, int32, the place to be written), which returns float32 logits
        `(batch * copies, vocabulary_size)` and the new cache; to be called place after place. And
        the cache at first.
    """
    encoder = model.backbone.encoder
    source_ids, source_mask = ops.cast(inputs["token_ids"], "int32"), inputs["padding_mask"]
    last = ops.sum(ops.cast(source_mask, "int32"), axis=1, keepdims=True) - 1
    source = encoder.keys_values(source_ids, inputs["segment_ids"], source_mask)
    last_ids = ops.repeat(ops.take_along_axis(source_ids, last, axis=1), copies, axis=0)
    last = ops.repeat(last, copies, axis=0)
    slots = ops.arange(target_length)

    def next_logits(prompt, cache, index):
        index = ops.cast(index, "int32")
        now = ops.take(ops.concatenate([last_ids, prompt], axis=1), index, axis=1)[:, None]
        segments = ops.zeros_like(now) + ops.cast(index > 0, "int32")
        # Slot 0 has the source's last token once more.
        sees = (slots >= 1) & (slots <= index)
        hidden, cache = encoder.step(
            now, segments, last + index, source, source_mask, cache, sees, index, copies
        )
        logits = model.masked_lm_head(hidden, ops.zeros_like(now))[:, 0]
        is_pad = ops.arange(logits.shape[-1]) == pad_id
        is_over = ops.any(prompt == stop_id, axis=1, keepdims=True)
        return ops.where(is_over, ops.where(is_pad, 0.0, _IMPOSSIBLE), logits), cache

    rows = ops.shape(source_ids)[0] * copies
    dtype = encoder.layers[0].compute_dtype
    return next_logits, empty_keys_values(encoder.layers, rows, target_length, dtype)


def _choose_token(sampler, probabilities, total):
    """Tokens `(batch,)`, log-probabilities so far `(batch, 1)`, and None: rows stay in place."""
    tokens = ops.cast(sampler.get_next_token(probabilities), "int32")
    chosen = ops.take_along_axis(probabilities, tokens[:, None], axis=1)
    return tokens, total + ops.log(chosen), None


def _choose_beams(sampler, probabilities, total):
    """Tokens `(batch * beams,)`, log-probabilities so far `(batch, beams)`, and the rows they
    follow, `(batch * beams,)`."""
    beams, size = sampler.num_beams, probabilities.shape[-1]
    batch = ops.shape(total)[0]
    scores = ops.log(probabilities) + ops.reshape(total, (-1, 1))
    total, found = ops.top_k(ops.reshape(scores, (batch, beams * size)), beams)
    found = ops.cast(found, "int32")
    rows = found // size + ops.arange(batch)[:, None] * beams
    return ops.reshape(found % size, (-1,)), total, ops.reshape(rows, (-1,))
