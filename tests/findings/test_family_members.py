import pandas as pd
import pytest
from tests.findings.organism import lineage

from handan.findings.family_members import claim, comparisons, members
from handan.tables import TableError


def test_every_comparison_is_within_a_family():
    found = comparisons(members(lineage(("equal", "carry"), range(3))))
    assert found["comparison"].value_counts().to_dict() == {
        "collapse": 24, "transfer": 24, "advantage": 12, "size": 6, "return": 6,
    }  # fmt: skip
    for side in ("a", "b"):
        ends = "-" + found["repertoire"] + "-s" + found["seed"].astype(str)
        assert all(name.endswith(end) for name, end in zip(found[side], ends, strict=True))
    assert not found.duplicated(["comparison", "condition", "repertoire", "seed"]).any()


def test_a_pair_needs_both_of_its_models():
    family = members(lineage(seeds=[0])).drop("teacher-carry-s0")
    found = comparisons(family)
    assert "teacher-carry-s0" not in set(found["a"]) | set(found["b"])
    assert set(found["comparison"]) == {"transfer", "advantage", "size", "return"}


def test_seeds_are_whole_numbers_whatever_they_came_as():
    table = lineage(seeds=range(2))
    for kind in (str, float, "string"):
        assert members(table.astype({"seed": kind}))["seed"].tolist() == table["seed"].tolist()


def test_models_without_a_condition_are_no_members():
    table = pd.concat([lineage(seeds=[0]), pd.DataFrame(dict(model=["large"], role="teacher"))])
    assert "large" not in members(table).index
    with pytest.raises(LookupError, match="there is no family"):
        members(table[table["model"] == "large"])


def broken(**changes):
    table = lineage(seeds=range(2)).astype({"seed": object})
    place = table.index[table["model"] == "student-hard-carry-s1"][0]
    for column, value in changes.items():
        table.loc[place, column] = value
    return table


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (broken(seed="one"), "'seed': is no whole number"),
        (broken(seed=0.5), "is no whole number"),
        (broken(repertoire=None), "name the repertoire"),
        (broken(condition="student-matched"), "repeats student-matched, carry, seed 1"),
        (broken(teacher="teacher-carry-s0"), "'teacher-carry-s0' is of another family"),
        (broken(base="base-carry-s0"), "'base-carry-s0' is of another family"),
    ],
)
def test_what_breaks_a_family_is_named(table, words):
    with pytest.raises(TableError) as caught:
        members(table)
    assert words in str(caught.value)
    assert "student-hard-carry-s1" in str(caught.value)


def test_a_lineage_without_the_columns_is_refused():
    with pytest.raises(LookupError, match="no column repertoire, seed"):
        members(lineage().drop(columns=["repertoire", "seed"]))


def test_a_claim_says_what_it_holds_for_and_keeps_its_rule():
    found = claim("transfer", "student-hard", "equal")
    assert found.sign == -1
    assert found.stated.startswith(
        "the claim of negative transfer, for student-hard with the repertoire equal"
    )
