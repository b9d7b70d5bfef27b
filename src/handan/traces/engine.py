"""What every engine offers, whatever it runs on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

from handan.traces.request import Completion, Request


@runtime_checkable
class Engine(Protocol):
    """Requests in, completions out.

    An engine is a context manager: entering loads the model or opens the connection,
    leaving frees it. It never raises for a single request: a failed one comes back as a
    completion with ``stop="error"``. It raises `EngineError` when nothing more can be done.
    """

    name: str

    def __enter__(self) -> Engine: ...

    def __exit__(self, *exc: object) -> None: ...

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Answer every request exactly once, each yielded as soon as it is done, in any order."""
        ...

    def settings(self) -> dict[str, Any]:
        """Return what it was told and what it made of it, as JSON values: part of the provenance.

        Holds at least ``engine`` and ``device``; never a secret.
        """
        ...
