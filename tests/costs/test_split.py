import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from handan.costs.split import split_ids, split_text
from handan.costs.tags import Tags

THINK = Tags()
LETTERS = "ab 01\n\t\0\x1b.<>/é思😀👩\u200d🏽\u0301x"
TEXTS = st.text(st.sampled_from(LETTERS), max_size=30)
TALK = st.lists(st.sampled_from(["<think>", "</think>", *LETTERS, " the sum", ".</"]), max_size=20)
BOTH = pytest.mark.parametrize("kind", ["tagged", "plain", "sentencepiece", "wordpiece"])


def whole(counts):
    return counts.reasoning + (counts.answer or 0) + counts.markup


@given(reasoning=TEXTS, answer=TEXTS, prefilled=st.booleans(), stopped=st.booleans())
@settings(deadline=None, max_examples=80)
def test_counts_equal_the_construction_where_a_tag_is_a_token(tagged, reasoning, answer, prefilled, stopped):
    thought, said = tagged.ids(reasoning), tagged.ids(answer)
    opening = [] if prefilled else [tagged.single("<think>")]
    ids = [*opening, *thought, tagged.single("</think>"), *said, *[tagged.single("<eos>")] * stopped]
    split = split_ids(ids, tagged, THINK, prefilled=prefilled, stopped=stopped)
    assert (split.reasoning, split.answer) == (reasoning, answer)
    counts = split.counts
    assert (counts.reasoning, counts.answer) == (len(thought), len(said))
    assert counts.markup == len(opening) + 1 + stopped
    assert counts.inside == counts.before_first_close == counts.reasoning
    assert whole(counts) == counts.output == len(ids)


@given(reasoning=TEXTS, answer=TEXTS)
@settings(deadline=None, max_examples=120)
@pytest.mark.parametrize("kind", ["plain", "sentencepiece"])
def test_a_token_that_holds_a_byte_of_a_tag_is_markup(request, kind, reasoning, answer):
    decoder = request.getfixturevalue(kind)
    text = f"<think>{reasoning}</think>{answer}"
    assume(text.count("think>") == 2)
    coded = decoder._tokenizer.encode(text, add_special_tokens=False)
    assume("<unk>" not in coded.tokens)
    split = split_ids(coded.ids, decoder, THINK, stopped=False)
    assert (split.reasoning, split.answer) == (reasoning, answer)

    # The library's own offsets are in characters; tokens within one character share its place.
    tags = [(0, 7), (7 + len(reasoning), 15 + len(reasoning))]
    markup = [any(a < close and b > open_ for open_, close in tags) for a, b in coded.offsets]
    before = [b <= tags[1][0] for _, b in coded.offsets]
    assert split.counts.markup == sum(markup)
    assert split.counts.reasoning == sum(early and not tag for early, tag in zip(before, markup, strict=True))
    assert whole(split.counts) == split.counts.output == len(coded.ids)


@BOTH
@given(talk=TALK, prefilled=st.booleans(), stopped=st.booleans(), cut=st.integers(0, 8))
@settings(deadline=None, max_examples=100)
def test_every_token_is_counted_once_whatever_the_output(request, kind, talk, prefilled, stopped, cut):
    decoder = request.getfixturevalue(kind)
    ids = decoder.ids("".join(talk))
    ids = ids[: max(len(ids) - cut, 0)]
    if stopped:
        ids.append(decoder._tokenizer.token_to_id("<eos>"))
    split = split_ids(ids, decoder, THINK, prefilled=prefilled, stopped=stopped)
    counts = split.counts
    assert whole(counts) == counts.output == len(ids)
    assert 0 <= counts.inside <= counts.reasoning
    assert min(counts.before_first_close, counts.markup - stopped) >= 0
    assert (split.answer is None) == (counts.answer is None) == (split.flags[0] == "none")


@given(talk=TALK, prefilled=st.booleans())
@settings(deadline=None, max_examples=80)
def test_ids_and_text_are_cut_at_the_same_places(plain, talk, prefilled):
    text = "".join(talk)
    by_ids = split_ids(plain.ids(text), plain, THINK, prefilled=prefilled, stopped=False)
    by_text = split_text(text, THINK, prefilled=prefilled)
    assert by_ids.flags == by_text.flags
    assert (by_ids.reasoning, by_ids.answer, by_ids.inside) == (
        by_text.reasoning,
        by_text.answer,
        by_text.inside,
    )
    assert by_text.counts is None


@given(random=st.lists(st.integers(-2, 500), max_size=40), prefilled=st.booleans(), stopped=st.booleans())
@settings(deadline=None, max_examples=80)
@BOTH
def test_ids_of_an_untrained_model_are_counted_too(request, kind, random, prefilled, stopped):
    decoder = request.getfixturevalue(kind)
    split = split_ids(random, decoder, THINK, prefilled=prefilled, stopped=stopped)
    assert whole(split.counts) == split.counts.output == len(random)


def test_a_straddling_token_is_lost_to_both_sides_but_its_text_is_not(plain):
    ids = plain.ids("the sum.</think>")
    pieces = plain.pieces(ids)
    assert b".</" in pieces  # the training text of this tokenizer holds ".</"
    split = split_ids(ids, plain, THINK, stopped=False)
    assert split.reasoning == "the sum."
    assert split.counts.reasoning == pieces.index(b".</")
    assert split.counts.markup == len(ids) - split.counts.reasoning


def test_a_tag_that_is_a_token_is_not_found_in_its_spelling(tagged, plain):
    spelled = [*tagged.ids("</"), *tagged.ids("think"), *tagged.ids(">")]
    assert tagged.text(spelled) == "</think>"
    split = split_ids([*tagged.ids("a"), *spelled], tagged, THINK, prefilled=True, stopped=False)
    assert split.flags == ("unclosed", "prefilled")
    assert split.reasoning == "a</think>"


def test_one_tag_may_be_a_token_and_the_other_not(tagged):
    tags = Tags("<think>", "[done]")
    text = "<think>the sum[done]is 1"
    split = split_ids(tagged.ids(text), tagged, tags, stopped=False)
    assert (split.reasoning, split.answer) == ("the sum", "is 1")
    assert whole(split.counts) == split.counts.output


def test_tags_of_several_tokens_begin_with_a_special_one(tagged):
    tokenizer = type(tagged._tokenizer).from_str(tagged._tokenizer.to_str())
    tokenizer.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    decoder = type(tagged)(tokenizer)
    text = "<|im_start|>think\nthe sum<|im_start|>answer\n10"
    ids = [*decoder.ids(text), decoder.single("<|im_end|>")]
    split = split_ids(ids, decoder, Tags("<|im_start|>think", "<|im_start|>answer"))
    assert (split.reasoning, split.answer) == ("\nthe sum", "\n10")
    assert split.counts.reasoning == len(decoder.ids("\nthe sum"))
    assert split.counts.answer == len(decoder.ids("\n10"))


def test_only_a_special_token_at_the_end_of_a_finished_row_is_its_stop_token(tagged):
    stop = tagged.single("<eos>")
    said = tagged.ids("the sum")
    finished = split_ids([*said, stop], tagged, THINK, stopped=True)
    assert (finished.counts.reasoning, finished.counts.markup, finished.reasoning) == (
        len(said),
        1,
        "the sum",
    )
    cut = split_ids([*said, stop], tagged, THINK, stopped=False)
    assert (cut.counts.reasoning, cut.counts.markup) == (len(said) + 1, 0)
    without = split_ids(said, tagged, THINK, stopped=True)
    assert (without.counts.reasoning, without.counts.markup) == (len(said), 0)
    twice = split_ids([*said, stop, stop], tagged, THINK, stopped=True)
    assert (twice.counts.reasoning, twice.counts.markup) == (len(said) + 1, 1)


def test_a_special_tag_at_the_end_is_a_tag_and_no_stop_token(tagged):
    tokenizer = type(tagged._tokenizer).from_str(tagged._tokenizer.to_str())
    tokenizer.add_special_tokens(["[/t]"])
    decoder = type(tagged)(tokenizer)
    split = split_ids([*decoder.ids("a"), decoder.single("[/t]")], decoder, Tags("", "[/t]"))
    assert split.flags[0] == "closed"
    assert (split.reasoning, split.counts.markup) == ("a", 1)


@pytest.mark.parametrize("kind", ["tagged", "plain"])
def test_an_emoji_on_either_side_of_a_tag_stays_whole(request, kind):
    decoder = request.getfixturevalue(kind)
    split = split_ids(decoder.ids("<think>🙃</think>👩\u200d🏽"), decoder, THINK, stopped=False)
    assert (split.reasoning, split.answer) == ("🙃", "👩\u200d🏽")


def test_an_emoji_cut_at_the_limit_is_shown_as_such_and_counted(tagged):
    half = tagged.ids("🙃")[:-1]
    split = split_ids([tagged.single("<think>"), *half], tagged, THINK, stopped=False)
    assert split.reasoning == "\ufffd"
    assert split.counts.reasoning == len(half)


@pytest.mark.parametrize("prefilled", [True, False])
def test_nothing_generated_costs_nothing(tagged, prefilled):
    counts = split_ids([], tagged, THINK, prefilled=prefilled).counts
    assert (counts.output, counts.reasoning, counts.markup) == (0, 0, 0)
    assert counts.answer == (0 if prefilled else None)


def test_a_row_of_a_hundred_thousand_tokens(plain):
    thought = plain.ids("First, the last column: 0 + 1 = 1 \n") * 9_000
    ids = [*plain.ids("<think>"), *thought, *plain.ids("</think>"), *plain.ids("10")]
    assert len(ids) > 100_000
    split = split_ids(ids, plain, THINK, stopped=False)
    assert split.counts.reasoning == len(thought)
    assert split.answer == "10"


def test_the_reply_is_the_answer_or_everything():
    assert split_text("<think>R</think>A", THINK).reply == "A"
    assert split_text("<think>R", THINK).reply == ""
    assert split_text("W", THINK).reply == "W"
