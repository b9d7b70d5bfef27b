import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from handan.costs import summarise
from handan.costs.censoring import survival

# Remission times in weeks under 6-mercaptopurine (Freireich et al., 1963, Blood 21, 699-716);
# a plus marks a patient who was still in remission when last seen.
REMISSION = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
WEEKS = [float(week.rstrip("+")) for week in REMISSION.split()]
RELAPSED = [not week.endswith("+") for week in REMISSION.split()]
COUNTS = st.lists(st.integers(0, 50), min_size=1, max_size=25)


def test_the_remission_data_give_the_published_estimates():
    found = survival(WEEKS, RELAPSED)
    # Median and its log-log interval, restricted mean and its standard error up to 35 weeks:
    # as R's survival package and textbooks have them.
    assert (found.km_median, found.km_median_low) == (23, 13)
    assert np.isnan(found.km_median_high)
    assert found.km_limit == 35
    assert found.km_mean == pytest.approx(23.287, abs=5e-4)
    error = (found.km_mean_high - found.km_mean) / 1.959964
    assert error == pytest.approx(2.827, abs=5e-4)


def test_the_mean_is_restricted_to_the_limit():
    # SAS restricts at the last relapse, and multiplies the error by the root of 9/8.
    found = survival(WEEKS, RELAPSED, limit=23)
    assert found.km_mean == pytest.approx(17.9092, abs=5e-5)
    error = (found.km_mean_high - found.km_mean) / 1.959964
    assert error * np.sqrt(9 / 8) == pytest.approx(1.6474, abs=5e-4)


def test_the_curve_itself_is_the_published_one():
    # The area up to t less the area up to u is S(u) (t - u) between two relapses.
    published = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538}
    for week, alive in published.items():
        width = 0.5
        area = [survival(WEEKS, RELAPSED, limit=week + at).km_mean for at in (0.1, 0.1 + width)]
        assert (area[1] - area[0]) / width == pytest.approx(alive, abs=5e-4)


@given(COUNTS)
@settings(deadline=None, max_examples=60)
def test_without_lower_bounds_it_is_the_plain_summary(counts):
    found = survival(counts, [True] * len(counts))
    assert found.km_mean == pytest.approx(np.mean(counts))
    assert found.km_median == pytest.approx(np.median(counts))
    error = np.std(counts) / np.sqrt(len(counts))  # Greenwood's variance without censoring
    if error:
        assert (found.km_mean_high - found.km_mean) / 1.959964 == pytest.approx(error, rel=1e-5)


@given(COUNTS, st.integers(1, 60))
@settings(deadline=None, max_examples=60)
def test_with_one_limit_for_all_it_is_the_mean_of_what_was_spent_up_to_it(counts, limit):
    spent = np.minimum(counts, limit)
    found = survival(spent, np.array(counts) <= limit, limit=limit)
    assert found.km_mean == pytest.approx(spent.mean())


def test_censoring_of_a_third_leaves_the_restricted_mean_unbiased():
    rng = np.random.default_rng(0)
    limit, kept, restricted, covered, cut = 6_000, [], [], [], []
    far = (np.log(limit) - 8) / 0.7
    truth = np.exp(8 + 0.7**2 / 2) * norm.cdf(far - 0.7) + limit * norm.sf(far)  # mean of min(cost, limit)
    for _ in range(400):
        counts = rng.lognormal(8, 0.7, 300)
        allowed = rng.choice([3_000, 4_500, 7_500], 300)  # limits differ between runs
        complete = counts <= allowed
        seen = np.minimum(counts, allowed)
        found = survival(seen, complete, limit=limit)
        kept.append(np.minimum(seen[complete], limit).mean())
        restricted.append(found.km_mean)
        covered.append(found.km_mean_low <= truth <= found.km_mean_high)
        cut.append(1 - complete.mean())
    assert np.mean(cut) == pytest.approx(0.3, abs=0.03)
    error = np.std(restricted) / np.sqrt(len(restricted))
    assert abs(np.mean(restricted) - truth) < 4 * error
    assert np.mean(kept) < 0.9 * truth
    assert np.mean(covered) == pytest.approx(0.95, abs=0.04)


def test_the_limit_stops_where_nothing_more_is_known():
    assert survival([5, 9], [True, False], limit=100).km_limit == 9
    assert survival([5, 9], [True, True], limit=100).km_limit == 100
    assert survival([5, 9], [True, True], limit=100).km_mean == 7


def test_only_lower_bounds_give_no_median_and_no_interval():
    found = survival([5, 9], [False, False])
    assert np.isnan([found.km_median, found.km_median_low, found.km_mean_low, found.km_mean_high]).all()
    assert found.km_mean == found.km_limit == 9


@pytest.mark.parametrize(
    ("counts", "limit", "message"),
    [([], None, "at least one"), ([1, np.nan], None, "none that is missing"), ([1], 0, "above 0, not 0")],
)
def test_nonsense_is_refused(counts, limit, message):
    with pytest.raises(ValueError, match=message):
        survival(counts, [True] * len(counts), limit=limit)


TABLE = pd.DataFrame(
    [  # model, reasoning_tokens, output_tokens, stop, tags, loop
        ("a", 10, 12, "stop", "closed", False),
        ("a", 20, 40, "length", "closed", False),
        ("a", 40, 40, "length", "unclosed, prefilled", True),
        ("a", np.nan, np.nan, "error", None, None),
        ("b", 30, 30, "stop", "none", False),
    ],
    columns=["model", "reasoning_tokens", "output_tokens", "stop", "tags", "loop"],
).assign(task="t")


def test_a_summary_says_what_a_group_holds():
    table = summarise(TABLE)
    a, b = table.to_dict("records")
    assert (a["model"], a["task"], a["n"], a["n_missing"]) == ("a", "t", 4, 1)
    assert (a["censored"], a["unclosed"], a["loop"]) == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert (a["mean"], a["median"]) == pytest.approx((70 / 3, 20))
    assert (a["km_median"], a["km_limit"]) == (20, 40)
    assert (b["n"], b["censored"], b["mean"], b["km_mean"]) == (1, 0, 30, 30)


def test_a_trace_cut_in_its_answer_has_a_complete_reasoning():
    by = ["model"]
    reasoning = summarise(TABLE, by).iloc[0]
    output = summarise(TABLE, by, cost="output_tokens").iloc[0]
    assert (reasoning["censored"], output["censored"]) == pytest.approx((1 / 3, 2 / 3))
    assert np.isnan(output["km_median"]) != np.isnan(reasoning["km_median"])


def test_a_recorded_study_without_flags_is_summarised_too():
    from handan.costs import load_study

    table = summarise(load_study("pm-bench").costs, ["model"])
    assert table[["unclosed", "loop"]].isna().all(axis=None)
    cut = table.set_index("model")["censored"]
    assert cut.max() > 0.1
    assert (table["km_mean"] >= table["mean"] - 1e-9).all()


def test_an_unknown_ending_is_not_called_complete_or_cut():
    table = summarise(TABLE.drop(columns=["stop", "tags", "loop"]), ["model"])
    assert table[["censored", "unclosed", "loop"]].isna().all(axis=None)


def test_a_group_without_counts_is_there_and_empty():
    table = summarise(TABLE.assign(reasoning_tokens=np.nan), ["model"])
    assert table["n_missing"].tolist() == [4, 1]
    assert table[["mean", "median", "km_mean", "km_median"]].isna().all(axis=None)


def test_a_summary_survives_a_file(tmp_path):
    from handan.tables import read_table

    TABLE.to_csv(tmp_path / "costs.csv", index=False)
    back = read_table(tmp_path / "costs.csv")
    back["reasoning_tokens"] = pd.to_numeric(back["reasoning_tokens"])
    pd.testing.assert_frame_equal(summarise(back), summarise(TABLE), check_dtype=False)


def test_a_missing_column_is_named():
    with pytest.raises(LookupError, match="no column tier, cost"):
        summarise(TABLE, ["model", "tier"], cost="cost")
