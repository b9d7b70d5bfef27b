import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from handan.traces.request import Decoding
from handan.traces.sampling import Chooser, invert, warpers

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

DECODINGS = [
    Decoding(temperature=1.0, top_p=1.0),
    Decoding(temperature=0.6, top_p=0.95),
    Decoding(temperature=1.3, top_p=0.8, top_k=7),
    Decoding(temperature=1.0, top_p=1.0, top_k=3),
    Decoding(temperature=0.7, top_p=1e-6),
]


def shaped(logits, decoding):
    """Probabilities by the definition: scale, keep the top k, then the fewest that reach top p."""
    scaled = logits / decoding.temperature
    order = np.argsort(-scaled)
    kept = order[: decoding.top_k or None]
    weights = np.exp(scaled[kept] - scaled[kept].max())
    weights /= weights.sum()
    before = np.concatenate([[0], np.cumsum(weights)[:-1]])
    kept, weights = kept[before < decoding.top_p], weights[before < decoding.top_p]
    result = np.zeros(len(logits))
    result[kept] = weights / weights.sum()
    return result


@pytest.mark.parametrize("decoding", DECODINGS)
def test_the_distribution_is_that_of_the_definition(decoding):
    logits = np.random.default_rng(1).normal(scale=2, size=(5, 40))
    warped = torch.tensor(logits, dtype=torch.float32)
    for warper in warpers(decoding):
        warped = warper(None, warped)
    expected = np.stack([shaped(row, decoding) for row in logits])
    np.testing.assert_allclose(warped.softmax(-1).numpy(), expected, atol=2e-6)


@pytest.mark.parametrize("decoding", DECODINGS)
def test_samples_follow_it(decoding):
    rows = 6000
    logits = np.random.default_rng(2).normal(scale=1.5, size=12)
    choose = Chooser(decoding, "cpu")
    choose.seat(range(rows), range(rows), rows)
    tokens, sound = choose(torch.tensor(logits, dtype=torch.float32).expand(rows, -1))
    counts = np.bincount(tokens.numpy(), minlength=12)
    expected = shaped(logits, decoding)
    assert sound.all()
    assert not counts[expected == 0].any()
    possible = expected > 0
    if possible.sum() > 1:
        assert stats.chisquare(counts[possible], rows * expected[possible]).pvalue > 1e-3


def test_the_test_of_the_distribution_can_fail():
    rows = 6000
    choose = Chooser(Decoding(temperature=1.0, top_p=1.0), "cpu")
    choose.seat(range(rows), range(rows), rows)
    tokens, _ = choose(torch.zeros(rows, 12))
    slightly_off = np.linspace(0.8, 1.2, 12) * rows / 12
    assert stats.chisquare(np.bincount(tokens.numpy(), minlength=12), slightly_off).pvalue < 1e-3


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1, exclude_max=True, width=32))
def test_inversion_chooses_possible_tokens_only(seed, uniform):
    rng = np.random.default_rng(seed)
    logits = torch.tensor(rng.normal(scale=5, size=(3, 50)), dtype=torch.float32)
    logits[torch.tensor(rng.random((3, 50)) < 0.7)] = float("-inf")
    logits[:, rng.integers(50)] = 0.0
    chosen = invert(logits, torch.full((3,), uniform))
    assert (logits.gather(1, chosen[:, None]) > float("-inf")).all()


def test_a_number_that_rounds_to_one_gives_a_possible_token():
    logits = torch.tensor([[0.0, 0.0, float("-inf")]])
    assert invert(logits, torch.ones(1)).item() in (0, 1)


def test_each_row_spends_its_own_stream_in_order():
    """Whenever a row joins, and whoever leaves, its n-th token is decided by its n-th number."""
    logits = torch.zeros(1, 1000)
    decoding = Decoding(temperature=1.0, top_p=1.0)
    streams = {seed: np.random.default_rng(seed) for seed in (11, 22, 33, 44)}

    def expected(seed):
        # Tokens are equally likely, so that the token says which number was spent.
        return int(np.float32(streams[seed].random(dtype=np.float32)) * 1000)

    choose = Chooser(decoding, "cpu")
    seated = [11, 22, 33]
    choose.seat([0, 1, 2], seated, 3)
    for step in range(200):
        if step == 50:
            seated[1] = 44  # takes the place of one that is done
            choose.seat([1], [44], 3)
        if step == 130:
            seated = [44, 33]
            choose.keep([1, 2])
        tokens, _ = choose(logits.expand(len(seated), -1))
        wanted = [expected(seed) for seed in seated]
        assert np.abs(tokens.numpy() - wanted).max() <= 1, step  # the sum is in 32 bits


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_unusable_logits_are_noticed_in_their_row_only(temperature, bad):
    choose = Chooser(Decoding(temperature=temperature).canonical(), "cpu")
    choose.seat([0, 1, 2], [1, 2, 3], 3)
    logits = torch.randn(3, 20, generator=torch.Generator().manual_seed(0))
    logits[0, 3] = float("-inf")
    logits[1, 7] = bad
    tokens, sound = choose(logits)
    assert sound.tolist() == [True, False, True]
    assert tokens[0] != 3
    assert choose(torch.full((3, 20), float("-inf")))[1].tolist() == [False] * 3


def test_greedy_takes_the_likeliest():
    choose = Chooser(Decoding(temperature=0).canonical(), "cpu")
    logits = torch.randn(8, 30, generator=torch.Generator().manual_seed(0)).bfloat16()
    assert choose(logits)[0].tolist() == logits.argmax(-1).tolist()
