from dataclasses import replace

import pytest

from handan.traces import Decoding, EngineError, Request
from handan.traces.openai_spelling import Spelling, check_extra, seed_of, template_of

ASKED = Request("m", "k", "unknown", "server", "t", "i", 0, "why?", Decoding(top_p=1.0), "server")


def test_top_p_is_sent_even_where_it_keeps_everything():
    """A silent request is sampled with the server's own default."""
    assert Spelling().body(ASKED, "k")["top_p"] == 1.0
    assert "top_k" not in Spelling().body(ASKED, "k")


def test_seeds_differ_between_samples_and_are_the_same_every_time():
    seeds = [seed_of(replace(ASKED, sample=sample)) for sample in range(100)]
    assert len(set(seeds)) == 100
    assert seeds == [seed_of(replace(ASKED, sample=sample)) for sample in range(100)]
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_the_request_has_the_last_word():
    extra = check_extra({"top_k": -1, "min_p": 0.1})
    spelled = Spelling(extra=extra)
    assert spelled.body(ASKED, "k")["top_k"] == -1
    asked = replace(ASKED, decoding=Decoding(top_k=7))
    assert spelled.body(asked, "k")["top_k"] == 7
    assert spelled.body(asked, "k")["min_p"] == 0.1


def test_what_is_refused_is_spelled_otherwise_while_there_is_a_way():
    spelling = Spelling()
    assert spelling.learn("max_tokens")
    assert "max_completion_tokens" in spelling.body(ASKED, "k")
    assert spelling.learn("max_tokens")
    assert spelling.limit == "max_completion_tokens"
    assert spelling.learn("seed")
    assert "seed" not in spelling.body(ASKED, "k")
    assert not spelling.learn("max_completion_tokens")


def test_further_settings_are_part_of_the_template_and_so_of_the_key():
    assert template_of(None) == template_of({}) == "server"
    one, other = template_of({"a": 1, "b": [2]}), template_of({"b": [2], "a": 1})
    assert one == other != template_of({"a": 2, "b": [2]})
    assert replace(ASKED, template=one).key != ASKED.key


@pytest.mark.parametrize(
    "name", ["model", "messages", "n", "stream", "max_tokens", "temperature", "seed", "top_p"]
)
def test_what_belongs_to_the_request_is_no_further_setting(name):
    with pytest.raises(EngineError, match=name):
        check_extra({name: 1})
