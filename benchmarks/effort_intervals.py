"""Distances between distributions of costs: do their intervals cover, does the verdict keep its level?

Run from the project's root:

    python benchmarks/effort_intervals.py [--studies 1000] [--resamples 400] [--out FILE]

A teacher, a student and a baseline answer the same items; their log costs are normal, with a
correlation of 0.5, and their true Wasserstein-1 distances are known. The result is stored
beside the tests as `tests/findings/effort_intervals.json`.
"""

from __future__ import annotations

import argparse
import json
import platform
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from handan.findings.effort_distances import distance_columns
from handan.findings.effort_form import form_rows
from handan.stats.bootstrap import resample_chunks
from handan.stats.divergence import BINS, equal_bins
from handan.stats.simulate import proportion_interval

# Mean and standard deviation of the log costs of student and baseline; the teacher's are 0 and 1.
WORLDS = {
    "both as far, on two sides": ((-0.7, 1.0), (0.7, 1.0)),
    "both as far, on one side": ((-0.7, 1.0), (-0.7, 1.0)),
    "both like the teacher": ((0.0, 1.0), (0.0, 1.0)),
    "student nearer": ((-0.3, 1.0), (-1.0, 1.0)),
    "student like the teacher": ((0.0, 1.0), (-1.0, 1.0)),
    "student narrower": ((-0.7, 0.5), (-1.2, 1.0)),
}
SIZES = (46, 200)


def truth(mean: float, deviation: float) -> float:
    """Wasserstein-1 distance of a normal distribution from the standard one."""
    quantiles = stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    return float(np.abs(mean + (deviation - 1) * quantiles).mean())


def once(world: str, n_items: int, n_boot: int, rng: np.random.Generator) -> dict[str, bool]:
    """Whether the intervals of one study cover, and the verdict."""
    (mean_s, deviation_s), (mean_b, deviation_b) = WORLDS[world]
    logs = np.sqrt(0.5) * (rng.standard_normal((n_items, 1)) + rng.standard_normal((n_items, 3)))
    logs = logs * [1, deviation_s, deviation_b] + [0, mean_s, mean_b]
    spent = pd.DataFrame(np.exp(logs + 6), columns=["teacher", "student", "base"])
    resamples = partial(resample_chunks, n_items, n_boot, int(rng.integers(2**32)))
    edges = {n: equal_bins(logs + 6, n) for n in (BINS, BINS // 2, 2 * BINS)}
    pair = dict(study="s", task="t", relation="own teacher", teacher="teacher", student="student")
    based = pd.DataFrame(dict(b=["base"], relation=["true base"]))
    row = form_rows(pair, spent, based, edges[BINS], resamples)[0]
    alone = distance_columns(spent["teacher"], spent["student"], edges, resamples, rng)
    student, baseline = truth(mean_s, deviation_s), truth(mean_b, deviation_b)
    return {
        "form covered": bool(row["form_low"] <= student - baseline <= row["form_high"]),
        "distance covered": bool(alone["wasserstein_low"] <= student <= alone["wasserstein_high"]),
        "supported": row["verdict"] == "supported",
        "not supported": row["verdict"] == "not supported",
    }


def condition(world: str, n_items: int, studies: int, n_boot: int) -> dict[str, object]:
    """Shares over many studies, each with its 95 % interval."""
    rng = np.random.default_rng(n_items)
    rows = pd.DataFrame([once(world, n_items, n_boot, rng) for _ in range(studies)])
    result: dict[str, object] = dict(world=world, n_items=n_items, studies=studies)
    for name, count in rows.sum().items():
        low, high = proportion_interval(int(count), studies)
        result[str(name)] = dict(share=count / studies, low=low, high=high)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=400)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    results = []
    for n_items in SIZES:
        for world in WORLDS:
            results.append(condition(world, n_items, asked.studies, asked.resamples))
            print(json.dumps(results[-1]), flush=True)
    if asked.out:
        made = dict(by="benchmarks/effort_intervals.py", python=platform.python_version())
        told = dict(made=made, resamples=asked.resamples, conditions=results)
        asked.out.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
