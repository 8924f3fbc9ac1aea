"""Which windows are read where: an epoch's text, dealt out to lanes and cut into blocks."""

import functools

import numpy as np

from keras_bert.data.mixture import sources_of
from keras_bert.data.randomness import generator


class Deal:
    """The windows of each block of each lane of each epoch. Threads may share it.

    The windows of an epoch are drawn in a new order, those of a mixture by shares, and cut by bytes
    into as many equal blocks as there are in all lanes together; each lane gets a run of them. So
    many small files make blocks as large as a few large ones, no lane has more text than another,
    and there is no small block at the end, where few documents would be left to pair.

    Args:
        corpus: a corpus with `num_windows` and `window_sizes()`.
        pool_bytes: int, text of the blocks of all lanes that are open at a time.
        lanes: int.
        seed: int.

    Attributes:
        lanes, num_blocks: int; the blocks of one lane in an epoch, the same number in each.
    """

    def __init__(self, corpus, pool_bytes, lanes, seed):
        self._sizes = corpus.window_sizes()
        self._seed = seed
        self._sources = sources_of(corpus)
        self.lanes = lanes
        self.num_blocks = -(-int(self._sizes.sum()) // pool_bytes)
        # Lanes stand in different epochs, and threads are ahead of them.
        self._epoch = functools.lru_cache(maxsize=lanes + 2)(self._deal)

    def windows(self, epoch, lane, block):
        """The windows of a block: int `(windows,)`, ascending."""
        order, borders = self._epoch(epoch)
        place = lane * self.num_blocks + block
        return np.sort(order[borders[place] : borders[place + 1]])

    def _deal(self, epoch):
        order = self._order(epoch)
        sizes = self._sizes[order]
        blocks = self.lanes * self.num_blocks
        # A window belongs where its middle lies.
        middles = np.cumsum(sizes) - sizes / 2
        block = (middles / sizes.sum() * blocks).astype(np.int64)
        return order, np.searchsorted(block, np.arange(blocks + 1))

    def _order(self, epoch):
        """The windows of an epoch; from the endless row of a source's permutations, its next."""
        taken = []
        for number, (first, windows, per_epoch) in enumerate(self._sources):
            begin, end = epoch * per_epoch, (epoch + 1) * per_epoch
            rounds = range(begin // windows, -(-end // windows))
            row = np.concatenate(
                [
                    generator(self._seed, "windows", number, round).permutation(windows)
                    for round in rounds
                ]
            )
            begin -= rounds.start * windows
            taken.append(first + row[begin : begin + per_epoch])
        if len(taken) == 1:
            return taken[0]
        return generator(self._seed, "mixture", epoch).permutation(np.concatenate(taken))
