"""Families with known alignment, in the shape of the study `organism`."""

import numpy as np
import pandas as pd

TASKS = {"binary-addition": 120, "cardinal-directions": 64}
R = {
    "base": 0.2,
    "teacher": 0.75,
    "student-matched": 0.75,
    "student-hard": 0.35,
    "student-returned": 0.6,
    "base-half": 0.2,
    "student-half": 0.4,
    "teacher-half": 0.75,
}


def role(condition):
    if condition.startswith("base"):
        return "baseline"
    if condition.startswith("teacher"):
        return "teacher"
    return "reinforced-student" if condition == "student-returned" else "student"


def lineage(repertoires=("carry",), seeds=range(5), conditions=R):
    rows = []
    for repertoire in repertoires:
        for seed in seeds:
            for condition in conditions:
                end = f"{repertoire}-s{seed}"
                own = role(condition)
                start = "base-half" if condition.endswith("half") else "base"
                rows.append(
                    dict(model=f"{condition}-{end}", role=own, condition=condition)
                    | dict(teacher=f"teacher-{end}" if "student" in own else None)
                    | dict(base=f"{start}-{end}" if own != "baseline" else None)
                    | dict(repertoire=repertoire, seed=seed)
                )
    return pd.DataFrame(rows)


def study(table, seed=0, spread=0.1, r=R, samples=1):
    """Costs of every model of a lineage beside norms; alignment varies over seeds by `spread`."""
    rng = np.random.default_rng(seed)
    norms, costs = [], []
    for task, n in TASKS.items():
        items, human = [f"{task}-{k}" for k in range(n)], rng.normal(size=n)
        odd = rng.normal(size=n)
        norms.append(pd.DataFrame(dict(task=task, item=items, log_rt=1 + 0.3 * human)))
        for row in table.itertuples():
            own = np.tanh(np.arctanh(r[row.condition]) + spread * rng.normal())
            beside = (odd + rng.normal(size=n)) / np.sqrt(2)
            log = 4 + 0.4 * (own * human + np.sqrt(1 - own**2) * beside)
            costs += [
                pd.DataFrame(dict(study="organism", model=row.model, task=task, item=items, sample=k)).assign(
                    reasoning_tokens=np.exp(log), answer_tokens=2, stop="stop", correct=rng.random(n) < 0.9
                )
                for k in range(samples)
            ]
    return pd.concat(costs, ignore_index=True).astype({"correct": float}), pd.concat(norms)
