"""How alike the models of a study are, as a planned study needs to know it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from handan.findings.contrast import LITERAL
from handan.findings.join import Joined
from handan.findings.verdict import enough
from handan.stats.correlation import partial_correlation
from handan.stats.pair_design import ImpossibleDesign, PairDesign

LEAST_ITEMS = 4


@dataclass(frozen=True)
class TaskPairs:
    """The pairs that a study compares in one task.

    Attributes
    ----------
    task : str
        Its name.
    cells : DataFrame
        A row per pair: ``a, b``, ``n`` common items, ``r_a, r_b, between``, which are NaN
        where one of the three doesn't exist or there are fewer than 4 items; ``pooled`` says
        whether a mean over the study takes it in, as in `handan.findings.contrast.Contrast`.
    alike : DataFrame
        Likeness of all models to all: their correlation given people.
    """

    task: str
    cells: pd.DataFrame
    alike: pd.DataFrame

    @property
    def usable(self) -> pd.DataFrame:
        """Cells that have all three correlations and enough items."""
        return self.cells[self.cells["pooled"]]

    def of(self, relation: str) -> TaskPairs:
        """Keep the pairs of one relation; ``all`` keeps every pair."""
        if relation == "all":
            return self
        return replace(self, cells=self.cells[self.cells["relation"] == relation])

    def design(self) -> PairDesign:
        """Average correlations and likenesses over the usable pairs.

        A mean of likenesses over all ways to number the pairs is again a likeness that some
        models could have.

        Raises
        ------
        ImpossibleDesign
            When two of the models have no likeness.
        """
        a, b, k = self.usable["a"].tolist(), self.usable["b"].tolist(), len(self.usable)
        blocks = [self.alike.loc[x, y].to_numpy(copy=True) for x, y in ((a, a), (b, b), (a, b))]
        for block, names in zip(blocks, (a, b), strict=False):
            block[np.equal.outer(names, names)] = 1.0
        if not np.isfinite(blocks).all():
            raise ImpossibleDesign(
                "how alike two of the models are can't be said: they have too few items in common, "
                "or one follows people exactly"
            )
        own = float(np.trace(blocks[2])) / k
        others = [(block.sum() - np.trace(block)) / (k * (k - 1)) if k > 1 else own for block in blocks]
        r_a, r_b = self.usable[["r_a", "r_b"]].mean()
        return PairDesign(r_a, r_b, own, others[0], others[1], others[2], k)


def comparisons(joined: Joined, present: pd.DataFrame) -> Iterator[tuple[str, str, list[TaskPairs]]]:
    """Go through the comparisons of every study, and all of a study's together where it has several.

    Parameters
    ----------
    joined : Joined
        Costs beside norms.
    present : DataFrame
        ``a, b, relation``, from `handan.lineage.pairs`.

    Yields
    ------
    tuple of (str, str, list of TaskPairs)
        Study, relation (``all`` last), and its tasks.
    """
    studies: dict[str, list[TaskPairs]] = {}
    for study, task, wide in joined.tasks():
        here = present[present["a"].isin(wide.columns) & present["b"].isin(wide.columns)]
        if not here.empty:
            studies.setdefault(study, []).append(_measured(task, wide, here))
    for study, tasks in studies.items():
        _drop_small([one.cells for one in tasks])
        names = {str(name) for one in tasks for name in one.cells["relation"]}
        ordered = sorted(names, key=lambda name: (name not in LITERAL, name))
        for relation in [*ordered, "all"] if len(ordered) > 1 else ordered:
            chosen = [one.of(relation) for one in tasks]
            yield study, relation, [one for one in chosen if len(one.cells)]


def _drop_small(cells: list[pd.DataFrame]) -> None:
    """Say of all cells of a study which are pooled."""
    known = pd.concat(cells, keys=range(len(cells))).dropna(subset=["r_a", "r_b", "between"])
    large = enough(known["n"])
    for at, part in enumerate(cells):
        part["pooled"] = large.reindex(
            pd.MultiIndex.from_product([[at], part.index]), fill_value=False
        ).to_numpy()


def _measured(task: str, wide: pd.DataFrame, here: pd.DataFrame) -> TaskPairs:
    names = list(dict.fromkeys([*here["a"], *here["b"]]))
    r = wide[["human", *names]].astype(float).corr(min_periods=LEAST_ITEMS)
    human = r.loc[names, "human"].to_numpy()
    alike = partial_correlation(r.loc[names, names].to_numpy(), human[:, None], human[None, :])
    values = {name: wide[name].to_numpy(dtype=float) for name in ("human", *names)}
    rows = []
    for pair in here.itertuples():
        found = _on_common_items(values["human"], values[pair.a], values[pair.b])
        rows.append((pair.a, pair.b, str(pair.relation), *found))
    cells = pd.DataFrame(rows, columns=["a", "b", "relation", "n", "r_a", "r_b", "between"])
    return TaskPairs(task, cells, pd.DataFrame(alike, index=names, columns=names))


def _on_common_items(people: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[int, float, float, float]:
    """Count the items that all three have, as a contrast does, and correlate the three with each other."""
    three = np.stack([people, a, b])
    three = three[:, ~np.isnan(three).any(axis=0)]
    n = three.shape[1]
    if n < LEAST_ITEMS or (np.ptp(three, axis=1) == 0).any():
        return n, np.nan, np.nan, np.nan
    r = np.corrcoef(three)
    return n, r[0, 1], r[0, 2], r[1, 2]
