"""The lanes of a stream, from which every batch takes rows in turn.

The order of the data is defined without a word about who reads it: batch t holds, lane by lane,
the next rows of each. Readers share a batch by its rows, and each reads only the lanes that its
rows come from; with another number of readers the batches stay the same.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from keras_bert.data.blocks import sum_counts
from keras_bert.data.lane import Lane, LaneReader
from keras_bert.data.position import Place, Position


class Lanes:
    """All lanes of a stream, those read here and those read elsewhere.

    Args:
        deal: a `keras_bert.data.deal.Deal`.
        batch_size: int, a multiple of the lanes.
        start: `Position`; None is the beginning.
        epochs: int, or None for endless lanes.
        complain: callable that raises, for a lane in which nothing is found.
    """

    def __init__(self, deal, batch_size, start, epochs, complain):
        self.num_blocks, self.epochs, self._complain = deal.num_blocks, epochs, complain
        self.start = start or Position((Place(0, 0, 0),) * deal.lanes)
        self._batch_size, self._rows = batch_size, batch_size // deal.lanes
        # An epoch of the only lane is the whole text. One of several has other text in each; four
        # times what all read in an epoch is nearly surely all there is.
        most_idle = deal.num_blocks * (1 if deal.lanes == 1 else 4 * deal.lanes)
        self._lanes = [
            Lane(number, self._rows, place, deal.num_blocks, epochs, most_idle, complain)
            for number, place in enumerate(self.start.places)
        ]

    def __iter__(self):
        return iter(self._lanes)

    def __len__(self):
        return len(self._lanes)

    def counts(self):
        """`Counts` of the lanes that this process counts."""
        return sum_counts(lane.counts for lane in self._lanes if lane.is_counted)

    def epoch_counts(self):
        """The same by epoch: a dict."""
        found = [dict(lane.epoch_counts) for lane in self._lanes if lane.is_counted]
        return {
            epoch: sum_counts(counts[epoch] for counts in found if epoch in counts)
            for epoch in sorted(set().union(*found))
        }

    def position_after(self, batches):
        """The `Position` after so many batches; see `PretrainingStream`."""
        places = self.places_after(batches)
        missing = np.flatnonzero(places[:, 0] < 0).tolist()
        if missing:
            raise ValueError(
                f"position_after({batches}): this reader has not read lanes {missing} of "
                f"{len(self)}. Take the largest of all readers' places_after({batches})."
            )
        return Position.of(places)

    def places_after(self, batches):
        """The places of the lanes read here, int64 `(lanes, 3)`; see `PretrainingStream`."""
        places = np.full((len(self), 3), -1, np.int64)
        read = [lane for lane in self._lanes if lane.is_read or batches == 0]
        found = [lane.place_after(batches) for lane in read]
        if not read or None in found:
            made = min((lane.batches_made() for lane in read), default=0)
            raise ValueError(
                f"position_after({batches}): since its start the stream has handed on {made} "
                f"batches of {self._batch_size} examples."
            )
        places[[lane.number for lane in read]] = found
        return places

    def read(self, begin, end, make, workers):
        """Yields rows `begin` up to `end` of every batch, as lists of dicts of arrays.

        It ends where none of these rows is left in any lane.

        Args:
            begin, end: int.
            make: callable from (epoch, lane, block, offset) to `(examples, counts)`.
            workers: int, threads.
        """
        step = self._rows
        lanes = self._lanes[begin // step : -(-end // step)]
        ahead = -(-workers // len(lanes))
        with ThreadPoolExecutor(workers, "keras_bert_data") as executor:
            readers = [
                LaneReader(
                    lane,
                    max(begin - lane.number * step, 0),
                    min(end - lane.number * step, step),
                    make,
                    executor,
                    ahead,
                )
                for lane in lanes
            ]
            try:
                # The first block of each lane is wanted before the second of any.
                for reader in readers * ahead:
                    reader.submit()
                is_empty = True
                while pieces := [piece for reader in readers for piece in reader.take()]:
                    is_empty = False
                    yield pieces
                # A reader of some lanes may find nothing in few epochs; all of the text should not
                # be like that.
                if is_empty and len(lanes) == len(self) and self.start.epoch == 0:
                    self._complain()
            finally:
                for reader in readers:
                    reader.cancel()
