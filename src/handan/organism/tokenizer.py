"""A tokenizer of single characters, with a few words that are one token each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handan.organism.grammar import ANSWER, SIGNS, THINK_CLOSE, THINK_OPEN

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, STOP, UNKNOWN = "<pad>", "<eos>", "<unk>"
CONTROL = (PAD, STOP, UNKNOWN)
WORDS = (THINK_OPEN, THINK_CLOSE, ANSWER, *SIGNS)
CHARACTERS = ("\n", *map(chr, range(32, 127)))


def build() -> PreTrainedTokenizerFast:
    """Make the tokenizer: the same ids every time, one for each printable ASCII character and word.

    Encoding and decoding a text of ASCII characters gives the text back. Any other
    character becomes ``<unk>``. Only `CONTROL` tokens are left out where special tokens
    are skipped: think tags are part of what a model writes.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    ids = {token: place for place, token in enumerate((*CONTROL, *WORDS, *CHARACTERS))}
    inner = Tokenizer(models.WordLevel(ids, unk_token=UNKNOWN))
    inner.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), behavior="isolated")
    inner.decoder = decoders.Fuse()
    inner.add_tokens([AddedToken(word, normalized=False) for word in WORDS])
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        pad_token=PAD,
        eos_token=STOP,
        unk_token=UNKNOWN,
        clean_up_tokenization_spaces=False,
        padding_side="left",
        model_max_length=512,
    )
