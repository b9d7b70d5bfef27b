"""The method in short; every number in it is read from the rule that uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handan.findings import constancy, rules, verdict
from handan.formats import count

if TYPE_CHECKING:
    from handan.battery import Sizes

PAPER = (
    "Hu, Peng, Peng, Wang & Wang (2026). Hán Dān Xué Bù (Mimicry) or Qīng Chū Yú Lán (Mastery)? A Cognitive "
    "Perspective on Reasoning Distillation in Large Language Models. arXiv:2601.05019."
)


def method(cost: str, sizes: Sizes) -> list[str]:
    """Say how the findings were computed, a line each.

    Parameters
    ----------
    cost : str
        The cost column.
    sizes : Sizes
        Resamples and seed.
    """
    return [
        f"Cost is the column {cost}, as a natural log, averaged over the samples of an item. Costs of "
        "zero, missing costs, failed requests and items without a norm take no part, and are counted "
        "above.",
        "Alignment is the Pearson correlation over items with the log of the mean human response "
        "time, or with the study's own measure of difficulty where nobody was timed. The noise "
        "ceiling is the square root of the reliability of the norms.",
        f"Intervals are 95 %, from {count(sizes.n_boot)} resamples of items ({count(sizes.n_pooled)} "
        "for pooled differences), drawn within each task; one resample serves all models. "
        f"Percentiles are expanded for few items (Hesterberg, 2015). Seed {sizes.seed}. Models are "
        "fixed: an interval says how far other items could move a number, not how far other models "
        "could.",
        "Rule of direction: supported when the whole interval of a difference lies on the claimed "
        f"side of 0; not supported when a difference of {verdict.SMALLEST:.2f} in that direction is "
        "ruled out.",
        f"Rule of nearness: supported when the whole interval lies within {rules.NEAR:.2f} of the "
        f"published correlation (within a factor of {rules.FACTOR:.2f} of a published ratio); not "
        "supported when it lies outside as a whole.",
        "Rule of constancy: supported when the multiplier changes by less than a factor of "
        f"{constancy.WITHIN:.2f} per standard deviation of difficulty; not supported when a change is "
        "certain and may be larger.",
        f"Everything else is left open (cannot tell), as is anything with fewer than {verdict.FEWEST} "
        "items. A verdict on the edge could change with another seed, or by the rule of nearness with a "
        "noise ceiling elsewhere in its interval.",
    ]
