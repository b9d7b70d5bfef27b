import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist, squareform

from handan.stats.similarity import (
    chord,
    classical_layout,
    covering_ellipse,
    disattenuated,
    hierarchical_order,
    superimposed,
)

HERE = Path(__file__).parent
R = json.loads((HERE / "reference_geometry.json").read_text())


def correlations(n=40, k=6, seed=0):
    rng = np.random.default_rng(seed)
    return np.corrcoef((rng.normal(size=(n, k)) + rng.normal(size=(n, 1))).T)


@pytest.fixture(scope="module")
def reference():
    items = np.array(R["items"]).reshape(12, 6)
    return items, np.corrcoef(items.T)


def test_stored_reference_is_what_r_prints():
    if not shutil.which("Rscript"):
        pytest.skip("R is not installed; the stored values are used as they are")
    run = subprocess.run(["Rscript", HERE / "reference_geometry.R"], capture_output=True, text=True)
    if "there is no package called" in run.stderr:
        pytest.skip(f"R lacks a package: {run.stderr.strip().splitlines()[0]}")
    assert run.returncode == 0, run.stderr
    printed = json.loads(run.stdout)
    numbers = [name for name in R if isinstance(R[name], list)]
    assert len(numbers) >= 9
    for name in numbers:
        assert printed[name] == pytest.approx(R[name], rel=1e-9, abs=1e-12), name


def test_a_correlation_without_noise_by_hand():
    assert disattenuated(0.42, 0.49, 0.81) == pytest.approx(0.42 / (0.7 * 0.9))
    assert disattenuated(0.9, 0.5, 0.5) == pytest.approx(1.8)
    assert np.isnan(disattenuated(0.4, [0.0, -0.2, np.nan], 0.8)).all()
    with pytest.raises(ValueError, match="reliability"):
        disattenuated(0.4, 1.2, 0.8)


def test_noise_that_was_added_is_taken_out():
    rng = np.random.default_rng(1)
    true = rng.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], size=200_000)
    seen = true + rng.normal(size=true.shape) * [1.0, 0.5]
    r = np.corrcoef(seen.T)[0, 1]
    assert r < 0.5
    assert disattenuated(r, 1 / 2, 1 / 1.25) == pytest.approx(0.7, abs=0.01)


def test_the_chord_is_the_distance_of_vectors_of_length_one():
    x = np.random.default_rng(2).normal(size=(3, 20))
    x = x - x.mean(axis=1, keepdims=True)
    x /= np.sqrt((x**2).sum(axis=1, keepdims=True))
    assert squareform(chord(np.corrcoef(x)), checks=False) == pytest.approx(pdist(x))


def test_layout_and_tree_are_those_of_r(reference):
    items, r = reference
    layout = classical_layout(chord(r))
    assert pdist(layout.points) == pytest.approx(R["map_distances"])
    assert layout.share == pytest.approx(R["map_share"][0])
    assert hierarchical_order(r).cophenetic == pytest.approx(R["cophenetic"][0])
    assert linkage(squareform(1 - r, checks=False), "average")[:, 2] == pytest.approx(R["merge_heights"])
    again = classical_layout(chord(np.corrcoef(items[:9].T))).points
    left = ((superimposed(again, layout.points) - layout.points) ** 2).sum()
    assert left == pytest.approx(R["procrustes_ss"][0])


def test_points_of_a_plane_are_found_again():
    points = np.random.default_rng(3).normal(size=(7, 2))
    layout = classical_layout(squareform(pdist(points)))
    assert pdist(layout.points) == pytest.approx(pdist(points))
    assert (layout.share, layout.stress) == pytest.approx((1, 0), abs=1e-7)
    assert superimposed(layout.points, points) == pytest.approx(points)


def test_a_map_without_distances_has_no_share_and_no_stress():
    layout = classical_layout(np.zeros((3, 3)))
    assert (layout.points == 0).all()
    assert np.isnan([layout.share, layout.stress]).all()


def test_the_order_puts_groups_side_by_side():
    r = np.full((6, 6), 0.1)
    groups = [[0, 3, 5], [1, 2, 4]]
    for group in groups:
        r[np.ix_(group, group)] = 0.8
    np.fill_diagonal(r, 1)
    leaves = hierarchical_order(r).leaves.tolist()
    assert sorted(map(set, (leaves[:3], leaves[3:])), key=min) == [set(group) for group in groups]


def test_equal_distances_have_no_cophenetic_correlation():
    r = np.full((4, 4), 0.5)
    np.fill_diagonal(r, 1)
    assert np.isnan(hierarchical_order(r).cophenetic)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.floats(-3, 3), st.booleans())
def test_superimposing_undoes_any_turn_shift_and_mirror(seed, angle, mirrored):
    points = np.random.default_rng(seed).normal(size=(5, 2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = points * [1, -1 if mirrored else 1] @ turn + [3, -2]
    assert superimposed(moved, points) == pytest.approx(points)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(3, 9))
def test_the_layout_does_not_depend_on_the_order_of_models(seed, k):
    r = correlations(k=k, seed=seed)
    shuffled = np.random.default_rng(seed).permutation(k)
    one, other = classical_layout(chord(r)), classical_layout(chord(r[np.ix_(shuffled, shuffled)]))
    assert one.points[shuffled] == pytest.approx(other.points, abs=1e-6)
    assert 0 < one.share <= 1
    assert one.stress >= 0


def test_a_covering_ellipse_covers_its_share():
    rng = np.random.default_rng(4)
    cloud = rng.multivariate_normal([0, 0], [[4, 1.5], [1.5, 1]], size=50_000)
    found = covering_ellipse(cloud)
    angle = np.radians(found.angle)
    along = cloud @ [np.cos(angle), np.sin(angle)]
    across = cloud @ [-np.sin(angle), np.cos(angle)]
    inside = (2 * along / found.width) ** 2 + (2 * across / found.height) ** 2 <= 1
    assert inside.mean() == pytest.approx(0.95, abs=0.005)
    assert found.width > found.height


def test_wrong_matrices_are_refused():
    with pytest.raises(ValueError, match="square"):
        classical_layout(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="NaN"):
        hierarchical_order(np.full((3, 3), np.nan))
    with pytest.raises(ValueError, match="not symmetric"):
        classical_layout(np.arange(9.0).reshape(3, 3))
    with pytest.raises(ValueError, match="one shape"):
        superimposed(np.zeros((3, 2)), np.zeros((4, 2)))
    with pytest.raises(ValueError, match="2 points"):
        covering_ellipse(np.zeros((1, 2)))
