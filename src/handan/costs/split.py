"""Cut one output into reasoning and answer: as text, and as tokens where their ids are known.

Where a tag is an added token of the tokenizer, its id is looked for, and the same text
spelled in other tokens is no tag. Where it isn't, it is looked for in the bytes of the
output. Then a token may straddle the tag and the text around it (``.</``, or ``>`` with a
line break), and **a token that holds any byte of a tag counts as markup**, whole. At most
two tokens a tag are lost to reasoning and answer in this way. The texts are cut exactly at
the tag.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from handan.costs.decoder import Decoder
from handan.costs.tags import Layout, Span, Tag, Tags, find_tags, layout


@dataclass(frozen=True)
class Counts:
    """Tokens of one output; ``reasoning + answer + markup`` is the output.

    Attributes
    ----------
    output, reasoning, markup : int
        All tokens; those of the reasoning; tags and the stop token.
    answer : int or None
        None where there are no tags, so that the whole output is the cost.
    inside, before_first_close : int
        The two other ways of counting the reasoning, see `handan.costs.tags`.
    """

    output: int
    reasoning: int
    answer: int | None
    markup: int
    inside: int
    before_first_close: int


@dataclass(frozen=True)
class Split:
    """One output, cut into its parts.

    Attributes
    ----------
    flags : tuple of str
        See `handan.costs.tags`.
    reasoning : str
        Text of the reasoning, without tags.
    answer : str or None
        Text of the answer; empty when the reasoning never ended, None without tags.
    inside, before_first_close : str
        Texts of the two other ways of counting.
    counts : Counts or None
        Only for an output whose token ids are known.
    """

    flags: tuple[str, ...]
    reasoning: str
    answer: str | None
    inside: str
    before_first_close: str
    counts: Counts | None = None

    @property
    def reply(self) -> str:
        """What the model answered: the answer, or the whole output where nothing sets it apart."""
        return self.reasoning if self.answer is None else self.answer


def split_text(text: str, tags: Tags, *, prefilled: bool = False) -> Split:
    """Cut a text at its tags.

    Parameters
    ----------
    text : str
        Output with its tags.
    tags : Tags
        Tags of the model.
    prefilled : bool
        Whether the prompt ended with the opening tag.
    """
    return _split(text, layout(find_tags(text, tags), len(text), prefilled=prefilled))


def split_ids(
    ids: Sequence[int], decoder: Decoder, tags: Tags, *, prefilled: bool = False, stopped: bool = True
) -> Split:
    """Cut an output at its tags and count its tokens.

    Parameters
    ----------
    ids : sequence of int
        Generated tokens, up to and including the stop token if there is one.
    decoder : Decoder
        Tokenizer of the model.
    tags : Tags
        Tags of the model.
    prefilled : bool
        Whether the prompt ended with the opening tag.
    stopped : bool
        Whether the model ended by itself: then a special token at the end is its stop
        token, which is markup and no text.
    """
    numbers = np.asarray(ids, dtype=np.int64)
    codes = decoder.single(tags.opens), decoder.single(tags.closes)
    last = int(numbers[-1]) if len(numbers) else None
    has_stop = stopped and last in decoder.special and last not in codes
    body = numbers[: len(numbers) - has_stop]
    pieces = decoder.pieces(body.tolist())
    ends = np.cumsum([len(piece) for piece in pieces], dtype=np.int64)
    raw = b"".join(pieces)

    in_bytes = _tags_by_id(body, codes, ends) + _tags_by_text(raw, codes, tags)
    in_bytes = _apart(sorted(in_bytes, key=lambda tag: (tag.start, -tag.end)))
    in_tokens = _apart([_token_span(tag, ends) for tag in in_bytes])
    counted = layout(in_tokens, len(body), prefilled=prefilled)
    split = _split(raw, layout(in_bytes, len(raw), prefilled=prefilled))
    markup = sum(tag.end - tag.start for tag in in_tokens) + has_stop
    return Split(
        split.flags, split.reasoning, split.answer, split.inside, split.before_first_close,
        _counts(counted, len(numbers), markup),
    )  # fmt: skip


def _tags_by_id(body: np.ndarray, codes: tuple[int | None, int | None], ends: np.ndarray) -> list[Tag]:
    found = []
    for code, opens in zip(codes, (True, False), strict=True):
        for place in np.flatnonzero(body == code) if code is not None else ():
            start = int(ends[place - 1]) if place else 0
            found.append(Tag(start, int(ends[place]), opens))
    return found


def _tags_by_text(raw: bytes, codes: tuple[int | None, int | None], tags: Tags) -> list[Tag]:
    opens, closes = codes
    spelled = Tags(tags.opens if opens is None else "", tags.closes if closes is None else "")
    return find_tags(raw, spelled)


def _token_span(tag: Tag, ends: np.ndarray) -> Tag:
    """From the first token that reaches into the tag to the last one that begins before its end."""
    first = int(np.searchsorted(ends, tag.start, side="right"))
    last = int(np.searchsorted(ends, tag.end, side="left"))
    return Tag(first, last + 1, tag.opens)


def _apart(found: Iterable[Tag]) -> list[Tag]:
    """Give what two neighbours share to the first of them, so that nothing counts twice."""
    kept: list[Tag] = []
    for tag in found:
        start = max(tag.start, kept[-1].end) if kept else tag.start
        kept.append(Tag(start, max(tag.end, start), tag.opens))
    return kept


def _counts(counted: Layout, output: int, markup: int) -> Counts:
    return Counts(
        output=output,
        reasoning=_length(counted.reasoning),
        answer=None if counted.flags[0] == "none" else _length(counted.answer),
        markup=markup,
        inside=_length(counted.inside),
        before_first_close=_length(counted.before_first_close),
    )


def _length(spans: Iterable[Span]) -> int:
    return sum(end - start for start, end in spans)


def _split(text: str | bytes, cut: Layout) -> Split:
    reasoning = _joined(text, cut.reasoning)
    same = cut.reasoning == cut.before_first_close
    return Split(
        flags=cut.flags,
        reasoning=reasoning,
        answer=None if cut.flags[0] == "none" else _joined(text, cut.answer),
        inside=reasoning if cut.reasoning == cut.inside else _joined(text, cut.inside),
        before_first_close=reasoning if same else _joined(text, cut.before_first_close),
    )


def _joined(text: str | bytes, spans: Iterable[Span]) -> str:
    if isinstance(text, bytes):
        return b"".join(text[start:end] for start, end in spans).decode("utf-8", "replace")
    return "".join(text[start:end] for start, end in spans)
