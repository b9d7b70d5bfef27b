"""Slides that are neither nearly empty nor end on a promise."""

from __future__ import annotations

from handan.book import slides_text as text
from handan.book.slides_parts import Piece, Slide, words_of

# So few words go above a figure, as long as it stays this large.
_FEW_WORDS = 45
_STILL_LARGE = 0.7
# A single line has no slide of its own, so it may cost more.
_ONE_LINE = 18
_STILL_READABLE = 0.6
_WHOLE_PARAGRAPH = 80


def end_on_a_statement(slide: Slide) -> None:
    """Move to the notes what only points ahead, where nothing comes after it."""
    while slide.pieces and slide.pieces[-1].kind == "prose":
        *kept, last = text.sentences(slide.pieces[-1].content)
        if not text.hangs(last):
            return
        slide.notes.insert(0, last)
        slide.pieces[-1:] = [Piece("prose", " ".join(kept))] if kept else []


def join(slides: list[Slide]) -> list[Slide]:
    """Put a slide of few words above the figure or the table that comes next.

    Parameters
    ----------
    slides : list of Slide
        Those of a section, in order; they are changed. What would stand before an exercise
        goes into its notes.
    """
    out: list[Slide] = []
    for slide in reversed(slides):
        if out and _is_little(slide) and _takes(out[0], slide):
            _merge(slide, out[0])
        else:
            out.insert(0, slide)
    return out


def widen(slide: Slide, key: Piece, paragraph: str) -> None:
    """Show a whole paragraph where its key sentence would be nearly alone."""
    wider = [Piece("prose", paragraph) if piece is key else piece for piece in slide.pieces]
    few = _words(slide.pieces) <= _FEW_WORDS and _words(wider) <= _WHOLE_PARAGRAPH
    if few and not text.hangs(text.sentences(paragraph)[-1]):
        slide.pieces = wider


def without_empty(sections: list[list[Slide]]) -> list[Slide]:
    """Leave out slides with a heading only; what was to be said there is said on the slide before."""
    out: list[Slide] = []
    unstacked = False
    for slides in sections:
        slides[0].stacked &= not unstacked
        unstacked = not (slides[0].pieces or slides[0].stacked or slides[0].kind == "title")
        for slide in slides:
            if slide.pieces or slide.kind == "title":
                out.append(slide)
            else:
                out[-1].notes += slide.notes
    return out


def _is_little(slide: Slide) -> bool:
    plain = all(piece.kind in ("prose", "aside") for piece in slide.pieces)
    return plain and slide.kind in ("section", "text") and not slide.fixed


def _takes(heir: Slide, slide: Slide) -> bool:
    both = [*slide.pieces, *heir.pieces]
    above = [piece for piece in both if piece.kind == "prose"]
    if not slide.pieces:
        return True
    if heir.kind == "exercise":
        return len(slide.pieces) == 1 and above[0] is slide.pieces[0] and _words(slide.pieces) <= _FEW_WORDS
    if heir.kind not in ("figure", "table") or _words(above) > _FEW_WORDS:
        return False
    least = _STILL_READABLE if _words(above) <= _ONE_LINE else _STILL_LARGE
    asides = sum(piece.kind == "aside" for piece in both)
    words = " ".join(piece.content for piece in above)
    return heir.figure is None or heir.figure.scale(words, asides) >= least


def _words(pieces: list[Piece]) -> int:
    return words_of([piece for piece in pieces if piece.kind != "aside"])


def _merge(slide: Slide, heir: Slide) -> None:
    above = [piece for piece in slide.pieces if piece.kind == "prose"]
    if heir.kind == "exercise":
        heir.notes[:0] = [piece.content for piece in above]
    else:
        below = [piece for piece in slide.pieces if piece.kind == "aside"]
        heir.pieces = [*above, *heir.pieces, *below]
    heir.notes[:0] = slide.notes
    heir.stacked = slide.stacked
