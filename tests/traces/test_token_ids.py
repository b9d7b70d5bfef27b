import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.traces.tiny import VOCABULARY, random_model, tokenizer

from handan.traces.errors import ModelError
from handan.traces.models import resolve
from handan.traces.prompts import PLAIN
from handan.traces.request import Decoding, Request
from handan.traces.token_ids import completion, encode, published_stops, up_to_stop

pytest.importorskip("torch")
pytest.importorskip("transformers")

ID = {token: place for place, token in enumerate(VOCABULARY)}


@pytest.fixture(scope="module")
def cutter():
    return tokenizer()


@settings(deadline=None)
@given(st.lists(st.integers(0, 9)), st.sets(st.integers(0, 9), max_size=3))
def test_tokens_end_with_the_first_stop(ids, stops):
    found = up_to_stop(ids, stops)
    assert list(found) == ids[: len(found)]
    assert not stops & set(found[:-1])
    assert len(found) == len(ids) or found[-1] in stops


def ids(text):
    return [ID[token] for token in text.split("|")]


@pytest.mark.parametrize(
    ("generated", "limit", "expected"),
    [
        ("<think>|1|</think>|2|<eos>", 9, ("stop", "stop", "<think>1</think>2", 5)),
        ("<think>|1|</think>|2|<eos>|<eos>|3", 9, ("stop", "stop", "<think>1</think>2", 5)),
        ("1|2|<eos>", 3, ("stop", "stop", "12", 3)),
        ("1|2|3", 3, ("length", "max_new_tokens", "123", 3)),
        ("1|2", 3, ("length", "context", "12", 2)),
        ("<eos>", 3, ("stop", "stop", "", 1)),
    ],
)
def test_how_a_text_ended_is_read_from_its_tokens(cutter, generated, limit, expected):
    made = completion(
        "k", ids(generated), tokenizer=cutter, stops={ID["<eos>"]}, limit=limit, prompt_tokens=7
    )
    assert (made.stop, made.finish_reason, made.text, made.output_tokens) == expected
    assert made.prompt_tokens == 7
    assert made.output_tokens == len(made.token_ids)


def test_special_tokens_are_not_written_twice():
    class Beginning:
        bos_token = "<s>"

        def __call__(self, text, add_special_tokens):
            return {"input_ids": [0] * add_special_tokens + [9] * text.count("<s>") + [5]}

    plain = Request("m", "i", "r", PLAIN, "t", "1", 0, "text", Decoding(), "float32")
    assert encode(Beginning(), plain) == [0, 5]
    assert encode(Beginning(), replace(plain, prompt="<s>text")) == [9, 5]
    assert encode(Beginning(), replace(plain, template="abc", prompt="<s>text")) == [9, 5]
    assert encode(Beginning(), replace(plain, template="abc")) == [5]


def test_stop_tokens_come_from_all_three_places(tmp_path):
    folder = random_model(tmp_path / "model", stop_ids=[1, 40])
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"eos_token_id": 41}))
    model = resolve(str(folder))
    assert published_stops(model, tokenizer()) == {1, 40, 41}
    (folder / "generation_config.json").unlink()
    assert published_stops(model, tokenizer()) == {1, 41}


def test_a_model_that_would_never_end_is_refused(tmp_path):
    folder = random_model(tmp_path / "model", stop_ids=None)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"eos_token_id": None}))
    endless = tokenizer()
    endless.eos_token = None
    with pytest.raises(ModelError, match="never end"):
        published_stops(resolve(str(folder)), endless)


def test_a_broken_configuration_is_named(tmp_path):
    folder = random_model(tmp_path / "model")
    model = resolve(str(folder))
    (folder / "config.json").write_text('{"model_type": "no-such-architecture"}')
    with pytest.raises(ModelError, match=r"configuration of .* can't be read"):
        published_stops(model, tokenizer())
