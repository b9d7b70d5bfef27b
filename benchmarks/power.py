"""Verdicts in simulated studies against the formulas of `handan.stats.power`.

Run from the project's root:

    python benchmarks/power.py [--studies 10000] [--resamples 500] [--store]

Every study is drawn anew, gets its own item bootstrap and its own verdict. With ``--store``
the shares go to tests/stats/power_simulated.json, to which the tests compare the formulas.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import product
from pathlib import Path

import pandas as pd

from handan.findings.verdict import SMALLEST
from handan.stats.pair_design import pair_design
from handan.stats.pair_power import williams_power
from handan.stats.power import interval_power, verdict_shares
from handan.stats.power_simulation import simulated_power

STORED = Path(__file__).parents[1] / "tests/stats/power_simulated.json"
DESIGNS = (
    dict(r_a=0.64, r_b=0.34, between=0.0),
    dict(r_a=0.64, r_b=0.34, between=0.3),
    dict(r_a=0.64, r_b=0.34, between=0.6),
    dict(r_a=0.64, r_b=0.34, between=0.85),
    dict(r_a=0.5, r_b=0.4, between=0.7),
    dict(r_a=0.8, r_b=0.5, between=0.6),
    dict(r_a=0.3, r_b=0.0, between=0.4),
    dict(r_a=0.5, r_b=0.5, between=0.6),
    dict(r_a=0.64, r_b=0.34, between=0.6, n_pairs=6),
    dict(r_a=0.64, r_b=0.34, between=0.2, n_pairs=6),
    dict(r_a=0.64, r_b=0.34, between=0.6, n_pairs=6, one_teacher=True),
    dict(r_a=0.64, r_b=0.34, between=0.4, n_pairs=6, one_teacher=True),
    dict(r_a=0.5, r_b=0.5, between=0.6, n_pairs=6),
    dict(r_a=0.5, r_b=0.5, between=0.4, n_pairs=6, one_teacher=True),
    dict(r_a=0.3, r_b=0.3, between=0.1, n_pairs=6, alike=0.4),
)
ITEMS = (20, 50, 100, 450)
# Log tokens and log times have heavier tails than a normal distribution.
HEAVY = tuple(DESIGNS[k] | dict(t_df=8) for k in (2, 7, 10))


def row(truth: dict, n_items: int, n_studies: int, n_boot: int) -> dict:
    """Shares of one design at one number of items: simulated, and by formula."""
    t_df = truth.get("t_df")
    design = pair_design(**{name: value for name, value in truth.items() if name != "t_df"})
    found = simulated_power(
        design, n_items, SMALLEST, n_studies=n_studies, n_boot=n_boot, t_df=t_df, seed=20_260
    )
    shares = found.set_index("outcome")["share"]
    formula = verdict_shares(design, n_items, SMALLEST)._asdict()
    formula["rejected"] = interval_power(design, n_items)
    if design.n_pairs == 1:
        formula["williams"] = float(williams_power(design.r_a, design.r_b, design.between, n_items))
    return dict(truth=truth, n_items=n_items, simulated=shares.to_dict(), formula=formula)


def report(rows: list[dict]) -> None:
    for tails, heavy in (("normal data", False), ("heavy tails (t with 8 degrees of freedom)", True)):
        chosen = [one for one in rows if ("t_df" in one["truth"]) is heavy]
        print(f"\n{tails}: simulated / formula")
        lines = []
        for one in chosen:
            line = dict(**one["truth"], items=one["n_items"])
            for outcome in one["simulated"]:
                formula = one["formula"].get(outcome)
                line[outcome] = f"{one['simulated'][outcome]:.3f}" + (
                    "" if formula is None else f" / {formula:.3f}"
                )
            lines.append(line)
        print(pd.DataFrame(lines).to_string(index=False, na_rep=""))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=10_000)
    parser.add_argument("--resamples", type=int, default=500)
    parser.add_argument("--store", action="store_true")
    options = parser.parse_args()
    start = time.perf_counter()
    cases = list(product(DESIGNS + HEAVY, ITEMS))
    rows = [row(truth, n, options.studies, options.resamples) for truth, n in cases]
    report(rows)
    if options.store:
        kept = [{name: one[name] for name in ("truth", "n_items", "simulated")} for one in rows]
        about = dict(made_by="benchmarks/power.py", n_studies=options.studies, n_boot=options.resamples)
        lines = ",\n  ".join(json.dumps(one) for one in kept)
        STORED.write_text(json.dumps(about)[:-1] + f', "rows": [\n  {lines}\n]}}\n', encoding="utf-8")
    print(f"\n{options.studies} studies a row, {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
