from dataclasses import replace
from itertools import islice, pairwise

import pytest

from handan.norms import load_bank
from handan.organism import grammar
from handan.organism.corpus import Recipe, held_out, pair, texts, widths
from handan.organism.pretrain import add_gradients, fresh, share_of_rate, tensors, train
from handan.organism.tokenizer import build

SMALL = Recipe(layers=1, hidden=16, heads=2, mlp=32, bits=(1, 2, 3), steps=4, batch=4, warmup=2)


def operands(prompt):
    return pair(prompt.split()[1])


def test_half_of_the_pairs_of_the_bank_are_held_out_by_seed():
    pairs = {pair(item) for item in load_bank(grammar.SIGNS)["item"]}
    chosen = held_out(Recipe())
    assert len(pairs) == 136
    assert len(chosen) == 68
    assert chosen < pairs
    assert chosen == held_out(Recipe())
    assert chosen != held_out(Recipe(seed=1))


def test_no_training_text_holds_a_pair_that_is_held_out():
    recipe = Recipe(bits=(4,), steps=10, batch=50)
    shown = {operands(prompt) for batch in islice(texts(recipe), 60) for prompt, _ in batch}
    every = {pair(item) for item in load_bank(grammar.SIGNS)["item"]}
    assert shown == every - held_out(recipe)


def test_batches_are_seeded_of_one_width_and_mix_tasks_and_styles():
    recipe = Recipe(steps=20, growth=0.5)
    batches = list(islice(texts(recipe), 40))
    assert batches == list(islice(texts(recipe), 40))
    assert batches != list(islice(texts(replace(recipe, seed=1)), 40))
    assert {len({len(prompt.split()[1]) for prompt, _ in batch}) for batch in batches} == {1}
    everything = [
        prompt.split()[0] + completion.split("\n")[0] for batch in batches for prompt, completion in batch
    ]
    assert len(set(everything)) == len(grammar.SIGNS) * len(grammar.STYLES)
    share = sum("twice" in one for one in everything) / len(everything)
    assert share == pytest.approx(1 / 3, abs=0.06)


def test_numbers_of_columns_grow_until_all_are_drawn():
    recipe = Recipe(bits=(2, 3, 4, 5, 6), steps=100, growth=0.5)
    drawn = [widths(step, recipe) for step in range(100)]
    assert drawn[0] == (2, 3, 4)
    assert set(drawn[50:]) == {recipe.bits}
    assert all(set(before) <= set(after) for before, after in pairwise(drawn))


def test_the_loss_is_on_the_completion_and_its_stop_token_alone():
    tokenizer = build()
    batch = [(grammar.prompt(item), grammar.completion(item, "carries")) for item in ("11+11", "1010-0110")]
    ids, labels = tensors(batch, tokenizer)
    for row, (asked, told) in enumerate(batch):
        counted = labels[row] != -100
        assert tokenizer.decode(ids[row][counted]) == f"{told}<eos>"
        assert tokenizer.decode(labels[row][counted]) == f"{told}<eos>"
        assert tokenizer.decode(ids[row]).rstrip("<pad>").startswith(asked + told)


def test_the_learning_rate_rises_then_falls_to_zero():
    recipe = Recipe(steps=50, warmup=10)
    shares = [share_of_rate(step, recipe) for step in range(51)]
    assert shares[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert all(before > after for before, after in pairwise(shares[10:]))
    assert shares[10] == 1
    assert shares[50] == 0


def test_the_same_recipe_gives_identical_weights_and_another_seed_does_not():
    import torch

    def weights(recipe):
        return train(recipe, report=lambda progress: None)[0].state_dict()

    once, again, other = weights(SMALL), weights(SMALL), weights(replace(SMALL, seed=1))
    assert all(torch.equal(once[name], again[name]) for name in once)
    assert not all(torch.equal(once[name], other[name]) for name in once)


def test_training_lowers_the_loss_and_reports_on_the_way():
    heard = []
    model, log = train(replace(SMALL, steps=45, batch=16, rate=1e-2), report=heard.append, every=20)
    assert heard == log
    assert [one.step for one in log] == [20, 40, 45]
    assert log[-1].loss < 0.7 * log[0].loss
    assert log[-1].left == 0
    assert all(one.rate > 0 for one in log)
    assert "tokens/s" in str(log[0])
    assert "s left" in str(log[0])
    assert not model.training


def test_gradients_of_a_batch_in_parts_are_those_of_the_whole():
    import torch

    tokenizer, recipe = build(), replace(SMALL, batch=10, bits=(2, 3, 4))
    batch = next(texts(recipe))
    in_parts, whole = fresh(recipe, tokenizer), fresh(recipe, tokenizer)
    loss, read = add_gradients(in_parts, batch, tokenizer)
    ids, labels = tensors(batch, tokenizer)
    at_once = whole(input_ids=ids, labels=labels).loss
    at_once.backward()
    assert loss == pytest.approx(at_once.item(), rel=1e-5)
    assert read == sum(len(tokenizer(asked + told)["input_ids"]) + 1 for asked, told in batch)
    for one, other in zip(in_parts.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-6)
