import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models

from handan.costs.decoder import Decoder, TokenizerError

KINDS = ["tagged", "plain", "sentencepiece", "wordpiece"]
TEXTS = st.text(st.sampled_from("ab 01\n\t\0\x1b.<>/é思😀👩\u200d🏽\u0301\ufffd"), max_size=30)


@pytest.fixture(params=KINDS)
def decoder(request):
    return request.getfixturevalue(request.param)


@given(text=TEXTS)
@settings(deadline=None, max_examples=80)
@pytest.mark.parametrize("kind", ["tagged", "plain", "sentencepiece"])
def test_text_comes_back_from_its_ids(request, kind, text):
    decoder = request.getfixturevalue(kind)
    assert decoder.text(decoder.ids(text)) == text


@given(data=st.data())
@settings(deadline=None, max_examples=80)
@pytest.mark.parametrize("kind", ["tagged", "plain"])
def test_any_ids_decode_as_the_library_decodes_them(request, kind, data):
    decoder = request.getfixturevalue(kind)
    ids = data.draw(st.lists(st.integers(0, 420), max_size=20))
    assert decoder.text(ids) == decoder._tokenizer.decode(ids, skip_special_tokens=False)


@given(text=TEXTS)
@settings(deadline=None, max_examples=80)
@pytest.mark.parametrize("kind", ["tagged", "plain", "sentencepiece"])
def test_bytes_looked_up_agree_with_bytes_found_by_decoding(request, kind, text):
    decoder = request.getfixturevalue(kind)
    # A replacement character that is really there looks like half of another one when decoding.
    ids = decoder.ids("x" + text.replace("\ufffd", ""))
    looked_up, decoded = decoder.pieces(ids), decoder._pieces_by_decoding(ids)
    assert len(looked_up) == len(decoded) == len(ids)
    assert b"".join(looked_up) == b"".join(decoded)
    place = 0
    for ours, theirs in zip(looked_up, decoded, strict=True):
        place += len(ours)
        if theirs:  # the last token of a character: everything so far is whole
            assert b"".join(looked_up)[:place].decode().endswith(theirs.decode())


def test_an_emoji_in_several_tokens_has_four_bytes(plain):
    ids = plain.ids("🙃")
    sizes = [len(piece) for piece in plain.pieces(ids)]
    assert len(ids) > 1
    assert (sum(sizes), min(sizes)) == (4, 1)
    assert plain.text(ids[:-1]) == "\ufffd"
    assert plain.text(ids) == "🙃"


def test_an_unknown_kind_of_decoder_goes_by_decoding(wordpiece):
    ids = wordpiece.ids("Wait, let me check")
    assert wordpiece._table is None
    assert wordpiece.text(ids) == "Wait, let me check"
    assert len(wordpiece.pieces(ids)) == len(ids)


@pytest.mark.parametrize("step", [decoders.Replace("x", " "), decoders.Metaspace(replacement="_"), None])
def test_a_decoder_that_is_not_what_it_seems_goes_by_decoding(step):
    tokenizer = Tokenizer(models.WordLevel({"a": 0, "x": 1, "_b": 2}, unk_token="a"))
    if step is not None:
        tokenizer.decoder = step
    decoder = Decoder(tokenizer)
    assert decoder._table is None
    assert decoder.text([0, 1, 2]) == tokenizer.decode([0, 1, 2])


def test_ids_outside_the_vocabulary_stand_for_nothing(decoder):
    ids = decoder.ids("Wait,")
    odd = [*ids, 999_999, -5, 2**40]
    assert decoder.text(odd) == decoder.text(ids)
    assert len(decoder.pieces(odd)) == len(odd)


def test_no_ids_no_text(decoder):
    assert decoder.text([]) == ""
    assert decoder.pieces([]) == []
    assert decoder.count([]) == []


def test_a_tag_is_one_token_only_where_it_was_added(tagged, plain, sentencepiece):
    assert tagged.text([tagged.single("</think>")]) == "</think>"
    assert plain.single("</think>") is None
    assert plain.single("") is None
    assert sentencepiece._tokenizer.token_to_id("</think>") is not None  # learned, so not always used
    assert sentencepiece.single("</think>") is None


def test_counts_are_those_of_each_text(decoder):
    texts = ["Wait, let me", "", "the sum of 1010"] * 400
    assert decoder.count(texts) == [len(decoder.ids(text)) for text in texts]


def test_half_a_surrogate_pair_is_no_reason_to_stop(decoder):
    assert decoder.count(["a\ud800b"]) == decoder.count(["a?b"])


def test_padding_and_truncation_of_the_file_are_ignored(plain):
    tokenizer = Tokenizer.from_str(plain._tokenizer.to_str())
    tokenizer.enable_padding(length=64)
    tokenizer.enable_truncation(4)
    text = "Wait, let me check the sum"
    assert Decoder.of(tokenizer).ids(text) == plain.ids(text)
    assert tokenizer.padding is not None


def test_special_tokens_are_known(tagged):
    assert [tagged.text([number]) for number in tagged.special] == ["<eos>"]


def test_the_label_tells_vocabularies_apart(tagged, plain, tmp_path):
    path = tmp_path / "tokenizer.json"
    tagged._tokenizer.save(str(path))
    assert Decoder.of(path).label == tagged.label != plain.label
    assert tagged.label.startswith(f"BPE, {tagged._tokenizer.get_vocab_size()} entries, ")


def test_a_decoder_comes_of_a_file_a_folder_or_a_tokenizer(tagged, tmp_path):
    from transformers import PreTrainedTokenizerFast

    tagged._tokenizer.save(str(tmp_path / "tokenizer.json"))
    fast = PreTrainedTokenizerFast(tokenizer_object=tagged._tokenizer)
    for source in (tmp_path, str(tmp_path), tmp_path / "tokenizer.json", fast, tagged._tokenizer, tagged):
        assert Decoder.of(source).ids("<think>the sum") == tagged.ids("<think>the sum")


def test_what_is_no_tokenizer_is_named(tmp_path):
    with pytest.raises(TokenizerError, match="object is no fast tokenizer"):
        Decoder.of(object())
    with pytest.raises(TokenizerError, match="there is no file"):
        Decoder.of(tmp_path)
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps({"version": "1.0"}))
    with pytest.raises(TokenizerError, match=r"broken\.json is no tokenizer\.json"):
        Decoder.of(broken)


def test_a_name_that_the_hub_does_not_give_is_named(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(TokenizerError, match="'no-one/nothing' is neither a file nor"):
        Decoder.of("no-one/nothing")
