import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.traces.openai_reply import MalformedReplyError, read_reply
from handan.traces.openai_stream import Assembly, lines


def whole(message, usage=None, **choice):
    return {"choices": [{"message": message, "finish_reason": "stop"} | choice], "usage": usage}


@pytest.mark.parametrize(
    ("message", "text", "reasoning"),
    [
        ({"content": "4"}, "4", None),
        ({"content": None}, "", None),
        ({}, "", None),
        ({"content": "4", "reasoning_content": "two, two"}, "4", "two, two"),
        ({"content": "4", "reasoning": "two, two"}, "4", "two, two"),
        ({"content": "4", "reasoning": "two, two", "reasoning_content": None}, "4", "two, two"),
        ({"content": "4", "reasoning": "same", "reasoning_content": "same"}, "4", "same"),
        ({"content": "4", "reasoning": {"effort": 1}}, "4", None),
        ({"content": ["4", {"type": "text", "text": "2"}]}, "42", None),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                    {"type": "text", "text": "4"},
                ]
            },
            "4",
            "hm",
        ),
        ({"content": [{"type": "reasoning", "text": "hm"}, {"type": "output_text", "text": "4"}]}, "4", "hm"),
        ({"content": "<think>hm</think>4"}, "<think>hm</think>4", None),
    ],
)
def test_answer_and_chain_of_thought(message, text, reasoning):
    found = read_reply(whole(message))
    assert (found.text, found.reasoning) == (text, reasoning)


def usage(prompt=10, output=20, reasoned=None, total=None):
    details = None if reasoned is None else {"reasoning_tokens": reasoned}
    return {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": total,
        "completion_tokens_details": details,
    }


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        (usage(), (10, 20, None)),
        (usage(reasoned=15, total=30), (10, 20, 15)),
        (usage(reasoned=15, total=45), (10, 35, 15)),
        (usage(reasoned=15), (10, 20, 15)),
        (usage(reasoned=0, total=30), (10, 20, None)),
        (None, (None, None, None)),
        ([], (None, None, None)),
        ({"prompt_tokens": True, "completion_tokens": "20"}, (None, None, None)),
        ({"prompt_tokens": -1, "completion_tokens": 2**31}, (None, None, None)),
    ],
)
def test_counts_are_those_of_the_server_or_unknown(said, counts):
    found = read_reply(whole({"content": "4", "reasoning": "hm"}, said))
    assert (found.prompt_tokens, found.output_tokens, found.reasoning_tokens) == counts


def test_no_reasoning_can_be_zero_reasoning_tokens():
    assert read_reply(whole({"content": "4"}, usage(reasoned=0))).reasoning_tokens == 0


@pytest.mark.parametrize(
    ("ids", "output", "kept"),
    [
        ([1, 2, 3], 3, (1, 2, 3)),
        ([1, 2, 3], None, (1, 2, 3)),
        ([1, 2], 3, None),
        ([1, "2", 3], 3, None),
        (None, 3, None),
    ],
)
def test_generated_ids_are_taken_when_none_is_missing(ids, output, kept):
    found = read_reply(whole({"content": "4"}, {"completion_tokens": output}, token_ids=ids))
    assert found.token_ids == kept


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("completed", "stop"),
        ("length", "length"),
        ("max_output_tokens", "length"),
        ("tool_calls", "error"),
        ("new one", "error"),
        (None, "error"),
    ],
)
def test_how_it_ended(reason, stop):
    found = read_reply(whole({"content": "4"}, finish_reason=reason)).completion("k")
    assert (found.stop, found.finish_reason, found.text) == (stop, reason, "4")
    assert (found.error is None) is (stop != "error")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "message",
                    "content",
                    "usage",
                    "reasoning",
                    "finish_reason",
                    "type",
                    "text",
                    "delta",
                    "x",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
shaped = st.fixed_dictionaries(
    {"choices": st.lists(st.fixed_dictionaries({"message": json_values, "delta": json_values}), max_size=2)},
    optional={"usage": json_values, "model": json_values},
)


@settings(deadline=None, max_examples=300)
@given(json_values | shaped)
def test_any_json_is_a_reply_or_malformed(payload):
    try:
        found = read_reply(payload)
    except MalformedReplyError:
        return
    assert isinstance(found.text, str)
    assert found.completion("k").stop in ("stop", "length", "error")


@settings(deadline=None, max_examples=200)
@given(st.lists(json_values | shaped, max_size=5))
def test_any_stream_is_a_reply_or_malformed(events):
    pieces = Assembly()
    try:
        for event in events:
            pieces.feed(f"data: {json.dumps(event)}")
        read_reply(pieces.payload())
    except MalformedReplyError:
        return
    assert any(isinstance(event, dict) for event in events)


def test_a_stream_is_put_together():
    pieces = Assembly()
    deltas = [{"reasoning": "h"}, {"reasoning": "m", "content": ""}, {"content": "4"}, {"content": "2"}]
    for number, delta in enumerate(deltas):
        choice = {"delta": delta, "token_ids": [number], "finish_reason": "length" if number == 3 else None}
        assert not pieces.feed("data: " + json.dumps({"choices": [choice], "usage": None}))
    assert not pieces.feed(": comment")
    assert not pieces.feed("")
    assert not pieces.feed("data:" + json.dumps({"choices": [], "usage": usage(output=4)}))
    assert pieces.feed("data: [DONE]")
    found = read_reply(pieces.payload())
    assert (found.text, found.reasoning, found.finish_reason) == ("42", "hm", "length")
    assert (found.output_tokens, found.token_ids) == (4, (0, 1, 2, 3))


def test_a_stream_of_parts_and_an_error_in_a_stream():
    pieces = Assembly()
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    for content in ([thought], "4"):
        pieces.feed(
            "data: " + json.dumps({"choices": [{"delta": {"content": content}, "finish_reason": "stop"}]})
        )
    found = read_reply(pieces.payload())
    assert (found.text, found.reasoning) == ("4", "hm")
    pieces.feed('data: {"error": "out of memory"}')
    assert pieces.payload()["error"] == "out of memory"


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8"))), st.integers(1, 7))
def test_lines_end_at_newlines_alone(texts, size):
    raw = "".join(f"{text}\n" for text in texts).encode()

    async def chunks():
        for at in range(0, len(raw), size):
            yield raw[at : at + size]

    async def read():
        return [line async for line in lines(chunks())]

    # In a thread of its own: a browser test may have left a loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, read()).result() == texts
