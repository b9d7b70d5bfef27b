import pytest
import torch
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from tests.organism.tiny import SIZE, TINY

from handan.organism import corpus
from handan.organism.network import NO_LOSS, encoded, fresh, tensors

ids = st.lists(st.integers(3, 99), min_size=1, max_size=12)


@budget(deadline=None, max_examples=100)
@given(st.lists(st.tuples(ids, ids), min_size=1, max_size=6))
def test_labels_are_the_completions_and_nothing_else(batch):
    numbers, labels = tensors(batch, pad=0)
    assert numbers.shape == labels.shape == (len(batch), max(len(one) + len(other) for one, other in batch))
    for row, (asked, told) in enumerate(batch):
        end = len(asked) + len(told)
        assert numbers[row, :end].tolist() == asked + told
        assert set(numbers[row, end:].tolist()) <= {0}
        assert labels[row, len(asked) : end].tolist() == told
        assert (labels[row] != NO_LOSS).sum() == len(told)


def test_a_text_ends_with_one_stop_token_and_comes_back(tokenizer):
    batch = next(corpus.texts(TINY, 10, steps=1))
    for (asked, told), (prompt, completion) in zip(encoded(batch, tokenizer), batch, strict=True):
        assert tokenizer.decode(asked) == prompt
        assert told.count(tokenizer.eos_token_id) == 1
        assert tokenizer.decode(told) == f"{completion}{tokenizer.eos_token}"


def test_filling_changes_neither_the_logits_nor_the_loss_of_a_text(tokenizer):
    """A wider batch, other neighbours: what is computed for a text is its own."""
    model = fresh(SIZE, tokenizer, 0).eval()
    batch = encoded(next(corpus.texts(TINY, 8, steps=1)), tokenizer)
    batch = sorted(batch, key=lambda text: len(text[0]) + len(text[1]))
    assert len(batch[0][1]) < len(batch[-1][1])
    numbers, labels = tensors(batch, tokenizer.pad_token_id)
    together = model(input_ids=numbers).logits
    for row, text in enumerate(batch):
        alone, own = tensors([text], tokenizer.pad_token_id)
        torch.testing.assert_close(
            model(input_ids=alone).logits[0], together[row, : alone.shape[1]], atol=1e-5, rtol=1e-5
        )
        expected = model(input_ids=alone, labels=own).loss
        found = model(input_ids=numbers[row : row + 1], labels=labels[row : row + 1]).loss
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)


def test_weights_are_those_of_the_seed_and_of_the_size_asked_for(tokenizer):
    one, same, other = (fresh(SIZE, tokenizer, seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)
    model = fresh(SIZE, tokenizer, 3)
    assert model.config.num_hidden_layers == SIZE.layers
    assert model.get_input_embeddings().weight.shape == (len(tokenizer), SIZE.hidden)
    assert model.get_input_embeddings().weight.std().item() == pytest.approx(SIZE.spread, rel=0.1)
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
