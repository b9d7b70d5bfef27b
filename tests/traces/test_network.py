import pytest
from tests.traces.tiny import random_model

from handan.traces.network import Network, refillable

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


def load(folder, **options):
    from transformers import AutoModelForCausalLM

    return Network(AutoModelForCausalLM.from_pretrained(random_model(folder, **options)).eval())


@pytest.mark.parametrize("architecture", ["qwen2", "gpt2"])
def test_attention_can_be_refilled(tmp_path, architecture):
    possible, reason = refillable(load(tmp_path / "model", architecture=architecture))
    assert possible
    assert "keys and values only" in reason


def test_a_recurrent_model_can_not(tmp_path):
    possible, reason = refillable(load(tmp_path / "model", architecture="mamba", hidden=32, state_size=4))
    assert not possible
    assert "keeps more than keys and values" in reason


def test_a_model_that_attends_to_padding_is_found_out(tmp_path):
    network = load(tmp_path / "model")
    forward = network.model.forward

    def careless(attention_mask=None, **given):
        return forward(**given)

    network.model.forward = careless
    possible, reason = refillable(network)
    assert not possible
    assert "padding changes the model's logits" in reason


def test_a_model_that_refuses_a_batch_is_found_out(tmp_path):
    network = load(tmp_path / "model")

    def stubborn(**given):
        raise TypeError("no")

    network.model.forward = stubborn
    assert refillable(network) == (False, "the model can't be run on a padded batch (TypeError)")


def test_reading_pads_at_the_left(tmp_path):
    network = load(tmp_path / "model")
    with torch.inference_mode():
        logits, past, mask = network.read([[5, 6, 7], [8]])
        alone = network.model(torch.tensor([[8]])).logits[0, -1]
    assert mask.tolist() == [[True] * 3, [False, False, True]]
    assert past.get_seq_length() == 3
    torch.testing.assert_close(logits[1], alone, atol=1e-4, rtol=1e-4)
