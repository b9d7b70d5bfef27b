import itertools

import numpy as np
import pandas as pd
import pytest
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from handan.findings.multiverse_shares import INTERACTIONS, SHARES, choice_shares
from handan.findings.specifications import CHOICES

LEVELS = {name: ["x"] for name in CHOICES} | {
    "cost": ["a", "b", "c"], "scale": ["log", "raw"], "correlation": ["p", "s"], "answers": ["u", "v", "w"],
}  # fmt: skip


def crossing(effects, noise=0.0, seed=0):
    """A curve with known effects of the levels."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(itertools.product(*LEVELS.values()), columns=list(LEVELS))
    value = sum(table[name].map(dict(zip(LEVELS[name], by, strict=True))) for name, by in effects.items())
    table["difference"] = value + noise * rng.normal(size=len(table))
    return table.assign(study="s", claim="collapse", run=True)


EFFECTS = {"cost": [0, 0.1, 0.4], "scale": [0, 0.2], "answers": [0.1, 0, 0]}


def test_in_a_full_crossing_shares_are_eta_squared():
    table = crossing(EFFECTS, noise=0.1)
    anova = anova_lm(ols("difference ~ C(cost) + C(scale) + C(correlation) + C(answers)", table).fit())
    eta = anova["sum_sq"] / anova["sum_sq"].sum()
    found = choice_shares(table).set_index("choice")["share"]
    for name in ("cost", "scale", "correlation", "answers"):
        assert found[name] == pytest.approx(eta[f"C({name})"])
    assert found[INTERACTIONS] == pytest.approx(eta["Residual"])
    assert found["prompt"] == 0
    assert found.sum() == pytest.approx(1)


def test_in_part_of_a_crossing_shares_are_means_over_orders():
    table = crossing(EFFECTS, noise=0.1)
    part = table[~((table["correlation"] == "s") & (table["scale"] == "raw"))].reset_index(drop=True)
    names = ["cost", "scale", "correlation", "answers"]

    def explained(chosen):
        return (
            ols("difference ~ 1" + "".join(f" + C({name})" for name in chosen), part).fit().rsquared
            if chosen
            else 0
        )

    orders = list(itertools.permutations(names))
    shares = dict.fromkeys(names, 0.0)
    for order in orders:
        for k, name in enumerate(order):
            shares[name] += (explained(order[: k + 1]) - explained(order[:k])) / len(orders)
    found = choice_shares(part).set_index("choice")["share"]
    for name, share in shares.items():
        assert found[name] == pytest.approx(share)
    assert found.sum() == pytest.approx(1)


def test_the_levels_at_the_ends_are_named():
    found = choice_shares(crossing(EFFECTS)).set_index("choice")
    assert found.loc["cost", ["lowest", "highest", "n_levels"]].tolist() == ["a", "c", 3]
    assert found.at["cost", "mean_highest"] - found.at["cost", "mean_lowest"] == pytest.approx(0.4)
    assert found.at["relation", "note"] == "one level only"
    assert found["share"].idxmax() == "cost"


def test_without_variance_there_is_nothing_to_divide():
    found = choice_shares(crossing({"cost": [0.2, 0.2, 0.2]}))
    assert found["share"].isna().all()
    assert list(found.columns) == SHARES
    assert choice_shares(crossing(EFFECTS).assign(run=False)).empty


def test_specifications_that_were_not_run_do_not_count():
    table = crossing(EFFECTS)
    extra = table.assign(difference=np.nan, run=False)
    both = choice_shares(pd.concat([table, extra], ignore_index=True))
    pd.testing.assert_frame_equal(both, choice_shares(table))
