import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.stats.permutation import cohesion, mantel, own_reference
from handan.stats.simulate import proportion_interval

R = json.loads((Path(__file__).parent / "reference_geometry.json").read_text())
RUNS = 2_000


def similarities(k, rng, n=30):
    """Correlations of exchangeable models: one common factor, nothing else in common."""
    return np.corrcoef(rng.normal(size=(k, n)) + rng.normal(size=n))


def by_hand(r, members):
    members = set(members)
    pairs = list(itertools.combinations(range(len(r)), 2))
    within = [r[i, j] for i, j in pairs if {i, j} <= members]
    between = [r[i, j] for i, j in pairs if len({i, j} & members) == 1]
    return np.mean(within) - np.mean(between)


def test_mantel_is_that_of_vegan():
    items, sizes = np.array(R["items"]).reshape(12, 6), np.log(R["sizes"])
    done = mantel(np.corrcoef(items.T), -np.abs(sizes[:, None] - sizes))
    assert (done.n, done.exact) == (720, True)
    assert done.statistic == pytest.approx(R["mantel_r"][0])
    assert done.p == pytest.approx(R["mantel_p"][0])
    assert done.p_smallest == pytest.approx(1 / 720)


def test_drawn_relabellings_agree_with_all_of_them():
    r = similarities(7, np.random.default_rng(5))
    sizes = np.arange(7.0)
    design = -np.abs(sizes[:, None] - sizes)
    every, some = mantel(r, design), mantel(r, design, n_perm=4_000, seed=1)
    assert (every.exact, some.exact, some.n) == (True, False, 4_000)
    assert some.p == pytest.approx(every.p, abs=0.03)
    assert some.statistic == every.statistic


def test_cohesion_by_hand():
    r = similarities(6, np.random.default_rng(6))
    done = cohesion(r, [True, True, True, False, False, False])
    everything = [by_hand(r, group) for group in itertools.combinations(range(6), 3)]
    assert (done.n, done.exact, done.p_smallest) == (20, True, 1 / 20)
    assert done.statistic == pytest.approx(by_hand(r, [0, 1, 2]))
    assert done.p == pytest.approx(np.mean([value >= done.statistic - 1e-12 for value in everything]))


def test_own_reference_by_hand():
    r = np.random.default_rng(7).uniform(-1, 1, size=(4, 3))
    own = [0, 1, 2, 2]
    done = own_reference(r, own)

    def statistic(chosen):
        return np.mean([r[i, c] - np.delete(r[i], c).mean() for i, c in enumerate(chosen)])

    values = [statistic([order[c] for c in own]) for order in itertools.permutations(range(3))]
    assert (done.n, done.exact, done.p_smallest) == (6, True, 1 / 6)
    assert done.statistic == pytest.approx(statistic(own))
    assert done.p == pytest.approx(np.mean([value >= done.statistic - 1e-12 for value in values]))


def test_five_models_cannot_reach_the_five_per_cent_level():
    r = np.full((5, 5), 0.1)
    r[:2, :2] = 0.9
    clearest = cohesion(r, [True, True, False, False, False])
    assert clearest.p == clearest.p_smallest == 1 / 10
    roles = np.array([0, 0, 1, 1, 1])
    alike = (roles[:, None] == roles).astype(float)
    clearest = mantel(alike, alike)
    assert clearest.p == clearest.p_smallest == pytest.approx(1 / 10)


def test_a_drawn_p_is_never_zero_and_knows_its_ties():
    r = np.full((14, 14), 0.1)
    r[:7, :7] = 0.9
    done = cohesion(r, np.arange(14) < 7, n_perm=99)
    assert (done.p, done.exact) == (1 / 100, False)
    alone = mantel(np.eye(9)[:, ::-1] + np.eye(9), np.diag(np.r_[1, np.zeros(8)])[:, ::-1] * 2, n_perm=50)
    assert 1 / 51 <= alone.p_smallest <= alone.p <= 1


def test_without_variation_there_is_no_mantel_correlation():
    flat = np.ones((5, 5))
    for done in (
        mantel(flat, similarities(5, np.random.default_rng(0))),
        mantel(np.ones((1, 1)), np.ones((1, 1))),
    ):
        assert np.isnan([done.statistic, done.p, done.p_smallest]).all()


@pytest.mark.parametrize(
    ("test", "level"),
    [
        (
            lambda rng: mantel(
                similarities(8, rng), -np.abs(np.subtract.outer(*[rng.normal(size=8)] * 2)), 199, rng
            ),
            0.05,
        ),
        # 56 groups of three in eight: p takes steps of 1/56, and the largest below .05 is 2/56.
        (lambda rng: cohesion(similarities(8, rng), np.arange(8) < 3), 2 / 56),
        (lambda rng: own_reference(similarities(10, rng)[:5, 5:], np.arange(5)), 6 / 120),
    ],
    ids=["mantel", "cohesion", "own reference"],
)
def test_every_test_keeps_its_level(test, level):
    rng = np.random.default_rng(8)
    hits = sum(test(rng).p <= 0.05 for _ in range(RUNS))
    low, high = proportion_interval(hits, RUNS, 0.999)
    assert low <= level <= high


def test_a_true_group_is_found():
    rng = np.random.default_rng(9)
    hits = 0
    for _ in range(100):
        shared = np.where(np.arange(10)[:, None] < 5, rng.normal(size=40), 0.0)
        hits += cohesion(np.corrcoef(rng.normal(size=(10, 40)) + shared), np.arange(10) < 5).p <= 0.05
    assert hits >= 95


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(3, 6), st.integers(2, 30))
def test_relabelling_the_models_changes_nothing(seed, k, scale):
    rng = np.random.default_rng(seed)
    r, order = similarities(k, rng), rng.permutation(k)
    sizes = rng.normal(size=k)
    design = -np.abs(np.subtract.outer(sizes, sizes))
    one = mantel(r, design)
    other = mantel(r[np.ix_(order, order)], scale * design[np.ix_(order, order)] + 1)
    assert other.p == pytest.approx(one.p)
    assert other.statistic == pytest.approx(one.statistic)
    assert one.p_smallest <= one.p <= 1


def test_wrong_input_is_refused():
    r = similarities(4, np.random.default_rng(0))
    with pytest.raises(ValueError, match="at least 2 of the 4"):
        cohesion(r, [True, False, False, False])
    with pytest.raises(ValueError, match="same models"):
        mantel(r, r[:3, :3])
    with pytest.raises(ValueError, match="NaN"):
        mantel(np.where(r < 1, np.nan, r), r)
    with pytest.raises(ValueError, match="NaN"):
        own_reference(np.full((2, 2), np.nan), [0, 1])
    with pytest.raises(ValueError, match="2 or more"):
        own_reference(np.ones((2, 1)), [0, 0])
    with pytest.raises(ValueError, match="n_perm"):
        cohesion(similarities(30, np.random.default_rng(0)), np.arange(30) < 15, n_perm=0)
