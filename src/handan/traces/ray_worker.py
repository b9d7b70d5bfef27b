"""What runs on the machines of a Ray cluster: an engine, built once, answering block after block."""

from __future__ import annotations

import os
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from handan.traces.engine import Engine
from handan.traces.wire import pack_completion, unpack_request

if TYPE_CHECKING:
    import pyarrow as pa

# How often a block is begun, and an engine in a row may die while it starts, before we give up.
TRIES = 3
_START = "start of an engine"


class Tally:
    """Counts what was begun, in an actor of its own that outlives those that die."""

    def __init__(self) -> None:
        self._begun: Counter[str] = Counter()

    def begin(self, what: str) -> int:
        """Count one more beginning, and say how many there were."""
        self._begun[what] += 1
        return self._begun[what]

    def clear(self, what: str) -> None:
        """Forget the beginnings of something that went well."""
        del self._begun[what]


class Worker:
    """Answers blocks of requests with one engine: the class that Ray Data makes actors of.

    Ray Data starts an actor that died anew and gives it its block again, without end. The
    tally ends it.

    Parameters
    ----------
    recipe : callable
        Builds the engine.
    tally : ActorHandle
        A `Tally`, shared by all workers.
    actors : int
        How many of them there are.

    Raises
    ------
    RuntimeError
        When engines die while they start, again and again.
    """

    def __init__(self, recipe: Callable[[], Engine], tally: Any, actors: int) -> None:
        self._tally = tally
        self._broken = False
        if self._begin(_START) > TRIES * actors:
            raise RuntimeError(f"{TRIES * actors} engines died while they started, none came up")
        self._engine = recipe()
        self._engine.__enter__()
        self._tally.clear.remote(_START)

    def __call__(self, block: pa.Table) -> pa.Table:
        """Answer a block.

        Parameters
        ----------
        block : Table
            Column ``request``, packed.

        Returns
        -------
        Table
            A line per request with ``key``, ``answer`` (a packed completion), and ``reason``
            in place of an answer where the worker died or its engine broke down before there
            was one.
        """
        if self._broken:
            # A process whose engine broke (an illegal memory access, say) would break at every
            # further block. Ray starts another one and gives this block to that.
            os._exit(1)
        requests = [unpack_request(text) for text in block["request"].to_pylist()]
        keys = [request.key for request in requests]
        if self._begin(keys[0]) > TRIES:
            return _table(keys, {}, f"its worker died {TRIES} times")
        answers: dict[str, str] = {}
        reason = "the engine gave no answer"
        try:
            for completion in self._engine.complete(requests):
                answers[completion.key] = pack_completion(completion)
        except Exception as error:
            self._broken = True
            reason = f"{type(error).__name__}: {error}"
            print(traceback.format_exc(), file=sys.stderr)
        return _table(keys, answers, reason)

    def _begin(self, what: str) -> int:
        import ray

        return int(ray.get(self._tally.begin.remote(what)))


def probe(recipe: Callable[[], Engine]) -> dict[str, Any]:
    """Say what an engine would run on here, without loading its model.

    Parameters
    ----------
    recipe : callable
        Builds the engine.

    Returns
    -------
    dict
        ``settings`` of the engine, ``python`` and ``handan`` versions.
    """
    import platform

    from handan import __version__

    return {"settings": recipe().settings(), "python": platform.python_version(), "handan": __version__}


def _table(keys: list[str], answers: dict[str, str], reason: str) -> pa.Table:
    import pyarrow as pa

    columns = {
        "key": keys,
        "answer": [answers.get(key) for key in keys],
        "reason": [None if key in answers else reason for key in keys],
    }
    return pa.table(columns, schema=pa.schema([(name, pa.string()) for name in columns]))
