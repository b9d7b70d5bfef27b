from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from handan.stats import dependent
from handan.stats.bootstrap import bootstrap_correlations
from handan.stats.dependent import compare_overlapping
from handan.stats.percentile import percentile_interval
from handan.stats.simulate import simulate_triples

STATISTICS = ("williams_t", "steiger_z", "meng_z")
ENDS = (("zou_low", "difference", "zou_high"), ("meng_low", "meng_difference", "meng_high"))


@st.composite
def possible(draw):
    """Three correlations that some data have, well inside the boundary, and an n."""
    r_a, r_b = draw(st.floats(-0.95, 0.95)), draw(st.floats(-0.95, 0.95))
    middle, room = r_a * r_b, np.sqrt((1 - r_a**2) * (1 - r_b**2))
    r_ab = middle + draw(st.floats(-0.95, 0.95)) * room
    return r_a, r_b, float(r_ab), draw(st.integers(4, 2000))


@given(possible(), st.floats(0.5, 0.98))
def test_swapping_the_models_flips_the_sign(case, confidence):
    r_a, r_b, r_ab, n = case
    one, other = (
        compare_overlapping(r_a, r_b, r_ab, n, confidence),
        compare_overlapping(r_b, r_a, r_ab, n, confidence),
    )
    for name in (*STATISTICS, "difference", "meng_difference"):
        assert getattr(other, name) == pytest.approx(-getattr(one, name), abs=1e-9)
    for name in ("williams_p", "steiger_p", "meng_p"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), abs=1e-9)
    assert other.zou_low == pytest.approx(-one.zou_high, abs=1e-9)
    assert other.meng_low == pytest.approx(-one.meng_high, abs=1e-9)


@given(possible())
def test_reversing_the_common_variable_flips_the_sign(case):
    r_a, r_b, r_ab, n = case
    one, other = compare_overlapping(*case), compare_overlapping(-r_a, -r_b, r_ab, n)
    for name in (*STATISTICS, "difference"):
        assert getattr(other, name) == pytest.approx(-getattr(one, name), rel=1e-6, abs=1e-9)


@given(possible())
def test_results_are_well_formed(case):
    found = compare_overlapping(*case)
    assert found.problem == ""
    for name in ("williams_p", "steiger_p", "meng_p"):
        assert 0 <= getattr(found, name) <= 1
    for low, middle, high in ENDS:
        assert getattr(found, low) <= getattr(found, middle) + 1e-12
        assert getattr(found, middle) <= getattr(found, high) + 1e-12
    for name in STATISTICS:
        assert np.sign(getattr(found, name)) in (0, np.sign(found.difference))


@given(possible(), st.floats(0.5, 0.9))
def test_intervals_widen_with_confidence_and_shrink_with_items(case, confidence):
    r_a, r_b, r_ab, n = case
    narrow = compare_overlapping(r_a, r_b, r_ab, n, confidence)
    wide = compare_overlapping(r_a, r_b, r_ab, n, confidence + 0.05)
    more = compare_overlapping(r_a, r_b, r_ab, 2 * n, confidence)
    for low, _, high in ENDS:
        width = getattr(narrow, high) - getattr(narrow, low)
        assert getattr(wide, high) - getattr(wide, low) >= width - 1e-12
        assert getattr(more, high) - getattr(more, low) <= width + 1e-12


@given(possible())
def test_meng_interval_and_p_agree(case):
    found = compare_overlapping(*case)
    assume(abs(found.meng_p - 0.05) > 1e-9)
    assert (found.meng_p < 0.05) == (found.meng_low > 0 or found.meng_high < 0)


def test_arrays_give_the_same_as_one_by_one():
    r_a, r_b, r_ab = np.array([0.6, 0.5]), np.array([[0.4], [0.1], [0.5]]), 0.3
    found = compare_overlapping(r_a, r_b, r_ab, [40, 80])
    assert found.zou_low.shape == (3, 2)
    single = compare_overlapping(0.5, 0.1, 0.3, 80)
    for name, value in asdict(single).items():
        assert getattr(found, name)[1, 1] == (value if isinstance(value, str) else pytest.approx(value))


def test_a_comparison_is_a_tidy_table():
    frame = pd.DataFrame(asdict(compare_overlapping([0.6, 0.5], [0.4, 0.1], [0.3, 0.2], 50)))
    assert len(frame) == 2
    assert frame["difference"].tolist() == pytest.approx([0.2, 0.4])


@pytest.mark.parametrize("slip", [0.0, 1e-16, 2e-15])
def test_identical_models_do_not_differ(slip):
    found = compare_overlapping(0.6, 0.6 + slip, 1 - slip, 40)
    assert found.problem == dependent.IDENTICAL
    assert [found.williams_t, found.steiger_z, found.meng_z] == [0, 0, 0]
    assert [found.williams_p, found.steiger_p, found.meng_p] == [1, 1, 1]
    assert (found.zou_low, found.zou_high) == (found.difference, found.difference)


def test_almost_identical_models_are_still_compared():
    rng = np.random.default_rng(5)
    people = rng.normal(size=200)
    a = people + rng.normal(size=200)
    b = a + 1e-4 * rng.normal(size=200)
    r = np.corrcoef([a, b, people])
    found = compare_overlapping(r[0, 2], r[1, 2], r[0, 1], 200)
    assert found.problem == ""
    assert 0 < found.meng_high - found.meng_low < 1e-4
    # Zou's interval cannot become narrower than the Fisher interval is lopsided: it stays cautious here.
    assert found.zou_high - found.zou_low > found.meng_high - found.meng_low
    assert found.steiger_p == pytest.approx(found.williams_p, abs=0.01)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ((0.9, -0.9, 0.5, 40), dependent.IMPOSSIBLE),
        ((0.5, 0.2, 1.0, 40), dependent.IMPOSSIBLE),
        ((0.5, 0.2, 0.3, 3), dependent.TOO_FEW),
        ((0.5, np.nan, 0.3, 40), dependent.MISSING),
        ((0.5, 0.2, 0.3, np.nan), dependent.MISSING),
    ],
)
def test_impossible_input_gives_nan_and_the_reason(given, problem):
    found = asdict(compare_overlapping(*given))
    assert found.pop("problem") == problem
    difference = found.pop("difference")
    assert np.isnan(list(found.values())).all()
    assert difference == pytest.approx(given[0] - given[1], nan_ok=True)


def test_opposite_models_and_a_perfect_one_say_what_is_undefined():
    opposite = compare_overlapping(0.5, -0.5, -1.0, 40)
    assert opposite.problem == dependent.OPPOSITE
    assert np.isnan(opposite.williams_t)
    # Comparing r with -r is testing r against 0, once and not twice.
    assert opposite.steiger_z == pytest.approx(np.arctanh(0.5) * np.sqrt(37))
    perfect = compare_overlapping(1.0, 0.3, 0.3, 40)
    assert perfect.problem == dependent.PERFECT
    assert np.isnan([perfect.steiger_z, perfect.meng_z, perfect.zou_low]).all()
    assert perfect.williams_p < 1e-6


def test_a_correlation_beyond_one_is_named():
    with pytest.raises(ValueError, match=r"r_ab must lie between -1 and 1, got 1\.2"):
        compare_overlapping(0.5, 0.3, [0.2, 1.2], 40)
    with pytest.raises(ValueError, match="got 95"):
        compare_overlapping(0.5, 0.3, 0.2, 40, confidence=95)


def test_zou_interval_agrees_with_the_item_bootstrap():
    items = simulate_triples(0.6, 0.3, 0.5, 400, 1, seed=21)[0]
    r = np.corrcoef(items, rowvar=False)
    found = compare_overlapping(r[0, 2], r[1, 2], r[0, 1], 400)
    draws = bootstrap_correlations(items[:, :2], items[:, 2], n_boot=20_000, seed=1)
    boot = percentile_interval(draws[:, 0] - draws[:, 1])
    assert found.zou_low == pytest.approx(boot.low, abs=0.015)
    assert found.zou_high == pytest.approx(boot.high, abs=0.015)
