"""Made-up studies for the tests of the multiverse."""

import numpy as np
import pandas as pd

from handan.findings.join import join
from handan.inputs import Inputs
from handan.tables import check_costs, check_norms

LINEAGE = pd.DataFrame(
    {
        "model": ["teacher", "student", "second", "base", "sibling"],
        "role": ["teacher", "student", "student", "baseline", "baseline"],
        "teacher": [None, "teacher", None, None, None],
        "base": [None, "base", None, None, None],
        "sibling": [None, "sibling", "sibling", None, None],
    }
)
RHO = {"teacher": 0.7, "student": 0.3, "second": 0.4, "base": 0.5, "sibling": 0.5}


def tables(rho=None, n=60, seed=0, samples=2, timed=True, task="t", study="made-up"):
    """Costs and norms with every optional column the multiverse looks at."""
    rng = np.random.default_rng(seed)
    human, items = rng.normal(size=n), [f"i{k}" for k in range(n)]
    norms = pd.DataFrame({"task": task, "item": items, "accuracy": rng.uniform(0.3, 1, n)})
    norms["log_rt" if timed else "difficulty"] = 1 + 0.3 * human
    prompt = np.round(50 * np.exp(0.3 * human + 0.3 * rng.normal(size=n)))
    parts = []
    for model, r in (rho or RHO).items():
        own = r * human + np.sqrt(1 - r**2) * rng.normal(size=n)
        for sample in range(samples):
            tokens = np.round(np.exp(6 + 0.5 * own + 0.1 * rng.normal(size=n)))
            parts.append(
                pd.DataFrame(
                    dict(study=study, model=model, task=task, item=items, sample=sample)
                    | dict(reasoning_tokens=tokens, output_tokens=tokens + rng.integers(20, 200, n))
                    | dict(n_chars=np.round(4 * tokens * np.exp(0.05 * rng.normal(size=n))))
                    | dict(prompt_tokens=prompt, correct=(rng.random(n) < 0.8).astype(float))
                    | dict(stop=np.where(rng.random(n) < 0.05, "length", "stop"))
                )
            )
    return pd.concat(parts, ignore_index=True), norms


def study(costs=None, norms=None, cost="reasoning_tokens", **options):
    """The same, as the findings take it."""
    if costs is None:
        costs, norms = tables(**options)
    costs, norms = check_costs(costs), check_norms(norms)
    return Inputs(join(costs, norms, cost), None, costs, norms, cost)
