import pandas as pd
import pytest
from tests.organism.tiny import TINY

from handan.lineage import checked, pairs
from handan.organism.conditions import BY_NAME, CONDITIONS, CORE, lineage, model_name, named, with_ancestors
from handan.organism.grammar import REPERTOIRES
from handan.organism.network import fresh
from handan.organism.recipe import FULL, QUICK

EVERY = [
    f"{condition}-{repertoire}-s{seed}"
    for condition in BY_NAME
    for repertoire in REPERTOIRES
    for seed in (0, 11)
]


def test_names_are_unique_and_can_be_taken_apart():
    assert len(set(EVERY)) == len(CONDITIONS) * 4
    assert [f"{name}-{repertoire}-s{seed}" for name, repertoire, seed in map(named, EVERY)] == EVERY
    assert named(model_name("student-hard", TINY)) == ("student-hard", TINY.repertoire, TINY.seed)


@pytest.mark.parametrize(
    "name", ["", "teacher", "teacher-carry", "teacher-carry-s", "nobody-carry-s0", "teacher-loose-s0",
             "teacher-carry-s0x", "teacher-carry-s-1", "DeepSeek-R1", "teacher-carry-s0@seed=1"],
)  # fmt: skip
def test_other_names_are_none_of_ours(name):
    assert named(name) is None
    with pytest.raises(LookupError, match="no name of a tiny model"):
        lineage([name])


@pytest.mark.parametrize("name", BY_NAME)
def test_ancestors_come_first_and_nobody_else_comes(name):
    line = with_ancestors((name,))
    names = [one.name for one in line]
    assert names[-1] == name
    assert len(set(names)) == len(names)
    for place, one in enumerate(line):
        assert {one.parent, one.teacher} - {None} <= set(names[:place])
    wanted = {link for one in line for link in (one.parent, one.teacher)} - {None} | {name}
    assert set(names) == wanted


def test_the_order_is_that_of_the_design_whatever_is_asked():
    assert with_ancestors(tuple(reversed(BY_NAME))) == list(CONDITIONS)
    assert with_ancestors(("student-matched", "student-hard")) == [BY_NAME[name] for name in CORE]


def test_an_unknown_condition_is_named():
    with pytest.raises(LookupError, match="'student-best'; there are: base, teacher"):
        with_ancestors(("base", "student-best"))


def test_each_condition_changes_what_it_says():
    matched = BY_NAME["student-matched"]
    changed = {
        one.name: {field for field in vars(one) if getattr(one, field) != getattr(matched, field)}
        - {"name", "says"}
        for one in CONDITIONS
        if one.step == "distilled"
    }
    assert changed == {
        "student-matched": set(),
        "student-hard": {"hard"},
        "student-onetask": {"tasks"},
        "student-few": {"traces"},
        "student-many": {"traces"},
        "student-shuffled": {"shuffled"},
        "student-half": {"is_half", "parent", "base"},
    }
    assert BY_NAME["student-onetask"].tasks == ("binary-addition",)


@pytest.mark.parametrize("recipe", [FULL, QUICK])
def test_recipes_are_what_the_conditions_say(recipe, tokenizer):
    assert recipe.few * 10 == recipe.traces == recipe.many / 4
    half, whole = (fresh(size, tokenizer, 0).num_parameters() for size in (recipe.half, recipe.size))
    assert half / whole == pytest.approx(0.5, abs=0.1)


def test_the_lineage_of_all_models_is_consistent():
    table = checked(lineage(EVERY))
    assert table["model"].tolist() == EVERY
    kin = table.set_index("model")
    assert set(kin["role"]) == {"baseline", "teacher", "student", "reinforced-student"}
    for model, row in kin.iterrows():
        condition, repertoire, seed = named(model)
        own = BY_NAME[condition]
        assert (row["condition"], row["repertoire"], row["seed"]) == (condition, repertoire, seed)
        for link in ("teacher", "base"):
            relative = getattr(own, link)
            expected = f"{relative}-{repertoire}-s{seed}" if relative else None
            assert (None if pd.isna(row[link]) else row[link]) == expected
    assert kin["base"].notna().sum() == len(EVERY) - 2 * 4


def test_a_student_is_paired_with_its_own_teacher_and_base_alone():
    table = lineage(EVERY)
    taught = pairs(table, EVERY, "collapse")
    own = taught[taught["relation"] == "own teacher"]
    assert len(own) == 7 * 4
    assert all(named(row.a) == ("teacher", *named(row.b)[1:]) for row in own.itertuples())
    moved = pairs(table, EVERY, "transfer")
    assert set(moved["relation"]) == {"true base"}
    expected = {"student-half": "base-half"}
    for row in moved.itertuples():
        assert named(row.b) == (expected.get(named(row.a)[0], "base"), *named(row.a)[1:])


def test_relatives_that_were_not_measured_are_left_out():
    table = checked(lineage(["teacher-carry-s0", "student-hard-carry-s0", "student-hard-carry-s1"]))
    assert table["teacher"].isna().tolist() == [True, False, True]
    assert table["base"].isna().all()
