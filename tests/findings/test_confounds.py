import numpy as np
import pandas as pd
import pytest
from tests.findings.multiverse_studies import LINEAGE, study, tables

from handan.findings.alignment import align
from handan.findings.confounds import COLUMNS, DEPARTURES, changed, confounds
from handan.findings.transfer import transfer
from handan.inputs import recorded
from handan.lineage import NOT_PLACED, load_lineage


@pytest.fixture(scope="module")
def made_up():
    costs, norms = tables(n=60)
    inputs = study(costs.assign(loop=costs["sample"] == 1), norms)
    return inputs, confounds(inputs, LINEAGE)


def rows(table, claim, relation):
    return table[(table["claim"] == claim) & (table["relation"] == relation)].set_index("level")


def test_every_relation_has_its_reference_and_all_departures(made_up):
    _, table = made_up
    assert list(table.columns) == COLUMNS
    for (_, relation), part in table.groupby(["claim", "relation"], sort=False):
        assert part["choice"].iloc[0] == "reference"
        # Reasoning tokens are the reference here, and no departure from it.
        assert len(part) == len(DEPARTURES)
        assert set(part["level"]) == {level for _, level, _ in DEPARTURES} - {"reasoning tokens"} | {
            "as in the chapters"
        }
        assert relation != "every teacher" or part["n_pairs"].max() == 2


def test_the_reference_is_that_of_the_chapters(made_up):
    inputs, table = made_up
    pooled = transfer(inputs.joined, LINEAGE, n_boot=200).pooled.set_index("relation")["difference"]
    for relation, named in {"true base": "true base", "all": "every baseline"}.items():
        row = rows(table, "transfer", named).loc["as in the chapters"]
        assert row["difference"] == pytest.approx(pooled[relation])
        assert np.isnan(row["delta_from_reference"])
    aligned = align(inputs.joined, n_boot=100).set_index("model")
    teacher = rows(table, "alignment", "teacher")
    assert teacher.at["as in the chapters", "difference"] == pytest.approx(aligned.at["teacher", "r"])
    assert teacher.at["Spearman", "difference"] == pytest.approx(aligned.at["teacher", "spearman"])
    assert teacher.at["held constant (partial r)", "difference"] == pytest.approx(
        aligned.at["teacher", "partial_r"]
    )


def test_a_change_is_the_difference_of_two_results_with_an_interval_of_its_own(made_up):
    _, table = made_up
    part = rows(table, "collapse", "own teacher")
    moved = part["difference"] - part.at["as in the chapters", "difference"]
    rest = part.index != "as in the chapters"
    assert part.loc[rest, "delta_from_reference"].to_numpy() == pytest.approx(moved[rest].to_numpy())
    width = part["delta_high"] - part["delta_low"]
    own = part["high"] - part["low"]
    # Both results come from the same items: the change is known better than they are.
    assert width["characters in place of tokens"] < 0.5 * own["characters in place of tokens"]


def test_loops_and_cut_traces_can_be_left_out(made_up):
    inputs, table = made_up
    part = rows(table, "collapse", "own teacher")
    once = inputs.costs[inputs.costs["sample"] == 0]
    alone = rows(confounds(study(once, inputs.norms), LINEAGE), "collapse", "own teacher")
    assert part.at["traces that end in a loop left out", "difference"] == pytest.approx(
        alone.at["as in the chapters", "difference"]
    )
    items = part["n_items"]
    assert (
        items["items with a cut trace left out"] < items["cut traces left out"] <= items["as in the chapters"]
    )


def test_what_is_missing_is_said():
    costs, norms = tables(n=30, timed=False)
    bare = costs[["study", "model", "task", "item", "sample", "reasoning_tokens"]]
    part = rows(confounds(study(bare, norms), LINEAGE), "collapse", "own teacher")
    assert part.at["characters in place of tokens", "note"] == "no n_chars recorded"
    assert part.at["seconds, not their log", "note"] if "seconds, not their log" in part.index else True
    assert part.at["traces that end in a loop left out", "note"] == "no record of loops"
    assert part.at["within thirds of the length", "note"] == "no record of prompt lengths"
    assert part.at["Spearman", "note"] == ""
    one = rows(confounds(study(costs, norms), LINEAGE), "alignment", "teacher")
    assert one.at["items that both got right", "note"] == "one model at a time"


def test_few_items_are_flagged_and_kept():
    part = rows(confounds(study(n=12), LINEAGE), "collapse", "own teacher")
    row = part.loc["as in the chapters"]
    assert (row["n_items"], row["note"]) == (12, "fewer than 20 items")
    assert np.isfinite(row["difference"])


def test_a_model_without_a_correlation_is_counted():
    costs, norms = tables(n=30)
    costs.loc[costs["model"] == "second", "reasoning_tokens"] = 9
    part = rows(confounds(study(costs, norms), LINEAGE), "collapse", "every teacher")
    assert part.at["as in the chapters", "note"].startswith("1 left out: no correlation")
    assert part.at["as in the chapters", "n_pairs"] == 1


def test_models_without_a_place_in_the_lineage_are_aligned_all_the_same():
    costs, norms = tables({"stranger": 0.5}, n=30)
    table = confounds(study(costs, norms), LINEAGE)
    assert set(table["claim"]) == {"alignment"}
    assert set(table["relation"]) == {NOT_PLACED}


def test_prompt_length_that_makes_all_of_r_is_found_out():
    costs, norms = tables(n=200, samples=1)
    rng = np.random.default_rng(0)
    by_item = norms.assign(length=np.round(np.exp(4 + norms["log_rt"]))).set_index("item")["length"]
    costs["prompt_tokens"] = costs["item"].map(by_item)
    teacher = costs["model"] == "teacher"
    costs.loc[teacher, "reasoning_tokens"] = np.exp(
        0.9 * np.log(costs.loc[teacher, "prompt_tokens"]) + 0.3 * rng.normal(size=teacher.sum())
    )
    by_item = by_item * np.exp(0.3 * rng.normal(size=200))
    costs["prompt_tokens"] = np.round(costs["item"].map(by_item))
    table = confounds(study(costs, norms), LINEAGE)
    held = rows(table, "alignment", "teacher").loc["held constant (partial r)"]
    assert held["delta_high"] < 0
    assert len(changed(table)) < len(table)
    assert changed(table)["delta_from_reference"].abs().is_monotonic_decreasing


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["pnas-r1", "mip-math"])
def test_recorded_studies(name):
    table = confounds(recorded([name], "reasoning_tokens")[0], load_lineage())
    known = table[table["difference"].notna()]
    assert len(known) >= 5
    assert (known["low"] <= known["difference"]).all()
    assert (table.loc[table["difference"].isna(), "note"] != "").all()
    assert pd.notna(known["n_items"]).all()
