from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from tests.organism.tiny import SIZE, TINY

from handan.organism import corpus, grammar
from handan.organism.network import fresh
from handan.organism.recipe import Reinforced
from handan.organism.reinforced import Sample, add_gradients, advantages, fit, reward, sample
from handan.organism.tokenizer import build

PROBLEM = ("digit-addition", "4+9=13")


def problems(count, seed=0):
    return list(islice(corpus.problems(np.random.default_rng(seed), TINY), count))


def told(style, answer="true", problem=PROBLEM):
    """A reply as a sample, in one of the styles and with any answer."""
    tokenizer = build()
    thought = grammar.thought(grammar.completion(*problem, style, "carry"))
    text = grammar.reply(thought, answer)
    prompt = tokenizer(grammar.prompt(*problem))["input_ids"]
    ids = [*tokenizer(text)["input_ids"], tokenizer.eos_token_id]
    return Sample(problem, prompt, ids, text, grammar.is_right(*problem, text), True)


def log_probability(model, one):
    """Log probability of a reply, token by token, without any filling."""
    logits = model(input_ids=torch.tensor([[*one.prompt, *one.ids]])).logits[0]
    table = torch.log_softmax(logits, dim=-1)
    return sum(table[len(one.prompt) - 1 + place, token] for place, token in enumerate(one.ids))


def test_gradients_are_those_of_reinforce_one_sample_at_a_time(tokenizer, base):
    """REINFORCE with a baseline: advantage × gradient of the log probability, per token of the batch."""
    drawn = sample(base, tokenizer, problems(3), label="x", group=4, max_new_tokens=30)
    assert len({len(one.ids) for one in drawn}) > 1
    weights = torch.linspace(-1, 1, len(drawn))
    quick, slow = (fresh(SIZE, tokenizer, 0) for _ in range(2))
    loss = add_gradients(quick, drawn, weights, tokenizer.pad_token_id)
    counted = sum(len(one.ids) for one in drawn)
    for one, weight in zip(drawn, weights.tolist(), strict=True):
        (-weight * log_probability(slow, one) / counted).backward()
    for mine, theirs in zip(quick.parameters(), slow.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-4, atol=1e-6)
    # Of the policy's loss itself only the ratio, 1, is left.
    by_length = sum(weight * len(one.ids) for one, weight in zip(drawn, weights.tolist(), strict=True))
    assert loss == pytest.approx(-by_length / counted, rel=1e-4, abs=1e-6)


@budget(deadline=None, max_examples=100)
@given(st.integers(2, 8), st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=6), st.randoms())
def test_advantages_are_distances_within_the_group(group, means, random):
    rewards = [mean + random.uniform(-1, 1) for mean in means for _ in range(group)]
    table = np.array(rewards).reshape(-1, group)
    found = advantages(rewards, group).numpy().reshape(-1, group)
    assert found == pytest.approx(table - table.mean(axis=1, keepdims=True), abs=1e-5)
    assert found.sum(axis=1) == pytest.approx(0, abs=1e-4)


def test_equal_rewards_teach_nothing():
    assert advantages([0.25] * 4 + [1.0, 1.0, 1.0, 0.0], 4).tolist() == [0, 0, 0, 0, 0.25, 0.25, 0.25, -0.75]


def test_the_reward_is_for_the_answer_less_the_price_of_the_tokens():
    right, wrong = told("steps"), told("steps", "false")
    assert reward(right, 0.01) == pytest.approx(1 - 0.01 * len(right.ids))
    assert reward(wrong, 0.01) == pytest.approx(-0.01 * len(wrong.ids))
    assert reward(right, 0.0) == 1


def test_the_price_decides_between_two_right_answers(tokenizer):
    """With a price the shorter one becomes more likely and the longer one less; without, nothing moves."""
    short, long = told("once"), told("twice")
    model = fresh(SIZE, tokenizer, 0)
    for price in (0.0, 0.005):
        weights = advantages([reward(one, price) for one in (short, long)], 2)
        before = [log_probability(model, one).item() for one in (short, long)]
        model.zero_grad()
        add_gradients(model, [short, long], weights, tokenizer.pad_token_id)
        with torch.no_grad():
            for weight in model.parameters():
                weight -= 5 * weight.grad
        after = [log_probability(model, one).item() for one in (short, long)]
        if price:
            assert after[0] - before[0] > 0.01
            assert after[1] - before[1] < -0.01
        else:
            assert after == before


def test_a_right_long_answer_is_worth_more_than_a_wrong_short_one_at_the_usual_price():
    price = Reinforced(steps=1).price
    assert reward(told("twice"), price) > reward(told("once", "false"), price)


def test_samples_do_not_depend_on_the_size_of_the_batch(tokenizer, base):
    asked = problems(12)
    usual, small, single = (
        sample(base, tokenizer, asked, label="x", group=2, max_new_tokens=30, size=size)
        for size in (256, 5, 1)
    )
    assert usual == small == single
    assert [one.problem for one in usual] == [problem for problem in asked for _ in range(2)]


def test_samples_are_seeded_by_their_label(tokenizer, base):
    one, same, other = (
        [drawn.ids for drawn in sample(base, tokenizer, problems(8), label=label, max_new_tokens=30)]
        for label in ("x", "x", "y")
    )
    assert one == same != other


def test_samples_are_what_they_say(tokenizer, base):
    drawn = sample(base, tokenizer, problems(40), label="x", group=2, max_new_tokens=20)
    assert {one.ended for one in drawn} == {True, False}
    assert {one.right for one in drawn} == {True, False}
    for one in drawn:
        assert tokenizer.decode(one.prompt) == grammar.prompt(*one.problem)
        assert one.ended == (one.ids[-1] == tokenizer.eos_token_id)
        assert one.ended or len(one.ids) == 20
        assert tokenizer.decode(one.ids, skip_special_tokens=True) == one.text
        assert one.right == grammar.is_right(*one.problem, one.text)


def test_groups_differ_within_themselves(tokenizer, base):
    drawn = sample(base, tokenizer, problems(1), label="x", group=12, max_new_tokens=30)
    assert len({one.text for one in drawn}) > 3


def test_reinforcement_raises_the_reward(tokenizer, base):
    from copy import deepcopy

    model, heard = deepcopy(base), []
    how = Reinforced(steps=24, prompts=6, group=6, rate=5e-3, warmup=2, price=0.02, max_new_tokens=30)
    log = fit(model, tokenizer, iter(problems(200)), how, label="x", report=heard.append, every=6)
    assert heard == log
    assert [one.step for one in log] == [6, 12, 18, 24]
    assert log[-1].values["reward"] > log[0].values["reward"] + 0.1
    assert log[-1].values["tokens_each"] < log[0].values["tokens_each"]
    assert all(0 <= one.values["right"] <= 1 for one in log)
    assert not model.training


def test_the_same_label_gives_the_same_weights_and_another_one_others(tokenizer, base):
    from copy import deepcopy

    found = []
    for label in ("a", "a", "b"):
        model = deepcopy(base)
        fit(model, tokenizer, iter(problems(8)), replace(TINY.reinforced, prompts=2), label=label)
        found.append(model.state_dict())
    one, same, other = found
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)
