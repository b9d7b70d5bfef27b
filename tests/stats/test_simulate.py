import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from handan.stats.bootstrap import bootstrap_correlations
from handan.stats.percentile import percentile_interval
from handan.stats.simulate import (
    bootstrap_differences,
    operating_characteristics,
    proportion_interval,
    simulate_triples,
)

FORMULAS = ["williams", "steiger", "meng", "zou"]


@pytest.fixture(
    scope="module", params=[(0.5, 0.5, 0.7, 50), (0.3, 0.3, 0.2, 46), (0.8, 0.8, 0.9, 120)], ids=str
)
def no_difference(request):
    return operating_characteristics(*request.param, n_studies=6_000, n_boot=600, seed=3).set_index("test")


@pytest.fixture(scope="module")
def real_difference():
    return operating_characteristics(0.65, 0.4, 0.7, 50, n_studies=4_000, n_boot=600, seed=4).set_index(
        "test"
    )


@pytest.mark.parametrize("test", FORMULAS)
def test_each_test_keeps_its_level(no_difference, test):
    row = no_difference.loc[test]
    assert row["quantity"] == "level"
    # The simulation's 95 % interval, widened by half a percentage point for small n.
    assert row["low"] - 0.005 <= 0.05 <= row["high"] + 0.005


def test_the_item_bootstrap_keeps_its_level_to_within_a_point(no_difference):
    row = no_difference.loc["item-bootstrap"]
    assert row["low"] - 0.01 <= 0.05 <= row["high"] + 0.005
    assert row["coverage"] == pytest.approx(1 - row["rejected"])


def test_independent_test_is_far_too_cautious_when_models_resemble_each_other(no_difference):
    assert no_difference.loc["independent", "high"] < 0.05
    correlated = operating_characteristics(0.5, 0.5, 0.7, 50, n_studies=6_000, n_boot=10, seed=3).set_index(
        "test"
    )
    assert correlated.loc["independent", "high"] < 0.01


def test_intervals_cover_and_tests_find_a_real_difference(real_difference):
    assert (real_difference["quantity"] == "power").all()
    for test in ("meng", "zou"):
        assert real_difference.loc[test, "coverage"] == pytest.approx(0.95, abs=0.015)
    row = real_difference.loc["item-bootstrap"]
    assert row["coverage_low"] <= 0.95 <= row["coverage_high"] + 0.01
    power = real_difference["rejected"]
    assert (power[[*FORMULAS, "item-bootstrap"]] > 0.7).all()
    assert power["independent"] < power["williams"] - 0.3
    assert real_difference["coverage"].isna().tolist() == [True, True, False, False, False, True]


@pytest.mark.parametrize(
    "case", [(0.5, 0.5, 0.25, 60), (0.64, 0.34, 0.4, 60), (0.64, 0.34, 0.4, 20)], ids=str
)
def test_the_item_bootstrap_covers_at_its_nominal_rate(case):
    found = operating_characteristics(*case, n_studies=2_000, n_boot=2_000, seed=1).set_index("test")
    row = found.loc["item-bootstrap"]
    # within three standard errors of the simulation; a plain percentile interval is not, with 20 items
    error = np.sqrt(0.05 * 0.95 / 2_000)
    assert row["coverage"] == pytest.approx(0.95, abs=3 * error)


def test_heavy_tails_break_the_formulas_and_less_so_the_bootstrap():
    heavy = operating_characteristics(0.5, 0.5, 0.7, 100, n_studies=3_000, n_boot=600, t_df=5, seed=5)
    rejected = heavy.set_index("test")["rejected"]
    assert (rejected[FORMULAS] > 0.1).all()
    assert rejected["item-bootstrap"] < 0.1


def test_same_seed_same_table_and_nothing_undefined():
    one, two = (operating_characteristics(0.4, 0.2, 0.3, 20, 100, n_boot=50, seed=8) for _ in range(2))
    assert one.equals(two)
    assert (one["n_undefined"] == 0).all()
    assert (one["n_studies"] == 100).all()


@pytest.mark.parametrize("t_df", [None, 10.0])
def test_triples_have_the_correlations_asked_for(t_df):
    triples = simulate_triples(0.6, -0.2, 0.3, 100, 2_000, seed=1, t_df=t_df)
    assert triples.shape == (2_000, 100, 3)
    found = np.corrcoef(triples.reshape(-1, 3), rowvar=False)
    assert found[[0, 1, 0], [2, 2, 1]] == pytest.approx([0.6, -0.2, 0.3], abs=0.01)
    assert triples.var(axis=(0, 1)) == pytest.approx(np.ones(3), abs=0.03)


def test_t_df_sets_the_tails():
    normal = stats.kurtosis(simulate_triples(0, 0, 0, 200_000, 1, seed=2).ravel())
    heavy = stats.kurtosis(simulate_triples(0, 0, 0, 200_000, 1, seed=2, t_df=10).ravel())
    # A t with 10 degrees of freedom has an excess kurtosis of 6 / (10 - 4).
    assert normal == pytest.approx(0, abs=0.05)
    assert heavy == pytest.approx(1, abs=0.25)


def test_identical_models_can_be_simulated():
    triples = simulate_triples(0.5, 0.5, 1.0, 30, 2, seed=3)
    assert triples[..., 0] == pytest.approx(triples[..., 1], abs=1e-7)


def test_block_bootstrap_equals_the_one_of_a_single_study():
    study = simulate_triples(0.6, 0.3, 0.5, 40, 1, seed=6)
    found = bootstrap_differences(study, 500, seed=9)
    draws = bootstrap_correlations(study[0][:, :2], study[0][:, 2], n_boot=500, seed=9)
    expected = percentile_interval(draws[:, 0] - draws[:, 1], n_items=40)
    assert (found.low[0], found.high[0]) == pytest.approx((expected.low, expected.high), abs=1e-12)


@given(st.integers(0, 60), st.integers(1, 60), st.floats(0.5, 0.99))
def test_proportion_interval_equals_scipy(hits, trials, confidence):
    hits = min(hits, trials)
    theirs = stats.binomtest(hits, trials).proportion_ci(confidence, method="wilson")
    assert proportion_interval(hits, trials, confidence) == pytest.approx(
        (theirs.low, theirs.high), abs=1e-12
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: simulate_triples(0.9, 0.9, 0.1, 20, 5, 0), "rho_ab=0.1: two models"),
        (lambda: simulate_triples(0.5, 0.5, 0.5, 0, 5, 0), "n=0"),
        (lambda: simulate_triples(0.5, 0.5, 0.5, 20, 5, 0, t_df=2), "t_df must be above 2"),
        (lambda: simulate_triples(1.5, 0.5, 0.5, 20, 5, 0), "got 1.5"),
        (lambda: operating_characteristics(0.5, 0.5, 0.5, 3), "at least 4 items"),
        (lambda: proportion_interval(5, 3), "5 of 3"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
