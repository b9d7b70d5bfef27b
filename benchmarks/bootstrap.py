"""Item bootstrap of every model's correlation in two studies, against looping scipy.stats.bootstrap.

Run from the project's root:

    python benchmarks/bootstrap.py [--resamples 10000] [--repeats 5] [--loop-resamples 200]

Both sides give percentile intervals for the same correlations. Ours resamples the items
once for all models of a study; the loop calls SciPy once per model. The loop runs fewer
resamples and its time is scaled up. With the same seed SciPy draws the same resamples,
so the ends of the intervals must agree but for the rule of interpolating a percentile.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
from scipy import stats

from handan.stats.bootstrap import bootstrap_correlations
from handan.stats.percentile import percentile_interval

STUDIES = {"pm-bench": (46, 20), "mip-gsm8k": (582, 5)}
Cells = dict[str, tuple[np.ndarray, np.ndarray]]


def recorded_cells() -> Cells:
    """Per study and task: log tokens (items × models) and the measure of difficulty (items)."""
    from handan.costs.recorded import load_study

    cells = {}
    for name in STUDIES:
        study = load_study(name)
        tokens = study.costs.assign(log_tokens=np.log(study.costs["reasoning_tokens"].where(lambda t: t > 0)))
        wide = tokens.pivot_table("log_tokens", ["task", "item"], "model", aggfunc="mean", dropna=False)
        measure = study.norms.set_index(["task", "item"])[["log_rt", "difficulty"]].dropna(axis=1, how="all")
        wide = wide.join(measure.iloc[:, 0].rename("measure"), how="inner").dropna(axis=1, how="all")
        for task, part in wide.groupby("task"):
            cells[f"{name} / {task}"] = part.drop(columns="measure").to_numpy(), part["measure"].to_numpy()
    return cells


def simulated_cells() -> Cells:
    """Arrays of the recorded studies' shapes, for a machine without them."""
    rng = np.random.default_rng(0)
    shapes = {f"{name} (simulated)": shape for name, shape in STUDIES.items()}
    return {name: (rng.normal(size=shape), rng.normal(size=shape[0])) for name, shape in shapes.items()}


def ours(cells: Cells, n_resamples: int) -> list[tuple[float, float]]:
    intervals = []
    for x, y in cells.values():
        found = percentile_interval(bootstrap_correlations(x, y, n_boot=n_resamples, seed=1))
        intervals += list(zip(found.low, found.high, strict=True))
    return intervals


def loop(cells: Cells, n_resamples: int) -> list[tuple[float, float]]:
    def pearson(a: np.ndarray, b: np.ndarray) -> float:
        return stats.pearsonr(a, b)[0]

    intervals = []
    for x, y in cells.values():
        for column in x.T:
            both = ~(np.isnan(column) | np.isnan(y))
            found = stats.bootstrap(
                (column[both], y[both]),
                pearson,
                paired=True,
                vectorized=False,
                method="percentile",
                n_resamples=n_resamples,
                random_state=np.random.default_rng(1),
            )
            intervals.append(tuple(found.confidence_interval))
    return intervals


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def report(cells: Cells, n_resamples: int, repeats: int, loop_resamples: int) -> None:
    ours(cells, 100)  # the first call pays for starting the threads of the matrix library
    pairs = []
    for number in range(1, repeats + 1):
        fast = seconds(lambda: ours(cells, n_resamples))
        slow = seconds(lambda: loop(cells, loop_resamples)) * n_resamples / loop_resamples
        pairs.append((fast, slow, slow / fast))
        print(
            f"  repeat {number}: ours {fast:7.3f} s   loop {slow:8.1f} s (scaled)   ratio {slow / fast:7.0f}"
        )
    fast, slow, ratio = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"  median:   ours {fast:7.3f} s   loop {slow:8.1f} s (scaled)   ratio {ratio:7.0f}")


def agreement(cells: Cells, n_resamples: int) -> float:
    """Largest distance between the two sides' ends, at the same number of resamples."""
    return float(np.nanmax(np.abs(np.array(ours(cells, n_resamples)) - np.array(loop(cells, n_resamples)))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--loop-resamples", type=int, default=200)
    options = parser.parse_args()
    try:
        cells = recorded_cells()
    except (ImportError, LookupError, FileNotFoundError) as error:
        print(f"The recorded studies can't be read ({error}); arrays of the same shapes stand in.")
        cells = simulated_cells()
    for name, (x, _) in cells.items():
        print(f"{name}: {x.shape[0]} items x {x.shape[1]} models, {np.isnan(x).mean():.1%} of cells missing")
    print(f"{options.resamples} resamples; the loop runs {options.loop_resamples} and is scaled:")
    report(cells, options.resamples, options.repeats, options.loop_resamples)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        print(f"Largest difference of an interval's end at 1000 resamples: {agreement(cells, 1000):.3f}")


if __name__ == "__main__":
    main()
