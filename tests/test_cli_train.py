import json

import pandas as pd
import pytest

pytest.importorskip("torch")

from handan.organism import conditions, recipe
from handan.organism.recipe import Reinforced, Supervised


@pytest.fixture
def short(monkeypatch):
    """The quick recipe, so short that nothing is learned."""
    tiny = recipe.Recipe(
        tasks=("binary-addition", "binary-subtraction"), largest=3,
        base=Supervised(steps=2, batch=4), reinforced=Reinforced(steps=1, prompts=2, group=2, max_new_tokens=8),
    )  # fmt: skip
    monkeypatch.setitem(recipe.RECIPES, "quick", tiny)


def test_a_dry_run_lists_the_models_with_what_they_are_made_from(handan, tmp_path):
    out = tmp_path / "families"
    code, said, notes = handan(
        *("train", "family", "--out", out, "--condition", "student-hard", "--dry-run", "--format", "json")
    )
    assert code == 0
    assert [row["condition"] for row in json.loads(said)] == ["base", "teacher", "student-hard"]
    assert "4 families of 3 models each" in notes
    assert not out.exists()


def test_a_family_is_trained_counted_and_compared_and_not_made_twice(handan, tmp_path, short):
    out = tmp_path / "families"
    ask = ("train", "family", "--out", out, "--seeds", "2", "--jobs", "1", "--samples", "1",
           "--condition", "teacher", "--format", "csv")  # fmt: skip
    code, said, notes = handan(*ask)
    assert code == 0, notes
    assert "teacher-carry-s1: done" in notes
    costs = pd.read_csv(out / "costs.csv")
    assert set(costs["model"]) == {f"{name}-carry-s{seed}" for name in ("base", "teacher") for seed in (0, 1)}
    assert "advantage" in said
    weights = {path: path.read_bytes() for path in out.glob("models/*/model.safetensors")}
    code, again, notes = handan(*ask)
    assert (code, again) == (0, said)
    assert "teacher-carry-s1: was there" in notes
    assert weights == {path: path.read_bytes() for path in out.glob("models/*/model.safetensors")}
    code, said, _ = handan("families", out / "costs.csv", "--level", "conditions", "--format", "json")
    assert (code, {row["condition"] for row in json.loads(said)}) == (0, {"base", "teacher"})


def test_bases_alone_have_nothing_to_be_compared_with(handan, tmp_path, short):
    out = tmp_path / "families"
    ask = ("train", "family", "--out", out, "--seeds", "1", "--jobs", "1", "--samples", "1")
    code, said, notes = handan(*ask, "--condition", "base")
    assert code == 0, notes
    assert "nothing to compare" in said


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("--condition", "studnet"), "there is no condition 'studnet'"),
        (("--seeds", "0"), "--seeds"),
        (("--profile", "huge"), "--profile"),
        (("--condition", "student-half"), "--from-scratch"),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_work(handan, tmp_path, given, says):
    out = tmp_path / "families"
    code, _, notes = handan("train", "family", "--out", out, *given)
    assert (code, says in notes) == (2, True)
    assert not out.exists()


def test_a_folder_of_another_recipe_is_left_alone(handan, tmp_path, short, monkeypatch):
    out = tmp_path / "families"
    ask = ("train", "family", "--out", out, "--seeds", "1", "--jobs", "1", "--condition", "base",
           "--from-scratch")  # fmt: skip
    assert handan(*ask)[0] == 0
    monkeypatch.setitem(recipe.RECIPES, "quick", recipe.Recipe(base=Supervised(steps=3, batch=4)))
    code, _, notes = handan(*ask)
    assert code == 1
    assert "was trained with another recipe" in notes


def test_the_packaged_families_are_compared_by_default(handan):
    code, said, _ = handan("families", "--n-boot", "200", "--format", "json")
    rows = json.loads(said)
    assert code == 0
    assert {row["condition"] for row in rows} >= set(conditions.CORE) - {"base"}
    assert all(row["verdict"] in ("supported", "not supported", "cannot tell") for row in rows)


def test_families_are_not_compared_as_if_they_were_large_models(handan):
    code, _, notes = handan("compare", "--study", "organism")
    assert (code, "handan families" in notes) == (2, True)


def test_costs_of_other_models_are_no_families(handan, tmp_path):
    path = tmp_path / "costs.csv"
    path.write_text("model,task,item,reasoning_tokens\nQwQ-32B,binary-addition,0000+0001,12\n")
    code, _, notes = handan("families", path)
    assert (code, "QwQ-32B" in notes) == (2, True)
