"""Tokens per second of our transformers engine, against what else one would take.

Run from the project's root:

    python benchmarks/generation.py [--items 384] [--rounds 5] [--out FILE.json] [--cpu-time]
        [--random-1.5b]

One model, one list of prompts, greedy decoding, one process; the rivals take turns in
every round, and medians of the ratios within rounds are reported:

- loop       `model.generate`, one prompt at a time (on a part of the items);
- pipeline   `transformers.pipeline`, prompts sorted by length, its best batch size;
- lm-eval    the `hf` model of lm-evaluation-harness, its best batch size, if installed;
- continuous `model.generate_batch`, transformers' continuous batching, where it works
             (on a part of the items).

The model is random, with a stop token that comes up by chance: lengths are about
geometric. A rival is credited with the tokens of our replies, and the share of its
replies that are the same is printed beside. `--random-1.5b` takes the architecture of
Qwen2-1.5B in bfloat16 on a CUDA device, and prints the limit set by its memory.
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from handan.traces.budget import shape_from
from handan.traces.models import resolve
from handan.traces.request import Completion, Decoding, Request
from handan.traces.transformers_engine import TransformersEngine

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "traces"))
from tiny import random_model

SIZES = (1, 8, 32, 64, 128, 256)
LARGE = {
    "layers": 28,
    "hidden": 1536,
    "vocab": 151_936,
    "num_attention_heads": 12,
    "num_key_value_heads": 2,
    "intermediate_size": 8960,
    "spread": 0.05,
    # Any of these ends a text, so that it ends by chance about every 200 tokens.
    "stop_ids": list(range(1, 151_936, 200)),
}
Texts = list[str]
Rival = Callable[[list[str]], Texts]


def make_prompts(count: int) -> list[str]:
    rng = np.random.default_rng(0)
    letters = list("0123456789+- abc")
    return ["".join(rng.choice(letters, size=rng.integers(8, 120))) + "\n" for _ in range(count)]


def make_requests(prompts: list[str], model: object, limit: int, dtype: str) -> list[Request]:
    decoding = Decoding(max_new_tokens=limit, temperature=0)
    about = (model.name, model.model_id, model.revision, "plain", "random")
    return [Request(*about, str(number), 0, prompt, decoding, dtype) for number, prompt in enumerate(prompts)]


class Bench:
    """The model, loaded once for everybody, and the replies that count."""

    def __init__(self, folder: Path, items: int, limit: int, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.engine = TransformersEngine(resolve(str(folder)))
        self.engine.__enter__()
        self.limit = limit
        self.requests = make_requests(make_prompts(items), self.engine.model, limit, self.engine.dtype)
        self.tokenizer = self.engine.tokenizer
        self.tokenizer.padding_side = "left"
        self.model = self.engine._network.model
        self.stops = self.engine.settings()["stop_tokens"]
        self.replies = {reply.key: reply for reply in self.engine.complete(self.requests)}

    @property
    def prompts(self) -> list[str]:
        return [request.prompt for request in self.requests]

    def reply(self, number: int) -> Completion:
        return self.replies[self.requests[number].key]

    def tokens(self, count: int | None = None) -> int:
        return sum(self.reply(number).output_tokens for number in range(count or len(self.requests)))

    def same(self, texts: Texts) -> float:
        """Share of replies equal to ours; special tokens are left out, since some rivals drop them."""
        ours = [self.reply(number).token_ids for number in range(len(texts))]
        plain = [self.tokenizer.decode(ids, skip_special_tokens=True) for ids in ours]
        return float(np.mean([a == b for a, b in zip(plain, texts, strict=True)]))

    def ours(self, prompts: list[str]) -> Texts:
        found = {reply.key: reply for reply in self.engine.complete(self.requests[: len(prompts)])}
        ids = [found[request.key].token_ids for request in self.requests[: len(prompts)]]
        return [self.tokenizer.decode(one, skip_special_tokens=True) for one in ids]

    def settings(self, **more: int) -> object:
        """What `generate` needs to do the same."""
        from transformers import GenerationConfig

        return GenerationConfig(do_sample=False, eos_token_id=self.stops, pad_token_id=0, **more)

    def loop(self, prompts: list[str]) -> Texts:
        texts = []
        for prompt in prompts:
            read = self.tokenizer(prompt, return_tensors="pt").to(self.model.device)
            made = self.model.generate(**read, generation_config=self.settings(max_new_tokens=self.limit))
            texts.append(
                self.tokenizer.decode(made[0, read["input_ids"].shape[1] :], skip_special_tokens=True)
            )
        return texts

    def pipeline(self, size: int) -> Rival:
        from transformers import pipeline

        pipe = pipeline("text-generation", model=self.model, tokenizer=self.tokenizer)

        def run(prompts: list[str]) -> Texts:
            order = sorted(range(len(prompts)), key=lambda number: -len(prompts[number]))
            chosen = [prompts[number] for number in order]
            made = pipe(
                chosen,
                batch_size=size,
                return_full_text=False,
                generation_config=self.settings(max_new_tokens=self.limit),
            )
            texts = dict(zip(order, (one[0]["generated_text"] for one in made), strict=True))
            return [texts[number] for number in range(len(prompts))]

        return run

    def harness(self, size: int) -> Rival:
        from lm_eval.api.instance import Instance
        from lm_eval.models.huggingface import HFLM

        # It takes its stop tokens from the model.
        self.model.generation_config = self.settings()
        hf = HFLM(self.model, tokenizer=self.tokenizer, batch_size=size, max_length=4096)

        def run(prompts: list[str]) -> Texts:
            asked = {"until": [], "max_gen_toks": self.limit, "do_sample": False}
            instances = [Instance("generate_until", {}, (prompt, asked), 0) for prompt in prompts]
            return hf.generate_until(instances, disable_tqdm=True)

        return run

    def continuous(self, prompts: list[str]) -> Texts:
        ids = [self.tokenizer(prompt)["input_ids"] for prompt in prompts]
        made = self.model.generate_batch(
            inputs=ids, generation_config=self.settings(max_new_tokens=self.limit)
        )
        found = {tuple(one.prompt_ids): one.generated_tokens for one in made.values()}
        return [self.tokenizer.decode(found[tuple(one)], skip_special_tokens=True) for one in ids]


def timed(bench: Bench, rival: Rival, count: int) -> tuple[float, float]:
    """Tokens per second, and the share of replies equal to ours."""
    start = bench.clock()
    texts = rival(bench.prompts[:count])
    seconds = bench.clock() - start
    return bench.tokens(count) / seconds, bench.same(texts)


def best(bench: Bench, name: str, make: Callable[[int], Rival]) -> Rival | None:
    """Try the batch sizes once and keep the fastest."""
    tried = {}
    for size in SIZES:
        try:
            rival = make(size)
            # One by one is far behind wherever batches work: a part of the items shows it.
            tried[size] = (timed(bench, rival, 16 if size == 1 else len(bench.requests))[0], rival)
        except ImportError as error:
            print(f"  {name}: left out ({error})")
            return None
    size = max(tried, key=lambda one: tried[one][0])
    print(f"  {name}: " + ", ".join(f"batch {one}: {rate:,.0f}/s" for one, (rate, _) in tried.items()))
    return tried[size][1]


def rivals(bench: Bench) -> dict[str, tuple[Rival, int]]:
    """Everybody who can run here, each with how many items to run."""
    everything = len(bench.requests)
    found = {"ours": (bench.ours, everything), "loop": (bench.loop, min(16, everything))}
    for name, make in {"pipeline": bench.pipeline, "lm-eval": bench.harness}.items():
        rival = best(bench, name, make)
        if rival:
            found[name] = (rival, everything)
    try:
        bench.continuous(bench.prompts[:2])
        found["continuous"] = (bench.continuous, min(32, everything))
    except Exception as error:
        print(f"  continuous: left out ({type(error).__name__}: {str(error)[:100]})")
    return found


def compare(bench: Bench, rounds: int) -> dict[str, dict[str, float]]:
    found = rivals(bench)
    rates: dict[str, list[float]] = {name: [] for name in found}
    same: dict[str, float] = {}
    for number in range(rounds):
        names = list(found) if number % 2 == 0 else list(found)[::-1]
        for name in names:
            rate, same[name] = timed(bench, *found[name])
            rates[name].append(rate)
        print(f"  round {number + 1}: " + ", ".join(f"{name} {rates[name][-1]:,.0f}/s" for name in found))
    result = {}
    for name, seen in rates.items():
        ratio = statistics.median(ours / other for ours, other in zip(rates["ours"], seen, strict=True))
        result[name] = {
            "tokens_per_second": statistics.median(seen),
            "ours_is_faster_by": ratio,
            "same_as_ours": same[name],
        }
    return result


def memory_limit(bench: Bench) -> float:
    """Tokens per second if nothing but reading weights and caches took time."""
    import torch

    block = torch.empty(1 << 30, dtype=torch.uint8, device=bench.model.device)
    other = torch.empty_like(block)
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(20):
        other.copy_(block)
    torch.cuda.synchronize()
    bandwidth = 20 * 2 * block.numel() / (time.perf_counter() - start)
    size = bench.engine.settings()["batch_size"]
    weights = sum(one.numel() * one.element_size() for one in bench.model.parameters())
    kept = shape_from(bench.model.config, 0, bench.engine.dtype).per_token
    replies = bench.replies.values()
    read = sum(kept * (one.prompt_tokens * one.output_tokens + one.output_tokens**2 / 2) for one in replies)
    return bench.tokens() / ((weights * bench.tokens() / size + read) / bandwidth)


def quiet() -> None:
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    logging.getLogger("lm_eval").setLevel(logging.ERROR)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=int, default=512, help="most tokens per item")
    parser.add_argument("--out", type=Path)
    parser.add_argument(
        "--cpu-time", action="store_true", help="seconds of the processor: steadier if it's busy"
    )
    parser.add_argument("--random-1.5b", dest="large", action="store_true")
    options = parser.parse_args()
    quiet()
    with tempfile.TemporaryDirectory() as folder:
        size = LARGE if options.large else {"spread": 0.3}
        clock = time.process_time if options.cpu_time else time.perf_counter
        bench = Bench(random_model(Path(folder) / "random", **size), options.items, options.limit, clock)
        lengths = [reply.output_tokens for reply in bench.replies.values()]
        low, middle, high = np.percentile(lengths, [5, 50, 95])
        print(f"{options.items} items; tokens per reply: {low:.0f}–{middle:.0f}–{high:.0f} (5, 50, 95 %)")
        print(f"engine: {bench.engine.settings()}")
        result = compare(bench, options.rounds)
        if options.large:
            print(f"limit set by memory: {memory_limit(bench):,.0f} tokens/s")
    print("rival        tokens/s   ours is faster by   same replies")
    for name, row in result.items():
        rate, ratio, same = row.values()
        print(f"{name:10} {rate:10,.0f} {ratio:19.2f} {same:14.0%}")
    if options.out:
        about = {
            "machine": platform.processor() or platform.machine(),
            "clock": clock.__name__,
            "lengths": lengths,
        }
        options.out.write_text(json.dumps({"results": result, **about, **bench.engine.settings()}, indent=1))


if __name__ == "__main__":
    main()
