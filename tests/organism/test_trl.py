"""TRL and the plain loops, beside each other on the same batches: losses, gradients, weights."""

import warnings

import numpy as np
import pytest

pytest.importorskip("trl", reason="the extra train is not installed")

from handan.organism import grammar, network, reinforced, supervised, trl, trl_quiet, trl_trainers
from handan.organism.recipe import Reinforced, Size, Supervised
from handan.organism.tokenizer import build

SMALL = Size(layers=2, hidden=16, heads=2, mlp=32)
ITEMS = ["10+01", "11+11", "1+0", "1011+0110", "111+001", "01+10"]
TEXTS = [
    (grammar.prompt("binary-addition", item), grammar.completion("binary-addition", item, style, "carry"))
    for item, style in zip(ITEMS, ["once", "steps", "twice", "steps", "once", "twice"], strict=True)
]
# Ways of taking less memory; none of them may change what is learned.
MEMORY = [{}, {"at_once": 3}, {"gradient_checkpointing": True}]


@pytest.fixture(scope="module")
def tokenizer():
    return build()


@pytest.fixture
def model(tokenizer):
    return network.fresh(SMALL, tokenizer, 0)


def gradients(model):
    return {name: one.grad.clone() for name, one in model.named_parameters()}


def gradients_of(trainer):
    """Run one step of a trainer; return what was to be the gradient of that step."""
    from transformers import TrainerCallback

    caught = {}

    class Catch(TrainerCallback):
        def on_pre_optimizer_step(self, args, state, control, model, **_):
            caught.update(gradients(model))

    trainer.add_callback(Catch())
    trainer.train()
    return caught


def assert_same(ours, theirs):
    assert ours.keys() == theirs.keys()
    assert any(one.abs().max() > 1e-3 for one in ours.values())
    for name, one in ours.items():
        np.testing.assert_allclose(one, theirs[name], rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("memory", MEMORY)
def test_a_batch_of_texts_gives_the_loss_and_gradients_of_trl(model, tokenizer, tmp_path, memory):
    how = Supervised(steps=1, batch=len(TEXTS))
    rows = dict(zip(("prompt", "completion"), zip(*TEXTS, strict=True), strict=True))
    loss, read = supervised.add_gradients(model, TEXTS, tokenizer)
    ours = gradients(model)
    model.zero_grad()
    with trl_quiet.quiet():
        trainer = trl_trainers.supervised_trainer(
            model, tokenizer, rows, how, folder=tmp_path, max_grad_norm=0.0, **memory
        )
        theirs = gradients_of(trainer)
    assert_same(ours, theirs)
    logged = trainer.state.log_history[0]
    assert logged["loss"] == pytest.approx(loss, rel=1e-5)
    assert logged["num_tokens"] == read


@pytest.mark.parametrize("memory", MEMORY)
def test_replies_of_trl_give_its_loss_and_gradients(model, tokenizer, tmp_path, memory):
    how = Reinforced(steps=1, prompts=3, group=4, max_new_tokens=12, price=0.02)
    problems = [("binary-addition", item) for item in ITEMS[:3]]
    rows = {
        "prompt": [grammar.prompt(*one) for one in problems],
        "task": [task for task, _ in problems],
        "item": [item for _, item in problems],
    }
    seen = []

    def judge(task, item, ids):
        # An untrained model is never right: let some replies count as right all the same.
        seen.append((task, item, list(ids)))
        return sum(ids) % 2 == 0

    with trl_quiet.quiet():
        trainer = trl_trainers.reinforced_trainer(
            model, tokenizer, rows, how, judge, folder=tmp_path, seed=1, max_grad_norm=0.0, **memory
        )
        theirs = gradients_of(trainer)
    told = [
        reinforced.Sample(
            (task, item), tokenizer(grammar.prompt(task, item))["input_ids"], ids, "", sum(ids) % 2 == 0, True
        )
        for task, item, ids in seen
    ]
    assert [one.problem for one in told] == [one for one in problems for _ in range(how.group)]
    assert len({len(one.ids) for one in told}) > 1
    rewards = [reinforced.reward(one, how.price) for one in told]
    weights = reinforced.advantages(rewards, how.group)
    fresh = network.fresh(SMALL, tokenizer, 0)
    loss = reinforced.add_gradients(fresh, told, weights, tokenizer.pad_token_id)
    assert_same(gradients(fresh), theirs)
    values = trl_trainers.reinforced_values(trainer.state.log_history[0])
    assert trainer.state.log_history[0]["loss"] == pytest.approx(loss, abs=1e-5)
    assert values["reward"] == pytest.approx(np.mean(rewards), abs=1e-6)
    assert values["right"] == pytest.approx(np.mean([one.right for one in told]))
    assert values["tokens_each"] == pytest.approx(np.mean([len(one.ids) for one in told]))


def test_both_loops_learn_along_the_same_curve(tokenizer):
    how = Supervised(steps=12, batch=3, warmup=4)
    curves, weights, looks = [], [], []
    for fit in (supervised.fit, trl.fit_supervised):
        model, steps = network.fresh(SMALL, tokenizer, 0), []
        batches = iter([TEXTS[:3], TEXTS[3:]] * 6)
        log = fit(
            model, tokenizer, batches, how, every=4, watch=lambda step, _, steps=steps: steps.append(step)
        )
        curves.append([(one.step, one.values["loss"]) for one in log])
        weights.append(model.state_dict())
        looks.append(steps)
        assert next(batches, None) is None
    assert looks == [[0, 4, 8, 12]] * 2
    np.testing.assert_allclose(curves[0], curves[1], rtol=1e-4)
    assert curves[0][-1][1] < curves[0][0][1] - 0.5
    for name, one in weights[0].items():
        np.testing.assert_allclose(one, weights[1][name], atol=2e-4, err_msg=name)


def test_a_price_without_a_prize_teaches_to_be_brief(model, tokenizer):
    how = Reinforced(steps=20, prompts=2, group=8, rate=1e-2, warmup=1, max_new_tokens=12)
    problems = iter([("binary-addition", item) for item in ITEMS] * 10)
    log = trl.fit_reinforced(model, tokenizer, problems, how, label="brief", every=5)
    assert [one.step for one in log] == [5, 10, 15, 20]
    assert log[-1].values["tokens_each"] < 0.6 * log[0].values["tokens_each"]
    assert log[-1].values["reward"] == pytest.approx(
        log[-1].values["right"] - how.price * log[-1].values["tokens_each"], abs=1e-6
    )
    assert not model.training


def test_a_label_seeds_the_samples(tokenizer):
    how = Reinforced(steps=2, prompts=2, group=4, max_new_tokens=10)
    found = []
    for label in ("a", "a", "b"):
        model = network.fresh(SMALL, tokenizer, 0)
        problems = iter([("binary-addition", item) for item in ITEMS])
        trl.fit_reinforced(model, tokenizer, problems, how, label=label)
        found.append(model.lm_head.weight.detach().numpy().copy())
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


def test_it_leaves_nothing_behind(model, tokenizer, tmp_path, monkeypatch, capfd):
    import datasets
    from transformers.utils import logging

    monkeypatch.chdir(tmp_path)
    before = model.config.to_dict(), model.generation_config.to_dict(), set(model.__dict__)
    level, hidden = logging.get_verbosity(), datasets.are_progress_bars_disabled()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        how = Supervised(steps=2, batch=3, warmup=1)
        trl.fit_supervised(model, tokenizer, iter([TEXTS[:3], TEXTS[3:]]), how)
        problems = iter([("binary-addition", item) for item in ITEMS])
        how = Reinforced(steps=1, prompts=2, group=2, max_new_tokens=4)
        trl.fit_reinforced(model, tokenizer, problems, how, label="x")
    assert list(tmp_path.iterdir()) == []
    assert "".join(capfd.readouterr()) == ""
    after = model.config.to_dict(), model.generation_config.to_dict()
    assert after == before[:2]
    assert "forward" not in model.__dict__
    assert (logging.get_verbosity(), datasets.are_progress_bars_disabled()) == (level, hidden)


def test_what_a_training_replaces_in_a_model_is_put_back_even_after_an_error(model):
    def mine():
        return None

    model.forward = mine

    def break_down():
        with trl_quiet.unpatched(model):
            model.forward = None
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_down()
    assert model.forward is mine


def test_batches_that_are_not_as_the_recipe_says_are_refused(model, tokenizer):
    with pytest.raises(ValueError, match="2 texts, and the recipe says 3"):
        trl.fit_supervised(model, tokenizer, iter([TEXTS[:2]]), Supervised(steps=1, batch=3))
