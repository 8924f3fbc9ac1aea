"""A place in the pretraining data, as plain numbers."""

import operator
from typing import NamedTuple


class Position(NamedTuple):
    """A place in the stream: the next example is number `offset` of a block of an epoch.

    It is all that has to be kept beside the weights to go on with the same data: no state of a
    generator or of a shuffle buffer. `_asdict()` makes it fit for JSON.

    Args:
        epoch, block, offset: ints from 0.

    Example:
        >>> Position.of([1, 0, 32])._asdict()
        {'epoch': 1, 'block': 0, 'offset': 32}
    """

    epoch: int
    block: int
    offset: int

    @classmethod
    def of(cls, value):
        """A `Position` from one, or from its three whole numbers as a sequence or dict.

        Raises:
            TypeError: it is something else.
        """
        try:
            place = cls(**value) if isinstance(value, dict) else cls(*value)
            return cls(*map(operator.index, place))
        except TypeError:
            raise TypeError(
                f"start is {value!r}; expected a Position, its three whole numbers (epoch, block, "
                "offset) as a list or dict, or a number of batches to pass over."
            ) from None
