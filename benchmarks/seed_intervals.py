"""Intervals over seeds and items on simulated families: which of them covers the truth in 95 %?

Run from the project's root:

    python benchmarks/seed_intervals.py [--studies 1000] [--resamples 400] [--seeds 5]

A study is a teacher and a student for each of some seeds, all tested on the same items. Its
truth is known: the mean difference of their correlations with people over all seeds and items
that there could be. Every way of making an interval sees the same studies.
"""

from __future__ import annotations

import argparse
import itertools
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from handan.stats.bootstrap import resample_counts, weighted_correlations
from handan.stats.percentile import percentile_interval
from handan.stats.random_factor import crossed_mean
from handan.stats.simulate import proportion_interval

_BLOCK = 20


@dataclass(frozen=True)
class World:
    """Where studies come from.

    Parameters
    ----------
    items, seeds : int
        Size of a study.
    spread : float
        Standard deviation of Fisher's z over seeds.
    shared : float
        Correlation of what two models do beside people: 0 for strangers, near 1 for copies.
    teacher, student : float
        Typical correlation with people.
    """

    items: int
    seeds: int = 5
    spread: float = 0.0
    shared: float = 0.0
    teacher: float = 0.6
    student: float = 0.4

    def truth(self) -> float:
        """Mean difference over all seeds, by Gauss-Hermite quadrature."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(61)
        middle = np.arctanh([self.teacher, self.student])
        means = np.tanh(middle[:, None] + self.spread * nodes) @ weights / weights.sum()
        return float(means[0] - means[1])

    def draw(self, n_studies: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Costs of shape (items, studies, 2, seeds), teachers before students; people (items, studies)."""
        human = rng.standard_normal((self.items, n_studies))
        middle = np.arctanh([self.teacher, self.student])[:, None]
        r = np.tanh(middle + self.spread * rng.standard_normal((n_studies, 2, self.seeds)))
        common = rng.standard_normal((self.items, n_studies, 1, 1))
        own = rng.standard_normal((self.items, n_studies, 2, self.seeds))
        beside = np.sqrt(self.shared) * common + np.sqrt(1 - self.shared) * own
        return r * human[:, :, None, None] + np.sqrt(1 - r**2) * beside, human


def estimates(world: World, n_studies: int, n_boot: int, rng: np.random.Generator):
    """Yield per study the difference of every seed (k,) and its item-bootstrap draws (n_boot, k)."""
    for start in range(0, n_studies, _BLOCK):
        size = min(_BLOCK, n_studies - start)
        costs, human = world.draw(size, rng)
        columns = costs.reshape(world.items, -1)
        people = np.repeat(human, 2 * world.seeds, axis=1)
        counts = np.vstack([np.ones((1, world.items)), resample_counts(world.items, n_boot, rng)])
        r = weighted_correlations(counts, columns, people).reshape(-1, size, 2, world.seeds)
        difference = r[:, :, 0] - r[:, :, 1]
        for study in range(size):
            yield difference[0, study], difference[1:, study]


def seeds_alone(values, draws, n_items, rng):
    reach = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return values.mean() - reach, values.mean() + reach


def items_alone(values, draws, n_items, rng):
    found = percentile_interval(draws.mean(axis=1))
    return found.low, found.high


def sum_of_variances(values, draws, n_items, rng):
    error = np.sqrt(values.var(ddof=1) / len(values) + draws.mean(axis=1).var(ddof=1))
    reach = stats.t.ppf(0.975, len(values) - 1) * error
    return values.mean() - reach, values.mean() + reach


def few_degrees(values, draws, n_items, rng):
    reach = stats.t.ppf(0.975, len(values) - 1) * crossed_mean(values, draws, n_items).error
    return values.mean() - reach, values.mean() + reach


def pigeonhole(values, draws, n_items, rng, stretch: float = 1.0):
    picked = rng.integers(0, len(values), draws.shape)
    resampled = np.take_along_axis(draws, picked, axis=1).mean(axis=1)
    centre = draws.mean(axis=1)
    found = percentile_interval(centre + stretch * (resampled - centre))
    return found.low, found.high


def stretched_pigeonhole(values, draws, n_items, rng):
    return pigeonhole(values, draws, n_items, rng, np.sqrt(len(values) / (len(values) - 1)))


def ours(values, draws, n_items, rng):
    found = crossed_mean(values, draws, n_items)
    return found.low, found.high


WAYS = {
    "seeds alone (t)": seeds_alone,
    "items alone (percentile)": items_alone,
    "both resampled (percentile)": pigeonhole,
    "both resampled, seeds x k/(k-1)": stretched_pigeonhole,
    "sum of variances, t with k-1": sum_of_variances,
    "inclusion-exclusion, t with k-1": few_degrees,
    "crossed_mean": ours,
}


def coverage(world: World, n_studies: int, n_boot: int, seed: int = 0, ways=WAYS) -> pd.DataFrame:
    """Share of studies whose interval covers the truth, and the interval's mean width, by way."""
    rng = np.random.default_rng(seed)
    truth = world.truth()
    ends = {way: [] for way in ways}
    for values, draws in estimates(world, n_studies, n_boot, rng):
        for way, interval in ways.items():
            ends[way].append(interval(values, draws, world.items, rng))
    rows = []
    for way, found in ends.items():
        low, high = np.array(found).T
        hits = int(((low <= truth) & (truth <= high)).sum())
        least, most = proportion_interval(hits, len(low))
        rows.append(dict(way=way, covered=hits / len(low), least=least, most=most, width=(high - low).mean()))
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    start = time.perf_counter()
    tables = {}
    for items, (spread, shared) in itertools.product(
        (60, 256), ((0.0, 0.0), (0.0, 0.8), (0.1, 0.0), (0.1, 0.8), (0.4, 0.0), (0.4, 0.8))
    ):
        world = World(items, options.seeds, spread, shared)
        found = coverage(world, options.studies, options.resamples).set_index("way")
        tables[f"{items}/{spread:g}/{shared:g}"] = found
    print(
        f"{options.seeds} seeds, {options.studies} studies a column, {options.resamples} resamples, "
        "nominal 95 %.\nColumns: items / spread of z over seeds / correlation of models beside people."
    )
    for name in ("covered", "width"):
        table = pd.DataFrame({column: found[name] for column, found in tables.items()})
        print(f"\n{name}\n{table.round(3).to_string()}")
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
