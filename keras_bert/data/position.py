"""A place in the pretraining data, as plain numbers."""

import operator
from typing import NamedTuple

import numpy as np


class Place(NamedTuple):
    """A place in one lane: the next example is number `offset` of a block of an epoch."""

    epoch: int
    block: int
    offset: int


class Position(NamedTuple):
    """A place in the stream: one `Place` for each of its lanes.

    It is all that has to be kept beside the weights to go on with the same data, with the same
    number of readers or another: no state of a generator or of a shuffle buffer.

    Args:
        places: tuple of `Place`, or of what makes one: three ints from 0.

    Example:
        >>> position = Position.of([[1, 0, 32], [0, 7, 0]])
        >>> position.places[1]
        Place(epoch=0, block=7, offset=0)
        >>> position.plain()
        [[1, 0, 32], [0, 7, 0]]
    """

    places: tuple

    @property
    def epoch(self):
        """The epoch of the lane that is least far: those before it are done with."""
        return min(place.epoch for place in self.places)

    def plain(self):
        """Lists of whole numbers, fit for JSON, `(lanes, 3)`."""
        return [list(place) for place in self.places]

    @classmethod
    def of(cls, value):
        """A `Position` from one, or from what JSON made of one.

        Args:
            value: a `Position`; lists or an array of whole numbers `(lanes, 3)`; a dict with the
                key `"places"` that holds them; or, for a stream of one lane, the three numbers
                (epoch, block, offset) alone, as a sequence or a dict.

        Raises:
            TypeError: it is something else.
        """
        try:
            places = value
            if isinstance(places, dict):
                places = places["places"] if "places" in places else [Place(**places)]
            array = np.asarray(places.places if isinstance(places, Position) else places)
            # JSON makes of a named tuple a list of its fields.
            array = array[0] if array.ndim == 3 and len(array) == 1 else array
            places = array.reshape(-1, 3).tolist() if array.ndim in (1, 2) else None
            if array.shape not in ((3,), (len(places), 3)) or not places:
                raise ValueError
            return cls(tuple(Place(*map(operator.index, place)) for place in places))
        except (TypeError, ValueError, KeyError):
            raise TypeError(
                f"start is {value!r}; expected a Position, its whole numbers (epoch, block, "
                "offset) of each lane as lists, or a number of batches to pass over."
            ) from None
