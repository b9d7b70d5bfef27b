import os
from dataclasses import replace

import pytest
from tests.traces import fake_vllm
from tests.traces.tiny import random_model

from handan.traces.engine import Engine
from handan.traces.errors import EngineError
from handan.traces.models import resolve
from handan.traces.prompts import PLAIN
from handan.traces.request import Decoding, Request
from handan.traces.transformers_engine import TransformersEngine
from handan.traces.vllm_engine import VLLMEngine
from handan.traces.vllm_terms import sampling

pytest.importorskip("torch")
pytest.importorskip("transformers")

GREEDY = Decoding(max_new_tokens=24, temperature=0)
WARM = Decoding(max_new_tokens=24, temperature=1.2, top_p=1.0)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return resolve(
        str(random_model(tmp_path_factory.mktemp("model"), max_position_embeddings=64, stop_ids=[1, 40]))
    )


@pytest.fixture
def vllm(monkeypatch):
    return fake_vllm.install(monkeypatch)


def requests(model, prompts, decoding=GREEDY):
    return [
        Request(
            model.name, model.model_id, model.revision, PLAIN, "t", str(place), 0, prompt, decoding, "float32"
        )
        for place, prompt in enumerate(prompts)
    ]


PROMPTS = ["a", "1+1=", "A longer one, to have lengths that differ.", "zz", "?", "x y z", "7*6", "Q"]


def by_key(completions):
    found = {one.key: one for one in completions}
    assert len(found) == len(completions)
    return found


def test_greedy_traces_and_counts_are_those_of_the_transformers_engine(model, vllm):
    asked = requests(model, PROMPTS)
    with VLLMEngine(model, dtype="float32") as engine:
        assert isinstance(engine, Engine)
        ours = by_key(list(engine.complete(asked)))
    with TransformersEngine(model, dtype="float32", device="cpu", batch_size=1) as other:
        theirs = by_key(list(other.complete(asked)))
    assert {one.stop for one in ours.values()} == {"stop", "length"}
    for key, one in ours.items():
        assert replace(one, seconds=None) == replace(theirs[key], seconds=None)
        assert one.seconds > 0


@pytest.mark.parametrize("decoding", [GREEDY, WARM])
def test_it_does_not_matter_whether_vllm_keeps_the_stop_token(model, vllm, decoding):
    asked = requests(model, PROMPTS, decoding)
    with VLLMEngine(model, dtype="float32") as engine:
        kept = by_key(list(engine.complete(asked)))
        vllm.swallows_stop = True
        swallowed = by_key(list(engine.complete(asked)))
    assert any(one.stop == "stop" for one in kept.values())
    assert {key: replace(one, seconds=None) for key, one in kept.items()} == {
        key: replace(one, seconds=None) for key, one in swallowed.items()
    }
    assert all(one.token_ids[-1] in (1, 40) for one in kept.values() if one.stop == "stop")


def test_results_come_as_they_finish(model, vllm):
    asked = requests(model, PROMPTS)
    with VLLMEngine(model, dtype="float32") as engine:
        answers = engine.complete(asked)
        next(answers)
        unfinished = len(engine._engine._queue)
        assert unfinished >= len(asked) - fake_vllm.LLMEngine.max_num_seqs
        answers.close()
        assert not engine._engine.has_unfinished_requests(), "what was under way must be taken back"
        assert len(list(engine.complete(asked))) == len(asked)


def test_a_window_bounds_what_vllm_holds(model, vllm, monkeypatch):
    monkeypatch.setattr("handan.traces.vllm_engine._WINDOW", 2)
    most = []
    step = fake_vllm.LLMEngine.step
    monkeypatch.setattr(fake_vllm.LLMEngine, "step", lambda self: most.append(len(self._queue)) or step(self))
    with VLLMEngine(model, dtype="float32") as engine:
        assert len(by_key(list(engine.complete(requests(model, PROMPTS))))) == len(PROMPTS)
    assert max(most) == 2


def test_bad_requests_are_rows_and_the_others_are_answered(model, vllm):
    good, long, cold, hot, empty = requests(model, ["a", "b" * 70, "c", "d", ""])
    cold = replace(cold, decoding=Decoding(temperature=0.001))
    hot = replace(hot, decoding=Decoding(temperature=2.5))
    with VLLMEngine(model, dtype="float32") as engine:
        found = by_key(list(engine.complete([long, good, cold, hot, empty])))
    assert found[good.key].stop in ("stop", "length")
    assert "70 tokens" in found[long.key].error
    assert "0.01" in found[cold.key].error
    assert "refused" in found[hot.key].error
    assert "no tokens" in found[empty.key].error
    assert all(found[one.key].stop == "error" for one in (long, cold, hot, empty))


def test_the_context_cuts_a_trace_and_says_so(model, vllm):
    long = requests(model, ["b" * 55])
    with VLLMEngine(model, dtype="float32") as engine:
        engine._stops = frozenset()
        (cut,) = engine.complete(long)
    assert (cut.stop, cut.finish_reason, cut.output_tokens) == ("length", "context", 64 - 55)


def test_an_end_of_another_kind_is_a_failure(model, vllm):
    vllm.cut_reason = "repetition"
    with VLLMEngine(model, dtype="float32") as engine:
        found = list(engine.complete(requests(model, PROMPTS)))
    failed = [one for one in found if one.stop == "error"]
    assert failed
    assert all("'repetition' after 24 tokens" in one.error for one in failed)


def test_a_broken_engine_is_an_engine_error(model, vllm):
    vllm.breaks_after = 10
    with VLLMEngine(model, dtype="float32") as engine, pytest.raises(EngineError, match="EngineCore"):
        list(engine.complete(requests(model, PROMPTS)))


def test_lost_requests_do_not_hang_it(model, vllm, monkeypatch):
    monkeypatch.setattr(fake_vllm.LLMEngine, "add_request", lambda *ignored: None)
    with VLLMEngine(model, dtype="float32") as engine, pytest.raises(EngineError, match="lost 8 requests"):
        list(engine.complete(requests(model, PROMPTS)))


def test_models_load_pinned_without_foreign_code_or_hidden_defaults(model, vllm, monkeypatch):
    monkeypatch.delenv("VLLM_NO_USAGE_STATS", raising=False)
    with VLLMEngine(
        model, dtype="float32", tensor_parallel=2, max_model_len=50, enforce_eager=True
    ) as engine:
        settings = engine.settings()
    (made,) = vllm.made
    assert made["model"] == model.location
    assert made["trust_remote_code"] is False
    assert made["load_format"] == "safetensors"
    assert made["generation_config"] == "vllm"
    assert (made["tensor_parallel_size"], made["max_model_len"], made["enforce_eager"]) == (2, 50, True)
    assert "revision" not in made
    assert os.environ["VLLM_NO_USAGE_STATS"] == "1"
    assert settings["context"] == 50
    assert settings["stop_tokens"] == [1, 40]
    assert settings["dtype"] == "float32"
    hub = replace(model, model_id="org/name", revision="c0ffee")
    engine = VLLMEngine(hub, dtype="float32")
    monkeypatch.setattr("handan.traces.vllm_engine.published_stops", lambda *ignored: frozenset({1}))
    engine._tokenizer = object()
    with engine:
        assert vllm.made[-1]["revision"] == vllm.made[-1]["tokenizer_revision"] == "c0ffee"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"dtype": "float99"}, "float99"),
        ({"tensor_parallel": 0}, "tensor_parallel"),
        ({"gpu_memory_utilization": 0}, "gpu_memory_utilization"),
        ({"trust_remote_code": True}, "trust_remote_code"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(model, arguments, words):
    with pytest.raises(EngineError, match=words):
        VLLMEngine(model, **arguments)


def test_without_vllm_it_says_what_to_install(model, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "vllm", None)
    with pytest.raises(EngineError, match="pip install vllm"):
        VLLMEngine(model, dtype="float32").__enter__()
    with pytest.raises(EngineError, match="with statement"):
        list(VLLMEngine(model, dtype="float32").complete([]))


def test_a_model_that_does_not_fit_says_what_helps(model, vllm):
    with pytest.raises(EngineError, match=r"No available memory.*max_model_len"):
        VLLMEngine(model, dtype="float32", gpu_memory_utilization=0.05).__enter__()


def test_sampling_arguments_exist_and_follow_the_key(model):
    one, other = requests(model, ["a", "b"], WARM)
    assert set(sampling(one, {1})) <= fake_vllm.accepted()
    assert sampling(one, {1}) == sampling(one, {1})
    assert sampling(one, {1})["seed"] != sampling(other, {1})["seed"]
    assert 0 <= sampling(one, {1})["seed"] < 2**63
    greedy = sampling(replace(one, decoding=Decoding(temperature=0, top_p=0.5, top_k=7)), {1})
    assert (greedy["seed"], greedy["top_p"], greedy["top_k"]) == (None, 1.0, -1)
