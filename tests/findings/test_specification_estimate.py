"""One estimate and its interval, by other paths. `specification_sides` is tested here too."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from tests.findings.multiverse_studies import LINEAGE, study, tables

from handan.findings.collapse import collapse
from handan.findings.specification_data import tasks_of
from handan.findings.specification_estimate import MOST_ITEMS, average, contributions
from handan.findings.specification_sides import Choice, models_of, sides, unsupported
from handan.inputs import recorded
from handan.lineage import load_lineage, pairs

COSTS = ["reasoning_tokens", "output_tokens", "n_chars"]
MEASURES = Choice(human="log")


def estimate(inputs, compared, choice=MEASURES, averaging="plain", fewest=4):
    parts = [sides(task, compared, choice) for task in tasks_of(inputs, COSTS)]
    return average(parts, np.arange(len(compared)), averaging, fewest)


def wide_of(costs, norms, kept=True):
    rows = costs[kept] if kept is not True else costs
    wide = np.log(rows.assign(v=rows["reasoning_tokens"]).pivot_table(
        index=["task", "item"], columns="model", values="v", aggfunc=lambda v: np.exp(np.log(v).mean())
    ))  # fmt: skip
    return wide.join(norms.set_index(["task", "item"])["log_rt"])


@pytest.fixture
def two_tasks():
    one, other = tables(n=30, seed=1), tables(n=45, seed=2, task="u")
    return tuple(pd.concat(pair, ignore_index=True) for pair in zip(one, other, strict=True))


PAIRS = pairs(LINEAGE, LINEAGE["model"], "collapse")


@pytest.mark.parametrize("averaging", ["plain", "fisher"])
def test_the_estimate_and_its_error_by_brute_force(two_tasks, averaging):
    costs, norms = two_tasks
    wide = wide_of(costs, norms)

    def difference(frame):
        r = np.array([
            [part[name].corr(part["log_rt"]) for name in ("teacher", "student", "second")]
            for _, part in frame.groupby("task")
        ])  # fmt: skip
        a, b = r[:, [0]].mean(axis=1), r[:, 1:]
        if averaging == "fisher":
            return np.tanh(np.arctanh(r[:, 0]).mean()) - np.tanh(np.arctanh(b).mean())
        return a.mean() - b.mean()

    found = estimate(study(costs, norms), PAIRS, averaging=averaging)
    assert found.value == pytest.approx(difference(wide))
    variance = 0.0
    for task, part in wide.groupby("task"):
        without = np.array([difference(wide.drop(index=item)) for item in part.index])
        n = len(without)
        variance += (n - 1) / n * ((without - without.mean()) ** 2).sum()
        assert n == {"t": 30, "u": 45}[task]
    assert found.error == pytest.approx(np.sqrt(variance))
    assert (found.n_pairs, found.n_tasks, found.n_items, found.df, found.lost) == (2, 2, 75, 73, 0)
    assert found.reach == pytest.approx(stats.t.ppf(0.975, 73) * np.sqrt(variance))
    assert (found.deviations**2).sum() == pytest.approx(variance)


@pytest.mark.parametrize("name", ["gpqa-minutes", "mip-math", "mip-gsm8k", "pretrained-bases", "pm-bench"])
def test_the_reference_is_the_estimate_of_the_chapters(name):
    one = recorded([name], "reasoning_tokens")[0]
    pooled = collapse(one.joined, load_lineage(), n_boot=4_000).pooled.set_index("relation")
    models = [m for m in one.joined.rows["model"].unique() if m in set(load_lineage()["model"])]
    compared = pairs(load_lineage(), models, "collapse")
    human = "log" if name == "gpqa-minutes" else "as is"
    found = estimate(one, compared, Choice(human=human))
    row = pooled.loc["all"] if "all" in pooled.index else pooled.iloc[0]
    assert found.value == pytest.approx(row["difference"])
    assert found.n_items == row["n_items"]
    assert found.n_pairs == row["n_pairs"]
    # Two ways to an interval: the jackknife with Student's t, the percentiles of a bootstrap.
    assert 2 * found.reach == pytest.approx(row["high"] - row["low"], rel=0.15)


def test_right_answers_give_each_model_its_own_items():
    costs, norms = tables(n=60, samples=1)
    inputs, one = study(costs, norms), PAIRS.iloc[[0]].reset_index(drop=True)
    right = wide_of(costs, norms, costs["correct"] == 1)
    both = right.dropna(subset=["teacher", "student"])
    own = estimate(inputs, one, MEASURES.but(answers="right only"))
    assert own.value == pytest.approx(
        right["teacher"].corr(right["log_rt"]) - right["student"].corr(right["log_rt"])
    )
    assert own.n_items == len(right.dropna(subset=["teacher", "student"], how="all"))
    common = estimate(inputs, one, MEASURES.but(answers="both right"))
    assert common.value == pytest.approx(
        both["teacher"].corr(both["log_rt"]) - both["student"].corr(both["log_rt"])
    )
    assert common.n_items == len(both) < own.n_items


def test_matching_averages_over_thirds_of_length():
    costs, norms = tables(n=60, samples=1)
    wide = wide_of(costs, norms)
    length = np.log(costs.groupby(["task", "item"])["prompt_tokens"].first()).reindex(wide.index)
    third = pd.cut(length, [-np.inf, *length.quantile([1 / 3, 2 / 3]), np.inf], labels=False)
    r = sum(
        len(part) / 60 * (part["teacher"].corr(part["log_rt"]) - part["student"].corr(part["log_rt"]))
        for _, part in wide.groupby(third)
    )
    found = estimate(study(costs, norms), PAIRS.iloc[[0]], MEASURES.but(prompt="matched"))
    assert found.value == pytest.approx(r)
    assert 0.5 < found.error / estimate(study(costs, norms), PAIRS.iloc[[0]]).error < 2


def test_without_a_second_model_the_difference_is_r_itself():
    costs, norms = tables(n=50)
    alone = pd.DataFrame({"a": ["teacher"], "b": [None], "relation": ["teacher"]})
    wide = wide_of(costs, norms)
    found = estimate(study(costs, norms), alone)
    assert found.value == pytest.approx(wide["teacher"].corr(wide["log_rt"]))
    assert (found.n_items, found.n_pairs) == (50, 1)
    fisher = estimate(study(costs, norms), alone, averaging="fisher")
    assert fisher.value == pytest.approx(found.value)
    assert models_of(alone) == ["teacher"]


def test_pairs_without_enough_items_or_without_r_are_counted_as_lost():
    costs, norms = tables(n=60)
    inputs = study(
        costs[(costs["model"] != "second") | costs["item"].isin(["i1", "i2", "i3", "i4", "i5"])], norms
    )
    found = estimate(inputs, PAIRS, fewest=20)
    assert (found.n_pairs, found.lost) == (1, 1)
    assert found.value == pytest.approx(estimate(study(costs, norms), PAIRS.iloc[[0]]).value)
    costs.loc[costs["model"] == "second", "reasoning_tokens"] = 100
    assert estimate(study(costs, norms), PAIRS).lost == 1
    nothing = estimate(study(costs, norms), PAIRS.iloc[[1]])
    assert (nothing.n_pairs, nothing.n_items, nothing.lost) == (0, 0, 1)
    assert np.isnan([nothing.value, nothing.error, nothing.reach]).all()


def test_a_small_task_takes_no_part_where_another_is_large():
    large, small = tables(n=40, seed=1), tables(n=19, seed=2, task="small")
    both = study(*(pd.concat(pair, ignore_index=True) for pair in zip(large, small, strict=True)))
    found, alone = estimate(both, PAIRS), estimate(study(*large), PAIRS)
    assert found[:7] == pytest.approx(alone[:7])
    assert (found.n_tasks, found.n_items) == (1, 40)
    # All are small, so all stay.
    other = tables(n=15, seed=3, task="smaller")
    both = study(*(pd.concat(pair, ignore_index=True) for pair in zip(small, other, strict=True)))
    assert (estimate(both, PAIRS).n_tasks, estimate(both, PAIRS).n_items) == (2, 34)


def test_identical_models_differ_by_nothing_for_sure():
    costs, norms = tables({"teacher": 0.5}, n=40)
    twin = pd.concat([costs, costs.assign(model="student")], ignore_index=True)
    found = estimate(study(twin, norms), PAIRS.iloc[[0]])
    assert (found.value, found.error, found.reach) == (0, 0, 0)


def test_a_perfect_r_has_no_mean_through_fisher():
    costs, norms = tables({"teacher": 0.5, "student": 0.5}, n=40, samples=1)
    copy = norms.set_index("item")["log_rt"]
    costs.loc[costs["model"] == "teacher", "reasoning_tokens"] = np.exp(copy.to_numpy() * 3)
    inputs = study(costs, norms)
    assert np.isfinite(estimate(inputs, PAIRS.iloc[[0]]).value)
    assert np.isnan(estimate(inputs, PAIRS.iloc[[0]], averaging="fisher").value)


@pytest.mark.parametrize(
    ("levels", "dropped", "reason"),
    [
        ({"cost": "n_chars"}, "n_chars", "no n_chars recorded"),
        ({"answers": "both right"}, "correct", "no record of right and wrong answers"),
        ({"truncated": "dropped"}, "stop", "no record of how traces ended"),
        ({"prompt": "partialled out"}, "prompt_tokens", "no record of prompt lengths"),
        ({"loops": "dropped"}, None, "no record of loops"),
        ({}, None, ""),
    ],
)
def test_the_reason_why_a_choice_is_not_supported(levels, dropped, reason):
    costs, norms = tables(n=30)
    tasks = tasks_of(study(costs.drop(columns=dropped or []), norms), COSTS)
    assert unsupported(tasks, ["teacher", "student"], MEASURES.but(**levels)) == reason


def test_more_reasons():
    costs, norms = tables(n=30)
    tasks = tasks_of(study(costs.assign(stop="stop", loop=False), norms), COSTS)
    assert unsupported(tasks, [], MEASURES) == "no such pair of models"
    assert unsupported(tasks, ["teacher"], MEASURES.but(truncated="dropped")) == "no trace was cut"
    assert unsupported(tasks, ["teacher"], MEASURES.but(loops="dropped")) == "no trace ends in a loop"
    level = tasks_of(study(n=30, timed=False), COSTS)
    assert unsupported(level, ["teacher"], MEASURES) == "the norms are not times"


def test_many_items_are_kept_as_groups_with_the_same_variance():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 50_000))
    sums = [contributions(values) for values in (one, one + other)]
    assert [len(values) for values in sums] == [MOST_ITEMS, MOST_ITEMS]
    assert sums[0].sum() == pytest.approx(one.sum())
    assert (sums[0] ** 2).sum() == pytest.approx((one**2).sum(), rel=0.15)
    assert sums[0] @ sums[1] == pytest.approx(one @ (one + other), rel=0.15)
    assert contributions(one[:MOST_ITEMS]).tolist() == one[:MOST_ITEMS].tolist()
