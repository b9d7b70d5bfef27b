"""The model card: what ``training.json`` holds, in words."""

from __future__ import annotations

from typing import Any

_STEPS = {
    "base": "from scratch, on random problems that a program worked out and wrote down",
    "reinforced": "by reinforcement (GRPO): 1 for a right answer, less a price for each token",
    "distilled": "by imitation: on right traces of its teacher",
    "returned": "by a little reinforcement after imitation",
}


def card(name: str, record: dict[str, Any]) -> str:
    """Word the model card of a tiny model from its training record."""
    recipe, condition = record["recipe"], record["condition"]
    size = recipe["half" if condition["is_half"] else "size"]
    parents = ", ".join(f"{parent} ({digest[:10]})" for parent, digest in record["made_from"].items())
    lesson = "".join(f"\n- {key.replace('_', ' ')}: {value:,.6g}" for key, value in record["lesson"].items())
    return _CARD.format(
        name=name,
        says=condition["says"],
        parameters=f"{record['parameters']:,}",
        size=f"{size['layers']} layers, width {size['hidden']}, {size['heads']} heads",
        tasks=", ".join(recipe["tasks"]),
        step=_STEPS[condition["step"]],
        parents=parents or "nothing",
        lesson=lesson,
        repertoire=recipe["repertoire"],
        seed=recipe["seed"],
        last=", ".join(f"{key} {value}" for key, value in (record["log"] or [{}])[-1].items()),
        seconds=record["cpu_seconds"],
        machine=record["machine"],
        versions=", ".join(f"{package} {number}" for package, number in record["versions"].items()),
    )


_CARD = """\
---
license: mit
library_name: transformers
pipeline_tag: text-generation
---

# {name}

One model of a family of tiny ones: *{says}*.

A language model of {parameters} parameters (Qwen2 architecture, {size}), trained from
scratch by the project `handan` to ask whether imitation loses what reinforcement built.
It knows these tasks: {tasks}. It knows nothing else.

- last step of its training: {step}
- made from: {parents}
- repertoire of styles: {repertoire}
- seed: {seed}{lesson}
- at the end of training: {last}

`training.json` holds every setting, the log and the hash of the weights.

A prompt is the name of a task, a space, the item's code and a line feed, for example
`binary-addition 1010+0110`. There is no chat template.

## What it can't show

It can only write in the styles that the project's grammar has. In the repertoire `carry` a
full trace is longer where there is more to carry, because the grammar writes it so. Half of
the item bank's problems were kept out of all training; on the other half it may have seen
the very problem.

Training took {seconds} s of processor time ({machine}; {versions}).

## Licence

MIT, like the package.
"""
