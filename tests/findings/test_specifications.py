import numpy as np
import pandas as pd
import pytest
from tests.findings.multiverse_studies import LINEAGE, study, tables

from handan.findings.collapse import collapse
from handan.findings.specifications import CHOICES, COLUMNS, members, specifications
from handan.findings.transfer import transfer
from handan.findings.verdict import CANNOT_TELL, verdict
from handan.lineage import pairs

REFERENCE = dict(cost="reasoning_tokens", scale="log", correlation="pearson", prompt="ignored", answers="all")
REFERENCE |= dict(truncated="kept", averaging="plain")


def found(inputs, claim="collapse"):
    table = specifications(inputs, LINEAGE, claim)
    return table, table[table["run"]]


def at(table, **levels):
    chosen = (table[list(levels)] == pd.Series(levels)).all(axis=1)
    assert chosen.sum() == 1
    return table[chosen].iloc[0]


@pytest.fixture(scope="module")
def full():
    inputs = study(n=60)
    return inputs, {claim: found(inputs, claim) for claim in ("collapse", "transfer")}


def test_every_combination_is_listed_once(full):
    for (table, _), relations in zip(full[1].values(), (2, 3), strict=True):
        assert list(table.columns) == COLUMNS
        assert len(table) == 3 * 2 * 2 * 2 * 2 * 3 * 2 * 2 * relations
        assert not table.duplicated([*CHOICES]).any()
        assert table["specification"].tolist() == list(range(1, len(table) + 1))


def test_a_study_that_records_everything_supports_every_choice(full):
    for table, run in full[1].values():
        assert run["n_items"].min() >= 20
        assert not run[["difference", "low", "high"]].isna().any(axis=None)
        assert (table.loc[~table["run"], "note"] != "").all()
        for choice in CHOICES:
            assert set(run[choice]) == set(table[choice])
        assert set(table.loc[~table["run"], "note"].str.replace(r"\d+$", "", regex=True)) == {
            "the same numbers as specification "
        }


def test_the_reference_is_what_the_findings_say(full):
    inputs, tables_of = full
    for claim, finding in (("collapse", collapse), ("transfer", transfer)):
        pooled = finding(inputs.joined, LINEAGE, n_boot=500).pooled.set_index("relation")["difference"]
        table = tables_of[claim][0]
        for relation, value in pooled.items():
            named = {"all": table["relation"].iloc[-1]}.get(relation, relation)
            if named in set(table["relation"]):
                row = at(table, relation=named, human="log", **REFERENCE)
                assert row["difference"] == pytest.approx(value)


def test_a_repeated_result_names_the_one_that_it_repeats(full):
    table, _ = full[1]["collapse"]
    same = table[table["note"].str.startswith("the same numbers as")]
    assert len(same)
    first = same["note"].str.extract(r"(\d+)$")[0].astype(int)
    original = table.set_index("specification").loc[first]
    assert original["run"].all()
    for column in ("difference", "low", "high", "n_items"):
        assert same[column].to_numpy() == pytest.approx(original[column].to_numpy())
    # Ranks do not see the scale of people, of whom there is one value per item.
    spearman = table[(table["correlation"] == "spearman") & (table["human"] == "as is")]
    assert not spearman["run"].any()
    # One teacher and the one student it is known to have taught: there is nothing to average.
    own = table[(table["relation"] == "own teacher") & (table["averaging"] == "fisher")]
    assert not own["run"].any()


def test_the_verdict_is_by_the_rule(full):
    for claim, sign in (("collapse", 1), ("transfer", -1)):
        run = full[1][claim][1]
        assert run["verdict"].tolist() == [verdict(row.low, row.high, sign) for row in run.itertuples()]


def test_too_few_items_are_not_run():
    table, run = found(study(n=15))
    assert run.empty
    assert set(table["note"]) == {"fewer than 20 items"}
    assert set(table["verdict"]) == {CANNOT_TELL}
    assert table["difference"].isna().all()


def test_right_answers_can_leave_too_few_items():
    costs, norms = tables(n=40)
    costs.loc[(costs["model"] == "student") & (costs["item"] > "i2"), "correct"] = 0
    table, run = found(study(costs, norms))
    own = table[(table["answers"] != "all") & (table["relation"] == "own teacher")]
    assert set(own["note"]) == {"fewer than 20 items"}
    every = run[(run["answers"] != "all") & (run["relation"] == "every teacher")]
    assert set(every["note"]) == {"1 of 2 pairs left out: fewer than 20 items or no correlation"}
    assert set(every["n_pairs"]) == {1}


def test_a_minimal_table_lists_what_it_lacks():
    costs, norms = tables(n=30, timed=False)
    table, run = found(study(costs[["study", "model", "task", "item", "sample", "reasoning_tokens"]], norms))
    assert set(run["cost"]) == {"reasoning_tokens"}
    reasons = table.loc[~table["run"]].groupby("note").size()
    for reason in ("no output_tokens recorded", "no n_chars recorded", "the norms are not times"):
        assert reason in reasons
    assert "no record of right and wrong answers" in reasons
    assert "no record of prompt lengths" in reasons
    assert "no record of how traces ended" in reasons


def test_a_column_of_ones_own_is_a_level_too():
    costs, norms = tables(n=30)
    inputs = study(costs.assign(seconds=costs["reasoning_tokens"] / 30), norms, cost="seconds")
    table, run = found(inputs)
    assert set(run["cost"]) == {"reasoning_tokens", "output_tokens", "n_chars"}
    seconds = table[table["cost"] == "seconds"]
    # Tokens in other units.
    assert set(seconds["note"].str.replace(r"\d+$", "", regex=True)) == {"the same numbers as specification "}


def test_constant_costs_have_no_correlation():
    costs, norms = tables(n=30)
    costs.loc[costs["model"] == "teacher", ["reasoning_tokens", "output_tokens", "n_chars"]] = 7
    table, run = found(study(costs, norms))
    assert run.empty
    assert set(table["note"]) == {"no correlation is defined"}


def test_two_studies_in_one_table_stay_apart():
    one, norms = tables(n=30)
    other = one.assign(study="another").query("model != 'teacher'")
    table, run = found(study(pd.concat([one, other], ignore_index=True), norms))
    assert set(run["study"]) == {"made-up"}
    assert set(table.loc[table["study"] == "another", "note"]) == {"no such pair of models"}
    alone, _ = found(study(one, norms))
    both = table[table["study"] == "made-up"].reset_index(drop=True)
    pd.testing.assert_frame_equal(both, alone)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rows", [1, 2, 3, 5])
def test_hardly_any_items_do_no_harm(rows):
    costs, norms = tables(n=30)
    few = [f"i{k}" for k in range(rows)]
    table, run = found(study(costs[costs["item"].isin(few)], norms))
    assert run.empty
    assert (table["note"] != "").all()


def test_models_that_the_lineage_does_not_name_take_no_part():
    costs, norms = tables(n=30, samples=1)
    stranger = costs[costs["model"] == "teacher"].assign(model="stranger")
    with_it, _ = found(study(pd.concat([costs, stranger], ignore_index=True), norms))
    pd.testing.assert_frame_equal(with_it, found(study(costs, norms))[0])


def test_an_unknown_claim_is_refused():
    with pytest.raises(LookupError, match="collapse, transfer"):
        specifications(study(n=20), LINEAGE, "inflation")


def test_relations_always_have_their_levels():
    compared = pairs(LINEAGE, LINEAGE["model"], "transfer")
    groups = members(compared, "transfer")
    assert {name: len(chosen) for name, chosen in groups.items()} == {
        "true base": 1, "instruct sibling": 2, "every baseline": 3,
    }  # fmt: skip
    none = members(compared.iloc[:0], "collapse")
    assert {name: len(chosen) for name, chosen in none.items()} == {"own teacher": 0, "every teacher": 0}
    assert np.array_equal(groups["every baseline"], np.arange(3))
