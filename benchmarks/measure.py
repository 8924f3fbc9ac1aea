"""Clocks: the wall's, and the CPU seconds of this process, which a busy machine bends less."""

import resource
import statistics
import time


def cpu_seconds():
    """CPU seconds of this process, all threads, and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


class Stopwatch:
    """Seconds since it was made, and up to the last `lap`."""

    def __init__(self):
        self._begin = time.perf_counter(), cpu_seconds()
        self.lap()

    def lap(self):
        """Reads both clocks; returns the seconds of the wall's."""
        self.seconds = time.perf_counter() - self._begin[0]
        self.cpu_seconds = cpu_seconds() - self._begin[1]
        return self.seconds

    def rate(self, amount):
        """The result of a repeat that did `amount` of work by the last lap."""
        return {"figure": amount / self.seconds, "by_cpu": amount / self.cpu_seconds}


def rate_of_passes(one_pass, least_seconds):
    """Repeats `one_pass`, which returns the work it did, for some seconds; returns the rate."""
    watch = Stopwatch()
    amount = one_pass()
    while watch.lap() < least_seconds:
        amount += one_pass()
    return watch.rate(amount)


def median_milliseconds(function, items):
    """Calls `function` on each item; returns the median time and the mean CPU time of a call."""
    times, begin = [], cpu_seconds()
    for item in items:
        start = time.perf_counter()
        function(item)
        times.append(1_000 * (time.perf_counter() - start))
    by_cpu = 1_000 * (cpu_seconds() - begin) / len(times)
    return {"figure": statistics.median(times), "by_cpu": by_cpu}
