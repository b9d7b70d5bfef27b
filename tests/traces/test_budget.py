import pytest
from hypothesis import given
from hypothesis import strategies as st

from handan.lineage import paper_design
from handan.traces.budget import Machine, Shape, machines, shape_from, shape_of, stated

ONE = Machine("one", 1, 80e9, 3.35e12, 989e12, 2.5)
EIGHT = Machine("eight", 8, 80e9, 3.35e12, 989e12, 2.5)
SMALL = Shape(7.6e9, 7.6e9, 2 * 28 * 4 * 128)


def test_one_sequence_is_bound_by_reading_the_weights():
    # Short context: the weights alone count, 15.2 GB at 3.35 TB/s.
    shape = Shape(7.6e9, 7.6e9, 1)
    lone = Machine("lone", 1, shape.weights / 0.9 + 3, 3.35e12, 989e12, 1)
    assert lone.rate(shape, 1, 1.0) == pytest.approx(3.35e12 / 15.2e9, rel=1e-6)


def test_published_single_stream_rates_are_below_the_limit_by_the_stated_share():
    # Llama-3.1-8B on an A100 40 GB: about 75 tokens/s at 1.555 TB/s, reported as 77 % of the limit.
    shape = shape_of("Llama-3.1-8B", 8.03e9)
    assert 75 / (1.555e12 / shape.weights) == pytest.approx(0.77, abs=0.01)


def test_a_model_that_does_not_fit_has_no_rate():
    assert ONE.rate(shape_of("Llama-3.1-70B", 70.6e9), 4096, 0.5) == 0
    assert EIGHT.rate(shape_of("Llama-3.1-70B", 70.6e9), 4096, 0.5) > 0


def test_eight_gpus_are_at_least_eight_times_one():
    assert EIGHT.rate(SMALL, 4096, 0.5) >= 8 * ONE.rate(SMALL, 4096, 0.5) * 0.999


@given(st.integers(100, 30_000), st.integers(1, 30_000))
def test_longer_answers_are_never_generated_faster(context, more):
    assert ONE.rate(SMALL, context + more, 0.5) <= ONE.rate(SMALL, context, 0.5) * (1 + 1e-9)


@given(st.floats(0.01, 1))
def test_the_rate_is_proportional_to_efficiency(efficiency):
    assert ONE.rate(SMALL, 4096, efficiency) == pytest.approx(efficiency * ONE.rate(SMALL, 4096, 1.0))


def test_grouped_attention_takes_less_cache():
    config = type("C", (), {"num_hidden_layers": 28, "num_attention_heads": 28, "hidden_size": 3584})()
    full = shape_from(config, 7.6e9, "bfloat16")
    config.num_key_value_heads = 4
    assert full.cache == 7 * shape_from(config, 7.6e9, "bfloat16").cache
    assert shape_from(config, 7.6e9, "bfloat16").cache == shape_of("Qwen2.5-7B", 7.6e9).cache


def test_eight_bit_weights_take_half_the_memory_and_the_cache_stays():
    half, full = (shape_of("Qwen2.5-7B", 7.6e9, dtype) for dtype in ("int8", "bfloat16"))
    assert (2 * half.weights, half.per_token) == (full.weights, full.per_token)


def test_an_unknown_family_is_named():
    with pytest.raises(LookupError, match="Mamba"):
        shape_of("Mamba", 1e9)


def test_every_stated_machine_has_its_source_and_price():
    for machine in machines().values():
        assert machine.source
        assert machine.price_note
        assert machine.usd_per_hour > 0
    assert len(stated()["read"]) == 10


def test_the_shape_of_every_model_of_the_paper_is_known():
    from handan.traces.budget import paper_shapes

    shapes = paper_shapes()
    assert set(shapes) == set(paper_design()["model"])
    assert shapes["DeepSeek-R1-Distill-Qwen-7B"].cache == SMALL.cache
