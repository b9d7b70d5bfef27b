import hashlib
import json
import os
import shutil
import signal
from dataclasses import replace

import pytest
import torch
from tests.organism.tiny import SIZE, TINY

from handan.organism import checkpoint
from handan.organism.checkpoint import CheckpointError, Training, load, read_training, save
from handan.organism.conditions import BY_NAME
from handan.organism.network import fresh
from handan.organism.recipe import FULL
from handan.traces.models import resolve

SETTINGS = {
    "recipe": json.loads(json.dumps(vars(TINY), default=vars)),
    "condition": json.loads(json.dumps(vars(BY_NAME["base"]))),
    "made_from": {},
}
TRAINING = Training(SETTINGS, [], {}, 1.6, 1.2)


def same(one, other):
    mine, theirs = one.state_dict(), other.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


@pytest.fixture
def copied(models, tmp_path):
    """A copy of a trained base, to be damaged."""
    return shutil.copytree(models[0], tmp_path / models[0].name)


def test_weights_lose_their_last_bits_once_and_then_stay(tokenizer, tmp_path):
    model = fresh(SIZE, tokenizer, 0)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    save(tmp_path / "one", model, TRAINING)
    once = load(tmp_path / "one")
    assert same(model, once)
    assert all(torch.equal(once.state_dict()[name], weight.half().float()) for name, weight in before.items())
    save(tmp_path / "two", once, TRAINING)
    assert same(load(tmp_path / "two"), once)
    one, two = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two"))
    assert one == two
    assert not once.training
    assert {weight.dtype for weight in once.parameters()} == {torch.float32}


def test_the_folder_is_a_model_for_traces_and_for_transformers(models, base, tokenizer):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    for folder in models:
        model = resolve(str(folder))
        assert (model.name, model.prompt) == (folder.name, "code")
        assert (model.think_open, model.think_close) == ("<think>", "</think>")
        assert model.params == base.num_parameters()
    loaded = AutoModelForCausalLM.from_pretrained(models[0], dtype=torch.float32)
    assert same(loaded, base)
    assert loaded.generation_config.eos_token_id == tokenizer.eos_token_id
    again = AutoTokenizer.from_pretrained(models[0])
    assert again.get_vocab() == tokenizer.get_vocab()


def test_the_record_says_how_it_came_about(models):
    for folder in models:
        record = json.loads((folder / "training.json").read_text(), parse_constant=pytest.fail)  # no NaN
        assert record["model"] == folder.name
        assert record["recipe"] == SETTINGS["recipe"]
        assert record["sha256"] == hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
        assert {"python", "torch", "transformers", "handan"} <= set(record["versions"])
        assert record["log"][-1]["step"] > 0
        made_from = {name: read_training(folder.parent / name)["sha256"] for name in record["made_from"]}
        assert record["made_from"] == made_from
        card = (folder / "README.md").read_text()
        assert f"# {folder.name}" in card
        assert record["condition"]["says"] in card
        assert all(f"{name} ({digest[:10]})" in card for name, digest in made_from.items())
    student = read_training(models[2])
    assert student["lesson"]["traces"] == TINY.traces
    assert student["lesson"]["asked"] >= TINY.traces


def test_folders_can_be_read_by_all_and_nothing_else_is_left(models):
    assert sorted(path.name for path in models[0].parent.iterdir()) == sorted(path.name for path in models)
    for folder in models:
        assert folder.stat().st_mode & 0o755 == 0o755
        assert all(path.stat().st_mode & 0o444 == 0o444 for path in folder.iterdir())


def test_a_family_of_the_full_recipe_fits_into_the_package(tokenizer, tmp_path):
    sizes = {}
    for is_half, size in ((False, FULL.size), (True, FULL.half)):
        settings = SETTINGS | {"recipe": json.loads(json.dumps(vars(FULL), default=vars))}
        save(tmp_path / str(is_half), fresh(size, tokenizer, 0), replace(TRAINING, settings=settings))
        sizes[is_half] = sum(path.stat().st_size for path in (tmp_path / str(is_half)).iterdir())
    assert max(sizes.values()) < 1e6
    assert sum(sizes[one.is_half] for one in BY_NAME.values()) < 8e6


@pytest.mark.parametrize("step", ["_write_model", "_record", "card"])
def test_a_failure_while_saving_leaves_nothing_behind(tokenizer, tmp_path, monkeypatch, step):
    def fail(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(checkpoint, step, fail)
    with pytest.raises(OSError, match="no space"):
        save(tmp_path / "one", fresh(SIZE, tokenizer, 0), TRAINING)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_that_is_killed_while_saving_leaves_no_model(tokenizer, tmp_path, monkeypatch):
    model = fresh(SIZE, tokenizer, 0)
    monkeypatch.setattr(checkpoint, "card", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    child = os.fork()
    if not child:
        try:
            save(tmp_path / "one", model, TRAINING)
        finally:
            os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    monkeypatch.undo()
    assert not (tmp_path / "one").exists()
    assert all(path.name.startswith(".") for path in tmp_path.iterdir())
    save(tmp_path / "one", model, TRAINING)
    assert same(load(tmp_path / "one"), model)


def test_a_model_is_not_written_over_another(copied, base):
    before = (copied / "model.safetensors").read_bytes()
    with pytest.raises(OSError):
        save(copied, base, TRAINING)
    assert (copied / "model.safetensors").read_bytes() == before
    assert [path.name for path in copied.parent.iterdir()] == [copied.name]


def flip(folder):
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def tear(folder):
    path = folder / "training.json"
    path.write_text(path.read_text()[:-40])


def put(name, content):
    return lambda folder: (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (flip, "weights in .* are not those of its training.json"),
        (put("training.json", b"[]"), "are not those of its training.json"),
        (put("training.json", b"{}"), "are not those of its training.json"),
        (tear, "holds no whole model"),
        (put("training.json", b""), "holds no whole model"),
        (put("training.json", b"\xff\xfe{"), "holds no whole model"),
        (lambda folder: (folder / "training.json").unlink(), "holds no whole model"),
        (lambda folder: (folder / "model.safetensors").unlink(), "holds no whole model"),
    ],
)
def test_a_damaged_folder_is_refused_with_what_to_do(copied, damage, says):
    damage(copied)
    for read in (load, read_training):
        with pytest.raises(CheckpointError, match=says) as caught:
            read(copied)
        assert f"Remove {copied}, and train again" in str(caught.value)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"recipe": {**SETTINGS["recipe"], "base": {**SETTINGS["recipe"]["base"], "steps": 61}}},
         "another recipe: base steps is 60 there and 61 here"),
        ({"recipe": {**SETTINGS["recipe"], "tasks": ["binary-addition"]}},
         r"another recipe: tasks is \['digit-addition'\] there and \['binary-addition'\] here"),
        ({"recipe": {**SETTINGS["recipe"], "new": 1}}, "another recipe: new is None there and 1 here"),
        ({"made_from": {"base": "0"}}, "another made from: base is None there and '0' here"),
        ({"trainer": "trl"}, "another trainer: it is 'loop' there and 'trl' here"),
        ({"unheard": 1}, "another unheard: it is None there and 1 here"),
    ],
)  # fmt: skip
def test_another_recipe_is_refused_with_the_setting_that_differs(models, wanted, says):
    with pytest.raises(CheckpointError, match=says):
        read_training(models[0], wanted)


def test_the_recipe_that_it_was_made_by_is_accepted(models):
    assert read_training(models[0], SETTINGS | {"trainer": "loop"})["model"] == models[0].name
