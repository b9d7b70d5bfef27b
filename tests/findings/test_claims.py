"""The verdicts on studies in which the truth is known, and the bookkeeping around them."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.findings.simulated import Truth, inputs_of, lineage_of, tables

from handan.battery import Sizes, battery
from handan.claimed import FINDINGS
from handan.findings.claims import COLUMNS, MORE, as_json, claims, tally
from handan.findings.constancy import law
from handan.findings.join import join
from handan.findings.ledger import RULES, ledger
from handan.inputs import Inputs
from handan.tables import check_costs, check_norms

SIZES = Sizes(n_boot=1_000, n_pooled=4_000, n_perm=100)


def judged(truth, seed=0):
    found = battery(
        [inputs_of(truth, seed)], lineage_of(truth.n_families), sizes=SIZES, only=FINDINGS, jobs=1
    )
    return claims(found.tables, found.facts, n_boot=SIZES.n_boot)


def verdicts(truth, seed=0):
    return judged(truth, seed).rows.set_index("claim")["verdict"].to_dict()


@pytest.fixture(scope="module")
def collapsed():
    return judged(Truth(n_items=1_000))


def test_a_true_collapse_is_supported(collapsed):
    found = collapsed.rows.set_index("claim")["verdict"]
    assert found["collapse"] == found["collapse-groups"] == "supported"
    assert found["teachers-align"] == found["students-align"] == "supported"
    assert found["negative-transfer"] == "not supported"


def test_no_collapse_is_not_supported():
    found = verdicts(Truth(student=0.64, n_items=2_000))
    assert found["collapse"] == "not supported"
    assert found["students-align"] == "not supported"


def test_a_true_negative_transfer_is_supported():
    found = verdicts(Truth(base=0.64, n_items=1_000))
    assert found["negative-transfer"] == "supported"


def test_too_few_items_cannot_tell_whatever_the_truth():
    found = verdicts(Truth(n_items=15))
    assert set(found.values()) == {"cannot tell"}


def test_a_constant_multiplier_and_a_growing_one_are_told_apart():
    constant = verdicts(Truth(student=0.6, base=0.6, teacher=0.6, n_items=4_000))
    growing = verdicts(Truth(student=0.6, base=0.6, teacher=0.6, growth=1.3, n_items=4_000))
    assert (constant["inflation-size"], constant["inflation-law"]) == ("supported", "supported")
    assert growing["inflation-law"] == "not supported"
    assert verdicts(Truth(multiplier=1.2, n_items=500))["inflation-size"] == "not supported"


def test_without_an_effect_support_is_as_rare_as_the_intervals_promise():
    null = Truth(teacher=0.5, student=0.5, base=0.5, n_items=60)
    studies = [inputs_of(null, seed) for seed in range(200)]
    few = Sizes(n_boot=100, n_pooled=1_000)
    found = battery(studies, lineage_of(), sizes=few, only=["collapse"], jobs=1).tables["collapse"]
    # 2.5 % are expected; the item bootstrap is a little too eager with so few items.
    assert (found["verdict"] == "supported").mean() <= 0.06


def test_every_row_says_where_it_comes_from(collapsed):
    rows = collapsed.rows
    assert list(rows.columns) == [*COLUMNS, *MORE]
    assert not rows.duplicated(["claim", "study"]).any()
    assert (rows["low"] <= rows["ours"]).all()
    assert (rows["ours"] <= rows["high"]).all()
    for row in rows.itertuples():
        assert row.verdict in row.sentence
        assert row.study in row.sentence
        assert "1,000 items" in row.sentence


def test_a_study_speaks_to_a_claim_or_is_silent_with_a_reason(collapsed):
    spoken = set(collapsed.rows["claim"])
    silent = set(collapsed.silent["claim"])
    assert spoken | silent == {entry.name for entry in ledger()}
    assert not spoken & silent
    assert collapsed.silent["reason"].str.startswith("it needs ").all()


def test_the_tally_counts_every_verdict(collapsed):
    counts = tally(collapsed.rows)
    assert counts["studies"].sum() == len(collapsed.rows)
    each = counts[["supported", "not supported", "cannot tell"]].sum(axis=1)
    assert (each == counts["studies"]).all()


def test_json_holds_everything_and_nothing_that_json_cannot_hold(collapsed):
    told = json.loads(json.dumps(as_json(collapsed), allow_nan=False))
    assert [row["claim"] for row in told["claims"]] == collapsed.rows["claim"].tolist()
    assert told["claims"][0]["ceiling"] is None
    assert len(told["silent"]) == len(collapsed.silent)


def test_two_rows_for_one_claim_are_an_error_and_not_a_choice():
    facts = pd.DataFrame([dict(study="x", measure="m", ceiling=np.nan, families=False, timed=True)])
    twice = pd.DataFrame(dict(study="x", group="teacher", mean_r=[0.6, 0.7], low=0.5, high=0.8, n_items=50))
    with pytest.raises(ValueError, match="2 rows of means answer to claim teachers-align in x"):
        claims({"means": twice}, facts)


def test_the_ledger_is_complete_and_holds_no_result():
    entries = ledger()
    assert len({entry.name for entry in entries}) == len(entries)
    for entry in entries:
        assert entry.rule in RULES
        assert entry.certainty in ("verified", "third party", "inferred")
        assert entry.said.endswith(".")
        assert isinstance(entry.paper, float) or entry.paper in ("below 0", "above 0")
        assert (entry.rule in ("near", "factor", "constant")) <= isinstance(entry.paper, float)


def test_what_was_not_timed_does_not_speak_to_a_mean_r():
    one = inputs_of(Truth(n_items=60))
    norms = one.norms.assign(difficulty=one.norms["log_rt"]).drop(columns="log_rt")
    graded = replace(one, norms=check_norms(norms), joined=join(one.costs, norms), measure="steps")
    found = battery([graded], lineage_of(), sizes=SIZES, only=["alignment", "collapse"], jobs=1)
    told = claims(found.tables, found.facts)
    assert "teachers-align" not in set(told.rows["claim"])
    reasons = told.silent.set_index("claim")["reason"]
    assert reasons["teachers-align"] == "nobody was timed: its measure is steps"
    assert "collapse" in set(told.rows["claim"])


def test_a_sentence_tells_the_items_of_its_own_row():
    one = inputs_of(Truth(n_items=200))
    few = (one.costs["model"] == "teacher-0") & (one.costs["item"] > "i00005")
    costs = one.costs[~few]
    partly = replace(one, costs=costs, joined=join(costs, one.norms))
    found = battery([partly], lineage_of(), sizes=SIZES, only=["alignment"], jobs=1)
    row = claims(found.tables, found.facts).rows.set_index("claim").loc["teachers-align"]
    assert (row["n_items"], row["verdict"]) == (6, "cannot tell")
    assert "6 items" in row["sentence"]


def test_many_small_tasks_are_not_one_large_one():
    parts = [tables(Truth(n_items=8), seed, task=f"task{seed}") for seed in range(6)]
    costs, norms = (pd.concat(both, ignore_index=True) for both in zip(*parts, strict=True))
    one = Inputs(join(costs, norms), None, check_costs(costs), check_norms(norms))
    steps = ["collapse", "inflation", "alignment", "effort", "geometry"]
    found = battery([one], lineage_of(), sizes=SIZES, only=steps, jobs=1)
    rows = claims(found.tables, found.facts).rows
    assert {"form", "allocation"} < set(rows["claim"])
    assert set(rows["verdict"]) == {"cannot tell"}


def test_a_noisy_norm_does_not_make_a_law_look_good():
    assert law(0.97, 1.08, 400)["verdict"] == "supported"
    noisy = law(0.97, 1.08, 400, ceiling=0.3)
    assert noisy["verdict"] == "cannot tell"
    assert "errors of the norm" in noisy["ending"]
    assert law(1.02, 1.2, 400, ceiling=0.3)["verdict"] == "not supported"


def of_means(n_items=500, **facts):
    """A study whose teachers have a mean r of 0.42, judged under these facts."""
    told = dict(study="x", measure="m", families=False, timed=True, ceiling=np.nan) | facts
    means = pd.DataFrame(
        dict(study="x", group="teacher", mean_r=[0.42], low=0.40, high=0.44, n_items=n_items)
    )
    rows = claims({"means": means}, pd.DataFrame([told])).rows
    return rows.set_index("claim").loc["teachers-align"]


def test_a_verdict_that_hangs_on_the_norms_own_reliability_is_on_the_edge():
    sure = of_means(ceiling=0.9, ceiling_low=0.85)
    assert (sure["verdict"], sure["on_edge"]) == ("not supported", False)
    hanging = of_means(ceiling=0.9, ceiling_low=0.6)
    assert (hanging["verdict"], hanging["on_edge"]) == ("not supported", True)
    assert "a noise ceiling elsewhere in its interval could change this" in hanging["sentence"]
    upper = of_means(ceiling=0.6, ceiling_low=0.5, ceiling_high=0.9)
    assert (upper["verdict"], upper["on_edge"]) == ("cannot tell", True)
    assert of_means(ceiling=0.9, ceiling_low=0.0)["on_edge"]
    assert not of_means(ceiling=0.9, ceiling_low=np.nan)["on_edge"]
    assert not of_means(ceiling=0.9)["on_edge"]


def test_a_line_through_points_is_not_said_to_have_items():
    facts = pd.DataFrame([dict(study="x", measure="m", ceiling=np.nan, families=False, timed=False)])
    for n, said in ((1, "(m, 1 point)"), (3, "(m, 3 points)")):
        line = pd.DataFrame(
            dict(study="x", index="IEI", relation="true base", n_items=[n])
            | dict(through_origin=2.0, through_origin_low=1.5, through_origin_high=2.5)
        )
        assert said in claims({"efficiency_law": line}, facts).rows["sentence"].iloc[0]


def test_families_are_not_said_to_lack_what_they_are_not_judged_by():
    facts = pd.DataFrame([dict(study="x", measure="m", ceiling=np.nan, families=True, timed=True)])
    silent = claims({}, facts).silent.set_index("claim")["reason"]
    assert "not among those that families of tiny models are judged by" in silent["allocation"]
    assert silent["collapse"] == "it needs a student beside its own teacher"
