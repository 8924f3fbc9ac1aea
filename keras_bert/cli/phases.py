"""Pretraining in one or two phases: short rows first, long ones at the end."""

from typing import NamedTuple


class Phase(NamedTuple):
    """Steps with rows of one length.

    `last_step` is counted from the beginning of the run; `seed` is that of the data, another one in
    each phase, so that the second does not begin with the text of the first.
    """

    name: str
    sequence_length: int
    batch_size: int
    steps: int
    last_step: int
    seed: int


def phases_of(values):
    """The phases that the flags of `pretrain` ask for.

    Source: Devlin et al. 2018, appendix A.2: 90% of the steps at 128 tokens, the rest at 512.

    Returns:
        List of `Phase`.

    Raises:
        ValueError: there are not more steps than long ones.

    Example:
        >>> [phase.steps for phase in phases_of(values)]  # --steps=100 --long_steps=10
        [90, 10]
    """
    short = values.steps - values.long_steps
    if short < 1:
        raise ValueError(
            f"--long_steps={values.long_steps} are the last of --steps={values.steps}; expected "
            "fewer. With long rows alone, give --sequence_length"
        )
    phases = [
        Phase("phase_1", values.sequence_length, values.batch_size, short, short, values.seed)
    ]
    if values.long_steps:
        batch_size = values.long_batch_size or max(
            1, values.batch_size * values.sequence_length // values.long_sequence_length
        )
        phases.append(
            Phase(
                "phase_2",
                values.long_sequence_length,
                batch_size,
                values.long_steps,
                values.steps,
                values.seed + 1_000_003,
            )
        )
    return phases
