import json

import pytest

from handan.organism import grammar
from handan.organism.checkpoint import record, save, tally
from handan.organism.corpus import Recipe
from handan.organism.examine import examine
from handan.organism.pretrain import train
from handan.organism.tokenizer import build
from handan.traces.models import resolve

SMALL = Recipe(layers=1, hidden=16, heads=2, mlp=32, bits=(1, 2, 3), steps=3, batch=4, warmup=2)
ITEMS = [("binary-addition", "1010+0110"), ("binary-subtraction", "1010-0110")]


@pytest.fixture(scope="module")
def trained():
    return train(SMALL, report=lambda progress: None)


@pytest.fixture(scope="module")
def folder(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "small"
    model, log = trained
    save(folder, model)
    table = examine(model, build(), ITEMS, max_new_tokens=8).assign(decoding="greedy", pairs="seen")
    record(folder, SMALL, log, table, seconds=1.5, cpu_seconds=1.2, command="make small")
    return folder


def test_what_was_saved_loads_as_it_was(trained, folder):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    loaded = AutoModelForCausalLM.from_pretrained(folder)
    mine, theirs = trained[0].state_dict(), loaded.state_dict()
    assert set(mine) == set(theirs)
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    text = grammar.completion("11+01", "twice")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert loaded.generation_config.eos_token_id == tokenizer.eos_token_id


def test_the_folder_is_a_model_for_traces(trained, folder):
    model = resolve(str(folder))
    assert (model.name, model.prompt, model.think_open, model.think_close) == (
        "small",
        "code",
        "<think>",
        "</think>",
    )
    assert model.params == sum(one.numel() for one in trained[0].parameters())


def test_the_record_and_the_card_say_how_it_came_about(folder):
    told = json.loads((folder / "training.json").read_text(), parse_constant=pytest.fail)  # no NaN in JSON
    assert Recipe(**{k: tuple(v) if isinstance(v, list) else v for k, v in told["recipe"].items()}) == SMALL
    assert list(told["loss"]) == ["3"]
    assert (told["seconds"], told["cpu_seconds"]) == (2, 1)
    assert told["accuracy"][0]["sd_tokens"] is None
    assert {"python", "torch", "transformers"} <= set(told["versions"])
    card = (folder / "README.md").read_text()
    assert "license: mit" in card
    assert "make small" in card
    assert "1 layers, width 16" in card
    assert "| greedy | binary-addition | seen | 1 | 0.0 |" in card


def test_an_untrained_model_is_cut_at_the_limit_and_graded_wrong(trained):
    done = examine(trained[0], build(), ITEMS, max_new_tokens=8)
    assert done["tokens"].tolist() == [8, 8]
    assert not done[["stopped", "by_the_grammar", "correct"]].any(axis=None)
    assert done["style"].isna().all()


def test_tally_counts_groups_and_keeps_traces_without_a_style(trained):
    done = examine(trained[0], build(), ITEMS * 2, max_new_tokens=5).assign(decoding="greedy")
    counted = tally(done, "style")
    assert counted[["style", "n", "mean_tokens"]].values.tolist() == [["none", 4, 5.0]]
