"""The joint test, by enumeration and by simulation (`benchmarks/multiverse_level.py`)."""

import itertools
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from handan.findings.multiverse_tests import AGREEMENT, CLEAR, MEDIAN, joint_tests, null_draws
from handan.findings.specifications import Explored
from handan.stats.simulate import proportion_interval

STORED = pd.DataFrame(
    json.loads(Path(__file__).with_name("multiverse_level.json").read_text(encoding="utf-8"))
)


@pytest.fixture(scope="module")
def benchmark():
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    try:
        import multiverse_level

        return multiverse_level
    finally:
        sys.path.pop(0)


def explored(values, deviations, reach, claim="collapse"):
    table = pd.DataFrame(
        dict(study="s", claim=claim, difference=values, run=True, n_items=len(deviations)),
        index=range(len(values)),
    )
    return Explored(table, np.asarray(deviations), np.asarray(reach))


def test_p_is_that_of_all_signs():
    rng = np.random.default_rng(1)
    deviations, values = rng.normal(size=(10, 3)), np.array([4.0, 3.0, -1.0])
    reach = np.array([3.0, 3.0, 3.0])
    null = np.array(list(itertools.product([-1, 1], repeat=10))) @ deviations
    exact = {
        MEDIAN: (np.abs(np.median(null, axis=1)) >= 3).mean(),
        AGREEMENT: (np.abs((null > 0).mean(axis=1) - 0.5) >= abs(2 / 3 - 0.5) - 1e-9).mean(),
        CLEAR: (np.abs((null > reach).mean(axis=1) - (null < -reach).mean(axis=1)) >= 1 / 3 - 1e-9).mean(),
    }
    found = joint_tests(explored(values, deviations, reach), 20_000, 0).set_index("statistic")
    assert found["observed"].to_dict() == pytest.approx({MEDIAN: 3.0, AGREEMENT: 2 / 3, CLEAR: 1 / 3})
    for name, p in exact.items():
        assert found.at[name, "p"] == pytest.approx(p, abs=0.01)
        assert found.at[name, "p_error"] == pytest.approx(2 * np.sqrt(p * (1 - p) / 20_000), rel=0.1)


def test_negative_transfer_points_the_other_way():
    deviations = np.full((20, 1), 0.01)
    found = {
        claim: joint_tests(explored([-0.5], deviations, [0.1], claim), 99, 0).set_index("statistic")[
            "observed"
        ]
        for claim in ("collapse", "transfer")
    }
    assert found["collapse"].to_dict() == {MEDIAN: -0.5, AGREEMENT: 0, CLEAR: -1}
    assert found["transfer"].to_dict() == {MEDIAN: -0.5, AGREEMENT: 1, CLEAR: 1}


def test_null_draws_keep_the_variances_and_covariances():
    rng = np.random.default_rng(0)
    deviations = rng.normal(size=(40, 4)) @ rng.normal(size=(4, 4))
    draws = np.concatenate(list(null_draws(deviations, 40_000, rng)))
    assert draws.shape == (40_000, 4)
    expected = deviations.T @ deviations
    assert np.cov(draws.T) == pytest.approx(expected, abs=0.03 * np.abs(expected).max())
    assert np.abs(draws.mean(axis=0)).max() < 0.03 * np.sqrt(np.diag(expected).max())


def test_many_items_are_drawn_in_pieces():
    pieces = list(null_draws(np.ones((300_000, 1)), 7, np.random.default_rng(0)))
    assert [len(piece) for piece in pieces] == [3, 3, 1]


def test_a_p_near_the_level_is_on_the_edge():
    deviations = np.full((100, 1), 0.1)
    found = [joint_tests(explored([d], deviations, [1.0]), 199, 0).iloc[0] for d in (0.1, 2.0, 6.0)]
    assert [bool(row["on_edge"]) for row in found] == [False, True, False]
    assert found[2]["p"] == 1 / 200


def test_no_difference_at_all_is_no_evidence():
    found = joint_tests(explored([0.0, 0.0], np.zeros((30, 2)), [0.0, 0.0]), 99, 0).set_index("statistic")
    assert found["p"].tolist() == [1, 1, 1]
    assert found.at[AGREEMENT, "observed"] == 0.5


def test_stored_simulations_keep_the_level():
    null = STORED[(STORED["drop"] == 0) & STORED["quantity"].isin([MEDIAN, CLEAR, "interval misses"])]
    assert (null["n_studies"] >= 1_000).all()
    assert len(null["world"].unique()) == 8
    # 24 worlds and sizes at once: 99.8 % of each may differ from .05 by three standard errors.
    assert null["rate"].max() < 0.05 + 3.1 * np.sqrt(0.05 * 0.95 / 1_000)
    medians = null[null["quantity"] == MEDIAN]
    assert medians["rate"].mean() == pytest.approx(0.05, abs=0.005)
    assert medians["rate"].min() > 0.05 - 3.1 * np.sqrt(0.05 * 0.95 / 1_000)
    assert null[null["quantity"] == "interval misses"]["rate"].mean() == pytest.approx(0.05, abs=0.006)


def test_stored_simulations_show_power_and_a_share_that_has_none():
    rates = STORED[STORED["drop"] > 0].set_index(["quantity", "items", "drop"])["rate"]
    for n in (46, 136):
        assert rates[MEDIAN, n, 0.3] > rates[MEDIAN, n, 0.15] > 0.15
        # No worse than swapping, where swapping is possible.
        for drop in (0.15, 0.3):
            assert rates[MEDIAN, n, drop] > rates["swap", n, drop] - 0.05
    assert STORED[STORED["quantity"] == AGREEMENT]["rate"].max() == 0


def test_the_simulation_can_be_repeated(benchmark):
    same = benchmark.rates(benchmark.World(items=46, students=1), 60, 99)
    low, high = proportion_interval(int(same[MEDIAN]), 60, confidence=0.9999)
    assert low <= 0.05 <= high
    apart = benchmark.rates(benchmark.World(items=46, students=1, teacher=0.8, student=0.1), 20, 99)
    assert apart[MEDIAN] >= 18
    assert apart["swap"] >= 18
