import json
import shutil
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchmarks import mixed_models as simulated
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t

from handan import costs as recorded
from handan.lineage import load_lineage
from handan.stats import _restricted, _rotated
from handan.stats.mixed_model import NotEstimable, crossed
from handan.stats.simulate import proportion_interval

HERE = Path(__file__).parent
REFERENCE = json.loads((HERE / "reference_mixed.json").read_text())
SIMULATED = json.loads((HERE / "reference_mixed_simulated.json").read_text())
STUDIES = ["balanced", "holes", "tasks", "mip-math"]


def data(name):
    if REFERENCE[name]["data"] is not None:
        return pd.DataFrame(REFERENCE[name]["data"])
    given = recorded.load_study(name)
    rows = given.costs.merge(given.norms[["task", "item", "difficulty"]], on=["task", "item"])
    rows = rows.merge(load_lineage()[["model", "role"]], on="model")
    level = given.norms["difficulty"].astype(float)
    rows["difficulty"] = (rows["difficulty"].astype(float) - level.mean()) / level.std()
    return rows.assign(value=np.log(rows["reasoning_tokens"].astype(float)))


def weights(term):
    kind, roles = term.split(": ")
    return {f"{kind}: {role}": sign for role, sign in zip(roles.split(" - "), (1.0, -1.0), strict=False)}


def small(n_models=(2, 3), n_items=8, seed=0, tasks=("t",), noise=0.3):
    rng = np.random.default_rng(seed)
    parts = []
    for place, task in enumerate(tasks):
        frame = simulated.study((*n_models, 0, n_items), simulated.World(noise=(noise,) * 3), rng)
        parts.append(frame.assign(task=task, value=frame["value"] + place))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("variances", ["by_role", "common"])
@pytest.mark.parametrize("name", STUDIES)
def test_lme4_finds_the_same(name, variances):
    fit, there = crossed(data(name), by_role=variances == "by_role"), REFERENCE[name][variances]
    assert fit.converged
    assert fit.loglik == pytest.approx(there["loglik"], abs=1e-5)
    found = fit.components.set_index("component")["sd"].to_dict()
    assert found == pytest.approx(there["components"], abs=5e-4)
    alone = variances == "by_role" and name == "mip-math"
    for row in there["terms"]:
        ours = fit.combine(weights(row["term"]))
        assert ours["estimate"] == pytest.approx(row["estimate"], rel=1e-3), row
        if alone and "baseline" in row["term"]:
            # the study has one baseline, whose own variance nothing shows
            assert np.isnan(ours["se"])
        else:
            assert ours["se"] == pytest.approx(row["se"], rel=1e-3), row


@pytest.mark.parametrize("name", STUDIES)
def test_intervals_are_never_shorter_than_those_of_kenward_and_roger(name):
    fit = crossed(data(name))
    compared = 0
    for row in REFERENCE[name]["by_role"]["terms"]:
        ours = fit.combine(weights(row["term"]))
        if " - " in row["term"] and np.isfinite(ours["df"]):
            compared += 1
            assert ours["df"] <= row["kenward_roger"]["df"] + 1e-6, row["term"]
            assert ours["p"] >= row["kenward_roger"]["p"] - 1e-6, row["term"]
            assert ours["p"] == pytest.approx(row["kenward_roger"]["p"], abs=0.06), row["term"]
    assert compared >= 2


def test_where_a_variance_is_zero_the_degrees_of_freedom_stay_those_of_few_models():
    # lmerTest's information-based degrees of freedom jump towards those of the noise
    term = "slope: teacher - student"
    row = next(row for row in REFERENCE["mip-math"]["by_role"]["terms"] if row["term"] == term)
    ours = crossed(data("mip-math")).combine(weights(term))
    assert row["satterthwaite_df"] > 10
    assert 1 <= ours["df"] < 2


def test_an_interval_adds_the_squares_of_what_every_part_reaches():
    parts, df = {"a": 0.5, "b": 0.2, "c": 0.1}, {"a": 1, "b": 4, "c": 50}
    found = _restricted.interval(2.0, parts, df, 0.9)
    reach = np.sqrt(sum(parts[one] * t.ppf(0.95, df[one]) ** 2 for one in parts))
    assert (found["low"], found["high"]) == pytest.approx((2 - reach, 2 + reach))
    assert t.ppf(0.95, found["df"]) * found["se"] == pytest.approx(reach)
    assert found["se"] == pytest.approx(np.sqrt(0.8))
    touching = _restricted.interval(2.0, parts, df, 1 - found["p"])
    assert touching["low"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("estimate", [0.0, 1e-20, 0.3, 1e6, 1e200])
def test_an_interval_of_one_part_is_students(estimate):
    found = _restricted.interval(estimate, {"a": 0.04}, {"a": 7}, 0.95)
    assert found["df"] == pytest.approx(7)
    assert found["high"] - estimate == pytest.approx(t.ppf(0.975, 7) * 0.2, abs=estimate * 1e-12)
    assert found["p"] == pytest.approx(2 * t.sf(estimate / 0.2, 7), abs=1e-12)


def test_intervals_cover_where_satterthwaite_s_do_not():
    # two groups as Welch has them; the reach of every part by its own t never covers too little
    rng = np.random.default_rng(2)
    n, counts, spread = 1500, (2, 6), (0.3, 0.05)
    drawn = [size * rng.standard_normal((n, count)) for count, size in zip(counts, spread, strict=True)]
    centre = drawn[0].mean(axis=1) - drawn[1].mean(axis=1)
    parts = [one.var(axis=1, ddof=1) / one.shape[1] for one in drawn]
    df = {"a": 1, "b": 5}
    found = [
        _restricted.interval(one, {"a": a, "b": b}, df, 0.95)
        for one, a, b in zip(centre, *parts, strict=True)
    ]
    total = parts[0] + parts[1]
    welch = t.ppf(0.975, total**2 / (parts[0] ** 2 + parts[1] ** 2 / 5)) * np.sqrt(total)
    missed = sum(one["p"] < 0.05 for one in found)
    assert proportion_interval(missed, n, 0.999)[0] <= 0.05
    assert proportion_interval(int((abs(centre) > welch).sum()), n, 0.999)[0] > 0.05


def test_stored_reference_is_what_r_prints():
    if not shutil.which("Rscript"):
        pytest.skip("R is not installed; the stored values in reference_mixed.json are used as they are")
    root = HERE.parents[1]
    run = subprocess.run(["Rscript", HERE / "reference_mixed.R"], capture_output=True, text=True, cwd=root)
    if "there is no package called" in run.stderr:
        pytest.skip(f"R lacks a package: {run.stderr.strip().splitlines()[0]}")
    assert run.returncode == 0, run.stderr
    printed = json.loads(run.stdout)
    for name in STUDIES:
        for way in ("by_role", "common"):
            there = REFERENCE[name][way]["loglik"]
            assert printed[name][way]["loglik"] == pytest.approx(there, abs=1e-6)
        assert printed[name]["data"] == REFERENCE[name]["data"]


def dense(frame, names, variances):
    """Restricted log likelihood written out with the full covariance of all rows."""
    roles = list(dict.fromkeys(frame["role"]))
    tasks = pd.Categorical(frame["task"], list(dict.fromkeys(frame["task"]))).codes
    n_tasks = tasks.max() + 1
    coded = np.vstack([np.eye(n_tasks - 1), np.full((1, n_tasks - 1), -1.0)])[tasks]
    level = np.hstack([frame["role"].to_numpy()[:, None] == np.array(roles), coded])
    d = frame["difficulty"].to_numpy()[:, None]
    fixed = np.hstack([level, level * d])
    same = {
        "model": frame["model"],
        "item": frame["task"] + "/" + frame["item"].astype(str),
        "model x task": frame["model"] + "/" + frame["task"],
    }
    same = {name: (one.to_numpy()[:, None] == one.to_numpy()).astype(float) for name, one in same.items()}
    for name in ("model", "model x task"):
        same[f"{name} x difficulty"] = same[name] * (d @ d.T)
    for role in roles:
        of = (frame["role"] == role).to_numpy(float)
        same[f"item x {role}"] = same["item"] * np.outer(of, of)
        for name in ("model", "model x difficulty"):
            same[f"{name} ({role})"] = same[name] * np.outer(of, of)
    total = np.eye(len(frame)) + sum(value * same[name] for name, value in zip(names, variances, strict=True))
    inside = fixed.T @ np.linalg.solve(total, fixed)
    y = frame["value"].to_numpy()
    left = y - fixed @ np.linalg.solve(inside, fixed.T @ np.linalg.solve(total, y))
    free = len(y) - fixed.shape[1]
    scale = left @ np.linalg.solve(total, left) / free
    logs = np.linalg.slogdet(total)[1] + np.linalg.slogdet(inside)[1]
    return -0.5 * (free * (np.log(2 * np.pi * scale) + 1) + logs)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10_000), n_items=st.integers(3, 9), dropped=st.integers(0, 12), tasks=st.integers(1, 2),
    models=st.tuples(st.integers(1, 4), st.integers(2, 4)),
)  # fmt: skip
def test_rotation_leaves_the_likelihood_as_it_was(seed, n_items, dropped, tasks, models):
    frame = small(models, n_items, seed, tuple("ab"[:tasks]))
    rng = np.random.default_rng(seed)
    gone = rng.choice(len(frame), min(dropped, len(frame) - 1), replace=False)
    frame = frame.drop(gone).reset_index(drop=True)
    roles = list(dict.fromkeys(frame["role"]))
    if len(frame) <= 2 * (len(roles) + frame["task"].nunique() - 1):
        return  # as many coefficients as rows: there is no likelihood to leave as it was
    names = [f"{name} ({role})" for role in roles for name in ("model", "model x difficulty")]
    names += ["item", *(f"item x {role}" for role in roles)]
    names += ["model x task", "model x task x difficulty"] * (tasks - 1)
    blocks = list(_rotated.blocks(frame, roles))
    head = _rotated.head(blocks)
    if np.linalg.matrix_rank(head.fixed) < head.fixed.shape[1]:
        return
    groups = [head, *_rotated.contrasts(blocks), *_rotated.rest(blocks, 10_000)]
    assert sum(len(group.value) for group in groups) == len(frame)
    variances = rng.uniform(0.05, 2, len(names))
    ours, slope = _restricted._likelihood(_restricted._mixed_lm(groups, names), variances)
    assert ours == pytest.approx(dense(frame, names, variances), abs=1e-6)
    step = 1e-5 * np.eye(len(names))[0]
    numeric = (dense(frame, names, variances + step) - dense(frame, names, variances - step)) / 2e-5
    assert slope[0] == pytest.approx(numeric, abs=1e-4)


@settings(max_examples=8, deadline=None)
@given(factor=st.floats(0.01, 100), shift=st.floats(-50, 50), seed=st.integers(0, 1000))
def test_units_and_order_do_not_matter(factor, shift, seed):
    frame = small((3, 3), 10, seed)
    other = frame.sample(frac=1, random_state=seed).assign(value=lambda f: factor * f["value"] + shift)
    term = {"slope: teacher": 1.0, "slope: student": -1.0}
    one, two = crossed(frame).combine(term), crossed(other).combine(term)
    assert two["estimate"] == pytest.approx(factor * one["estimate"], rel=1e-6, abs=1e-9 * factor)
    assert two["se"] == pytest.approx(factor * one["se"], rel=1e-2)


def test_the_estimates_of_complete_data_are_averages_of_the_models_own_lines():
    frame = small((3, 4), 20, 4)
    lines = frame.groupby(["role", "model"])[["difficulty", "value"]].apply(
        lambda part: np.polyfit(part["difficulty"], part["value"], 1)[0]
    )
    fixed = crossed(frame).fixed.set_index("term")["estimate"]
    for role, slope in lines.groupby("role").mean().items():
        assert fixed[f"slope: {role}"] == pytest.approx(slope)


def test_one_grouping_factor_for_two_crossed_ones_is_biased_and_two_components_are_not():
    table = pd.DataFrame(SIMULATED["bias"]).set_index("way")
    off = {
        (way, part): abs(row[f"{part} mean"] - row[f"{part} truth"]) / row[f"{part} sem"]
        for way, row in table.iterrows()
        for part in ("model", "item", "noise")
    }
    assert max(off["groups = model", "noise"], off["groups = item", "noise"]) > 5
    assert max(off["ours", part] for part in ("model", "item", "noise")) < 3
    # live: the items of every model count as other items, and the noise takes up what they share
    frame = simulated.study(
        (6, 6, 0, 25), simulated.World((0.0, 0.0, 0.0), models=0.6, items=0.8), np.random.default_rng(3)
    )
    found = simulated.variances(frame)
    assert found["one group"] == pytest.approx(found["ours"], abs=0.02)
    assert found["groups = model"]["noise"] + found["groups = model"]["item"] > 2 * found["ours"]["noise"]


def test_the_library_s_own_search_stops_short_where_ours_does_not():
    shortfalls = []
    for seed in range(3):
        frame = simulated.study((5, 6, 11, 46), simulated.World(), np.random.default_rng(seed))
        ours = crossed(frame, by_role=False)
        own = simulated.library_fit(frame, ours.components["component"].tolist()[:-1])
        shortfalls.append(ours.loglik - own.llf)
    assert ours.converged
    assert min(shortfalls) > -1e-4
    assert max(shortfalls) > 1
    for row in SIMULATED["search"]:
        assert row["best"] > -1e-3
        assert row["short"] > 0.05


def test_stored_simulations_keep_their_level():
    table = pd.DataFrame(SIMULATED["level"])
    assert set(simulated.CELLS[:3]) <= set(zip(table["shape"], table["world"], strict=True))
    ours = table[table["way"].str.startswith("ours")]
    assert (ours["n_studies"] >= 1000).all()
    # one family of intervals, so that each has the confidence of Bonferroni's correction
    for row in ours.itertuples():
        missed = round(row.missed * row.n_studies)
        assert proportion_interval(missed, row.n_studies, 1 - 0.05 / len(ours))[0] <= 0.05, row
    assert ours["missed"].max() < 0.07
    # and not so careful that nothing could be found, where no role has two models only
    many = ours[(ours["shape"] == "22 models x 46 items") & (ours["way"] == "ours")]
    assert len(many) > 0
    assert (many["most"] > 0.025).all()


def test_stored_simulations_show_what_the_other_ways_cost():
    table = pd.DataFrame(SIMULATED["level"]).set_index(["shape", "world", "way"])["least"]
    shape = "17 models x 60 items"
    for world in ("teachers vary more", "teachers vary much more"):
        assert table[shape, world, "one variance for all roles"] > 0.1
        assert table[shape, world, "normal quantile"] > 0.15
    assert table[shape, "teachers vary much more", "Satterthwaite"] > 0.05
    assert table["22 models x 46 items", "baselines vary less", "one variance for all roles"] > 0.1


def test_the_level_is_kept_live_where_roles_differ_in_how_much_models_differ():
    n = 60
    rng = np.random.default_rng(8)
    world = simulated.World(slopes=(0.5, 0.1, 0.1), noise=(0.2, 0.2, 0.2))
    frames = [simulated.study((2, 6, 0, 14), world, rng) for _ in range(n)]
    ways = [[crossed(one, by_role=way).combine(simulated.SLOPES) for one in frames] for way in (True, False)]
    missed, common = (sum(one["p"] < 0.05 for one in found) for found in ways)
    assert proportion_interval(missed, n, 0.999)[0] <= 0.05
    assert proportion_interval(common, n, 0.99)[0] > 0.05


def test_a_singular_fit_is_noted_and_nothing_is_printed(capfd):
    frame = small((3, 3), 30, 1).assign(value=lambda f: f["value"] - f["value"])
    frame["value"] = 0.3 * frame["difficulty"] + np.random.default_rng(0).normal(size=len(frame))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit = crossed(frame)
    zero = fit.components[fit.components["sd"] == 0]
    assert len(zero) > 0
    assert (zero["note"] == "estimated as zero").all()
    assert fit.converged
    assert capfd.readouterr() == ("", "")


def test_too_few_to_estimate_variances_gives_least_squares():
    for frame in (small((1, 1), 9), small((2, 2), 2)):
        fit = crossed(frame)
        assert fit.fixed["estimate"].notna().all()
        assert fit.fixed[["se", "df", "low", "high", "p"]].isna().all(axis=None)
        assert fit.components.empty
        assert "least squares" in fit.notes[-1]


def test_one_role_is_enough():
    frame = small((4, 1), 20)
    fit = crossed(frame[frame["role"] == "teacher"])
    assert fit.components["component"].tolist() == [
        "model (teacher)",
        "model x difficulty (teacher)",
        "item",
        "residual",
    ]
    assert fit.fixed["low"].notna().all()


def test_more_items_than_needed_sharpen_nothing_and_are_noted(monkeypatch):
    from handan.stats import mixed_model

    frame = small((2, 3), 400, 2)
    whole = crossed(frame)
    monkeypatch.setattr(mixed_model, "_ITEMS", 100)
    part = crossed(frame)
    assert part.notes == ("variances of items and noise from 100 of 400 items",)
    assert part.fixed["estimate"].tolist() == pytest.approx(whole.fixed["estimate"].tolist())
    both = part.components.merge(whole.components, on="component").set_index("component")
    assert both.loc["residual", "sd_x"] == pytest.approx(both.loc["residual", "sd_y"], rel=0.1)


def test_items_done_by_odd_sets_of_models_are_left_out_only_where_they_cost_too_much(monkeypatch):
    from handan.stats import mixed_model

    frame = small((4, 4), 40, 5)
    frame = frame.drop(np.random.default_rng(0).choice(len(frame), 20, replace=False))
    assert crossed(frame).notes == ()
    monkeypatch.setattr(mixed_model, "_HEAD", 30)
    fit = crossed(frame)
    lost = 40 - fit.n_items
    assert fit.notes == (f"{lost} items left out, each done by an odd set of models",)
    assert 0 < lost < 20
    monkeypatch.setattr(mixed_model, "_HEAD", 3)
    with pytest.raises(NotEstimable, match="more than 1 models of different kinds"):
        crossed(frame)


def test_what_cannot_be_fitted_says_why():
    flat = small().assign(value=5.0)
    with pytest.raises(NotEstimable, match="do not vary beyond models and difficulty"):
        crossed(flat)
    with pytest.raises(NotEstimable, match="do not vary"):
        crossed(flat.assign(value=0.0))
    with pytest.raises(NotEstimable, match="cannot be told apart"):
        crossed(small().assign(difficulty=0.0))
    frame = small(tasks=("a", "b"))
    apart = frame[(frame["task"] == "a") == (frame["role"] == "teacher")]
    with pytest.raises(NotEstimable, match="cannot be told apart"):
        crossed(apart)


def test_a_bad_frame_is_named():
    frame = small()
    with pytest.raises(LookupError, match="no column role; the frame has: model"):
        crossed(frame.drop(columns="role"))
    with pytest.raises(ValueError, match="1 of 40 rows have a missing or infinite value"):
        crossed(frame.assign(value=[np.inf, *frame["value"][1:]]))
    with pytest.raises(ValueError, match="0 of 0 rows"):
        crossed(frame.head(0))
    with pytest.raises(ValueError, match="a model and item needs one value, but t, 0, teacher 0 has several"):
        crossed(pd.concat([frame, frame.head(1).assign(value=9.0)]))
    with pytest.raises(ValueError, match="a model needs one role, but teacher 0 has several"):
        crossed(frame.assign(role=["student", *frame["role"][1:]]))
    with pytest.raises(ValueError, match="a task's item needs one difficulty, but t, 0 has several"):
        crossed(frame.assign(difficulty=[9.0, *frame["difficulty"][1:]]))


def test_a_wrong_term_or_confidence_is_named():
    fit = crossed(small())
    with pytest.raises(LookupError, match="no term slope: base; the model has: level: teacher"):
        fit.combine({"slope: base": 1})
    with pytest.raises(ValueError, match="for 95 %"):
        fit.combine({"slope: teacher": 1}, confidence=95)
    with pytest.raises(LookupError, match=r"no component item x base to leave out, only model \(teacher\), "):
        crossed(small(), leave_out=["item x base"])
    narrow, wide = (fit.combine({"slope: teacher": 1}, c) for c in (0.5, 0.99))
    assert wide["low"] < narrow["low"] < narrow["estimate"] < narrow["high"] < wide["high"]
