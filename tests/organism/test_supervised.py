from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from tests.organism.tiny import SIZE, TINY

from handan.organism import corpus
from handan.organism.network import encoded, fresh
from handan.organism.recipe import Supervised
from handan.organism.supervised import add_gradients, fit, share_of_rate


def by_hand(model, text):
    """Cross entropy of one text's completion, summed over its tokens: minus the log of each probability."""
    asked, told = text
    logits = model(input_ids=torch.tensor([[*asked, *told]])).logits[0]
    surprise = -torch.log_softmax(logits, dim=-1)
    return sum(surprise[len(asked) - 1 + place, token] for place, token in enumerate(told))


@pytest.mark.parametrize("batch_size", [1, 2, 10])
def test_loss_and_gradients_are_those_of_one_text_at_a_time(tokenizer, batch_size):
    batch = next(corpus.texts(TINY, batch_size, steps=1))
    quick, slow = fresh(SIZE, tokenizer, 0), fresh(SIZE, tokenizer, 0)
    loss, read = add_gradients(quick, batch, tokenizer)
    texts = encoded(batch, tokenizer)
    expected = sum(by_hand(slow, text) for text in texts) / sum(len(told) for _, told in texts)
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    assert read == sum(len(asked) + len(told) for asked, told in texts)
    for one, other in zip(quick.parameters(), slow.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-6)


def trained(tokenizer, seed, how, **told):
    model = fresh(SIZE, tokenizer, seed)
    recipe = replace(TINY, seed=seed)
    return model, fit(model, tokenizer, corpus.texts(recipe, how.batch, steps=how.steps), how, **told)


def test_training_lowers_the_loss_and_reports_on_the_way(tokenizer):
    heard, seen = [], []
    model, log = trained(
        tokenizer, 0, replace(TINY.base, steps=45), report=heard.append, every=20,
        watch=lambda step, model: seen.append((step, model.training)),
    )  # fmt: skip
    assert heard == log
    assert [one.step for one in log] == [20, 40, 45]
    assert [step for step, _ in seen] == [0, 20, 40, 45]
    assert log[-1].values["loss"] < 0.8 * log[0].values["loss"]
    assert log[-1].left == 0
    assert all(one.rate > 0 and one.steps == 45 for one in log)
    assert "step    20 of 45" in str(log[0])
    assert "s left" in str(log[0])
    assert not model.training


def test_the_same_seed_gives_the_same_curve_and_weights_and_another_seed_others(tokenizer):
    how = replace(TINY.base, steps=6, batch=8)
    one, same, other = (trained(tokenizer, seed, how, every=2) for seed in (1, 1, 2))
    assert [step.values for step in one[1]] == [step.values for step in same[1]]
    assert [step.values for step in one[1]] != [step.values for step in other[1]]
    mine, again, theirs = (model.state_dict() for model, _ in (one, same, other))
    assert all(torch.equal(mine[name], again[name]) for name in mine)
    assert not all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_reports_are_means_since_the_last_one(tokenizer):
    how = replace(TINY.base, steps=6, batch=8)
    every, thirds = (trained(tokenizer, 0, how, every=every)[1] for every in (1, 3))
    losses = [one.values["loss"] for one in every]
    assert [one.values["loss"] for one in thirds] == pytest.approx([sum(losses[:3]) / 3, sum(losses[3:]) / 3])


def test_the_learning_rate_rises_then_falls_to_zero():
    how = Supervised(steps=50, warmup=10)
    shares = [share_of_rate(step, how) for step in range(51)]
    assert shares[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert max(shares) == shares[10] == 1
    assert all(before > after for before, after in pairwise(shares[10:]))
    assert shares[30] == pytest.approx(0.5)
    assert shares[50] == pytest.approx(0, abs=1e-12)
    assert share_of_rate(60, how) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("warmup", [0, 3, 8])
def test_a_rise_that_is_as_long_as_the_training_is_no_error(warmup):
    how = Supervised(steps=3, warmup=warmup)
    assert all(0 < share_of_rate(step, how) <= 1 for step in range(3))
