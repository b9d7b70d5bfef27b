"""The family of the package: complete, small, loadable without a network, and what its records say."""

import hashlib
import json
import socket
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch")

from handan.organism import corpus, study
from handan.organism.checkpoint import load, read_training
from handan.organism.conditions import BY_NAME, named
from handan.organism.model_card import card
from handan.organism.recipe import FULL
from handan.organism.reinforced import sample
from handan.organism.tokenizer import build
from handan.tables import packaged
from handan.traces import tiny
from handan.traces.models import resolve

LARGEST, LARGEST_FAMILY = 1_000_000, 8_000_000  # bytes
LEAST_RIGHT = 0.9


@pytest.fixture(scope="module")
def folders():
    return {name: packaged(f"models/{name}") for name in tiny()}


def test_it_is_one_complete_family(folders):
    members = [named(name) for name in folders]
    family = [condition for condition, repertoire, seed in members if (repertoire, seed) == ("carry", 0)]
    assert sorted(family) == sorted(BY_NAME)
    assert [one for one in members if one[1:] != ("carry", 0)] == [("base", "equal", 0)]


def test_it_is_small(folders):
    sizes = [sum(path.stat().st_size for path in folder.iterdir()) for folder in folders.values()]
    assert max(sizes) <= LARGEST
    assert sum(sizes) <= LARGEST_FAMILY


def test_every_model_was_made_by_the_full_recipe_from_the_models_beside_it(folders):
    for name, folder in folders.items():
        condition, repertoire, seed = named(name)
        record = read_training(folder)  # compares the weights with their hash
        recipe = json.loads(json.dumps(asdict(replace(FULL, repertoire=repertoire, seed=seed))))
        assert record["recipe"] == recipe, name
        assert record["condition"] == json.loads(json.dumps(asdict(BY_NAME[condition]))), name
        for parent, digest in record["made_from"].items():
            assert hashlib.sha256((folders[parent] / "model.safetensors").read_bytes()).hexdigest() == digest
        assert (folder / "README.md").read_text() == card(name, record)


def test_traces_find_every_model_by_its_name(folders):
    for name in folders:
        model = resolve(name)
        assert (model.name, model.model_id, model.prompt) == (name, f"local:{name}", "code")
        assert (model.think_open, model.think_close) == ("<think>", "</think>")


def test_plain_transformers_loads_it_without_a_network(folders):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    def refuse(*_):
        raise AssertionError("a packaged model needs no network")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setenv("HF_HUB_OFFLINE", "1")
        for folder in folders.values():
            model, tokenizer = (one.from_pretrained(folder) for one in (AutoModelForCausalLM, AutoTokenizer))
            assert model.config.model_type == "qwen2"
            assert model.generation_config.eos_token_id == tokenizer.eos_token_id
            assert tokenizer.get_vocab() == build().get_vocab()


def test_the_teacher_is_right_on_problems_that_no_training_showed(folders):
    items = corpus.held_out_items()[::2]
    told = sample(load(folders["teacher-carry-s0"]), build(), items, label="test")
    binary = [one.right for one in told if one.problem[0].startswith("binary")]
    assert sum(binary) / len(binary) >= LEAST_RIGHT
    assert sum(one.right for one in told) / len(told) >= LEAST_RIGHT


def test_the_packaged_family_follows_people_as_the_chapter_says(folders):
    """The same models asked anew: another machine may write other traces, and must come to the same result.

    The tolerance of 0.15 is about the width of the item interval on half of the items.
    """
    from handan.costs import ORGANISM, load_study
    from handan.findings.alignment import align
    from handan.findings.join import join

    tasks = ("binary-addition", "binary-subtraction")
    whole = load_study(ORGANISM)
    mine = whole.costs[whole.costs["task"].isin(tasks)]
    recorded = align(join(mine, whole.norms, study.COST), n_boot=100).groupby("model")["r"].mean()
    assert recorded["teacher-carry-s0"] >= 0.6
    assert recorded["teacher-carry-s0"] > recorded["base-carry-s0"] + 0.3
    items = corpus.held_out_items(tasks)
    for name in ("teacher-carry-s0", "student-matched-carry-s0"):
        told = sample(load(folders[name]), build(), items, label="anew", group=study.SAMPLES)
        rows = pd.DataFrame(
            {"task": one.problem[0], "item": one.problem[1], "log_cost": np.log(len(one.ids))} for one in told
        )
        human = whole.norms.set_index(["task", "item"])["log_rt"]
        means = rows.groupby(["task", "item"])["log_cost"].mean().to_frame().join(human)
        r = means.groupby("task")[["log_cost", "log_rt"]].corr().iloc[::2, 1].mean()
        assert abs(r - recorded[name]) < 0.15, name


def test_the_packaged_costs_are_those_of_the_packaged_models(folders, tmp_path):
    """The same items, seeds and models give the same counts here as in the table."""
    from handan.costs import ORGANISM, load_study
    from handan.traces import Decoding, jobs
    from handan.traces.choose import Options
    from handan.traces.counting import counted

    items = corpus.held_out_items(("binary-addition",))[:12]
    job = jobs.prepare(
        "teacher-carry-s0", ["binary-addition"], Decoding(200, 1.0, top_p=1.0), Options(), items=items,
        samples=study.SAMPLES,
    )  # fmt: skip
    jobs.execute(job, tmp_path)
    mine, _ = counted([tmp_path])
    keys = ["model", "task", "item", "sample"]
    table = load_study(ORGANISM).costs.merge(mine, on=keys, suffixes=("_packaged", ""))
    assert len(table) == 12 * study.SAMPLES
    same = (table["reasoning_tokens"] == table["reasoning_tokens_packaged"]).mean()
    # Another machine may round a near tie the other way and write another trace.
    assert same >= 0.9


def test_the_study_is_complete():
    from handan.costs import ORGANISM, card, load_study
    from handan.lineage import checked

    whole = load_study(ORGANISM)
    per_model = whole.costs.groupby("model").size()
    assert set(per_model) == {len(whole.norms) * study.SAMPLES}
    assert set(whole.lineage["model"]) == set(per_model.index)
    assert len(checked(whole.lineage)) == len(per_model)
    assert not (whole.costs["stop"] == "error").any()
    seeds = whole.lineage.groupby(["repertoire", "condition"])["seed"].nunique()
    assert seeds.min() >= 5
    about = card(ORGANISM)
    assert (about["models"], about["rows"]) == (len(per_model), len(whole.costs))
    held = set(corpus.held_out_items())
    assert set(whole.norms[["task", "item"]].itertuples(index=False, name=None)) == held
