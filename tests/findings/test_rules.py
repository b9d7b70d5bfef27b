import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handan.findings.rules import FACTOR, NEAR, band, factor, near, on_edge

BANDS = [
    (0.60, 0.68, "supported"),
    (0.55, 0.73, "supported"),
    (0.50, 0.60, "cannot tell"),
    (0.30, 0.53, "not supported"),
    (0.75, 0.90, "not supported"),
    (0.10, 0.90, "cannot tell"),
    (np.nan, 0.90, "cannot tell"),
]
ends = st.floats(0.01, 10, allow_nan=False)


@pytest.mark.parametrize(("low", "high", "expected"), BANDS)
def test_an_interval_is_compared_with_the_band_around_the_published_number(low, high, expected):
    assert near(low, high, 0.64, 100) == expected


def test_a_ratio_has_a_band_by_factors():
    assert factor(2.0, 3.0, 2.44, 100) == "supported"
    assert factor(1.0, 1.9, 2.44, 100) == "not supported"
    assert factor(1.0, 2.4, 2.44, 100) == "cannot tell"
    assert band("factor", 2.44) == pytest.approx((2.44 / FACTOR, 2.44 * FACTOR))
    assert band("near", 0.64) == pytest.approx((0.64 - NEAR, 0.64 + NEAR))
    with pytest.raises(LookupError, match="constant"):
        band("constant", 1.0)


def test_too_few_items_are_never_enough():
    assert near(0.63, 0.65, 0.64, 19) == "cannot tell"
    assert near(0.63, 0.65, 0.64, 20) == "supported"
    assert factor(0.1, 0.2, 2.44, 3) == "cannot tell"


def test_an_interval_upside_down_is_an_error():
    with pytest.raises(ValueError, match="upside down"):
        near(0.7, 0.6, 0.64, 100)


@given(low=ends, width=st.floats(0, 5), paper=ends, more=st.floats(0, 5))
def test_a_wider_interval_never_turns_uncertainty_into_a_verdict(low, width, paper, more):
    for rule in (near, factor):
        before, after = rule(low, low + width, paper, 50), rule(low, low + width + more, paper, 50)
        if before == "cannot tell":
            assert after == "cannot tell"


@given(low=ends, width=st.floats(0, 5), paper=ends, scale=st.floats(0.1, 10))
def test_a_ratio_is_judged_the_same_in_any_unit(low, width, paper, scale):
    high = low + width
    ends_of_band = [paper / FACTOR, paper * FACTOR]
    if min(abs(end - limit) for end in (low, high) for limit in ends_of_band) < 1e-6:
        return  # a rounding error away from the limit
    assert factor(low, high, paper, 50) == factor(low * scale, high * scale, paper * scale, 50)


def test_a_verdict_is_on_the_edge_only_if_it_could_really_change():
    def judge(low, high):
        return near(low, high, 0.64, 100)

    assert on_edge(judge, 0.538, 0.60, 0.005)
    assert not on_edge(judge, 0.50, 0.60, 0.005)
    # the lower end lies at the band's, but the upper end alone decides
    assert not on_edge(judge, 0.54, 0.90, 0.005)


def test_a_low_correlation_with_a_noisy_norm_says_nothing_against_a_high_one():
    assert near(0.18, 0.47, 0.64, 136) == "not supported"
    assert near(0.18, 0.47, 0.64, 136, ceiling=0.6) == "cannot tell"
    assert near(0.01, 0.20, 0.64, 136, ceiling=0.6) == "not supported"
    assert near(0.60, 0.68, 0.64, 136, ceiling=0.9) == "supported"


@pytest.mark.parametrize(
    ("truth", "forbidden"), [(0.75, "supported"), (0.53, "supported"), (0.64, "not supported")]
)
def test_a_wrong_verdict_is_rarer_than_the_intervals_promise(truth, forbidden):
    rng = np.random.default_rng(1)
    n = 60
    z = np.arctanh(truth) + rng.standard_normal(4_000) / np.sqrt(n - 3)
    low, high = np.tanh(z - 1.96 / np.sqrt(n - 3)), np.tanh(z + 1.96 / np.sqrt(n - 3))
    found = [near(a, b, 0.64, n) for a, b in zip(low, high, strict=True)]
    assert np.mean([one == forbidden for one in found]) <= 0.03


def test_a_norm_that_may_be_all_noise_excuses_any_low_correlation_above_zero():
    assert near(0.1, 0.2, 0.64, 100) == "not supported"
    assert near(0.1, 0.2, 0.64, 100, ceiling=0.0) == "cannot tell"
    assert near(-0.3, -0.1, 0.64, 100, ceiling=0.0) == "not supported"
    assert near(0.8, 0.9, 0.64, 100, ceiling=0.0) == "not supported"
