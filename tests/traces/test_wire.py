import json
from dataclasses import fields

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from handan.traces.request import Completion, Decoding, Request
from handan.traces.wire import pack_completion, pack_request, unpack_completion, unpack_request

# Half of a surrogate pair, as byte-level tokenizers can give, must survive too.
TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)
DECODINGS = st.builds(
    Decoding,
    max_new_tokens=st.integers(1, 10**6),
    temperature=st.floats(0, 2),
    top_p=st.floats(0.001, 1),
    top_k=st.integers(0, 100),
    seed=st.integers(0, 2**40),
)
REQUESTS = st.builds(
    Request,
    **{
        name: TEXT
        for name in ("model", "model_id", "revision", "template", "task", "item", "prompt", "dtype")
    },
    sample=st.integers(0, 99),
    decoding=DECODINGS,
)
COMPLETIONS = st.builds(
    Completion,
    key=TEXT,
    text=TEXT,
    stop=st.sampled_from(["stop", "length", "error"]),
    token_ids=st.none() | st.lists(st.integers(0, 2**31), max_size=9).map(tuple),
    reasoning=st.none() | TEXT,
    prompt_tokens=st.none() | st.integers(0, 9),
    output_tokens=st.none() | st.integers(0, 9),
    reasoning_tokens=st.none() | st.integers(0, 9),
    seconds=st.none() | st.floats(0, 1e6),
    attempt=st.integers(1, 9),
    error=st.none() | TEXT,
    finish_reason=st.none() | TEXT,
)


@hypothesis_settings(deadline=None)
@given(REQUESTS)
def test_a_request_arrives_as_it_left_and_keeps_its_key(request):
    text = pack_request(request)
    assert text.isascii()
    assert unpack_request(text) == request
    assert unpack_request(text).key == request.key


@hypothesis_settings(deadline=None)
@given(COMPLETIONS)
def test_a_completion_arrives_as_it_left(completion):
    text = pack_completion(completion)
    assert text.isascii()
    assert unpack_completion(text) == completion


def test_nothing_is_left_at_home():
    packed = json.loads(pack_completion(Completion("k", "t", "stop")))
    assert set(packed) == {field.name for field in fields(Completion)}
