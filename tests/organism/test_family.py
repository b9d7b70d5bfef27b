import hashlib
from dataclasses import replace

import pytest
from tests.organism.tiny import CHAIN, TINY

from handan.organism import family
from handan.organism.checkpoint import CheckpointError, read_training
from handan.organism.lessons import LessonError


def digests(folders):
    return {folder.name: read_training(folder)["sha256"] for folder in folders}


def content(folder):
    return {
        path.relative_to(folder): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class Interrupted(Exception):
    pass


def test_a_family_has_a_model_per_condition_and_the_order_of_the_design(models):
    assert [folder.name for folder in models] == [
        f"{name}-carry-s0" for name in ("base", "teacher", "student-hard", "student-returned")
    ]
    assert len(set(digests(models).values())) == len(models)


def test_a_trained_family_is_not_trained_again(models):
    before, told = content(models[0].parent), []
    assert family.train(TINY, models[0].parent, CHAIN, report=told.append) == models
    assert content(models[0].parent) == before
    assert [(one.number, one.of, one.was_there, one.progress) for one in told] == [
        (place, 4, True, None) for place in (1, 2, 3, 4)
    ]


@pytest.mark.parametrize("stopped_at", ["teacher-carry-s0", "student-hard-carry-s0"])
def test_after_an_interruption_it_goes_on_and_ends_the_same(models, tmp_path, stopped_at):
    def stop(told):
        if told.model == stopped_at and told.progress:
            raise Interrupted

    with pytest.raises(Interrupted):
        family.train(TINY, tmp_path, CHAIN, report=stop)
    done = sorted(path.name for path in tmp_path.iterdir())
    assert stopped_at not in done
    assert done[0] == "base-carry-s0"
    before, told = content(tmp_path / "base-carry-s0"), []
    folders = family.train(TINY, tmp_path, CHAIN, report=told.append)
    assert content(tmp_path / "base-carry-s0") == before
    assert {one.model for one in told if one.was_there} == set(done)
    assert digests(folders) == digests(models)


def test_the_same_seed_gives_the_same_curve_and_weights_whatever_else_is_trained(models, tmp_path):
    """One thread, whatever torch was set to; a watcher looks on and changes nothing."""
    import torch

    looks = []
    with family.torch_threads(2):
        again = family.train(
            TINY,
            tmp_path,
            ("teacher", "base-half"),
            watch=lambda name, step, model: looks.append((name, step)),
        )
        assert torch.get_num_threads() == 2
    assert digests(again[:2]) == digests(models[:2])
    assert [read_training(one)["log"] for one in again[:2]] == [
        read_training(one)["log"] for one in models[:2]
    ]
    assert looks == [
        ("base", 0),
        ("base", 60),
        ("teacher", 0),
        ("teacher", 2),
        ("base-half", 0),
        ("base-half", 60),
    ]
    half, whole = (read_training(folder)["parameters"] for folder in (again[2], again[0]))
    assert half < 0.7 * whole


def test_another_seed_gives_another_curve_and_other_weights(models, tmp_path):
    (other,) = family.train(replace(TINY, seed=1), tmp_path, ("base",))
    mine, theirs = read_training(models[0]), read_training(other)
    assert other.name == "base-carry-s1"
    assert mine["sha256"] != theirs["sha256"]
    assert mine["log"] != theirs["log"]


def test_a_folder_of_another_recipe_is_refused_before_anything_is_trained(models):
    before = content(models[0].parent)
    changed = replace(TINY, base=replace(TINY.base, rate=2e-2))
    with pytest.raises(CheckpointError, match=r"another recipe: base rate is 0\.01 there and 0\.02 here"):
        family.train(changed, models[0].parent, CHAIN)
    assert content(models[0].parent) == before


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"conditions": ("student-best",)}, LookupError, "no condition 'student-best'"),
        (
            {"trainer": "loom", "conditions": ("base",)},
            ValueError,
            "no trainer 'loom'; there are loop and trl",
        ),
    ],
)
def test_what_is_unknown_is_named_and_nothing_is_left(tmp_path, change, error, says):
    with pytest.raises(error, match=says):
        family.train(TINY, tmp_path, **change)
    assert list(tmp_path.iterdir()) == []


def test_a_teacher_that_is_never_right_stops_the_family_with_its_name(tmp_path):
    """After a single step of training nobody is right; base and teacher stay for a longer try."""
    recipe = replace(
        TINY, base=replace(TINY.base, steps=1, batch=2), traces=1,
        reinforced=replace(TINY.reinforced, steps=1, prompts=1, group=2, max_new_tokens=6),
    )  # fmt: skip
    with pytest.raises(LessonError, match="student-matched: only 0 of"):
        family.train(recipe, tmp_path, ("student-matched",))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base-carry-s0", "teacher-carry-s0"]


def test_a_family_can_start_from_a_base_that_was_there(models, tmp_path):
    recipe, told = replace(TINY, seed=5), []
    base, teacher = family.train(recipe, tmp_path, ("teacher",), start=models[0], report=told.append)
    origin = digests(models[:1])
    record = read_training(base)
    assert (record["model"], record["sha256"]) == ("base-carry-s5", origin["base-carry-s0"])
    assert record["made_from"] == origin
    assert record["log"] == []
    assert read_training(teacher)["made_from"] == {"base-carry-s5": record["sha256"]}
    assert "base-carry-s5" not in {one.model for one in told if one.progress}
    before = content(tmp_path)
    family.train(recipe, tmp_path, ("teacher",), start=models[0])
    assert content(tmp_path) == before
    with pytest.raises(CheckpointError, match="was trained with another"):
        family.train(recipe, tmp_path, ("teacher",))


def test_a_base_of_another_repertoire_is_refused(models, tmp_path):
    with pytest.raises(CheckpointError, match="another repertoire: carry in place of equal"):
        family.train(replace(TINY, repertoire="equal"), tmp_path, ("base",), start=models[0])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"size": replace(TINY.size, mlp=2 * TINY.size.mlp)}, "another size"),
        ({"tasks": ("cardinal-directions",)}, "never learned cardinal-directions"),
    ],
)
def test_a_base_of_another_size_or_of_other_tasks_is_refused(models, tmp_path, changed, says):
    with pytest.raises(CheckpointError, match=says):
        family.train(replace(TINY, **changed), tmp_path, ("teacher",), start=models[0])
    assert not list(tmp_path.iterdir())


def test_an_adopted_base_keeps_the_record_of_its_own_training(models, tmp_path):
    (base,) = family.train(
        replace(TINY, seed=5, base=replace(TINY.base, steps=1)), tmp_path, ("base",), start=models[0]
    )
    assert read_training(base)["recipe"] == read_training(models[0])["recipe"]
