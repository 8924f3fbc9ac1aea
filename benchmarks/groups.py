"""What a benchmark file declares: groups of contenders that do the same work, one at a time."""

import dataclasses
import importlib.util
import pathlib
from collections.abc import Callable

# A contender's name begins with one of these -> the packages without which it is left out.
PACKAGES = {
    "ours": ("keras_bert",),
    "KerasHub": ("keras_hub",),
    "HF tokenizers": ("tokenizers",),
    "HF PyTorch": ("transformers", "torch"),
}


@dataclasses.dataclass(frozen=True)
class Setting:
    """What all contenders of a run are given.

    Attributes:
        data: folder of the real data sets, or None where there is none.
        vocabulary: a `vocab.txt`; None where no benchmark of the run needs one.
        quick: whether a repeat is to be as short as can be, to see that all works.
    """

    data: pathlib.Path | None
    vocabulary: pathlib.Path | None
    quick: bool = False


@dataclasses.dataclass(frozen=True)
class Group:
    """One piece of work and those who do it.

    Attributes:
        name: what is measured.
        unit: of the figures.
        contenders: name -> function of a `Setting` that prepares, warms up and returns a function
            without arguments, one repeat, which returns what `Stopwatch.rate` does. The first
            is ours, the others are compared with it.
        larger_is_better: False for times.
        files: what it reads below the data folder.
        goal: figure that ours is to reach, or None.
        goal_ratios: beginning of a peer's name -> how many times faster ours is to be.
    """

    name: str
    unit: str
    contenders: dict[str, Callable]
    larger_is_better: bool = True
    files: tuple[str, ...] = ()
    goal: float | None = None
    goal_ratios: dict[str, float] = dataclasses.field(default_factory=dict)

    def goal_ratio(self, contender):
        """How many times faster than this contender ours is to be, or None."""
        ratios = (r for start, r in self.goal_ratios.items() if contender.startswith(start))
        return next(ratios, None)


def missing_packages(contender):
    """Returns the names of the packages that a contender needs and that are not installed."""
    needed = next(names for start, names in PACKAGES.items() if contender.startswith(start))
    return [name for name in needed if importlib.util.find_spec(name) is None]
