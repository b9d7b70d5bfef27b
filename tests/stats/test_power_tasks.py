from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from handan.stats.pair_design import PairDesign, correlation_covariance, pair_design
from handan.stats.power_simulation import simulated_power
from handan.stats.power_tasks import simulated_cells

ALIKE = PairDesign(0.6, 0.6, own=0, alike_a=0.4, alike_b=0.4, across=0, n_pairs=6)
SPREAD = (0.4, 0.55, 0.6, 0.6, 0.65, 0.9)


def shares(r_tasks, **options):
    tasks = [replace(ALIKE, r_a=r, r_b=r) for r in r_tasks]
    return simulated_cells(tasks, 50, **{"n_studies": 1_000, "seed": 1} | options).set_index("test")


@pytest.fixture(scope="module")
def same():
    return shares([0.6] * 6)


@pytest.fixture(scope="module")
def differing():
    return shares(SPREAD)


def expected(r_tasks, n_items=50, k=6):
    """Large-sample share of t tests that reject, from the covariances of correlations (Steiger, 1980)."""
    r = np.array(r_tasks)
    own, alike, across = (
        np.array([correlation_covariance(x, x, x**2 + likeness * (1 - x**2)) for x in r]) / (n_items - 1)
        for likeness in (1, 0.4, 0)
    )
    group = ((own + (k - 1) * alike) / k).sum() / len(r) ** 2
    difference = 2 * group - 2 * across.sum() / len(r) ** 2
    cells = k * len(r)
    within = (k * (own + (r - r.mean()) ** 2).sum() - cells * group) / (cells - 1)
    t = stats.t(2 * cells - 2)
    return 2 * t.sf(t.ppf(0.975) * np.sqrt(2 * within / cells / difference))


def test_tasks_that_are_equal_make_a_t_test_over_cells_reject_too_often(same):
    assert same.at["unpaired_t", "low"] > 0.15
    assert same.at["unpaired_t", "low"] - 0.02 < expected([0.6] * 6) < same.at["unpaired_t", "high"] + 0.02


def test_tasks_that_differ_make_it_reject_too_rarely(differing):
    assert differing.at["unpaired_t", "high"] < 0.05
    assert (
        differing.at["unpaired_t", "low"] - 0.01
        < expected(SPREAD)
        < differing.at["unpaired_t", "high"] + 0.01
    )


def test_the_item_bootstrap_holds_its_level_in_both_worlds(same, differing):
    for found in (same, differing):
        assert 0.035 < found.at["item_bootstrap", "share"] < 0.09


def test_models_that_share_nothing_in_equal_tasks_are_the_observations_that_the_t_test_wants():
    alone = replace(ALIKE, r_a=0.0, r_b=0.0, alike_a=0, alike_b=0)
    found = simulated_cells([alone] * 6, 50, n_studies=1_000, n_boot=100, seed=2).set_index("test")
    assert found.at["unpaired_t", "low"] < 0.05 < found.at["unpaired_t", "high"]


def test_both_tests_see_a_difference_that_is_there():
    tasks = [replace(ALIKE, r_a=0.2, r_b=0.7)] * 6
    found = simulated_cells(tasks, 50, n_studies=50, n_boot=200, seed=3)
    assert (found["share"] > 0.9).all()


def test_one_task_is_what_the_simulation_of_pairs_gives():
    design = pair_design(0.3, 0.3, between=0.1, n_pairs=6, alike=0.4)
    found = simulated_cells([design], 50, n_studies=1_000, n_boot=200, seed=4).set_index("test")
    other = simulated_power(design, 50, 0.1, n_studies=1_000, n_boot=200, seed=5).set_index("outcome")
    for test, outcome in (("unpaired_t", "unpaired_t"), ("item_bootstrap", "rejected")):
        low, high = other.loc[outcome, ["low", "high"]]
        # Twice the half-width of a 95 % interval: about 3 standard errors of a difference.
        assert abs(found.at[test, "share"] - other.at[outcome, "share"]) < high - low


def test_the_same_seed_gives_the_same_table_and_counts_every_study():
    few = dict(n_studies=30, n_boot=50)
    first, again, other = (shares(SPREAD, **few, seed=seed) for seed in (7, 7, 8))
    assert first.equals(again)
    assert not first.equals(other)
    hits = first["share"] * 30
    assert np.allclose(hits, hits.round())
    assert (first["n_studies"] == 30).all()


@pytest.mark.parametrize(
    ("tasks", "n_items", "message"),
    [
        ([], 50, "got no task"),
        ([ALIKE, replace(ALIKE, n_pairs=5)], 50, "got 5, 6"),
        ([replace(ALIKE, n_pairs=1)], 50, "got 1"),
        ([replace(ALIKE, n_pairs=2.5)], 50, "whole number of pairs"),
        ([ALIKE], 3, "n_items=3"),
        ([pair_design(0.5, 0.5, 0.4, 3, one_teacher=True)], 50, "serves several pairs"),
    ],
)
def test_what_cannot_be_simulated_is_named(tasks, n_items, message):
    with pytest.raises(ValueError, match=message):
        simulated_cells(tasks, n_items)


def test_without_a_study_or_a_resample_it_says_so():
    with pytest.raises(ValueError, match="n_studies=0"):
        simulated_cells([ALIKE], 50, n_studies=0)
    with pytest.raises(ValueError, match="n_boot=0"):
        simulated_cells([ALIKE], 50, n_boot=0)
