"""Rows and requests for the tests of the store, and what a store must then hold."""

from pathlib import Path

from handan.traces.request import Completion, Decoding, Request
from handan.traces.rows import row

ROOT = Path(__file__).resolve().parents[2]


def request(number: int, **changes) -> Request:
    known = {
        "model": "student", "model_id": "org/student", "revision": "a" * 40, "template": "f" * 16,
        "task": "binary", "item": f"i{number}", "sample": 0, "prompt": f"What is {number} plus 1?",
        "decoding": Decoding(max_new_tokens=64), "dtype": "float32",
    }  # fmt: skip
    return Request(**(known | changes))


def answer(
    asked: Request, text: str = "two", *, stop: str = "stop", attempt: int = 1, tokens: int = 5
) -> dict:
    """A row as a run makes it."""
    if stop == "error":
        return row(asked, Completion.failed(asked.key, text, attempt=attempt), "stand-in")
    completion = Completion(
        asked.key, text, stop, tuple(range(tokens)), prompt_tokens=7, output_tokens=tokens, seconds=0.5,
        attempt=attempt,
    )  # fmt: skip
    return row(asked, completion, "stand-in")


def keys(count: int) -> list[str]:
    return [request(number).key for number in range(count)]


def fill(store, start: int, end: int, **options) -> None:
    for number in range(start, end):
        store.add(answer(request(number), **options))
