"""Medians, spreads and ratios of what was measured, as rows of a Markdown table.

Standard library only; the results are plain dicts, as `benchmarks.run` writes them to JSON.
"""

import statistics

COLUMNS = (
    "benchmark",
    "contender",
    "median",
    "min–max",
    "ours / peer",
    "ours / peer, by CPU time",
    "goal",
)


def speedup(ours, peer, larger_is_better):
    """How many times faster ours is: the ratio of the medians, above 1 where ours is ahead.

    Args:
        ours, peer: lists of float, a figure a repeat.
        larger_is_better: False where the figures are times.

    Returns:
        float, or None where either has no figures.
    """
    if not ours or not peer:
        return None
    ratio = statistics.median(ours) / statistics.median(peer)
    return ratio if larger_is_better else 1 / ratio


def rows(group):
    """The rows of a group, the first contender's first; lists of str.

    Args:
        group: dict of `name`, `unit`, `larger_is_better`, `goal` (of the first contender, or
            None) and `contenders`: dicts of `name`, `figures` and `by_cpu` (lists of float, a
            number a repeat), `error` (str or None) and `goal_ratio` (float or None).
    """
    ours = group["contenders"][0]
    return [_row(group, ours, contender) for contender in group["contenders"]]


def _row(group, ours, contender):
    name = [group["name"], contender["name"]]
    if contender["error"] is not None:
        return [*name, contender["error"], "", "", "", ""]
    is_ours = contender is ours
    median = statistics.median(contender["figures"])
    spread = [number(f(contender["figures"])) for f in (min, max)]
    ratios = [
        None if is_ours else speedup(ours[key], contender[key], group["larger_is_better"])
        for key in ("figures", "by_cpu")
    ]
    if is_ours:
        reached, goal, unit = median, group["goal"], f" {group['unit']}"
    else:
        reached, goal, unit = ratios[0], contender["goal_ratio"], "x"
    return [
        *name,
        f"{number(median)} {group['unit']}",
        "–".join(spread),
        *("" if ratio is None else f"{ratio:.2f}" for ratio in ratios),
        verdict(reached, goal, unit, at_most=is_ours and not group["larger_is_better"]),
    ]


def verdict(reached, goal, unit, at_most=False):
    """A goal and whether it is reached: "at least 2x: missed"; nothing where there is none."""
    if goal is None or reached is None:
        return ""
    is_reached = reached <= goal if at_most else reached >= goal
    bound = "at most" if at_most else "at least"
    return f"{bound} {goal:,g}{unit}: {'reached' if is_reached else 'missed'}"


def number(value):
    """Three significant digits and no exponent: 0.874, 14.7, 118, 1,074."""
    if value >= 100:
        return f"{value:,.0f}"
    digits = 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:.{digits}f}"


def markdown(results):
    """The whole report: machine, date and command, the table, and what was left out."""
    body = [row for group in results["groups"] for row in rows(group)]
    table = [COLUMNS, ["---", "---", *["---:"] * 4, "---"], *body]
    lines = [f"- {key}: {value}" for key, value in results["header"].items()]
    lines += ["", *("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in table)]
    if results["left_out"]:
        lines += ["", "Left out:", "", *(f"- {reason}" for reason in results["left_out"])]
    return "\n".join(lines) + "\n"


def _cell(text):
    return text.replace("|", "\\|")
