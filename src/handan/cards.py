"""Data cards: for every table of the package, where it comes from and what it can't say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def cards() -> list[tuple[str, str]]:
    """Title and Markdown of each card: the recorded studies, then the tasks of the item bank.

    Returns
    -------
    list of (str, str)
    """
    from handan import costs, norms

    recorded = [(card["title"], _study(card)) for card in map(costs.card, [*costs.studies(), costs.ORGANISM])]
    return recorded + [(card["title"], _task(card)) for card in map(norms.card, norms.tasks())]


def _study(card: dict[str, Any]) -> str:
    sizes = [(card["items"], "item"), (card["models"], "model"), (card["rows"], "cost row")]
    flags = [
        (card["rows_without_reasoning_count"], "row", " without a reasoning count"),
        (card["rows_with_zero_reasoning"], "row", " with a count of zero"),
        (card["rows_cut_at_limit"] or 0, "trace", " cut at the limit"),
    ]
    flagged = [_count(number, what) + rest for number, what, rest in flags if number]
    facts = {
        "Study": f"`{card['name']}`",
        "Measure": card["measure"],
        "What people did": card["people"],
        "Difficulty": card["difficulty"],
        "Cost": card["tokens"],
        "Size": ", ".join(_count(number, what) for number, what in sizes),
        "Flagged and kept": ", ".join(flagged) or "nothing",
        "Source": _origin(card),
        "Licence": card["licence"],
        "Cite": card["cite"],
    }
    return _facts(facts) + _caveats(card["caveats"])


def _origin(card: dict[str, Any]) -> str:
    if card["repository"] == "this one":
        return f"this project: `{card['file']}`; {card['commit']}"
    return f"<{card['repository']}>, `{card['file']}`, commit `{card['commit']}`"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def _task(card: dict[str, Any]) -> str:
    counts = card["derived"]
    facts = {
        "Task": f"`{card['task']}`",
        "What people did": card["people"],
        "Measure": card["measure"],
        "How the number was made": card["centring"],
        "Size": _size(card["summary"]),
        "Trials left out": _excluded(counts),
        "Reliability": card["reliability_method"],
        "Source": "; ".join(_place(*pair) for pair in zip(card["repository"], card["commit"], strict=True)),
        "Licence": card["licence"],
        "Cite": card["cite"],
    }
    return _facts(facts) + _caveats(card["caveats"])


def _place(repository: str, commit: str) -> str:
    return f"<https://github.com/{repository}>, commit `{commit[:10]}`"


def _size(summary: dict[str, Any]) -> str:
    parts = [f"{summary['items']:,} items"]
    for name in ("participants", "trials"):
        if summary[name] is not None and summary[name] == summary[name]:
            parts.append(f"{int(summary[name]):,} {name}")
    return ", ".join(parts)


def _excluded(counts: dict[str, Any]) -> str:
    reasons = [f"{number:,} {reason}" for reason, number in counts.get("excluded", {}).items() if number]
    return ", ".join(reasons) or "none"


def _facts(facts: dict[str, str]) -> str:
    return "\n".join(f"- **{name}.** {text}" for name, text in facts.items()) + "\n"


def _caveats(caveats: Sequence[str]) -> str:
    return "\n**What these numbers can't say**\n\n" + "\n".join(f"- {text}" for text in caveats) + "\n"
