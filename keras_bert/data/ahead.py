"""Results made ahead by threads, and handed on in order."""

import collections
import itertools


class Ahead:
    """Iterates over `(place, function(*place))`, while threads are at work on the next places.

    At most `ahead` results wait or are in the making, so memory is bounded by as many. Which
    thread made a result has no influence on it, as long as the function keeps no state.

    Args:
        function: callable; an exception it raises is raised here.
        places: iterable of tuples, may be endless.
        executor: a `ThreadPoolExecutor`, which several of these may share.
        ahead: int.

    Work begins with the first `submit` or `next`; whoever stops early calls `cancel`.
    """

    def __init__(self, function, places, executor, ahead):
        self._function, self._places = function, iter(places)
        self._executor, self._most = executor, ahead
        self._waiting = collections.deque()

    def submit(self, number=1):
        """Hands so many more places to the threads, up to the bound."""
        number = min(number, self._most - len(self._waiting))
        for place in itertools.islice(self._places, max(0, number)):
            self._waiting.append((place, self._executor.submit(self._function, *place)))

    def __iter__(self):
        return self

    def __next__(self):
        self.submit(self._most)
        if not self._waiting:
            raise StopIteration
        place, future = self._waiting.popleft()
        result = future.result()
        self.submit()
        return place, result

    def cancel(self):
        """Takes back what has not begun: nobody waits for it any more."""
        for _, future in self._waiting:
            future.cancel()
        self._waiting.clear()
