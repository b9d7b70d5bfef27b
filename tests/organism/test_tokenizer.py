import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from handan.organism import grammar
from handan.organism.tokenizer import CHARACTERS, CONTROL, WORDS, build
from handan.traces.loading import load_tokenizer
from handan.traces.models import Model

EXAMPLES = {
    "binary-addition": "1010+0110",
    "binary-subtraction": "1010-0110",
    "digit-addition": "28+46=76",
    "cardinal-directions": "north-east/south/west",
}


@pytest.fixture(scope="module")
def loaded(tokenizer, tmp_path_factory):
    """The tokenizer, read again from beside a Qwen2 model by each of the two loaders."""
    from transformers import AutoTokenizer, Qwen2Config

    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer.save_pretrained(folder)
    Qwen2Config().save_pretrained(folder)
    model = Model("small", "local:small", str(folder), "0")
    return [AutoTokenizer.from_pretrained(folder), load_tokenizer(model)]


@budget(deadline=None, max_examples=200)
@given(text=st.text(st.sampled_from(CHARACTERS)), words=st.lists(st.sampled_from(WORDS), max_size=3))
def test_text_comes_back_and_all_loaders_give_the_same_ids(tokenizer, loaded, text, words):
    whole = text.join(["", *words, ""])
    ids = tokenizer(whole)["input_ids"]
    for one in (tokenizer, *loaded):
        assert one(whole)["input_ids"] == ids
        assert one.decode(ids) == whole


@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_one_token_wherever_it_stands(tokenizer, loaded, word):
    for one in (tokenizer, *loaded):
        ids = one(f"1{word}\n")["input_ids"]
        assert [one.decode([single]) for single in ids] == ["1", word, "\n"]


@pytest.mark.parametrize("name", grammar.TASKS)
@pytest.mark.parametrize("repertoire", grammar.REPERTOIRES)
@pytest.mark.parametrize("style", grammar.STYLES)
def test_a_text_of_the_grammar_is_words_and_single_characters(tokenizer, name, repertoire, style):
    item = EXAMPLES[name]
    text = grammar.prompt(name, item) + grammar.completion(name, item, style, repertoire)
    tokens = [tokenizer.decode([one]) for one in tokenizer(text)["input_ids"]]
    assert "".join(tokens) == text
    assert {token for token in tokens if len(token) > 1} <= set(WORDS)
    assert tokens.count(name) == tokens.count("<think>") == tokens.count("</think>") == 1
    assert tokens.count("Answer: ") == 1
    # No letter stands alone, but for names of columns and axes: every other word is one token.
    alone = {token for token in tokens if len(token) == 1 and token.isalpha()}
    assert alone <= set("abcdxy")


def test_the_vocabulary_is_small_has_no_gaps_and_is_the_same_every_time(tokenizer):
    assert len(tokenizer) == len(CONTROL) + len(WORDS) + len(CHARACTERS) < 150
    assert sorted(tokenizer.get_vocab().values()) == list(range(len(tokenizer)))
    assert build().get_vocab() == tokenizer.get_vocab()


def test_only_control_tokens_are_skipped(tokenizer, loaded):
    for one in (tokenizer, *loaded):
        ids = one("<think>a\n</think>\nAnswer: 1<eos><pad>")["input_ids"]
        assert one.decode(ids, skip_special_tokens=True) == "<think>a\n</think>\nAnswer: 1"
        assert ids[-2:] == [one.eos_token_id, one.pad_token_id]


def test_a_foreign_character_is_unknown_and_not_passed_over(tokenizer):
    ids = tokenizer("1é1")["input_ids"]
    assert ids == [*tokenizer("1")["input_ids"], *[tokenizer.unk_token_id] * 2, *tokenizer("1")["input_ids"]]
