"""The tiny model of the package: small, loadable without a network, and right most of the time."""

import hashlib
import json
import socket

import pandas as pd
import pytest

from handan.organism import grammar
from handan.organism.corpus import Recipe, held_out, pair
from handan.organism.examine import examine
from handan.organism.model_card import card
from handan.organism.tokenizer import build
from handan.tables import packaged
from handan.traces.models import resolve
from handan.traces.prompts import problems

LARGEST = 1_500_000  # bytes, the whole folder
LEAST_CORRECT = 0.9


@pytest.fixture(scope="module")
def folder():
    return packaged("models/tiny")


@pytest.fixture(scope="module")
def told(folder):
    return json.loads((folder / "training.json").read_text())


@pytest.fixture(scope="module")
def recipe(told):
    return Recipe(
        **{name: tuple(value) if isinstance(value, list) else value for name, value in told["recipe"].items()}
    )


@pytest.fixture(scope="module")
def loaded(folder):
    """Model and tokenizer, loaded while every connection fails."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    def refuse(*_):
        raise AssertionError("a packaged model needs no network")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setenv("HF_HUB_OFFLINE", "1")
        return AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)


def test_traces_find_it_by_name(loaded):
    model = resolve("handan-tiny")
    assert (model.name, model.model_id, model.prompt) == ("handan-tiny", "local:handan-tiny", "code")
    assert (model.think_open, model.think_close) == ("<think>", "</think>")
    assert model.params == sum(one.numel() for one in loaded[0].parameters())


def test_it_is_a_small_qwen2_in_single_precision(folder, loaded):
    import torch

    model, tokenizer = loaded
    assert sum(path.stat().st_size for path in folder.iterdir()) <= LARGEST
    assert (model.config.model_type, model.dtype) == ("qwen2", torch.float32)
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id
    assert tokenizer.chat_template is None
    assert tokenizer.get_vocab() == build().get_vocab()


def test_it_is_what_the_script_makes_and_what_its_card_describes(folder, told, recipe, loaded):
    assert recipe == Recipe()
    assert (
        told["sha256"]["model.safetensors"]
        == hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    )
    assert told["held_out"] == sorted(" ".join(sorted(one)) for one in held_out(recipe))
    assert (folder / "README.md").read_text() == card(told, loaded[0].num_parameters())


def test_greedy_answers_to_the_bank_are_correct_on_seen_and_held_out_pairs(loaded, recipe):
    done = examine(*loaded, problems(grammar.SIGNS, limit=40))
    unseen = held_out(recipe)
    groups = done.groupby([done["task"], done["item"].map(lambda item: pair(item) in unseen)])["correct"]
    assert groups.size().min() >= 10
    assert groups.mean().min() >= LEAST_CORRECT
    assert done["stopped"].mean() >= LEAST_CORRECT


def test_samples_are_correct_and_their_lengths_and_styles_vary(loaded):
    items = problems(grammar.SIGNS, limit=4)
    done = pd.concat([examine(*loaded, items, temperature=1.0, seed=seed) for seed in range(6)])
    assert done["correct"].mean() >= 0.8
    assert set(done["style"].dropna()) == set(grammar.STYLES)
    assert done.groupby("item")["tokens"].nunique().min() >= 2
