import pytest
from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)

from handan.costs.decoder import Decoder

TEXT = [
    "Wait, let me check that the sum of 1010 and 0111 is 10001.\n\nSo the carry is one.</x>",
    "<think>\nFirst, the last column: 0 + 1 = 1 </think>\n\nAnswer: 10001 思考 naïve 😀",
] * 20


def _byte_level(tags: bool) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=alphabet, special_tokens=["<eos>"], show_progress=False
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    if tags:
        tokenizer.add_tokens([AddedToken(tag, special=False) for tag in ("<think>", "</think>")])
    return tokenizer


@pytest.fixture(scope="session")
def tagged() -> Decoder:
    """Byte-level BPE in which each think tag is one token."""
    return Decoder(_byte_level(tags=True))


@pytest.fixture(scope="session")
def plain() -> Decoder:
    """Byte-level BPE in which tags are spelled in several tokens, which may hold more than the tag."""
    return Decoder(_byte_level(tags=False))


@pytest.fixture(scope="session")
def sentencepiece() -> Decoder:
    """As in Llama 2: spaces are letters, and what has no token of its own is written byte by byte."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Replace(" ", "\u2581")
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=["<unk>", "<eos>", *(f"<0x{byte:02X}>" for byte in range(256))],
        show_progress=False,
    )
    tokenizer.train_from_iterator([text.replace("😀", "") for text in TEXT], trainer)
    steps = [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence([*steps, decoders.Strip(" ", 1, 0)])
    return Decoder(tokenizer)


@pytest.fixture(scope="session")
def wordpiece() -> Decoder:
    """A kind of decoder that is not looked into."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordPieceTrainer(
        vocab_size=300, special_tokens=["[UNK]", "<eos>"], show_progress=False
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.decoder = decoders.WordPiece(cleanup=False)
    return Decoder(tokenizer)
