"""Negative transfer: student minus its own pre-distillation baseline, on the same items.

The paper reports that students fall below their baselines. Which model the baseline is
matters: the checkpoint that the student really started from (``true base``), or the
instruct model of the same family (``instruct sibling``). They are kept apart.
"""

from __future__ import annotations

import pandas as pd

from handan.findings.contrast import Contrast, contrast, placed
from handan.findings.join import Joined
from handan.findings.verdict import ADVANTAGE, TRANSFER
from handan.lineage import pairs


def transfer(
    joined: Joined,
    lineage: pd.DataFrame,
    reliability: pd.DataFrame | None = None,
    *,
    n_boot: int = 100_000,
    seed: int = 0,
) -> Contrast:
    """Compare every student with its own baselines of the same study.

    Parameters
    ----------
    joined, lineage, reliability, n_boot, seed
        As in `handan.findings.collapse.collapse`.

    Returns
    -------
    Contrast
        ``relation`` is ``true base`` or ``instruct sibling``.
    """
    present = pairs(lineage, placed(joined, lineage)[0], "transfer")
    return contrast(joined, present, TRANSFER, reliability, n_boot=n_boot, seed=seed)


def teachers_against_baselines(
    joined: Joined,
    lineage: pd.DataFrame,
    reliability: pd.DataFrame | None = None,
    *,
    n_boot: int = 100_000,
    seed: int = 0,
) -> Contrast:
    """Compare every teacher with the baselines of the students beside it.

    The paper makes no claim about this difference, but where a model that does not reason
    aligns better than the teachers, a student's alignment needs no teacher to explain it.

    Parameters
    ----------
    joined, lineage, reliability, n_boot, seed
        As in `handan.findings.collapse.collapse`.

    Returns
    -------
    Contrast
        ``relation`` is ``a student's baseline``.
    """
    models, _ = placed(joined, lineage)
    roles = lineage.set_index("model")["role"]
    teachers = [model for model in models if roles.get(model) == "teacher"]
    baselines = pairs(lineage, models, "transfer")["b"].drop_duplicates()
    present = pd.DataFrame(
        [
            dict(a=teacher, b=baseline, relation="a student's baseline")
            for teacher in teachers
            for baseline in baselines
        ],
        columns=["a", "b", "relation"],
    )
    return contrast(joined, present, ADVANTAGE, reliability, n_boot=n_boot, seed=seed)


def baselines_ahead(found: Contrast) -> pd.DataFrame:
    """Pick the teachers that a baseline beats: the whole interval of the difference lies below 0.

    Parameters
    ----------
    found : Contrast
        A result of `teachers_against_baselines`.

    Returns
    -------
    DataFrame
        Rows of ``found.pairs``; none where no baseline is ahead.
    """
    if found.pairs.empty:
        return found.pairs
    return found.pairs[found.pairs["boot_high"] < 0]
