import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.traces.tiny import VOCABULARY, random_model

from handan.traces.engine import Engine
from handan.traces.errors import EngineError, ModelError
from handan.traces.models import resolve
from handan.traces.network import Network
from handan.traces.prompts import chat_renderer
from handan.traces.request import Decoding, Request
from handan.traces.transformers_engine import TransformersEngine

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

LIMIT = 32
PROMPTS = [f"{'1+1 ' * (number % 6)}{'so ' * (number % 4)}{number}\n" for number in range(20)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Its generation config names two stop tokens; the tokenizer's and the model's own is a third."""
    return random_model(tmp_path_factory.mktemp("models") / "random", stop_ids=[20, 40])


@pytest.fixture(scope="module")
def engine(folder):
    with TransformersEngine(resolve(str(folder)), device="cpu") as entered:
        yield entered


def ask(engine, prompts=PROMPTS, *, template="plain", **decoding):
    decoding = Decoding(**{"max_new_tokens": LIMIT, "temperature": 0, **decoding})
    model = engine.model
    return [
        Request(model.name, model.model_id, model.revision, template, "sums", str(number), 0, prompt,
                decoding, engine.dtype)
        for number, prompt in enumerate(prompts)
    ]  # fmt: skip


def answers(engine, requests):
    """Answers in the order of the requests; every one exactly once."""
    found = list(engine.complete(requests))
    assert Counter(one.key for one in found) == Counter(one.key for one in requests)
    by_key = {one.key: one for one in found}
    return [by_key[request.key] for request in requests]


def generated(folder, prompts=PROMPTS, limit=LIMIT, stops=(1, 20, 40)):
    """What transformers writes, one prompt at a time: no batch, no padding."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, cutter = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    found = []
    for prompt in prompts:
        read = cutter(prompt, return_tensors="pt")
        made = model.generate(
            **read, do_sample=False, max_new_tokens=limit, eos_token_id=list(stops), pad_token_id=0
        )
        found.append(tuple(made[0, read["input_ids"].shape[1] :].tolist()))
    return found


@pytest.fixture(scope="module")
def reference(folder):
    return generated(folder)


def test_it_is_an_engine(engine):
    assert isinstance(engine, Engine)


def test_the_texts_used_here_are_of_mixed_lengths(reference):
    lengths = [len(ids) for ids in reference]
    assert min(lengths) < 8
    assert lengths.count(LIMIT) >= 3
    assert {ids[-1] for ids in reference} >= {20, 40}


@settings(deadline=None, max_examples=10)
@given(st.data())
def test_counts_and_texts_are_those_of_one_by_one(engine, reference, data):
    """In 32 bits on a CPU every row, whatever it shares its batch with, is the one that it is alone."""
    chosen = data.draw(st.lists(st.sampled_from(range(len(PROMPTS))), min_size=1, max_size=20, unique=True))
    limit = data.draw(st.integers(1, LIMIT), label="limit")
    engine._asked_size = data.draw(st.sampled_from([1, 3, 16]), label="size")
    engine._refill = data.draw(st.booleans(), label="refill")
    requests = ask(engine, [PROMPTS[number] for number in chosen], max_new_tokens=limit)
    for number, answer in zip(chosen, answers(engine, requests), strict=True):
        expected = reference[number][:limit]
        assert answer.token_ids == expected
        assert answer.output_tokens == len(expected)
        assert answer.stop == ("stop" if expected[-1] in (1, 20, 40) else "length")
        assert answer.finish_reason == ("stop" if answer.stop == "stop" else "max_new_tokens")
        assert answer.prompt_tokens == len(PROMPTS[number])
        assert answer.text == engine.tokenizer.decode(expected[: -1 if answer.stop == "stop" else None])
        assert answer.seconds > 0
        assert answer.attempt == 1


def test_a_row_that_stops_early_is_counted_short(engine, reference):
    """The fault of padded widths: all rows of a batch get the length of the longest."""
    engine._asked_size, engine._refill = 16, True
    counts = [one.output_tokens for one in answers(engine, ask(engine))]
    assert counts == [len(ids) for ids in reference]
    assert len(set(counts)) > 4


@pytest.mark.parametrize("temperature", [0.7, 1.2])
def test_a_sample_does_not_depend_on_the_batch(engine, temperature):
    found = []
    for size in (1, 3, 16):
        engine._asked_size, engine._refill = size, True
        found.append([one.token_ids for one in answers(engine, ask(engine, temperature=temperature))])
    assert found[0] == found[1] == found[2]
    engine._asked_size = 16
    seeded = [one.token_ids for one in answers(engine, ask(engine, temperature=temperature, seed=1))]
    assert seeded != found[0]


@pytest.mark.parametrize(
    ("architecture", "settings"),
    [
        ("llama", {}),
        ("gpt2", {}),
        ("mistral", {"sliding_window": 8}),
        ("gemma2", {"sliding_window": 8, "head_dim": 16}),
        ("mamba", {"hidden": 32, "state_size": 4}),
    ],
)
def test_other_architectures_write_what_they_write_alone(tmp_path, architecture, settings):
    folder = random_model(tmp_path / architecture, architecture=architecture, stop_ids=[20, 40], **settings)
    prompts, limit = PROMPTS[:9], 16
    expected = generated(folder, prompts, limit)
    with TransformersEngine(resolve(str(folder)), device="cpu", batch_size=4) as engine:
        found = answers(engine, ask(engine, prompts, max_new_tokens=limit))
        assert engine.settings()["refill"] is (architecture != "mamba")
    assert [one.token_ids for one in found] == expected


def fail_above(monkeypatch, rows, error):
    """Let memory run out whenever more rows than this are continued together; returns the sizes seen."""
    step, seen = Network.step, []

    def limited(self, tokens, *rest, **more):
        seen.append(len(tokens))
        if len(tokens) > rows:
            raise error
        return step(self, tokens, *rest, **more)

    monkeypatch.setattr(Network, "step", limited)
    return seen


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory"), MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")],
)  # fmt: skip
def test_out_of_memory_halves_the_batch_and_loses_nothing(engine, reference, monkeypatch, error):
    seen = fail_above(monkeypatch, 5, error)
    engine._asked_size, engine._refill, engine._halvings = 16, True, 0
    found = answers(engine, ask(engine))
    assert [one.token_ids for one in found] == reference
    assert max(seen) == 16
    assert engine.settings()["halvings"] == 2
    assert engine.settings()["batch_size"] == 4


def test_a_request_that_fits_nowhere_fails_alone(engine, reference, monkeypatch):
    read, large = Network.read, len(max(PROMPTS, key=len))

    def limited(self, prompts):
        if max(map(len, prompts)) >= large:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return read(self, prompts)

    monkeypatch.setattr(Network, "read", limited)
    engine._asked_size = 8
    found = answers(engine, ask(engine))
    failed = [len(prompt) == large for prompt in PROMPTS]
    assert [one.stop == "error" for one in found] == failed
    assert 0 < sum(failed) < len(PROMPTS)
    for one, bad, expected in zip(found, failed, reference, strict=True):
        assert "out of memory" in one.error if bad else one.token_ids == expected
    assert engine.settings()["batch_size"] == 8


def test_a_fault_that_is_not_of_memory_ends_the_run(engine, monkeypatch):
    fail_above(monkeypatch, 0, RuntimeError("CUDA error: device-side assert triggered"))
    with pytest.raises(EngineError, match="failed on cpu: CUDA error"):
        list(engine.complete(ask(engine)))


def test_an_interrupt_gets_through(engine, monkeypatch):
    fail_above(monkeypatch, 0, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        list(engine.complete(ask(engine)))


def test_an_engine_that_is_left_early_can_go_on(engine, reference):
    engine._asked_size, engine._refill = 4, True
    requests = ask(engine)
    begun = engine.complete(requests)
    first = next(begun)
    begun.close()
    assert not torch.is_inference_mode_enabled()
    rest = [request for request in requests if request.key != first.key]
    found = {one.key: one.token_ids for one in [first, *answers(engine, rest)]}
    assert [found[request.key] for request in requests] == reference


def test_broken_logits_fail_their_row_only(tmp_path):
    """A model to which one character is NaN, as a 16-bit format makes of numbers too large for it."""
    from transformers import AutoModelForCausalLM

    folder = random_model(tmp_path / "broken", stop_ids=[20, 40])
    model = AutoModelForCausalLM.from_pretrained(folder)
    expected = generated(folder)
    bad = rather_rare(expected, prompts="".join(PROMPTS))
    with torch.no_grad():
        model.model.embed_tokens.weight[bad] = float("nan")
    model.save_pretrained(folder)
    with TransformersEngine(resolve(str(folder)), device="cpu", batch_size=4) as engine:
        found = answers(engine, ask(engine, [*PROMPTS, f"so {VOCABULARY[bad]}\n"]))
    assert found[-1].stop == "error"
    assert "token 1 are NaN" in found[-1].error
    for one, ids in zip(found, expected, strict=False):
        # Writing it does no harm; reading it does. The last token is not read any more.
        if bad in ids[:-1]:
            assert one.stop == "error"
            assert f"token {ids.index(bad) + 2} are NaN" in one.error
        else:
            assert one.token_ids == ids
    assert 2 < sum(one.stop == "error" for one in found) < len(PROMPTS) / 2


def rather_rare(texts, prompts):
    """Find a character that some texts hold, but few, and no prompt."""
    held = Counter(token for ids in texts for token in set(ids[:-1]))
    return next(
        token
        for token, count in held.most_common()
        if count < len(texts) / 3 and len(VOCABULARY[token]) == 1 and VOCABULARY[token] not in prompts
    )


def test_the_context_limit_cuts_and_refuses(tmp_path):
    folder = random_model(tmp_path / "short", architecture="gpt2", n_positions=24, stop_ids=[20])
    prompts = ["1" * length for length in (4, 20, 23, 24, 40)]
    with TransformersEngine(resolve(str(folder)), device="cpu", batch_size=3) as engine:
        found = answers(engine, ask(engine, prompts, max_new_tokens=10))
    assert [one.finish_reason for one in found[:3]] == ["max_new_tokens", "context", "context"]
    assert [one.output_tokens for one in found[:3]] == [10, 4, 1]
    assert [one.stop for one in found] == ["length"] * 3 + ["error"] * 2
    assert found[3].error == "the prompt has 24 tokens, and the model reads 24 with its reply"


def test_a_prompt_without_tokens_fails(engine):
    good, empty = answers(engine, ask(engine, ["1+1\n", ""]))
    assert good.stop != "error"
    assert empty.error == "the prompt has no tokens"


def test_requests_of_several_decodings_are_kept_apart(engine, reference):
    short, long = ask(engine, max_new_tokens=3), ask(engine)
    mixed = [one for pair in zip(short, long, strict=True) for one in pair]
    found = answers(engine, mixed)
    assert [one.token_ids for one in found[::2]] == [ids[:3] for ids in reference]
    assert [one.token_ids for one in found[1::2]] == reference


def test_think_tags_stay_in_the_text(engine):
    made = answers(engine, ask(engine, temperature=2.0, top_p=1.0, max_new_tokens=LIMIT))
    with_tags = [one for one in made if {2, 3} & set(one.token_ids)]
    assert with_tags
    assert all("think>" in one.text for one in with_tags)


def test_a_chat_prompt_is_cut_as_the_template_means_it(tmp_path):
    """One beginning-of-text token, not two: the tokenizer adds its own to plain prompts only."""
    from tokenizers import processors

    template = "<eos>{% for m in messages %}Q: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}A: {% endif %}"
    folder = random_model(tmp_path / "chat", chat_template=template)
    file = folder / "tokenizer.json"
    content = json.loads(file.read_text())
    begin = processors.TemplateProcessing(single="<eos> $A", special_tokens=[("<eos>", 1)])
    content["post_processor"] = json.loads(begin.__getstate__())
    file.write_text(json.dumps(content))
    settings = folder / "tokenizer_config.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"bos_token": "<eos>"}))
    with TransformersEngine(resolve(str(folder)), device="cpu") as engine:
        render, template_hash = chat_renderer(engine.tokenizer)
        meant = engine.tokenizer.apply_chat_template(
            [{"role": "user", "content": "1+1"}], add_generation_prompt=True, return_dict=False
        )
        [chat] = answers(engine, ask(engine, [render("1+1")], template=template_hash))
        [plain] = answers(engine, ask(engine, ["1+1"]))
    assert chat.prompt_tokens == len(meant) == len("Q: 1+1\nA: ") + 1
    assert plain.prompt_tokens == len("1+1") + 1


def test_settings_tell_what_became_of_what_was_asked(engine):
    list(engine.complete(ask(engine)))
    told = engine.settings()
    assert json.loads(json.dumps(told)) == told
    assert told["engine"] == "transformers"
    assert told["device"] == "cpu"
    assert told["dtype"] == "float32"
    assert told["dtype_reason"] == "float32: this is a CPU"
    assert told["attention"] == "sdpa"
    assert told["stop_tokens"] == [1, 20, 40]
    assert told["context"] == 32768
    assert told["batch_size"] >= 1
    assert "keys and values only" in told["refill_reason"]


def test_the_first_batch_size_is_found(folder):
    with TransformersEngine(resolve(str(folder)), device="cpu", attention="eager") as engine:
        list(engine.complete(ask(engine, max_new_tokens=1)))
        assert engine.settings()["batch_size"] == 128
        assert engine.settings()["attention"] == "eager"


def test_the_tokenizer_and_the_dtype_are_there_before_the_weights(folder):
    engine = TransformersEngine(resolve(str(folder)), device="cpu")
    Path(folder, "model.safetensors").rename(Path(folder, "model.away"))
    try:
        assert engine.dtype == "float32"
        assert engine.tokenizer("1+1")["input_ids"]
        with pytest.raises(ModelError), engine:
            pass
    finally:
        Path(folder, "model.away").rename(Path(folder, "model.safetensors"))


def test_it_must_be_entered(folder):
    with pytest.raises(EngineError, match="with statement"):
        list(TransformersEngine(resolve(str(folder)), device="cpu").complete([]))


def test_a_model_that_never_stops_is_refused(tmp_path):
    folder = random_model(tmp_path / "endless", stop_ids=None, eos_token_id=None)
    settings = folder / "tokenizer_config.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"eos_token": None}))
    with (
        pytest.raises(ModelError, match="no token that ends a text"),
        TransformersEngine(resolve(str(folder)), device="cpu"),
    ):
        pass


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch size must be"),
        ({"batch_size": "many"}, "batch size must be"),
        ({"quantize": 3}, "8 or 4 bits"),
        ({"quantize": 8, "dtype": "float16"}, "makes the dtype int8"),
        ({"quantize": 4}, "bitsandbytes|CUDA"),
        ({"dtype": "int8"}, "bitsandbytes|CUDA"),
        ({"device": "abacus"}, "no device"),
    ],
)
def test_options_that_make_no_sense_are_refused(folder, options, message):
    with pytest.raises(EngineError, match=message):
        TransformersEngine(resolve(str(folder)), **{"device": "cpu", **options})


def test_16_bits_are_nearly_the_same_under_batching(folder, capsys):
    """Not exactly: rounding depends on the shapes. The share is printed, and counts stay honest."""
    with TransformersEngine(resolve(str(folder)), device="cpu", dtype="bfloat16", batch_size=1) as engine:
        alone = answers(engine, ask(engine))
        engine._asked_size = 16
        together = answers(engine, ask(engine))
    same = [one.token_ids == other.token_ids for one, other in zip(alone, together, strict=True)]
    with capsys.disabled():
        print(f"\nbfloat16 on a CPU, batch 16 against 1: {sum(same)} of {len(same)} greedy texts identical")
    assert all(one.output_tokens == len(one.token_ids) for one in together)
    assert all((one.token_ids[-1] in (1, 20, 40)) == (one.stop == "stop") for one in together)
