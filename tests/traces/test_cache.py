import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.traces.cache import Slots

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

HEADS, LAYERS = 2, 2
Moves = st.lists(st.tuples(st.sampled_from("sssrkt"), st.integers(0, 2**31)), max_size=80)


def states(rng, rows, width, dim):
    return torch.tensor(rng.normal(size=(rows, HEADS, width, dim)), dtype=torch.float32)


def prefilled(rng, lengths):
    """A left-padded cache of transformers, with NaN in the padding, and its mask."""
    from transformers import DynamicCache

    width = max(lengths)
    mask = torch.arange(width) >= width - torch.tensor(lengths)[:, None]
    past = DynamicCache()
    for layer in range(LAYERS):
        # Keys and values of different sizes, as in models with latent attention.
        filled = [states(rng, len(lengths), width, dim) for dim in (4, 6)]
        past.update(*(one.masked_fill(~mask[:, None, :, None], float("nan")) for one in filled), layer)
    return past, mask


class Plain:
    """What each slot should hold, as one tensor per slot, layer, and keys or values."""

    def __init__(self, past, lengths):
        self.rows = [self.cut(past, row, length) for row, length in enumerate(lengths)]

    @staticmethod
    def cut(past, row, length):
        return [[one[row, :, -length:] for one in (layer.keys, layer.values)] for layer in past.layers]

    def width(self, row):
        return self.rows[row][0][0].shape[1]


def check(slots, plain):
    for row, expected in enumerate(plain.rows):
        for layer, pair in zip(slots.past.layers, expected, strict=True):
            for held, wanted in zip((layer.keys, layer.values), pair, strict=True):
                length = wanted.shape[1]
                assert torch.equal(held[row, :, held.shape[2] - length :], wanted)
                assert held.isfinite().all()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**31), Moves)
def test_slots_hold_what_was_put_in(seed, moves):
    """Steps, replacements, shrinking and trimming, against a list of rows that never share anything."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 9, size=4).tolist()
    past, mask = prefilled(rng, lengths)
    plain = Plain(past, lengths)
    slots = Slots(past, 4)
    slots.insert(range(4), past, mask)
    for move, number in moves:
        if move == "r":
            row = number % len(plain.rows)
            length = 1 + number % 90
            new, new_mask = prefilled(rng, [length])
            slots.insert([row], new, new_mask)
            plain.rows[row] = plain.cut(new, 0, length)
        elif move == "k" and len(plain.rows) > 1:
            gone = number % len(plain.rows)
            kept = [row for row in range(len(plain.rows)) if row != gone]
            slots.keep(kept)
            plain.rows = [plain.rows[row] for row in kept]
        elif move == "t":
            slots.trim(max(plain.width(row) for row in range(len(plain.rows))))
        for layer in range(LAYERS):
            fed = [states(rng, len(plain.rows), 1, dim) for dim in (4, 6)]
            slots.past.update(*fed, layer)
            for row, held in enumerate(plain.rows):
                held[layer] = [
                    torch.cat([old, new[row]], 1) for old, new in zip(held[layer], fed, strict=True)
                ]
        check(slots, plain)
    assert slots.width >= max(plain.width(row) for row in range(len(plain.rows)))


def test_a_step_does_not_copy_the_cache():
    rng = np.random.default_rng(0)
    past, mask = prefilled(rng, [5])
    slots = Slots(past, 1)
    slots.insert([0], past, mask)
    layer = slots.past.layers[0]
    places = set()
    for _ in range(50):
        slots.past.update(states(rng, 1, 1, 4), states(rng, 1, 1, 6), 0)
        places.add(layer.keys.data_ptr() - layer.columns.start * layer.keys.stride(2) * 4)
    assert len(places) == 1


def test_a_wiped_row_holds_nothing():
    past, mask = prefilled(np.random.default_rng(0), [5, 5])
    slots = Slots(past, 2)
    slots.insert([0, 1], past, mask)
    slots.past.update(
        torch.full((2, HEADS, 1, 4), float("nan")), torch.full((2, HEADS, 1, 6), float("nan")), 0
    )
    slots.wipe([1])
    keys = slots.past.layers[0].keys
    assert keys[0].isnan().any()
    assert not keys[1].any()
