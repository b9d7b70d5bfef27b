import json
from dataclasses import replace

import pytest
from tests.traces.tiny import VOCABULARY, random_model

from handan.traces.errors import EngineError, ModelError
from handan.traces.loading import context_limit, load_network, load_tokenizer, stop_tokens
from handan.traces.models import Model, resolve

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.fixture
def model(tmp_path):
    return resolve(str(random_model(tmp_path / "model", stop_ids=[1, 40])))


def edit(model, name, **settings):
    from pathlib import Path

    file = Path(model.location) / name
    file.write_text(json.dumps(json.loads(file.read_text()) | settings))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_weights_are_loaded_in_the_format_asked_for(model, dtype):
    network = load_network(model, device="cpu", dtype=dtype, attention="eager")
    assert network.dtype == getattr(torch, dtype)
    assert network.config._attn_implementation == "eager"
    assert not network.training


def test_the_published_tokenizer_is_used_as_it_is(tmp_path):
    """AutoTokenizer replaces how a Qwen2 model's text is cut; here every second letter would go."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    folder = random_model(tmp_path / "model")
    inner = Tokenizer(models.WordLevel({"ab": 0, " ": 1, "?": 2}, unk_token="?"))
    inner.pre_tokenizer = pre_tokenizers.Split(Regex(r"ab| "), "isolated")
    inner.save(str(folder / "tokenizer.json"))
    edit(
        resolve(str(folder)), "tokenizer_config.json", extra_special_tokens=[], eos_token=None, pad_token=None
    )
    assert load_tokenizer(resolve(str(folder)))("ab ab")["input_ids"] == [0, 1, 0]


def test_stop_tokens_are_taken_from_everywhere(model):
    edit(model, "config.json", eos_token_id=[7, 8])
    network = load_network(model, device="cpu", dtype="float32")
    assert stop_tokens(network, load_tokenizer(model)) == {1, 7, 8, 40}
    network.generation_config.eos_token_id = None
    network.config.eos_token_id = 9
    assert stop_tokens(network, load_tokenizer(model)) == {1, 9}


@pytest.mark.parametrize(
    ("architecture", "name"), [("qwen2", "max_position_embeddings"), ("gpt2", "n_positions")]
)
def test_the_context_is_what_the_configuration_says(tmp_path, architecture, name):
    folder = random_model(tmp_path / "model", architecture=architecture, **{name: 77})
    assert context_limit(load_network(resolve(str(folder)), device="cpu", dtype="float32")) == 77


def test_foreign_code_is_never_run(model):
    edit(
        model, "config.json", model_type="alien", auto_map={"AutoConfig": "code.Config"}, architectures=["A"]
    )
    with pytest.raises(ModelError, match="needs code from its own repository"):
        load_network(model, device="cpu", dtype="float32")


def test_an_unknown_architecture_is_a_clear_error(model):
    edit(model, "config.json", model_type="alien", architectures=["AlienForCausalLM"])
    with pytest.raises(ModelError, match=r"model of .* can't be loaded: .*alien"):
        load_network(model, device="cpu", dtype="float32")


def test_other_formats_than_safetensors_are_refused(model):
    from pathlib import Path

    weights = Path(model.location) / "model.safetensors"
    torch.save({}, Path(model.location) / "pytorch_model.bin")
    weights.unlink()
    with pytest.raises(ModelError, match="no weights in safetensors"):
        load_network(model, device="cpu", dtype="float32")


def test_a_missing_tokenizer_is_a_clear_error(model, tmp_path):
    (tmp_path / "empty").mkdir()
    gone = replace(model, location=str(tmp_path / "empty"))
    with pytest.raises(ModelError, match="the tokenizer of"):
        load_tokenizer(gone)


def test_a_missing_package_is_a_matter_of_the_engine(model):
    with pytest.raises(EngineError, match=r"can't be loaded so: .*FlashAttention2"):
        load_network(model, device="cpu", dtype="bfloat16", attention="flash_attention_2")


def test_damaged_weights_are_a_clear_error(model):
    from pathlib import Path

    weights = Path(model.location) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"model of .* can't be loaded: SafetensorError"):
        load_network(model, device="cpu", dtype="float32")


def test_weights_that_do_not_fit_are_a_matter_of_the_engine(model, monkeypatch):
    from transformers import AutoModelForCausalLM

    def full(**given):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", full)
    with pytest.raises(EngineError, match="don't fit on cpu as float32"):
        load_network(model, device="cpu", dtype="float32")


def test_a_hub_model_is_asked_for_at_its_commit(monkeypatch):
    from transformers import AutoModelForCausalLM

    asked = {}

    def remember(**given):
        asked.update(given)
        raise OSError("offline")

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", remember)
    hub = Model("x", "org/x", "org/x", "c" * 40)
    with pytest.raises(ModelError, match="revision cccc"):
        load_network(hub, device="cpu", dtype="float32")
    assert asked["revision"] == "c" * 40
    assert asked["trust_remote_code"] is False
    assert asked["use_safetensors"] is True
    assert asked["dtype"] is torch.float32


@pytest.mark.parametrize(("dtype", "bits"), [("int8", "load_in_8bit"), ("int4", "load_in_4bit")])
def test_quantised_weights_are_asked_for_through_bitsandbytes(monkeypatch, dtype, bits):
    """Not run for real: that needs CUDA."""
    from transformers import AutoModelForCausalLM

    asked = {}

    class Loaded:
        def eval(self):
            return self

    monkeypatch.setattr(
        AutoModelForCausalLM, "from_pretrained", lambda **given: asked.update(given) or Loaded()
    )
    load_network(Model("x", "org/x", "org/x", "c" * 40), device="cpu", dtype=dtype)
    assert getattr(asked["quantization_config"], bits) is True


def test_the_tiny_tokenizer_is_read_back(model):
    text = "".join(VOCABULARY)
    cutter = load_tokenizer(model)
    ids = cutter(text)["input_ids"]
    assert ids == list(range(len(VOCABULARY)))
    assert cutter.decode(ids) == text
