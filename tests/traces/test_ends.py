import json

import pytest

from handan.costs.importers import read
from handan.traces import Decoding, Request
from handan.traces.ends import WORDS, stop_of
from handan.traces.openai_results import read_batch

ASKED = Request("m", "m", "unknown", "server", "t", "q", 0, "1+1", Decoding(), "server")
EVERY = [(word, stop) for stop, words in WORDS.items() for word in words]


def test_a_word_means_one_thing():
    assert len(dict(EVERY)) == len(EVERY)
    assert set(WORDS) == {"stop", "length", "error"}


@pytest.mark.parametrize(("word", "stop"), [*EVERY, ("STOP", "stop"), ("Max_Tokens", "length")])
def test_a_batch_counts_alike_whether_it_is_imported_or_stored(tmp_path, word, stop):
    body = {"model": "m", "choices": [{"message": {"content": "2"}, "finish_reason": word}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 9}}  # fmt: skip
    path = tmp_path / "out.jsonl"
    line = {"custom_id": ASKED.key, "response": {"status_code": 200, "body": body}, "error": None}
    path.write_text(json.dumps(line) + "\n")
    (stored,) = read_batch(path, requests=[ASKED])
    imported = read("openai-batch", path, task="t").costs
    assert (stored.stop, imported["stop"][0]) == (stop, stop)
    assert stored.finish_reason == imported["finish_reason"][0] == word


@pytest.mark.parametrize("word", [None, "", "unknown", "none", 3])
def test_other_words_say_nothing(word):
    assert stop_of(word) is None
