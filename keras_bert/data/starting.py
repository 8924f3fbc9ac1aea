"""Where a stream starts: places kept, checked against its corpus, or a number of batches."""

import numbers
from concurrent.futures import ThreadPoolExecutor

from keras_bert.data.ahead import Ahead
from keras_bert.data.position import Place, Position


def find_start(start, make_lanes, maker, workers):
    """The `Position` that the argument `start` of a stream means.

    Args:
        start: a `Position` or its plain numbers; int, batches to pass over; None, the beginning.
        make_lanes: callable without arguments; `Lanes` at the beginning.
        maker: an `ExampleMaker`, to plan the batches to be passed over.
        workers: int, threads.

    Raises:
        TypeError: it is something else.
        ValueError: this corpus has no such place.
    """
    lanes = make_lanes()
    if start is None:
        return lanes.start
    if isinstance(start, numbers.Integral):
        return _pass_over(int(start), lanes, maker, workers)
    start = Position.of(start)
    if len(start.places) != len(lanes):
        raise ValueError(
            f"start has the places of {len(start.places)} lanes; this stream has {len(lanes)}. "
            "Is it another corpus, or another batch_size, window_bytes or block_windows? "
            f"lanes={len(start.places)} keeps their number."
        )
    most = max(place.block for place in start.places)
    if min(map(min, start.places)) < 0 or most >= lanes.num_blocks:
        raise ValueError(
            f"start is {start}; this corpus has blocks 0 to {lanes.num_blocks - 1} in an epoch. "
            "Is it another corpus, or another window_bytes or block_windows?"
        )
    return start


def _pass_over(batches, lanes, maker, workers):
    """The position after so many batches from the beginning, found by planning alone."""
    if batches < 0:
        raise ValueError(f"start is {batches}; expected at least 0 batches.")
    if batches == 0:
        return lanes.start
    with ThreadPoolExecutor(workers, "keras_bert_data") as executor:
        return Position(
            tuple(
                _pass_over_lane(batches, lane, lanes.epochs, maker, executor, workers)
                for lane in lanes
            )
        )


def _pass_over_lane(batches, lane, epochs, maker, executor, workers):
    def count(epoch, block, _):
        return maker.plan(epoch, lane.number, block)[0].counts

    blocks = Ahead(count, lane.places(), executor, workers)
    try:
        for number, (place, counts) in enumerate(blocks):
            lane.record(number, place, counts)
            if lane.batches_made() >= batches:
                return lane.place_after(batches)
        return Place(epochs, 0, 0)
    finally:
        blocks.cancel()
