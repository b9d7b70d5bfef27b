"""Which tokenizer belongs to which model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handan.costs.decoder import Decoder


class Decoders:
    """Tokenizers by revision or model, each read once.

    Parameters
    ----------
    source : mapping, callable, or anything that `Decoder.of` takes; optional
        A mapping or a callable is asked for the revision, then for the model; a callable
        says None where it knows none. Anything else is the tokenizer of every model.
    """

    def __init__(self, source: Any = None) -> None:
        self._source = source
        self._known: dict[tuple[str | None, str], Decoder | None] = {}

    def find(self, revision: str | None, model: str) -> Decoder | None:
        """Return the tokenizer of a model at a revision, or None.

        Raises
        ------
        TokenizerError
            When there is one that can't be read.
        """
        if (revision, model) not in self._known:
            found = self._look_up(revision, model)
            self._known[revision, model] = None if found is None else Decoder.of(found)
        return self._known[revision, model]

    def _look_up(self, revision: str | None, model: str) -> Any:
        source, names = self._source, [name for name in (revision, model) if name is not None]
        if isinstance(source, Mapping):
            return next((source[name] for name in names if name in source), None)
        # A tokenizer of transformers can be called as well.
        if callable(source) and not hasattr(source, "backend_tokenizer"):
            return next((found for found in map(source, names) if found is not None), None)
        return source
