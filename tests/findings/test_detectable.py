import json
import warnings

import numpy as np
import pandas as pd
import pytest

from handan import inputs
from handan.findings.collapse import collapse
from handan.findings.detectable import COLUMNS, PAPER, detectable
from handan.findings.join import join
from handan.findings.transfer import transfer
from handan.findings.verdict import SMALLEST
from handan.lineage import load_lineage
from handan.stats.pair_design import pair_design
from handan.stats.power import required_items, verdict_shares


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture(scope="module")
def recorded():
    lineage = load_lineage()
    found = {}
    for one in inputs.recorded(
        ["gpqa-minutes", "mip-gsm8k", "pm-bench", "pretrained-bases"], "reasoning_tokens"
    ):
        name = one.joined.rows["study"].iloc[0]
        parts = [f(one.joined, lineage, one.reliability, n_boot=2_000) for f in (collapse, transfer)]
        pooled = pd.concat([part.pooled for part in parts if len(part.pooled)])
        found[name] = detectable(one.joined, lineage, one.reliability), pooled
    return found


def test_one_pair_is_answered_by_the_formulas(simulated, lineage):
    table, norms = simulated({"teacher": 0.7, "student": 0.4}, n=100)
    row = detectable(join(table, norms), lineage).iloc[0]
    assert (row["claim"], row["relation"], row["n_pairs"], row["n_items"]) == (
        "collapse",
        "own teacher",
        1,
        100,
    )
    wide = np.log(table.pivot(index="item", columns="model", values="reasoning_tokens"))
    wide = wide.join(norms.set_index("item")["log_rt"]).corr()
    assert row["between"] == pytest.approx(wide.at["teacher", "student"])
    measured = pair_design(row["r_a"], row["r_b"], row["between"])
    assert row["half_width"] == pytest.approx(1.96 * np.sqrt(measured.variance / 99), rel=1e-4)
    seen = pair_design(*PAPER, measured.own * np.sqrt((1 - 0.64**2) * (1 - 0.34**2)) + 0.64 * 0.34)
    assert row["power_for_paper"] == pytest.approx(verdict_shares(seen, 100, SMALLEST).supported)
    assert np.isnan(row["alike_a"])


def test_the_smallest_drop_is_what_that_many_items_are_required_for(simulated, lineage):
    table, norms = simulated({"teacher": 0.7, "student": 0.4, "base": 0.5}, n=150)
    found = detectable(join(table, norms), lineage)
    assert found["claim"].tolist() == ["collapse", "transfer"]
    for row, side in zip(found.itertuples(), (1, -1), strict=True):
        rest = np.sqrt((1 - row.r_a**2) * (1 - row.r_b**2))
        own = (row.between - row.r_a * row.r_b) / rest
        above = row.r_b + side * row.smallest_drop
        between = above * row.r_b + own * np.sqrt((1 - above**2) * (1 - row.r_b**2))
        assert required_items(above, row.r_b, between) in (150, 151)


def test_more_items_and_more_power_move_it_as_they_should(simulated, lineage):
    joined = join(*simulated({"teacher": 0.7, "student": 0.4}, n=60))
    drops = [detectable(joined, lineage, n_items=n)["smallest_drop"].iloc[0] for n in (30, 60, 240)]
    assert drops == sorted(drops, reverse=True)
    assert drops[1] == pytest.approx(detectable(joined, lineage)["smallest_drop"].iloc[0])
    assert detectable(joined, lineage, power=0.95)["smallest_drop"].iloc[0] > drops[1]


def test_two_tasks_see_what_one_task_of_both_sizes_would(simulated, lineage):
    one = simulated({"teacher": 0.6, "student": 0.4}, n=100, seed=1)
    two = tuple(frame.assign(task="u") for frame in one)
    both = join(pd.concat([one[0], two[0]]), pd.concat([one[1], two[1]]))
    row = detectable(both, lineage).iloc[0]
    assert (row["n_tasks"], row["n_items"], row["n_pairs"]) == (2, 200, 1)
    single = detectable(join(*one), lineage, n_items=199).iloc[0]
    assert row["smallest_drop"] == pytest.approx(single["smallest_drop"], abs=1e-6)


def test_a_copy_of_a_student_adds_nothing(simulated, lineage):
    table, norms = simulated({"teacher": 0.7, "student": 0.4}, n=80)
    twin = lineage[lineage["model"] == "student"].assign(model="twin")
    both = pd.concat([table, table[table["model"] == "student"].assign(model="twin")])
    one = detectable(join(table, norms), lineage).iloc[0]
    two = detectable(join(both, norms), pd.concat([lineage, twin])).iloc[0]
    assert two["n_pairs"] == 2
    assert (two["alike_a"], two["alike_b"]) == pytest.approx((1, 1))
    assert two["smallest_drop"] == pytest.approx(one["smallest_drop"])


def test_a_ceiling_below_the_papers_r_is_said(simulated, lineage):
    joined = join(*simulated({"teacher": 0.5, "student": 0.4}, n=80))
    low = pd.DataFrame({"study": ["simulated"], "task": ["t"], "reliability": [0.36]})
    row = detectable(joined, lineage, low).iloc[0]
    assert np.isnan(row["power_for_paper"])
    assert "an r of 0.64 is beyond the ceiling of 0.60" in row["note"]
    assert row["smallest_drop"] > 0
    unknown = detectable(joined, lineage, low.assign(reliability=np.nan)).iloc[0]
    assert unknown["power_for_paper"] > 0


def test_studies_that_compare_nothing_give_an_empty_table(simulated, lineage):
    found = detectable(join(*simulated({"teacher": 0.7, "stranger": 0.2})), lineage)
    assert found.empty
    assert list(found.columns) == COLUMNS


@pytest.mark.parametrize(
    ("n", "reason"), [(2, "without a correlation"), (5, "never decides"), (19, "never decides")]
)
def test_few_items_are_flagged(simulated, lineage, n, reason):
    row = detectable(join(*simulated({"teacher": 0.7, "student": 0.4}, n=n)), lineage).iloc[0]
    assert reason in row["note"]
    assert np.isnan(row["smallest_drop"])
    assert not row["power_for_paper"] > 0


def test_several_small_tasks_together_see_nothing(simulated, lineage):
    parts = [simulated({"teacher": 0.7, "student": 0.4, "base": 0.5}, n=12, seed=k) for k in range(3)]
    named = [[frame.assign(task=f"t{k}") for frame in part] for k, part in enumerate(parts)]
    joined = join(*(pd.concat(both) for both in zip(*named, strict=True)))
    found = detectable(joined, lineage)
    assert found["claim"].tolist() == ["collapse", "transfer"]
    assert found["n_items"].tolist() == [36, 36]
    assert found["smallest_drop"].isna().all()
    assert not (found["power_for_paper"] > 0).any()
    said = "no task with 20 items, without which the rule never decides"
    assert found["note"].str.contains(said, regex=False).all()
    # the pooled comparison indeed decides nothing, and with 20 items in each task it could
    assert collapse(joined, lineage, n_boot=200).pooled["verdict"].tolist() == ["cannot tell"]
    larger = detectable(joined, lineage, n_items=20)
    assert larger["smallest_drop"].notna().all()
    assert not larger["note"].str.contains("never decides").any()


def test_a_small_task_is_left_out_beside_a_large_one_and_said(simulated, lineage):
    large = simulated({"teacher": 0.6, "student": 0.4}, n=60)
    small = [frame.assign(task="u") for frame in simulated({"teacher": 0.6, "student": 0.4}, n=12, seed=1)]
    both = join(*(pd.concat(frames) for frames in zip(large, small, strict=True)))
    reliability = pd.DataFrame({"study": "simulated", "task": ["t", "u"], "reliability": [0.81, 0.25]})
    row = detectable(both, lineage, reliability).iloc[0]
    assert "1 of 2 comparisons with fewer than 20 items left out" in row["note"]
    alone = detectable(join(*large), lineage, reliability).iloc[0]
    pd.testing.assert_series_equal(row.drop("note"), alone.drop("note"), check_names=False)


def test_a_constant_model_is_left_out_and_said(simulated, lineage):
    table, norms = simulated({"teacher": 0.7, "student": 0.4, "lone-teacher": 0.5})
    table.loc[table["model"] == "teacher", "reasoning_tokens"] = 7
    found = detectable(join(table, norms), lineage).set_index("relation")
    assert "1 of 1 comparisons without a correlation" in found.at["own teacher", "note"]
    assert found.at["own teacher", "n_pairs"] == 0
    assert found.at["all", "n_pairs"] == 1
    assert found.at["all", "smallest_drop"] == found.at["other teacher", "smallest_drop"]


def test_a_model_that_is_people_is_flagged_and_does_not_stop_the_rest(simulated, lineage):
    table, norms = simulated({"teacher": 0.7, "student": 0.4, "lone-teacher": 0.5}, n=40)
    people = np.exp(norms.set_index("item")["log_rt"]).reindex(table["item"]).to_numpy()
    table["reasoning_tokens"] = table["reasoning_tokens"].mask(table["model"] == "teacher", people)
    found = detectable(join(table, norms), lineage).set_index("relation")
    assert "follows people exactly" in found.at["own teacher", "note"]
    assert found.at["other teacher", "smallest_drop"] > 0


def test_values_out_of_range_are_named(simulated, lineage):
    joined = join(*simulated({"teacher": 0.7, "student": 0.4}))
    for wrong in ({"power": 80}, {"n_items": 1}):
        with pytest.raises(ValueError, match="power must lie between 0 and 1 and n_items be 2 or more"):
            detectable(joined, lineage, **wrong)


def test_a_comparison_is_that_of_the_pooled_table(recorded):
    for found, pooled in recorded.values():
        both = found.merge(pooled, on=["study", "claim", "relation"], suffixes=("", "_pooled"), how="outer")
        assert len(both) == len(found)
        for name in ("n_pairs", "n_items", "r_a", "r_b"):
            assert both[name].to_numpy() == pytest.approx(both[f"{name}_pooled"].to_numpy())


def test_the_formulas_half_width_is_near_that_of_the_bootstrap(recorded):
    ratios = {}
    for found, pooled in recorded.values():
        both = found.merge(pooled, on=["study", "claim", "relation"])
        half = (both["high"] - both["low"]) / 2
        ratios |= dict(
            zip(
                zip(both["study"], both["claim"], both["relation"], strict=True),
                both["half_width"] / half,
                strict=True,
            )
        )
    # Real data aren't normal, so the two need not agree closely; a wrong formula would be off by far.
    assert all(0.8 < ratio < 1.2 for ratio in ratios.values()), ratios


def test_the_table_can_be_written_as_json(recorded):
    for found, _ in recorded.values():
        assert json.loads(found.to_json(orient="records"))[0]["claim"] == "collapse"
