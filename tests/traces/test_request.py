from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.traces.stored import request_of

from handan.traces import Completion, Decoding, Request, RequestError
from handan.traces.rows import COLUMNS, row, schema

BASE = Request("m", "org/m", "c" * 40, "plain", "digit-addition", "2+2=4", 0, "2 + 2?", Decoding(), "float32")
CHANGED = {
    "model_id": "org/n",
    "revision": "d" * 40,
    "template": "abc",
    "task": "word-addition",
    "item": "2+2=5",
    "sample": 1,
    "prompt": "2 + 2 ?",
    "dtype": "bfloat16",
}
DECODED = {"max_new_tokens": 9, "temperature": 0.7, "top_p": 0.9, "top_k": 5, "seed": 1}


@pytest.mark.parametrize("name", CHANGED)
def test_every_part_of_a_request_changes_its_key(name):
    other = replace(BASE, **{name: CHANGED[name]})
    assert other.key != BASE.key
    assert [part for part in BASE.parts() if BASE.parts()[part] != other.parts()[part]] == [name]


@pytest.mark.parametrize("name", DECODED)
def test_every_decoding_setting_changes_the_key(name):
    other = replace(BASE, decoding=replace(BASE.decoding, **{name: DECODED[name]}))
    assert other.key != BASE.key


def test_the_name_of_the_model_is_a_label_and_not_part_of_the_key():
    assert replace(BASE, model="another name").key == BASE.key


def test_moot_settings_of_a_greedy_decoding_do_not_change_the_key():
    greedy = replace(BASE, decoding=Decoding(temperature=0))
    assert greedy.key == replace(BASE, decoding=Decoding(temperature=0, top_p=0.5, top_k=9, seed=7)).key


def test_a_key_is_the_same_in_every_process_and_release():
    # A change of this value makes every store of every user do its work again.
    assert BASE.key == "c316496d7528e11f6c10b2f2669da255"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_new_tokens", 0),
        ("temperature", -0.1),
        ("temperature", float("nan")),
        ("temperature", float("inf")),
        ("top_p", 0),
        ("top_p", 1.5),
        ("top_k", -1),
        ("seed", -1),
    ],
)
def test_an_impossible_decoding_is_refused_by_name(name, value):
    with pytest.raises(RequestError, match=name):
        Decoding(**{name: value})


texts = st.text(max_size=30)


@given(texts, texts, st.integers(0, 99), st.lists(st.integers(0, 2**31 - 1), max_size=5))
def test_a_stored_row_gives_its_request_back(prompt, item, sample, ids):
    request = replace(BASE, prompt=prompt, item=item, sample=sample)
    stored = row(request, Completion(request.key, "x", "stop", tuple(ids), output_tokens=len(ids)), "e")
    assert set(stored) == set(COLUMNS)
    again = request_of(stored)
    assert again.key == request.key
    assert again.model == request.model


def test_a_row_fits_its_arrow_schema():
    pa = pytest.importorskip("pyarrow")
    stored = row(BASE, Completion(BASE.key, "x\0é", "stop", (1, 2)), "e")
    table = pa.Table.from_pylist([stored], schema=schema())
    assert table.to_pylist()[0] == {name: stored[name] for name in COLUMNS}


def test_a_completion_of_another_request_is_refused():
    with pytest.raises(ValueError, match="does not answer"):
        row(BASE, Completion("0" * 32, "x", "stop"), "e")


def test_a_failure_is_a_completion_like_any_other():
    failed = Completion.failed(BASE.key, "no", attempt=3)
    assert (failed.stop, failed.error, failed.attempt, failed.output_tokens) == ("error", "no", 3, None)
