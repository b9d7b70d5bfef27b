"""The packaged lineage, its links, and the pairs of models that are drawn from it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.lineage import (
    NOT_PLACED,
    OTHER_SETTINGS,
    UnknownModelError,
    checked,
    extended,
    find,
    load_lineage,
    pairs,
    paper_design,
    roles_of,
)
from handan.tables import TableError, packaged

LINEAGE = load_lineage()
ROLE = LINEAGE.set_index("model")["role"]
MODELS = list(LINEAGE["model"])
NOTES = tomllib.loads(packaged("lineage-notes.toml").read_text(encoding="utf-8"))

subsets = st.lists(st.sampled_from(MODELS), unique=True)
kinds = st.sampled_from(["collapse", "transfer"])
property_of = settings(max_examples=40, deadline=None)


def rows(**columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(columns)


def as_set(found: pd.DataFrame) -> set[tuple[str, str, str]]:
    return set(found.itertuples(index=False, name=None))


# The packaged table and its evidence


def test_every_row_says_what_it_rests_on() -> None:
    assert LINEAGE["evidence"].str.match(r"(verified|inferred): \S").all()
    assert LINEAGE[["source", "label", "family"]].notna().all(axis=None)
    assert LINEAGE["label"].is_unique
    assert set(LINEAGE["paper"]) <= {"yes", "inferred", "no"}


def test_the_notes_explain_every_column() -> None:
    assert set(NOTES["columns"]) == set(LINEAGE.columns)


def test_a_revision_is_a_full_commit_and_has_a_place_where_it_was_found() -> None:
    known = LINEAGE.dropna(subset="revision")
    assert known["revision"].str.fullmatch(r"[0-9a-f]{40}").all()
    assert known["revision"].is_unique
    found = {entry["model"]: entry["named_in"] for entry in NOTES["revision"]}
    assert set(found) == set(known["model"])
    assert all(places for places in found.values())


def test_a_missing_revision_is_declared_with_its_reason() -> None:
    missing = set(LINEAGE.loc[LINEAGE["revision"].isna(), "model"])
    assert {entry["model"] for entry in NOTES["not_known"]} == missing
    assert all(entry["reason"] for entry in NOTES["not_known"])


def test_ids_and_sizes_belong_to_the_models() -> None:
    published = LINEAGE.dropna(subset="hf_id")
    assert list(published["hf_id"].str.split("/").str[-1]) == list(published["model"])
    assert published["params"].notna().all()
    for row in published.itertuples():
        size = re.search(r"-(\d+(?:\.\d+)?)B(?:-|$)", row.model)
        if size:
            # Names count without the embeddings, which weigh most in the smallest models.
            assert row.params / 1e9 == pytest.approx(float(size.group(1)), rel=0.2)


def test_roles_follow_from_the_training() -> None:
    assert LINEAGE.loc[LINEAGE["role"].isin(["student"]), "teacher"].notna().all()
    assert LINEAGE.loc[LINEAGE["role"].isin(["teacher", "baseline"]), "teacher"].isna().all()
    teachers = ROLE[LINEAGE["teacher"].dropna().unique()]
    assert (teachers == "teacher").all()
    for link in ("base", "sibling"):
        of_students = LINEAGE.loc[LINEAGE["role"] == "student", link].dropna()
        assert (ROLE[of_students.unique()] == "baseline").all()


def test_both_think_tags_or_none() -> None:
    assert (LINEAGE["think_open"].isna() == LINEAGE["think_close"].isna()).all()


def test_every_model_of_the_packaged_studies_has_a_row() -> None:
    files = [
        path
        for path in packaged("costs/sources.toml").parent.glob("*.csv")
        if not path.stem.endswith("-norms") and path.stem != "reliability"
    ]
    assert len(files) >= 5
    for path in files:
        models = pd.read_csv(path, usecols=["model"])["model"].unique()
        # NAME@VARIANT is a run that takes no part in comparisons of the family.
        assert [name for name in models if "@" not in name and name not in MODELS] == []


@pytest.mark.shared
@pytest.mark.parametrize(
    "file",
    [
        "mip-overthinking/items.csv",
        "pm-llm-benchmark/items.csv",
        "reasoning-uncertainty-gpqa/gpqa_items.csv",
        "reasoning-uncertainty-gpqa/other_items.csv",
        "thinking-llms-interp/items.csv",
    ],
)
def test_every_model_of_the_raw_studies_has_a_row(file: str, raw: Path) -> None:
    recorded = pd.read_csv(raw / "costs" / file, usecols=["model"])["model"].drop_duplicates()
    names = recorded.str.split(" (", regex=False).str[0].str.split("/").str[-1]
    assert sorted(set(names) - set(MODELS)) == []


# The paper's design


def test_the_papers_design_is_fourteen_inferred_models() -> None:
    design = paper_design()
    assert len(design) == 14
    assert design["paper_role"].value_counts().to_dict() == {
        "distilled student": 6,
        "pre-distillation counterpart": 6,
        "teacher": 1,
        "standard RLHF model": 1,
    }
    assert set(design["certainty"]) == {"inferred"}


def test_the_design_shows_where_counterpart_and_starting_point_differ() -> None:
    students = paper_design().query("paper_role == 'distilled student'").set_index("model")
    same = students["counterpart"] == students["starting_point"]
    assert list(students.index[same]) == ["DeepSeek-R1-Distill-Llama-70B"]
    assert set(students["counterpart"]) <= set(paper_design()["model"])
    assert (LINEAGE.set_index("model").loc[students["starting_point"], "role"] == "baseline").all()


# Pairs


def test_the_papers_models_give_six_collapses_and_six_transfers() -> None:
    design = paper_design()["model"]
    collapse = pairs(LINEAGE, design, "collapse")
    assert set(collapse["a"]) == {"DeepSeek-R1"}
    assert list(collapse["relation"]) == ["own teacher"] * 6
    transfer = pairs(LINEAGE, design, "transfer").set_index("a")["relation"]
    assert len(transfer) == 6
    assert transfer.pop("DeepSeek-R1-Distill-Llama-70B") == "true base"
    assert set(transfer) == {"instruct sibling"}


def test_a_student_of_somebody_else_is_the_other_teachers_pair() -> None:
    found = pairs(LINEAGE, ["QwQ-32B", "DeepSeek-R1", "s1.1-32B"], "collapse")
    assert as_set(found) == {
        ("QwQ-32B", "s1.1-32B", "other teacher"),
        ("DeepSeek-R1", "s1.1-32B", "own teacher"),
    }


def test_true_base_and_sibling_are_both_given_when_both_were_measured() -> None:
    student = "DeepSeek-R1-Distill-Qwen-7B"
    found = pairs(LINEAGE, [student, "Qwen2.5-7B-Instruct", "Qwen2.5-Math-7B"], "transfer")
    assert as_set(found) == {
        (student, "Qwen2.5-Math-7B", "true base"),
        (student, "Qwen2.5-7B-Instruct", "instruct sibling"),
    }


def test_a_student_without_a_named_teacher_says_so() -> None:
    own = rows(model=["T", "S"], role=["teacher", "student"])
    assert as_set(pairs(own, ["T", "S"], "collapse")) == {("T", "S", "teacher not known")}


@pytest.mark.parametrize("kind", ["collapse", "transfer"])
def test_no_complete_pair_gives_an_empty_table_with_its_columns(kind: str) -> None:
    found = pairs(LINEAGE, ["Skywork-OR1-32B", "DeepSeek-V3"], kind)
    assert found.empty
    assert list(found.columns) == ["a", "b", "relation"]


@property_of
@given(subsets, kinds)
def test_pairs_stay_within_the_measured_models_and_their_roles(models: list[str], kind: str) -> None:
    found = pairs(LINEAGE, models, kind)
    assert set(found["a"]) | set(found["b"]) <= set(models)
    assert not found.duplicated(["a", "b"]).any()
    first, second = ("teacher", "student") if kind == "collapse" else ("student", "baseline")
    assert (ROLE[found["a"]] == first).all()
    assert (ROLE[found["b"]] == second).all()


@property_of
@given(subsets)
def test_collapse_is_every_teacher_with_every_student(models: list[str]) -> None:
    counts = ROLE[models].value_counts()
    expected = counts.get("teacher", 0) * counts.get("student", 0)
    assert len(pairs(LINEAGE, models, "collapse")) == expected


@property_of
@given(subsets, kinds, st.randoms(use_true_random=False))
def test_the_order_of_the_models_does_not_matter(models: list[str], kind: str, random) -> None:  # type: ignore[no-untyped-def]
    shuffled = random.sample(models, len(models))
    assert as_set(pairs(LINEAGE, models, kind)) == as_set(pairs(LINEAGE, shuffled, kind))


@property_of
@given(subsets, subsets, kinds)
def test_measuring_more_models_never_loses_a_pair(few: list[str], more: list[str], kind: str) -> None:
    assert as_set(pairs(LINEAGE, few, kind)) <= as_set(pairs(LINEAGE, few + more, kind))


def test_an_unknown_model_is_named_with_the_closest_match() -> None:
    with pytest.raises(UnknownModelError, match=r"'QwQ32B'.*did you mean 'QwQ-32B'") as caught:
        pairs(LINEAGE, ["DeepSeek-R1", "QwQ32B"], "collapse")
    assert caught.value.models == ["QwQ32B"]


def test_a_wrong_kind_and_a_bare_name_are_refused() -> None:
    with pytest.raises(ValueError, match="'collapse' or 'transfer'"):
        pairs(LINEAGE, MODELS, "both")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="list of model names"):
        pairs(LINEAGE, "QwQ-32B", "collapse")


# Looking up


@pytest.mark.parametrize("name", ["QwQ-32B", "Qwen/QwQ-32B"])
def test_find_takes_the_short_and_the_full_name(name: str) -> None:
    assert find(name)["model"] == "QwQ-32B"


@property_of
@given(st.sampled_from(MODELS))
def test_find_returns_the_row_of_every_model(model: str) -> None:
    row = find(model, LINEAGE)
    assert row["model"] == model
    assert row["role"] == ROLE[model]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("deepseek-r1", "DeepSeek-R1"),
        ("qwen/qwen2.5-32b-instruct", "Qwen2.5-32B-Instruct"),
        ("DeepSeek-R1-Distil-Qwen-7B", "DeepSeek-R1-Distill-Qwen-7B"),
    ],
)
def test_find_offers_the_closest_match(asked: str, meant: str) -> None:
    with pytest.raises(UnknownModelError, match=f"did you mean '{re.escape(meant)}'"):
        find(asked)


def test_find_offers_nothing_where_nothing_is_close() -> None:
    with pytest.raises(UnknownModelError) as caught:
        find("zzzz")
    assert "did you mean" not in str(caught.value)


# Roles of what was measured


def test_a_run_under_other_settings_and_an_unknown_model_have_no_role() -> None:
    said = roles_of(["QwQ-32B", "QwQ-32B@steps-8k", "LIMO", "nobody", "nobody@steps"])
    assert said == {
        "QwQ-32B": "teacher",
        "QwQ-32B@steps-8k": OTHER_SETTINGS,
        "LIMO": "student",
        "nobody": NOT_PLACED,
        "nobody@steps": NOT_PLACED,
    }


def test_a_row_of_its_own_gives_a_run_its_role() -> None:
    own = rows(model=["T", "T@long"], role=["teacher", "teacher"])
    assert roles_of(["T", "T@long", "T@short"], own) == {
        "T": "teacher",
        "T@long": "teacher",
        "T@short": OTHER_SETTINGS,
    }


@property_of
@given(subsets, kinds)
def test_whoever_is_compared_has_a_role(models: list[str], kind: str) -> None:
    said = roles_of([*models, *(f"{model}@8k" for model in models)])
    found = pairs(LINEAGE, models, kind)
    assert {said[name] for name in {*found["a"], *found["b"]}} <= set(ROLE)
    assert {said[f"{model}@8k"] for model in models} <= {OTHER_SETTINGS}


# A user's own lineage


def test_model_and_role_are_enough(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("model,role\nT,teacher\nS,student\nB,baseline\n", encoding="utf-8")
    own = load_lineage(path)
    assert as_set(pairs(own, ["T", "S", "B"], "collapse")) == {("T", "S", "teacher not known")}
    assert pairs(own, ["T", "S", "B"], "transfer").empty
    assert find("B", own)["role"] == "baseline"


def test_own_models_are_added_and_may_name_packaged_ones() -> None:
    mine = rows(model=["mine"], role=["student"], teacher=["QwQ-32B"], base=["Qwen2.5-32B"])
    both = extended(mine)
    assert len(both) == len(LINEAGE) + 1
    assert as_set(pairs(both, ["QwQ-32B", "mine"], "collapse")) == {("QwQ-32B", "mine", "own teacher")}


def test_an_own_row_replaces_the_packaged_one() -> None:
    both = extended(rows(model=["LIMO"], role=["student"], teacher=["QwQ-32B"]))
    assert len(both) == len(LINEAGE)
    assert find("LIMO", both)["teacher"] == "QwQ-32B"
    assert pd.isna(find("LIMO", both)["base"])


def test_checking_changes_neither_the_table_nor_the_argument() -> None:
    before = LINEAGE.copy()
    again = checked(LINEAGE)
    pd.testing.assert_frame_equal(LINEAGE, before)
    pd.testing.assert_frame_equal(again, before)


# Broken links


def refused(**columns: list[str]) -> str:
    with pytest.raises(TableError) as caught:
        checked(rows(**columns))
    return str(caught.value)


@pytest.mark.parametrize("link", ["teacher", "base", "sibling"])
def test_a_link_to_no_row_names_the_row_the_column_and_a_correction(link: str) -> None:
    message = refused(model=["Tutor", "S"], role=["teacher", "student"], **{link: ["", "Tuter"]})
    assert "'S'" in message
    assert link in message
    assert "'Tuter' has no row (did you mean 'Tutor'?)" in message


@pytest.mark.parametrize("link", ["teacher", "base", "sibling"])
def test_a_model_is_not_its_own_relative(link: str) -> None:
    message = refused(model=["S"], role=["student"], **{link: ["S"]})
    assert "'S'" in message
    assert link in message
    assert "the model itself" in message


def test_a_sibling_is_not_the_base() -> None:
    message = refused(model=["S", "B"], role=["student", "baseline"], base=["B", ""], sibling=["B", ""])
    assert "'S'" in message
    assert "repeats the base 'B'" in message


def test_all_broken_links_are_reported_at_once() -> None:
    message = refused(model=["A", "B"], role=["student"] * 2, teacher=["gone", ""], base=["", "B"])
    assert "'A'" in message
    assert "'B'" in message


def test_a_model_listed_twice_is_refused() -> None:
    assert "repeats row 0 (model=A)" in refused(model=["A", "A"], role=["teacher", "student"])


@property_of
@given(st.integers(2, 8), st.data())
def test_a_cycle_of_any_length_names_its_members_and_no_others(length: int, data) -> None:  # type: ignore[no-untyped-def]
    ring = [f"ring{i}" for i in range(length)]
    links = data.draw(st.lists(st.sampled_from(["base", "teacher"]), min_size=length, max_size=length))
    table = pd.DataFrame({"model": [*ring, "child"], "role": "student", "base": "", "teacher": ""})
    for i, link in enumerate(links):
        table.loc[i, link] = ring[(i + 1) % length]
    table.loc[length, "base"] = "ring0"
    with pytest.raises(TableError) as caught:
        checked(table)
    message = str(caught.value)
    assert all(f"'{model}'" in message for model in ring)
    assert "'child'" not in message


def test_two_models_may_be_each_others_siblings() -> None:
    table = rows(model=["A", "B"], role=["baseline"] * 2, sibling=["B", "A"])
    assert list(checked(table)["sibling"]) == ["B", "A"]
