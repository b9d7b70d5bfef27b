import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.organism import grammar
from handan.organism.tokenizer import CHARACTERS, CONTROL, WORDS, build


@pytest.fixture(scope="module")
def tokenizer():
    return build()


@pytest.fixture(scope="module")
def stored(tokenizer, tmp_path_factory):
    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer.save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder)


@settings(deadline=None, max_examples=300)
@given(text=st.text(st.sampled_from(CHARACTERS)), words=st.lists(st.sampled_from(WORDS), max_size=3))
def test_ascii_text_and_words_come_back_unchanged(tokenizer, stored, text, words):
    whole = text.join(["", *words, ""])
    for one in (tokenizer, stored):
        assert one.decode(one(whole)["input_ids"]) == whole
    assert tokenizer(whole)["input_ids"] == stored(whole)["input_ids"]


@pytest.mark.parametrize("style", grammar.STYLES)
def test_a_text_of_the_grammar_is_words_and_single_characters(stored, style):
    text = grammar.prompt("1010-0110") + grammar.completion("1010-0110", style)
    tokens = [stored.decode([one]) for one in stored(text)["input_ids"]]
    assert "".join(tokens) == text
    longer = [token for token in tokens if len(token) > 1]
    assert longer == ["binary-subtraction", "<think>", "</think>", "Answer: "]


def test_the_vocabulary_is_small_and_has_no_gaps(stored):
    assert len(stored) == len(CONTROL) + len(WORDS) + len(CHARACTERS) < 150
    assert sorted(stored.get_vocab().values()) == list(range(len(stored)))


def test_only_control_tokens_are_skipped(stored):
    ids = stored("<think>a</think>\nAnswer: 1<eos><pad>")["input_ids"]
    assert stored.decode(ids, skip_special_tokens=True) == "<think>a</think>\nAnswer: 1"
    assert ids[-2:] == [stored.eos_token_id, stored.pad_token_id]


def test_a_foreign_character_is_unknown_and_not_passed_over(stored):
    assert set(stored("é")["input_ids"]) == {stored.unk_token_id}


def test_both_ways_of_loading_beside_a_qwen2_model_give_the_same_ids(tokenizer, tmp_path):
    from transformers import AutoTokenizer, PreTrainedTokenizerFast, Qwen2Config

    tokenizer.save_pretrained(tmp_path)
    Qwen2Config().save_pretrained(tmp_path)
    text = "".join(WORDS) + "".join(CHARACTERS)
    for loader in (AutoTokenizer, PreTrainedTokenizerFast):
        loaded = loader.from_pretrained(tmp_path)
        assert loaded(text)["input_ids"] == tokenizer(text)["input_ids"]
        assert loaded.decode(loaded(text)["input_ids"]) == text
