"""Studies of three tables in which the truth is known."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from handan.findings.join import join
from handan.inputs import Inputs


@dataclass(frozen=True)
class Truth:
    """What a simulated study is made of: correlations with people, multipliers, and their growth."""

    teacher: float = 0.64
    student: float = 0.34
    base: float = 0.34
    multiplier: float = 2.44
    growth: float = 1.0  # factor by which the multiplier grows per SD of difficulty
    n_items: int = 300
    n_families: int = 1


def lineage_of(n_families=1):
    """A teacher, and a student with its base, in each family."""
    rows = []
    for k in range(n_families):
        rows += [
            dict(model=f"teacher-{k}", role="teacher"),
            dict(model=f"base-{k}", role="baseline"),
            dict(model=f"student-{k}", role="student", teacher=f"teacher-{k}", base=f"base-{k}"),
        ]
    return pd.DataFrame(rows)


def tables(truth, seed=0, study="made-up", task="sums"):
    """Costs and norms; costs are whole numbers of tokens and large, so that rounding does nothing."""
    rng = np.random.default_rng(seed)
    people = rng.standard_normal(truth.n_items)
    items = [f"i{k:05d}" for k in range(truth.n_items)]
    norms = pd.DataFrame(dict(task=task, item=items, log_rt=2 + 0.4 * people))
    parts = []
    for k in range(truth.n_families):
        noise = rng.standard_normal((3, truth.n_items))
        follows = {"teacher": truth.teacher, "base": truth.base, "student": truth.student}
        for (role, r), error in zip(follows.items(), noise, strict=True):
            z = r * people + np.sqrt(1 - r**2) * error
            logs = 7 + 0.5 * z
            if role == "student":
                logs = logs + np.log(truth.multiplier) + np.log(truth.growth) * people
            tokens = np.rint(np.exp(logs) * 100)
            parts.append(
                pd.DataFrame(
                    dict(study=study, model=f"{role}-{k}", task=task, item=items, reasoning_tokens=tokens)
                )
            )
    return pd.concat(parts, ignore_index=True), norms


def inputs_of(truth, seed=0):
    """The tables of a simulated study as the battery takes them."""
    from handan.tables import check_costs, check_norms

    costs, norms = tables(truth, seed)
    costs, norms = check_costs(costs), check_norms(norms)
    return Inputs(join(costs, norms), None, costs, norms, measure="human response time")
