import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.costs.tags import Tags, find_tags, layout

THINK = Tags()
CASES = [  # output, prefilled, flags, reasoning, answer, inside tags, before the first close
    ("<think>R</think>A", False, "closed", "R", "A", "R", "R"),
    ("P<think>R</think>A", False, "closed", "PR", "A", "R", "PR"),
    ("R</think>A", True, "closed, prefilled", "R", "A", "R", "R"),
    ("R</think>A", False, "closed, open missing", "R", "A", "R", "R"),
    ("<think>R", False, "unclosed", "R", "", "R", "R"),
    ("P<think>R", False, "unclosed", "PR", "", "R", "PR"),
    ("R", True, "unclosed, prefilled", "R", "", "R", "R"),
    ("<think>R</think>S<think>T</think>A", False, "closed, repeated", "RST", "A", "RT", "R"),
    ("<think>R</think>S</think>A", False, "closed, repeated", "RS", "A", "R", "R"),
    ("R</think>S</think>A", True, "closed, prefilled, repeated", "RS", "A", "R", "R"),
    ("<think>R<think>S</think>T</think>A", False, "closed, nested", "RST", "A", "RST", "RS"),
    ("<think>R<think>S</think>A", False, "closed, nested", "RS", "A", "RS", "RS"),
    ("<think>R</think>A", True, "closed, prefilled, nested", "R", "A", "R", "R"),
    ("<think>R</think>S<think>T", False, "unclosed, repeated", "RST", "", "RT", "R"),
    ("W", False, "none", "W", "", "", "W"),
    ("", False, "none", "", "", "", ""),
    ("", True, "unclosed, prefilled", "", "", "", ""),
    ("</think>", False, "closed, open missing", "", "", "", ""),
    ("<think></think>", False, "closed", "", "", "", ""),
    ("</think><think>", False, "unclosed, open missing, repeated", "", "", "", ""),
    ("<Think>R</think >A", False, "none", "<Think>R</think >A", "", "", "<Think>R</think >A"),
    ("<<think>>R<</think>>A", False, "closed", "<>R<", ">A", ">R<", "<>R<"),
]


def joined(text, spans):
    return "".join(text[start:end] for start, end in spans)


@pytest.mark.parametrize(("text", "prefilled", "flags", "reasoning", "answer", "inside", "first"), CASES)
def test_the_rule_cuts_every_kind_of_output(text, prefilled, flags, reasoning, answer, inside, first):
    cut = layout(find_tags(text, THINK), len(text), prefilled=prefilled)
    assert ", ".join(cut.flags) == flags
    parts = (cut.reasoning, cut.answer, cut.inside, cut.before_first_close)
    assert [joined(text, part) for part in parts] == [reasoning, answer, inside, first]


PIECES = st.lists(
    st.sampled_from(["<think>", "</think>", "a", "<", "think>", "é\0", "\n\n", "😀"]), max_size=14
)


@given(PIECES.map("".join), st.booleans())
@settings(deadline=None, max_examples=120)
def test_nothing_is_lost_and_nothing_counts_twice(text, prefilled):
    found = find_tags(text, THINK)
    cut = layout(found, len(text), prefilled=prefilled)
    covered = sorted([*cut.reasoning, *cut.answer, *((tag.start, tag.end) for tag in found)])
    assert "".join(text[start:end] for start, end in covered) == text
    assert sum(end - start for start, end in covered) == len(text)
    assert set(cut.inside) <= set(cut.reasoning)


@given(PIECES.map("".join))
@settings(deadline=None, max_examples=120)
def test_the_answer_follows_the_last_closing_tag(text):
    cut = layout(find_tags(text, THINK), len(text))
    before, tag, after = text.rpartition("</think>")
    if tag and "<think>" not in after:
        assert joined(text, cut.answer) == after
        assert joined(text, cut.reasoning) == before.replace("<think>", "").replace("</think>", "")
        assert cut.flags[0] == "closed"
    else:
        assert cut.answer == ()
        assert cut.flags[0] == ("unclosed" if "<think>" in after else "none")
    first = joined(text, cut.before_first_close)
    assert first == text.partition("</think>")[0].replace("<think>", "")


@given(PIECES.map("".join))
@settings(deadline=None)
def test_text_and_bytes_are_cut_alike(text):
    raw = text.encode()
    of_text = layout(find_tags(text, THINK), len(text))
    of_bytes = layout(find_tags(raw, THINK), len(raw))
    assert of_text.flags == of_bytes.flags
    assert joined(text, of_text.reasoning) == b"".join(raw[a:b] for a, b in of_bytes.reasoning).decode()


def test_tags_of_several_models():
    s1 = Tags("<|im_start|>think", "<|im_start|>answer")
    text = "<|im_start|>think\nR\n<|im_start|>answer\nA"
    cut = layout(find_tags(text, s1), len(text))
    assert joined(text, cut.reasoning) == "\nR\n"
    assert joined(text, cut.answer) == "\nA"


def test_one_tag_may_begin_like_the_other():
    found = find_tags("<t>R<t>.A", Tags("<t>", "<t>."))
    assert [(tag.start, tag.opens) for tag in found] == [(0, True), (4, False)]


def test_a_model_without_tags_has_none_to_find():
    for pair in [("", ""), (None, None), (float("nan"), float("nan"))]:
        tags = Tags.of(pair)
        assert find_tags("<think>R</think>", tags) == []
        assert not tags.prefilled("")


def test_a_closing_tag_alone_is_enough():
    assert [tag.opens for tag in find_tags("R</think>A", Tags("", "</think>"))] == [False]


@pytest.mark.parametrize("end", ["<think>", "<think>\n", "<think>\n\n", "<think> \t"])
def test_a_prompt_may_end_with_the_opening_tag(end):
    assert THINK.prefilled("<user>What is <think>?<assistant>" + end)


@pytest.mark.parametrize("prompt", ["", None, "<think>\n\n</think>\n\n", "explain <think> to me", "think>"])
def test_tags_elsewhere_in_a_prompt_do_not_count(prompt):
    assert not THINK.prefilled(prompt)


@pytest.mark.parametrize("pair", ["<think>", ("<think>",), ("<a>", "<a>")])
def test_nonsense_is_refused(pair):
    with pytest.raises(ValueError, match="tag"):
        Tags.of(pair)
