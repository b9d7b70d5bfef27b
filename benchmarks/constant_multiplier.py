"""Does `change` tell a constant multiplier from a growing one, where a slope through the origin can't?

Run from the project's root:

    python benchmarks/constant_multiplier.py [--studies 1000] [--resamples 600] [--out FILE]

Every simulated study has three students with their bases on the same items; every pair has a
slope through the origin of exactly 2.44. In some the multiplier is constant, in others it
grows with difficulty. The result is stored beside the tests as `tests/findings/inflation_sim.json`.
"""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path

import numpy as np

from handan.findings.efficiency_law import r2_about_zero
from handan.findings.inflation import measure
from handan.findings.inflation_sim import simulated_study
from handan.findings.join import join
from handan.findings.paired_costs import item_means
from handan.stats.simulate import proportion_interval

CONDITIONS = ((1.0, 46), (1.0, 136), (1.1, 136), (1.25, 46), (1.25, 136))


def once(change: float, n_items: int, n_boot: int, seed: int) -> dict[str, float | str | bool]:
    """Verdict, slope and R² of one study."""
    costs, norms, lineage = simulated_study(change, n_items=n_items, n_pairs=3, seed=seed)
    found = measure(join(costs, norms), costs, lineage, n_boot=n_boot, seed=seed)
    row = found.pooled.iloc[0]
    means = item_means(costs)
    return dict(
        verdict=row["verdict"],
        covered=bool(row["change_low"] <= change <= row["change_high"]),
        through_origin=float(found.pairs["through_origin"].mean()),
        r2_origin=r2_about_zero(means["base-0"].to_numpy(), means["student-0"].to_numpy()),
    )


def condition(change: float, n_items: int, studies: int, n_boot: int) -> dict[str, object]:
    """Shares over many studies, each with its 95 % interval."""
    rows = [once(change, n_items, n_boot, seed) for seed in range(studies)]
    shares = {name: sum(row["verdict"] == name for row in rows) for name in ("supported", "not supported")}
    shares["covered"] = sum(bool(row["covered"]) for row in rows)
    result: dict[str, object] = dict(change=change, n_items=n_items, studies=studies)
    for name, count in shares.items():
        low, high = proportion_interval(count, studies)
        result[name] = dict(share=count / studies, low=low, high=high)
    for name in ("through_origin", "r2_origin"):
        result[name] = float(np.mean([float(row[name]) for row in rows]))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=600)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    results = []
    for change, n_items in CONDITIONS:
        results.append(condition(change, n_items, asked.studies, asked.resamples))
        print(json.dumps(results[-1]), flush=True)
    if asked.out:
        made = dict(by="benchmarks/constant_multiplier.py", python=platform.python_version())
        told = dict(made=made, resamples=asked.resamples, conditions=results)
        asked.out.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
