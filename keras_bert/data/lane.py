"""A lane: one of the independent sequences of blocks that batches take their rows from."""

import itertools
import threading
from bisect import bisect_left

from keras_bert.data.ahead import Ahead
from keras_bert.data.blocks import Counts
from keras_bert.data.position import Place

# Batches for which the place after them is still known: far more than prefetching runs ahead.
_KEPT_BATCHES = 10_000
_KEPT_EPOCHS = 1_000


class Lane:
    """What is known of one lane: where it begins, and what it handed on.

    Args:
        number: int from 0.
        rows: int, its examples in a batch.
        start: `Place` where it begins.
        num_blocks: int, its blocks in an epoch.
        epochs: int, or None for an endless lane.
        most_idle: int, blocks in a row that may hold no example before `complain` is called.
        complain: callable that raises.

    Attributes:
        counts, epoch_counts: `Counts` of the blocks handed on, all, and by epoch.
        is_read: bool, whether this process reads it.
        is_counted: bool, whether this process reads its first row: each lane's text is counted by
            one reader.
    """

    def __init__(self, number, rows, start, num_blocks, epochs, most_idle, complain):
        self.number, self.rows, self.start = number, rows, start
        self.is_read = self.is_counted = False
        self.is_exhausted = False
        self.counts, self.epoch_counts = Counts(), {}
        self._num_blocks, self._epochs = num_blocks, epochs
        self._most_idle, self._complain = most_idle, complain
        self._recorded = self._idle = 0
        # Blocks with examples: their places, and the examples up to the end of each, counted from
        # the beginning of the first one. What lies far behind is dropped, and training asks from
        # another thread than the one that reads.
        self._places, self._ends, self._forgotten = [], [], 0
        self._lock = threading.Lock()

    def places(self):
        """Yields the `Place`, always with offset 0, of each block from the start on."""
        first, blocks = self.start, range(self._num_blocks)
        for epoch in itertools.count(first.epoch):
            if self._epochs is not None and epoch >= self._epochs:
                return
            for block in blocks[first.block if epoch == first.epoch else 0 :]:
                yield Place(epoch, block, 0)

    def record(self, number, place, counts):
        """Notes block number `number` since the start; noted again it changes nothing."""
        if number < self._recorded:
            return
        with self._lock:
            self._recorded += 1
            self.counts = self.counts.plus(counts)
            of_epoch = self.epoch_counts.pop(place.epoch, Counts())
            self.epoch_counts[place.epoch] = of_epoch.plus(counts)
            if len(self.epoch_counts) > _KEPT_EPOCHS:
                del self.epoch_counts[next(iter(self.epoch_counts))]
            self._idle = 0 if counts.examples else self._idle + 1
            if counts.examples:
                end = self._made() + counts.examples
                self._places.append(place)
                self._ends.append(end)
                behind = bisect_left(self._ends, end - _KEPT_BATCHES * self.rows)
                if behind > len(self._ends) // 2:
                    self._forgotten = self._ends[behind - 1]
                    del self._places[:behind], self._ends[:behind]
        if self._idle >= self._most_idle:
            self._complain()

    def place_after(self, batches):
        """The `Place` after so many batches, or None where so many were not handed on.

        Raises:
            ValueError: they lie too far behind.
        """
        if batches == 0:
            return self.start
        with self._lock:
            passed, made = self.start.offset + batches * self.rows, self._made()
            if self.is_exhausted and passed >= made:
                return Place(self._epochs, 0, 0) if batches > 0 else None
            if batches < 0 or passed > made:
                return None
            if passed <= self._forgotten:
                raise ValueError(
                    f"position_after({batches}): the place after that batch is no longer known, "
                    f"only those after the last {_KEPT_BATCHES:,} batches are. Ask earlier."
                )
            block = bisect_left(self._ends, passed)
            before = self._ends[block - 1] if block else self._forgotten
            epoch, number, _ = self._places[block]
            if passed < self._ends[block]:
                return Place(epoch, number, passed - before)
            is_last = number + 1 == self._num_blocks
            return Place(epoch + 1, 0, 0) if is_last else Place(epoch, number + 1, 0)

    def batches_made(self):
        """Full batches of this lane handed on since its start."""
        return max(0, self._made() - self.start.offset) // self.rows

    def _made(self):
        return self._ends[-1] if self._ends else self._forgotten


class LaneReader:
    """Takes the rows `low` up to `high` of a lane's part of every batch, while threads make blocks.

    Args:
        lane: a `Lane`.
        low, high: int, rows of the lane's `rows` to be taken; the others are passed over.
        make: callable from (epoch, lane, block, offset) to `(examples, counts)`.
        executor: a `ThreadPoolExecutor`.
        ahead: int, blocks made ahead.
    """

    def __init__(self, lane, low, high, make, executor, ahead):
        self._lane, self._low, self._high = lane, low, high
        self._examples, self._next, self._stop = None, 0, 0

        def make_block(epoch, block, _):
            is_first = (epoch, block) == lane.start[:2]
            return make(epoch, lane.number, block, lane.start.offset if is_first else 0)

        blocks = Ahead(make_block, lane.places(), executor, ahead)
        self.submit, self.cancel = blocks.submit, blocks.cancel
        self._blocks = enumerate(blocks)
        lane.is_read = True
        lane.is_counted |= low == 0

    def take(self):
        """The rows of the next batch as a list of dicts of arrays; empty at the end of the lane."""
        pieces, row = [], 0
        while row < self._lane.rows:
            if self._next == self._stop:
                if not self._turn():
                    break
                continue
            step = min(self._lane.rows - row, self._stop - self._next)
            low, high = max(row, self._low), min(row + step, self._high)
            if low < high:
                begin = self._next + low - row
                pieces.append(
                    {
                        name: array[begin : begin + high - low]
                        for name, array in self._examples.items()
                    }
                )
            row += step
            self._next += step
        return pieces

    def _turn(self):
        """Goes on to the next block; returns False where there is none."""
        self._examples = None
        for number, (place, (examples, counts)) in self._blocks:
            self._lane.record(number, place, counts)
            self._examples, self._next = examples, 0
            self._stop = len(examples["token_ids"])
            return True
        self._lane.is_exhausted = True
        return False
