"""Token ids to text and back, from a ``tokenizer.json`` alone: no model and no torch is needed.

A token stands for *bytes*, not for characters: byte-level BPE spreads one emoji over up to
four tokens, and decoding any of them alone gives a replacement character. So the bytes of
every token are looked up, and positions in a text are positions in its bytes. These add up
over tokens, which positions in decoded text don't.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

_SPACE = "\u2581"  # SentencePiece writes a space as this sign
_INVALID = "\ufffd"
_BATCH = 512


class TokenizerError(ValueError):
    """A tokenizer can't be found or read."""


class Decoder:
    """A tokenizer, as far as counting needs it.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
        See also `Decoder.of`, which takes files, names and tokenizers of transformers.

    Attributes
    ----------
    special : frozenset of int
        Ids of special tokens, stop tokens among them.
    """

    def __init__(self, tokenizer: Any) -> None:
        # Truncation or padding that a model's file asks for would corrupt every count.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        added = tokenizer.get_added_tokens_decoder()
        self.special = frozenset(number for number, token in added.items() if token.special)
        self._added = {token.content: number for number, token in added.items()}

    @classmethod
    def of(cls, source: Any) -> Decoder:
        """Make a decoder of whatever names a tokenizer.

        Parameters
        ----------
        source : Decoder, path, str, tokenizers.Tokenizer or transformers tokenizer
            A path is a ``tokenizer.json`` or a folder that holds one; any other text is a
            hub id, which is looked up.

        Raises
        ------
        TokenizerError
            When there is no tokenizer of that name, or it can't be read.
        """
        if isinstance(source, cls):
            return source
        if isinstance(source, (str, Path)):
            return cls.from_file(source) if Path(source).exists() else cls._from_hub(source)
        inner = getattr(source, "backend_tokenizer", source)
        if not hasattr(inner, "get_added_tokens_decoder"):
            raise TokenizerError(
                f"{type(source).__name__} is no fast tokenizer; name its tokenizer.json or its hub id"
            )
        # A copy, so that a tokenizer in use elsewhere keeps its padding.
        return cls(type(inner).from_str(inner.to_str()))

    @classmethod
    def from_file(cls, path: str | Path) -> Decoder:
        """Read a ``tokenizer.json``, or the one in a folder.

        Raises
        ------
        TokenizerError
            When there is none, or it can't be read.
        """
        from tokenizers import Tokenizer

        path = Path(path)
        file = path / "tokenizer.json" if path.is_dir() else path
        if not file.is_file():
            raise TokenizerError(f"there is no file {file}; a tokenizer is a tokenizer.json or its folder")
        try:
            return cls(Tokenizer.from_file(str(file)))
        except Exception as error:  # the library raises a bare Exception
            raise TokenizerError(f"{file} is no tokenizer.json: {error}") from None

    @classmethod
    def _from_hub(cls, name: str | Path) -> Decoder:
        from tokenizers import Tokenizer

        try:
            return cls(Tokenizer.from_pretrained(str(name)))
        except Exception as error:
            raise TokenizerError(
                f"{str(name)!r} is neither a file nor a tokenizer that the hub gives "
                f"({type(error).__name__}); download its tokenizer.json and name that file"
            ) from None

    @cached_property
    def label(self) -> str:
        """Kind, size and fingerprint: the same text for the same ids, for the costs table."""
        vocabulary = self._tokenizer.get_vocab(with_added_tokens=True)
        content = json.dumps(sorted(vocabulary.items()), ensure_ascii=True, separators=(",", ":"))
        digest = hashlib.sha256(content.encode()).hexdigest()[:12]
        return f"{type(self._tokenizer.model).__name__}, {len(vocabulary)} entries, {digest}"

    def single(self, text: str) -> int | None:
        """Id of the added token that is exactly this text, if there is one.

        Only an added token is never spelled in another way by the tokenizer itself; a
        piece that it merely learned can as well be cut elsewhere, for its neighbours' sake.
        """
        return self._added.get(text) if text else None

    def ids(self, text: str) -> list[int]:
        """Tokenize a text, adding no special tokens."""
        return self._tokenizer.encode(valid_text(text), add_special_tokens=False).ids

    def text(self, ids: Sequence[int]) -> str:
        """Text of token ids, special tokens included."""
        return b"".join(self.pieces(ids)).decode("utf-8", "replace")

    def count(self, texts: Iterable[str]) -> list[int]:
        """Count the tokens of each text when it is tokenized anew, which need not be how it was written."""
        texts = [valid_text(text) for text in texts]
        counts: list[int] = []
        for start in range(0, len(texts), _BATCH):
            batch = texts[start : start + _BATCH]
            coded = self._tokenizer.encode_batch_fast(batch, add_special_tokens=False)
            counts += [len(one.ids) for one in coded]
        return counts

    def pieces(self, ids: Sequence[int]) -> list[bytes]:
        """Bytes that each token stands for; an id outside the vocabulary stands for none.

        Parameters
        ----------
        ids : sequence of int
            Tokens of one output.

        Returns
        -------
        list of bytes
            One per token.
        """
        if self._table is None:
            return self._pieces_by_decoding(ids)
        get = self._table.get
        return [get(number, b"") for number in ids]

    @cached_property
    def _table(self) -> dict[int, bytes] | None:
        """Bytes by id, or None for a kind of decoder of which this module knows too little."""
        kinds = _kinds(self._tokenizer)
        vocabulary = self._tokenizer.get_vocab(with_added_tokens=True)
        if kinds == {"ByteLevel"}:
            letters = _byte_letters()
            return {number: _byte_level(token, letters) for token, number in vocabulary.items()}
        if kinds and kinds <= {"Metaspace", "Replace", "ByteFallback", "Fuse", "Strip"}:
            fallback = "ByteFallback" in kinds
            spaced = bool(kinds & {"Metaspace", "Replace"})
            return {number: _sentencepiece(token, spaced, fallback) for token, number in vocabulary.items()}
        return None

    def _pieces_by_decoding(self, ids: Sequence[int]) -> list[bytes]:
        """Bytes per token by decoding a short window that moves along.

        Where several tokens make one character, the last of them gets its bytes. A
        replacement character that was really written can be taken for half of another.
        """
        pieces = [b""] * len(ids)
        start = done = 0
        before = ""
        for end in range(1, len(ids) + 1):
            now = self._decode(ids[start:end])
            if now.endswith(_INVALID) and end - done < 4 and end < len(ids):
                continue
            pieces[end - 1] = now[len(before) :].encode()
            start, done = done, end
            before = self._decode(ids[start:done])
        return pieces

    def _decode(self, ids: Sequence[int]) -> str:
        known = [int(number) for number in ids if 0 <= number < 2**32]
        return str(self._tokenizer.decode(known, skip_special_tokens=False))


def _kinds(tokenizer: Any) -> set[str]:
    """Which decoders a tokenizer is made of; empty unless each does what its name says."""
    if tokenizer.decoder is None:
        return set()
    said = json.loads(tokenizer.decoder.__getstate__())
    steps = said["decoders"] if said["type"] == "Sequence" else [said]
    usual = all(
        (step["pattern"], step["content"]) == ({"String": _SPACE}, " ") if step["type"] == "Replace"
        else step.get("replacement", _SPACE) == _SPACE
        for step in steps
    )  # fmt: skip
    return {step["type"] for step in steps} if usual else set()


def _byte_letters() -> dict[str, int]:
    """Byte-level BPE writes bytes as letters: the printable Latin-1 as itself, the rest from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}


def _byte_level(token: str, letters: dict[str, int]) -> bytes:
    try:
        return bytes([letters[letter] for letter in token])
    except KeyError:  # an added token is written as it is
        return token.encode()


def _sentencepiece(token: str, spaced: bool, fallback: bool) -> bytes:
    if fallback and len(token) == 6 and token.startswith("<0x") and token.endswith(">"):
        return bytes([int(token[3:5], 16)])
    return (token.replace(_SPACE, " ") if spaced else token).encode()


def valid_text(text: str) -> str:
    """Replace lone surrogates, which come with broken JSON and which neither tokenizers nor files take."""
    return text.encode("utf-8", "replace").decode()
