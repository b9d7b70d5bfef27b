"""A tokenizer of single characters, with a few words that are one token each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handan.organism.grammar import ANSWER, STYLES, TASKS, THINK_CLOSE, THINK_OPEN

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, STOP, UNKNOWN = "<pad>", "<eos>", "<unk>"
CONTROL = (PAD, STOP, UNKNOWN)
_STEPS = ("check", "carry", "borrow", "open", "true", "false")
_COMPASS = ("north", "east", "south", "west")
WORDS = (THINK_OPEN, THINK_CLOSE, ANSWER, *TASKS, *STYLES, *_STEPS, *_COMPASS)
CHARACTERS = ("\n", *map(chr, range(32, 127)))
_BYTE_LEVEL = {" ": "\u0120", "\n": "\u010a"}  # how byte-level encoding spells them in its vocabulary


def build() -> PreTrainedTokenizerFast:
    """Make the tokenizer: the same ids every time, one for each printable ASCII character and word.

    Encoding and decoding a text of ASCII characters gives the text back. Any other
    character becomes ``<unk>``, once per byte. Only `CONTROL` tokens are left out where
    special tokens are skipped: think tags are part of what a model writes.

    Notes
    -----
    It is byte-level pair encoding without a single pair. ``AutoTokenizer`` builds a
    tokenizer of that kind anew for every Qwen2 model, whatever class the folder names;
    this way it comes to the same ids.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    characters = (_BYTE_LEVEL.get(one, one) for one in CHARACTERS)
    ids = {token: place for place, token in enumerate((*CONTROL, *WORDS, *characters))}
    inner = Tokenizer(models.BPE(ids, merges=[], unk_token=UNKNOWN))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    inner.decoder = decoders.ByteLevel()
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
