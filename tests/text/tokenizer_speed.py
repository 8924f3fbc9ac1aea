"""How many tokens a second the tokenizer makes of WikiText-2, lines batched in tf.data.

python tests/text/tokenizer_speed.py VOCAB.TXT TEXT_FILE... [--cased]
"""

import statistics
import sys
import time

import tensorflow as tf

from keras_bert.text.tokenizer import BertTokenizer


def main(arguments):
    names = [name for name in arguments if name != "--cased"]
    tokenizer = BertTokenizer(names[0], lowercase="--cased" not in arguments)
    lines = []
    for name in names[1:]:
        with open(name, encoding="utf-8") as file:
            lines += file.read().split("\n")
    data = tf.data.Dataset.from_tensor_slices(lines * 8).batch(1_024).cache()
    for _ in data:  # the lines now lie in memory as batches
        pass
    counts = data.map(
        lambda batch: tf.size(tokenizer(batch).flat_values), num_parallel_calls=tf.data.AUTOTUNE
    ).prefetch(2)
    speeds, per_core = [], []
    for _ in range(6):
        begin, begin_cpu = time.perf_counter(), time.process_time()
        tokens = sum(int(count) for count in counts)
        speeds.append(tokens / (time.perf_counter() - begin) / 1e6)
        per_core.append(tokens / (time.process_time() - begin_cpu) / 1e6)
    # The first run traces.
    print(
        f"{tokens:,} tokens; {statistics.median(speeds[1:]):.1f} Mtokens/s "
        f"({min(speeds[1:]):.1f} to {max(speeds[1:]):.1f} in 5 runs), "
        f"{statistics.median(per_core[1:]):.1f} Mtokens per second of one core"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
