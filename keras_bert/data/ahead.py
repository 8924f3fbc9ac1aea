"""Results made ahead by threads, and handed on in order."""

import collections
import itertools
from concurrent.futures import ThreadPoolExecutor


def in_order(function, places, workers):
    """Yields `(place, function(*place))` for each place, while threads are at work on the next.

    At most `workers` results wait or are in the making, so memory is bounded by as many. Which
    thread made a result has no influence on it, as long as the function keeps no state.

    Args:
        function: callable; an exception it raises is raised here.
        places: iterable of tuples, may be endless.
        workers: int, threads.
    """
    places = iter(places)
    ahead = collections.deque()
    with ThreadPoolExecutor(workers, "keras_bert_data") as executor:

        def submit(number):
            for place in itertools.islice(places, number):
                ahead.append((place, executor.submit(function, *place)))

        try:
            submit(workers)
            while ahead:
                place, future = ahead.popleft()
                result = future.result()
                submit(1)
                yield place, result
        finally:
            # Whoever reads may stop early; then nobody waits for what has not begun.
            for _, future in ahead:
                future.cancel()
