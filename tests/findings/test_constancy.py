import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handan.findings.constancy import WITHIN, constant_multiplier, law

ends = st.tuples(st.floats(0.2, 5), st.floats(0.2, 5)).map(sorted)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.95, 1.05, "supported"),
        (1.01, 1.09, "supported"),
        (1 / WITHIN, WITHIN, "supported"),
        (1.01, 1.2, "not supported"),
        (1.2, 1.5, "not supported"),
        (0.6, 0.99, "not supported"),
        (0.95, 1.2, "cannot tell"),
        (0.8, 1.0, "cannot tell"),
        (0.5, 2.0, "cannot tell"),
        (np.nan, 1.0, "cannot tell"),
    ],
)
def test_the_rule(low, high, expected):
    assert constant_multiplier(low, high, 100) == expected
    assert constant_multiplier(low, high, 19) == "cannot tell"
    words = {"supported": "is supported here", "not supported": "is not supported here"}
    assert (
        words.get(expected, "neither supported nor" if np.isfinite(low) else "no interval")
        in law(low, high, 100)["ending"]
    )


@given(ends)
def test_growing_and_shrinking_are_treated_alike(interval):
    low, high = interval
    # a reciprocal may round an end across a limit of the rule
    if min(abs(end - limit) for end in interval for limit in (1 / WITHIN, 1, WITHIN)) > 1e-9:
        assert constant_multiplier(low, high, 50) == constant_multiplier(1 / high, 1 / low, 50)


@given(ends, st.floats(1, 3))
def test_a_wider_interval_never_supports_what_a_narrower_did_not(interval, more):
    low, high = interval
    if constant_multiplier(low, high, 50) != "supported":
        assert constant_multiplier(low / more, high * more, 50) != "supported"
    if constant_multiplier(low, high, 50) == "cannot tell":
        assert constant_multiplier(low / more, high * more, 50) == "cannot tell"


def test_an_end_within_its_error_of_a_limit_is_on_the_edge():
    near = law(0.95, 1.099, 100, errors=0.005)
    assert (near["verdict"], near["on_edge"]) == ("supported", True)
    assert near["ending"].endswith("another seed could change this verdict.")
    assert not law(0.95, 1.05, 100, errors=0.005)["on_edge"]


def test_the_ending_says_which_way_and_how_small():
    assert "grows with difficulty" in law(1.05, 1.3, 100)["ending"]
    assert "shrinks with difficulty" in law(0.7, 0.9, 100)["ending"]
    assert "though a smaller one is certain" in law(1.02, 1.05, 100)["ending"]
    assert "fewer than 20 items" in law(1.02, 1.05, 19)["ending"]


@pytest.mark.parametrize(("low", "high"), [(1.2, 1.1), (0.0, 1.1), (-1.0, 1.1)])
def test_an_impossible_interval_is_an_error(low, high):
    with pytest.raises(ValueError, match="positive and in order"):
        constant_multiplier(low, high, 100)
