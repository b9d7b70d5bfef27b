import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from tests.stats import steiger

from handan.stats.attenuation import attenuate, observed
from handan.stats.pair_design import PairDesign, correlation_covariance, pair_design
from handan.stats.pair_power import williams_power
from handan.stats.power import (
    Errors,
    interval_power,
    items_to_rule_out,
    required_items,
    rule_shares,
    verdict_shares,
)
from handan.stats.power_simulation import simulate_pairs, simulated_power
from handan.stats.power_table import ITEMS, POWER, items_table, power_table

HERE = Path(__file__).parent
REFERENCE = json.loads((HERE / "power_reference.json").read_text())
SIMULATED = json.loads((HERE / "power_simulated.json").read_text())
SMALLEST = 0.1
R = st.floats(-0.9, 0.9)


def numbers(value):
    return [x for row in value["variance"] + value["williams_power"] for x in row]


def stored(**truth):
    rows = [one for one in SIMULATED["rows"] if truth.items() <= one["truth"].items()]
    return [one for one in rows if ("t_df" in one["truth"]) == ("t_df" in truth)]


def designed(truth):
    return pair_design(**{name: value for name, value in truth.items() if name != "t_df"})


# References


def test_stored_reference_is_what_r_prints():
    if not shutil.which("Rscript"):
        pytest.skip("R is not installed; the stored values are used as they are")
    run = subprocess.run(["Rscript", HERE / "power_reference.R"], capture_output=True, text=True)
    if "there is no package called" in run.stderr:
        pytest.skip(f"R lacks a package: {run.stderr.strip().splitlines()[0]}")
    assert run.returncode == 0, run.stderr
    assert numbers(json.loads(run.stdout)) == pytest.approx(numbers(REFERENCE), rel=1e-9)


@pytest.mark.parametrize("row", REFERENCE["variance"], ids=str)
def test_the_variance_over_pairs_is_that_of_metafor(row):
    *truth, k, expected = row
    assert PairDesign(*truth, k).variance == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("row", REFERENCE["williams_power"], ids=str)
def test_power_of_williams_t_is_the_noncentral_t_of_r(row):
    assert williams_power(*row[:-1]) == pytest.approx(row[-1], rel=1e-6)


def test_power_of_steigers_z_is_that_of_the_example_in_the_manual_of_gpower():
    # Common index: 0.4 under the null, 0.2 under the alternative, 0.5 between; one-sided, N = 144.
    power = steiger.power(0.4, 0.2, 0.5, 144, alpha=0.10, null_r=0.4)
    # Our test is two-sided: at twice the level, the other side adds what can't be seen.
    assert power == pytest.approx(0.801161, abs=2e-5)
    smaller = steiger.power(0.4, 0.2, 0.5, 143, alpha=0.10, null_r=0.4)
    assert smaller < 0.8


@pytest.mark.parametrize(("r", "n"), [(0.2, 60), (0.4, 30), (0.6, 25)])
def test_without_dependence_it_is_the_test_of_two_independent_correlations(r, n):
    from statsmodels.stats.power import NormalIndPower

    # With r_b = r_ab = 0 the two correlations have no covariance; null_r = 0 keeps it so under the null.
    theirs = NormalIndPower(ddof=3).power(np.arctanh(r), n, 0.05)
    assert steiger.power(r, 0.0, 0.0, n, alpha=0.05, null_r=0.0) == pytest.approx(theirs, abs=1e-9)


def test_covariance_of_one_correlation_with_itself_is_its_variance():
    assert correlation_covariance(0.6, 0.6, 1.0) == pytest.approx((1 - 0.36) ** 2)


# The formulas against 10,000 simulated studies a row (benchmarks/power.py)


def test_formulas_of_the_rule_are_those_of_simulated_studies():
    assert SIMULATED["n_studies"] >= 10_000
    gaps = {20: [], 50: [], 100: [], 450: []}
    for one in stored():
        found, formula = one["simulated"], verdict_shares(designed(one["truth"]), one["n_items"], SMALLEST)
        for outcome, share in formula._asdict().items():
            gaps[one["n_items"]].append(abs(found[outcome] - share))
    assert max(gaps[20]) < 0.09
    assert max(gaps[50]) < 0.045
    assert max(gaps[100]) < 0.035
    assert max(gaps[450]) < 0.015
    assert np.mean(sum(gaps.values(), [])) < 0.01


def test_power_of_williams_test_is_that_of_simulated_studies():
    rows = [one for one in stored() if one["truth"].get("n_pairs", 1) == 1]
    gaps = []
    for one in rows:
        design = designed(one["truth"])
        power = williams_power(design.r_a, design.r_b, design.between, one["n_items"])
        gaps.append(abs(power - one["simulated"]["williams"]))
    assert len(gaps) >= 32
    assert np.max(gaps) < 0.03


def test_heavy_tails_take_power_away():
    for heavy in stored(t_df=8):
        if heavy["truth"]["r_a"] == heavy["truth"]["r_b"] or heavy["n_items"] not in (20, 50):
            continue
        truth = {name: value for name, value in heavy["truth"].items() if name != "t_df"}
        normal = next(
            one for one in stored(**truth) if one["n_items"] == heavy["n_items"] and one["truth"] == truth
        )
        assert heavy["simulated"]["supported"] < normal["simulated"]["supported"]


def test_an_unpaired_t_test_over_cells_rejects_too_often_where_models_of_a_kind_are_alike():
    alike = stored(r_a=0.3, r_b=0.3, alike=0.4)
    assert [one["n_items"] for one in alike] == [20, 50, 100, 450]
    # Level 5 %: what the models of one side share counts six times, and more items don't mend it.
    assert all(one["simulated"]["unpaired_t"] > 0.25 for one in alike)
    assert all(one["simulated"]["rejected"] < 0.1 for one in alike if one["n_items"] >= 50)
    # Where both sides share the same, it cancels, and the test keeps its level.
    same = stored(r_a=0.5, r_b=0.5, n_pairs=6, between=0.6)
    assert all(one["simulated"]["unpaired_t"] < 0.07 for one in same)


def test_a_model_that_serves_all_pairs_is_no_sample_of_cells():
    drawn = simulated_power(pair_design(0.5, 0.5, 0.4, 3, one_teacher=True), 30, SMALLEST, n_studies=50)
    assert "unpaired_t" not in set(drawn["outcome"])


def test_what_is_stored_is_what_the_simulation_gives():
    one = next(one for one in stored(r_a=0.64, between=0.6, n_pairs=6) if one["n_items"] == 20)
    truth = designed(one["truth"])
    found = simulated_power(truth, 20, SMALLEST, n_studies=1_000, n_boot=500, seed=1).set_index("outcome")
    for outcome, share in one["simulated"].items():
        low, high = found.loc[outcome, ["low", "high"]]
        # Twice the half-width of a 95 % interval: about 4 standard errors.
        assert abs(found.at[outcome, "share"] - share) < (high - low) + 0.005


@pytest.mark.parametrize(("r_ab", "k", "one_teacher"), [(0.6, 1, False), (0.2, 1, False), (0.4, 6, True)])
def test_the_items_that_are_named_are_enough_and_hardly_more(r_ab, k, one_teacher):
    n = required_items(0.64, 0.34, r_ab, n_pairs=k, one_teacher=one_teacher)
    design = pair_design(0.64, 0.34, r_ab, k, one_teacher=one_teacher)
    found = simulated_power(design, n, SMALLEST, n_studies=1_500, seed=2).set_index("outcome")
    assert 0.77 < found.at["supported", "share"] < 0.88


def test_no_difference_is_ruled_out_with_the_items_that_are_named():
    n = items_to_rule_out(0.49, 0.8, SMALLEST)
    design = pair_design(0.49, 0.49, 0.8)
    found = simulated_power(design, n, SMALLEST, n_studies=1_500, seed=3).set_index("outcome")
    assert 0.76 < found.at["not_supported", "share"] < 0.84


# Designs


@given(R, R, st.floats(0, 0.95), st.integers(1, 12), st.booleans())
def test_every_planned_design_has_a_possible_matrix_and_its_variance_falls_to_a_floor(
    r_a, r_b, own, k, one_teacher
):
    design = pair_design(
        r_a, r_b, PairDesign(r_a, r_b, own, own, own, own).between, k, one_teacher=one_teacher
    )
    matrix = design.matrix()
    assert np.linalg.eigvalsh(matrix).min() > -1e-8
    assert np.diag(matrix) == pytest.approx(np.ones(1 + 2 * k))
    assert matrix[0, 1] == pytest.approx(r_a)
    assert matrix[1, 1 + k] == pytest.approx(design.between)
    more, floor = replace(design, n_pairs=k + 1), replace(design, n_pairs=np.inf)
    assert floor.variance <= more.variance + 1e-12
    assert more.variance <= design.variance + 1e-12


def test_where_models_share_nothing_the_variance_goes_with_the_number_of_pairs():
    alone = PairDesign(0.5, 0.3, 0.0, 0.0, 0.0, 0.0, 1)
    # People are still the same: their part stays.
    ten, floor = replace(alone, n_pairs=10), replace(alone, n_pairs=np.inf)
    assert ten.variance - floor.variance == pytest.approx((alone.variance - floor.variance) / 10)
    assert floor.variance > 0


def test_simulated_data_have_the_correlations_and_the_variance_of_the_design():
    design = PairDesign(0.6, 0.3, 0.4, 0.8, 0.5, 0.3, 3)
    drawn = simulate_pairs(design, 200, 1_000, seed=1)
    assert drawn.shape == (1_000, 200, 7)
    found = np.corrcoef(drawn.reshape(-1, 7), rowvar=False)
    assert found == pytest.approx(design.matrix(), abs=0.01)
    r = np.array([np.corrcoef(one, rowvar=False)[0, 1:] for one in drawn])
    differences = r[:, :3].mean(axis=1) - r[:, 3:].mean(axis=1)
    assert differences.mean() == pytest.approx(0.3, abs=0.01)
    # A variance from 1,000 draws has a relative standard error of 4.5 %.
    assert differences.var() == pytest.approx(design.variance / 199, rel=0.15)


def test_heavy_tailed_data_keep_their_correlations():
    design = pair_design(0.6, 0.3, 0.4)
    drawn = simulate_pairs(design, 200, 1_000, seed=1, t_df=6).reshape(-1, 3)
    assert np.corrcoef(drawn, rowvar=False) == pytest.approx(design.matrix(), abs=0.02)
    assert stats.kurtosis(drawn).min() > 1


# Attenuation


def test_noise_in_the_norms_lowers_what_is_observed_and_costs_items():
    assert attenuate(0.8, 0.9, 0.81) == pytest.approx(0.8 * 0.9 * 0.9)
    assert observed(0.8, 0.4, 0.5, true=True) == (0.4, 0.2)
    assert observed(0.8, 0.4) == (0.8, 0.4)
    needed = [required_items(*observed(0.64, 0.34, c, true=True), 0.6) for c in (1.0, 0.9, 0.7)]
    assert needed == sorted(needed)
    assert needed[0] < needed[-1]


@given(st.floats(0.05, 1), R, R)
def test_true_correlations_of_any_norms_can_be_observed(ceiling, r_a, r_b):
    seen = observed(r_a, r_b, ceiling, true=True)
    assert observed(*seen, ceiling) == seen


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: observed(0.64, 0.34, 0.5), "r_a = 0.64 can't be observed with norms whose ceiling is 0.5"),
        (lambda: observed(0.34, -0.64, 0.5), "r_b = -0.64"),
        (lambda: observed(0.64, 0.34, true=True), "need the ceiling"),
        (lambda: observed(0.64, 0.34, 1.2), "ceiling must lie above 0"),
        (lambda: attenuate(0.5, 0.9, 0.0), "model_reliability must lie above 0"),
        (lambda: pair_design(0.9, 0.9, 0.1), "no data can have r_a=0.9"),
        (lambda: PairDesign(0.5, 0.5, 0.9, 0.9, 0.1, 0.9, 5), "resemble one another"),
        (lambda: PairDesign(0.5, 0.5, 0.9, 0.9, 0.1, 0.9, 0.5), "at least one pair"),
        (lambda: PairDesign(np.nan, 0.5, 0.9, 0.9, 0.9, 0.9), "r_a is missing"),
        (lambda: pair_design(0.5, 0.3, 0.4, np.inf).matrix(), "whole number of pairs"),
        (lambda: required_items(0.5, 0.5, 0.6), "a difference that isn't there"),
        (lambda: required_items(0.5, 0.4, 0.6, power=80), "0.8 for 80 %"),
        (lambda: required_items(0.5, 0.4, 0.6, alpha=5), "confidence must lie"),
        (lambda: required_items(0.5, 0.49999, 0.0), "not even 10,000,000 items"),
        (lambda: items_to_rule_out(0.5, 0.6, 0.1, power=0.99), "not even"),
        (lambda: items_to_rule_out(0.5, 0.6, 0.0), "must be positive"),
        (lambda: simulated_power(pair_design(0.5, 0.3, 0.4), 3, 0.1), "at least 4 items"),
        (lambda: simulate_pairs(pair_design(0.5, 0.3, 0.4), 0, 5, 0), "n_items=0"),
        (lambda: simulate_pairs(pair_design(0.5, 0.3, 0.4), 9, 5, 0, t_df=2), "t_df must be above 2"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# The rule


@given(R, R, st.floats(-0.5, 0.95), st.integers(4, 5_000))
def test_the_three_verdicts_share_all_studies(r_a, r_b, own, n):
    shares = verdict_shares(PairDesign(r_a, r_b, own, 0, 0, 0), n, SMALLEST)
    assert sum(shares) == pytest.approx(1)
    assert min(shares) >= 0


@settings(max_examples=40)
@given(st.floats(0.1, 0.8), st.floats(0.05, 0.6), st.floats(0, 0.9), st.floats(0.5, 0.95))
def test_the_items_named_are_the_fewest(r_b, drop, own, power):
    assume(r_b + drop < 0.95)
    design = PairDesign(r_b + drop, r_b, own, own, own, own)
    n = required_items(design.r_a, design.r_b, design.between, power)
    assert verdict_shares(design, n, SMALLEST).supported >= power - 1e-9
    if n > 4:
        assert verdict_shares(design, n - 1, SMALLEST).supported < power + 1e-9


def test_a_rise_needs_as_many_items_as_the_same_drop():
    assert required_items(0.34, 0.64, 0.6) == required_items(0.64, 0.34, 0.6)


def test_more_resemblance_needs_fewer_items_and_no_difference_needs_many_more():
    seen = [required_items(0.64, 0.34, r_ab) for r_ab in (0.0, 0.2, 0.4, 0.6, 0.8)]
    ruled_out = [items_to_rule_out(0.49, r_ab, SMALLEST) for r_ab in (0.0, 0.2, 0.4, 0.6, 0.8)]
    assert seen == sorted(seen, reverse=True)
    assert all(many > 5 * few for many, few in zip(ruled_out, seen, strict=True))


def test_no_difference_is_called_supported_in_two_and_a_half_percent():
    shares = verdict_shares(pair_design(0.5, 0.5, 0.6), 5_000, SMALLEST)
    assert shares.supported == pytest.approx(0.025)
    assert shares.not_supported == pytest.approx(0.975)
    assert interval_power(pair_design(0.5, 0.5, 0.6), 5_000) == pytest.approx(0.05)


def test_too_few_items_never_decide():
    design = pair_design(0.9, 0.1, 0.4)
    assert verdict_shares(design, 19, SMALLEST, fewest=20) == (0, 1, 0)
    assert verdict_shares(design, 3, SMALLEST) == (0, 1, 0)
    assert np.isnan(interval_power(design, 3))
    assert required_items(0.9, 0.1, 0.4, fewest=20) == 20
    drawn = simulated_power(design, 10, SMALLEST, fewest=20, n_studies=100, seed=0).set_index("outcome")
    assert drawn.at["cannot_tell", "share"] == 1


def test_identical_models_are_told_at_once():
    twins = PairDesign(0.5, 0.5, 1.0, 1.0, 1.0, 1.0)
    assert twins.variance == pytest.approx(0)
    assert verdict_shares(twins, 20, SMALLEST).not_supported == pytest.approx(1, abs=1e-6)
    exact = Errors(0.0, 0.0, 0.0)
    assert rule_shares(0.0, exact, SMALLEST) == (0, 0, 1)
    assert rule_shares(0.1, exact, SMALLEST) == (1, 0, 0)


# Tables


def test_the_table_of_items_flags_what_no_data_can_have():
    table = items_table(0.64, 0.34, (0.2, 0.96), (1, 6), smallest=SMALLEST, ceiling=0.8)
    assert list(table.columns) == ITEMS
    assert len(table) == 4
    possible = table[table["r_ab"] == 0.2]
    assert (possible["note"] == "").all()
    assert possible["items_to_see"].tolist() == [required_items(0.64, 0.34, 0.2, n_pairs=k) for k in (1, 6)]
    assert possible["true_a"].tolist() == pytest.approx([0.8, 0.8])
    impossible = table[table["r_ab"] == 0.96]
    assert impossible["items_to_see"].isna().all()
    assert impossible["note"].str.contains("no data can have").all()


def test_equal_correlations_still_say_what_rules_a_drop_out():
    row = items_table(0.5, 0.5, (0.6,), smallest=SMALLEST).iloc[0]
    assert row["items_to_rule_out"] == items_to_rule_out(0.5, 0.6, SMALLEST)
    assert "isn't there" in row["note"]


def test_the_table_of_power_holds_formulas_or_a_simulation():
    formula = power_table(0.64, 0.34, (0.6,), (3, 50), smallest=SMALLEST, fewest=20)
    assert list(formula.columns) == POWER
    assert formula["cannot_tell"].tolist()[0] == 1
    assert formula["low"].isna().all()
    assert formula["williams"].iloc[1] == pytest.approx(williams_power(0.64, 0.34, 0.6, 50))
    drawn = power_table(0.64, 0.34, (0.6,), (50,), smallest=SMALLEST, n_studies=1_000, seed=4).iloc[0]
    assert (drawn["method"], drawn["n_studies"]) == ("simulation", 1_000)
    assert drawn["low"] < drawn["power"] < drawn["high"]
    assert drawn["power"] == pytest.approx(formula["power"].iloc[1], abs=0.06)
    assert drawn["williams"] == pytest.approx(formula["williams"].iloc[1], abs=0.05)
    pairs = power_table(0.64, 0.34, (0.6,), (50,), smallest=SMALLEST, n_pairs=3)
    assert pairs["williams"].isna().all()


def test_the_same_seed_gives_the_same_shares():
    design = pair_design(0.6, 0.4, 0.3, 2)
    one, two = (simulated_power(design, 30, SMALLEST, n_studies=120, n_boot=100, seed=5) for _ in range(2))
    assert one.equals(two)
    assert one.loc[one["outcome"].isin(["supported", "cannot_tell", "not_supported"]), "share"].sum() == 1
