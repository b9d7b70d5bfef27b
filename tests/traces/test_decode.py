from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.traces.tiny import random_model

from handan.traces.decode import Batch, Row
from handan.traces.fallback import StaticBatch
from handan.traces.network import Network
from handan.traces.request import Decoding

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

STOPS = frozenset({1, 20, 40})
GREEDY = Decoding(max_new_tokens=30, temperature=0).canonical()
SAMPLED = Decoding(max_new_tokens=30, temperature=1.1, top_p=0.9, top_k=50, seed=3)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    from transformers import AutoModelForCausalLM

    folder = random_model(tmp_path_factory.mktemp("models") / "random", seed=4)
    return Network(AutoModelForCausalLM.from_pretrained(folder).eval())


def make_rows(count, limit=30):
    rng = np.random.default_rng(8)
    return [
        Row(f"{1000 + number:x}", rng.integers(4, 100, size=rng.integers(1, 25)).tolist(), limit)
        for number in range(count)
    ]


def written(batch):
    return {row.key: (tuple(row.ids), row.end) for row in batch.run()}


def one_by_one(network, row, decoding):
    """The same loop with nothing in it: no batch, no cache, no padding; the definition of a sample."""
    from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    stream, ids = np.random.default_rng(int(row.key, 16)), list(row.prompt)
    while True:
        with torch.inference_mode():
            logits = network.model(torch.tensor([ids])).logits[:, -1]
        if decoding.greedy:
            ids.append(int(logits.argmax()))
        else:
            logits = TemperatureLogitsWarper(decoding.temperature)(None, logits)
            logits = TopPLogitsWarper(decoding.top_p)(None, TopKLogitsWarper(decoding.top_k)(None, logits))
            reached = logits.double().softmax(-1).cumsum(-1)[0] > stream.random(dtype=np.float32)
            ids.append(int(reached.int().argmax()))
        if ids[-1] in STOPS or len(ids) - len(row.prompt) == row.limit:
            return tuple(ids[len(row.prompt) :]), "stop" if ids[-1] in STOPS else "length"


@pytest.fixture(scope="module", params=[GREEDY, SAMPLED], ids=["greedy", "sampled"])
def decoding(request):
    return request.param


@pytest.fixture(scope="module")
def expected(network, decoding):
    return {row.key: one_by_one(network, row, decoding) for row in make_rows(24)}


def test_the_rows_used_here_are_of_mixed_lengths(expected):
    lengths = [len(ids) for ids, _ in expected.values()]
    assert min(lengths) <= 5
    assert {end for _, end in expected.values()} == {"stop", "length"}


@settings(deadline=None, max_examples=12)
@given(st.data())
def test_no_batching_changes_what_a_row_writes(network, decoding, expected, data):
    rows = data.draw(st.permutations(make_rows(24)))
    batch = Batch(
        network,
        deque(rows[: data.draw(st.integers(1, 24), label="rows")]),
        decoding,
        STOPS,
        size=data.draw(st.sampled_from([1, 3, 16]), label="size"),
        refill=data.draw(st.booleans(), label="refill"),
        stride=data.draw(st.sampled_from([1, 4, 50]), label="stride"),
    )
    wanted = {row.key: expected[row.key] for row in batch._waiting}
    assert written(batch) == wanted


def test_a_static_batch_writes_the_same(network, decoding, expected):
    rows = deque(sorted(make_rows(24), key=lambda row: -len(row.prompt)))
    assert written(StaticBatch(network, rows, decoding, STOPS, size=5)) == expected


def test_places_are_taken_as_they_become_free(network):
    """Refilling needs fewer steps than waiting for the longest of each batch."""
    steps = {}
    for refill in (True, False):
        rows, count = make_rows(24), 0
        batch = Batch(network, deque(rows), GREEDY, STOPS, size=4, refill=refill)
        feed = batch._feed

        def counted(tokens, feed=feed):
            nonlocal count
            count += 1
            return feed(tokens)

        batch._feed = counted
        assert len(list(batch.run())) == 24
        steps[refill] = count
    assert steps[True] < 0.8 * steps[False]


def test_a_row_counts_up_to_its_first_stop_its_limit_or_a_fault():
    def after(tokens, sound=None, limit=5):
        row = Row("1", [7], limit)
        row.start()
        row.extend(tokens, sound or [True] * len(tokens), frozenset({1, 2}))
        return row.ids, row.end

    assert after([5, 6]) == ([5, 6], None)
    assert after([5, 2, 1, 6]) == ([5, 2], "stop")
    assert after([5] * 7) == ([5] * 5, "length")
    assert after([5, 1], limit=2) == ([5, 1], "stop")
    assert after([5, 6, 1], [True, False, True]) == ([5], "error")
    assert after([5, 1, 6], [True, True, False]) == ([5, 1], "stop")


def test_a_row_that_begins_again_forgets_what_it_wrote(network, expected, decoding):
    rows = make_rows(6)
    batch = Batch(network, deque(rows), decoding, STOPS, size=6)
    next(batch.run())
    back = batch.flight
    assert len(back) >= 3
    assert all(row.ids for row in back)
    wanted = {row.key: expected[row.key] for row in back}
    assert written(Batch(network, deque(back), decoding, STOPS, size=2)) == wanted
