"""Write the small logs of other tools that the importers are tested with.

    python scripts/make_log_fixtures.py [--out tests/data/logs]

Needs an environment with lm_eval, inspect_ai, torch and transformers beside this package;
the project itself needs neither of the first two. The logs are written by these tools,
asked our own problems; the models are a small random one, and a list of set replies. What
names this machine (paths, commits, tracebacks) is taken out.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(HERE / "src"), str(HERE / "tests" / "traces")]

from make_batch_fixtures import docs, replies  # noqa: E402
from tiny import random_model  # noqa: E402

from handan.norms import task  # noqa: E402

LEFT_OUT = (
    *("pretty_env_info", "git_hash", "upper_git_hash", "date", "total_evaluation_time_seconds"),
    *("configs", "task_hashes", "group_subtasks", "versions", "n-shot", "higher_is_better"),
)
LM_EVAL_TASK = """
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: docs.jsonl}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{problem}}}}{opens}"
doc_to_target: "{{{{answer}}}}"
generation_kwargs: {{until: ["{until}"], max_gen_toks: 40, do_sample: false}}
repeats: {repeats}
metric_list: [{{metric: exact_match, aggregation: mean, higher_is_better: true}}]
filter_list:
  - {{name: none, filter: [{{function: take_first}}]}}
  - {{name: last-line, filter: [{{function: regex, regex_pattern: "Answer: (.*)"}}]}}
"""


def lm_eval(out: Path) -> None:
    """Run lm-evaluation-harness: a random model with and without its think_end_token, and set replies."""
    folder = Path.cwd()
    Path("docs.jsonl").write_text("".join(json.dumps(doc) + "\n" for doc in docs()))
    shapes = {
        "bank-plain": ("", "</s>", 1),
        "bank-think": ("<think>", "</s>", 1),
        "bank-repeats": ("", "###", 3),
    }
    for name, (opens, until, repeats) in shapes.items():
        text = LM_EVAL_TASK.format(name=name, opens=opens, until=until, repeats=repeats)
        Path(f"{name}.yaml").write_text(text)
    tiny = "pretrained=tiny,dtype=float32"
    for label, args, name in [
        ("lm-eval-hf", tiny, "bank-plain"),
        ("lm-eval-stripped", f"{tiny},think_end_token=</think>", "bank-think"),
    ]:
        command = ["-m", "lm_eval", "run", "--model", "hf", "--model_args", args, "--tasks", name]
        more = ["--include_path", str(folder), "--output_path", label, "--log_samples", "--batch_size", "4"]
        subprocess.run([sys.executable, *command, *more, "--device", "cpu"], check=True)
        _keep_lm_eval(Path(label), out / label)
    _lm_eval_scripted(folder)
    _keep_lm_eval(Path("lm-eval-scripted"), out / "lm-eval-scripted")


def _lm_eval_scripted(folder: Path) -> None:
    from lm_eval import simple_evaluate
    from lm_eval.api.model import LM
    from lm_eval.loggers import EvaluationTracker
    from lm_eval.tasks import TaskManager

    asked: dict[str, Iterator[str]] = {doc["problem"]: iter(replies(doc)) for doc in docs()}

    class Scripted(LM):
        def generate_until(self, requests: list[Any], disable_tqdm: bool = False) -> list[str]:
            return [next(asked[request.args[0]]) for request in requests]

        def loglikelihood(self, requests: list[Any]) -> list[Any]:
            raise NotImplementedError

        loglikelihood_rolling = loglikelihood

    tracker = EvaluationTracker(output_path="lm-eval-scripted")
    tracker.general_config_tracker.model_name_sanitized = "scripted"
    manager = TaskManager(include_path=str(folder))
    results = simple_evaluate(Scripted(), tasks=["bank-repeats"], task_manager=manager, bootstrap_iters=0)
    samples = results.pop("samples")
    tracker.save_results_aggregated(results=results, samples=samples)
    tracker.save_results_samples(task_name="bank-repeats", samples=samples["bank-repeats"])


def _keep_lm_eval(found: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for path in found.rglob("*.json*"):
        if path.suffix == ".json":
            results = {
                key: value for key, value in json.loads(path.read_text()).items() if key not in LEFT_OUT
            }
            (out / path.name).write_text(json.dumps(results, indent=1) + "\n")
        else:
            (out / path.name).write_bytes(path.read_bytes())


def inspect(out: Path) -> None:
    """Run inspect_ai: set replies with reasoning and usage over two epochs, and a padded batch."""
    import inspect_ai

    usage = _usage_of_replies()
    settings = {"log_dir": "logs", "display": "none", "log_realtime": False, "score_display": False}
    scripted = inspect_ai.eval(
        _inspect_task("bank"), model="mockllm/model", model_args={"custom_outputs": usage}, epochs=2,
        fail_on_error=False, max_connections=1, max_samples=1, log_format="eval", **settings,
    )  # fmt: skip
    _keep_inspect(scripted[0], out / "inspect-scripted.eval")
    _keep_inspect(scripted[0], out / "inspect-scripted.json")
    padded = inspect_ai.eval(
        _inspect_task("bank-hf"), model="hf/tiny", max_tokens=40, log_format="eval",
        model_args={"model_path": "tiny", "device": "cpu", "batch_size": 4}, **settings,
    )  # fmt: skip
    _keep_inspect(padded[0], out / "inspect-hf.eval")


def _inspect_task(name: str) -> Any:
    from inspect_ai import Task
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.scorer import CORRECT, INCORRECT, Score, Target, accuracy, scorer
    from inspect_ai.solver import TaskState, generate

    @scorer(metrics=[accuracy()])
    def key() -> Callable:
        async def score(state: TaskState, target: Target) -> Score:
            about = state.metadata
            correct = task(about["task"]).grade(about["item"], state.output.completion).correct
            return Score(value=CORRECT if correct else INCORRECT)

        return score

    samples = [
        Sample(id=f"{doc['task']}/{doc['item']}", input=doc["problem"], target=doc["answer"],
               metadata={"task": doc["task"], "item": doc["item"]})
        for doc in docs()
    ]  # fmt: skip
    return Task(dataset=MemoryDataset(samples, name="bank"), solver=generate(), scorer=key(), name=name)


def _usage_of_replies() -> Callable:
    from inspect_ai.model import ChatMessageAssistant, ContentReasoning, ContentText, ModelOutput, ModelUsage

    answers = {doc["problem"]: doc for doc in docs()}
    seen: dict[str, int] = {}

    def reply(messages: list[Any], *_: Any) -> Any:
        doc = answers[messages[-1].text]
        seen[doc["item"]] = time = seen.get(doc["item"], 0) + 1
        if doc["task"] == "syllogisms" and time == 2:
            raise RuntimeError("the connection was lost")
        cut = doc["task"] == "game-of-24" and time == 2
        thought = ContentReasoning(reasoning="Step by step. " * (3 + len(doc["item"]) + time))
        content = [thought, ContentText(text="" if cut else f"Answer: {doc['answer']}")]
        output = ModelOutput.from_message(
            ChatMessageAssistant(content=content, source="generate"), "max_tokens" if cut else "stop"
        )
        tokens = 4 * (3 + len(doc["item"]) + time)
        written = tokens + (0 if cut else 9)
        output.usage = ModelUsage(input_tokens=80, output_tokens=written, total_tokens=80 + written,
                                  input_tokens_cache_read=20, reasoning_tokens=tokens)  # fmt: skip
        return output

    return reply


def _keep_inspect(log: Any, path: Path) -> None:
    from inspect_ai.log import read_eval_log, write_eval_log

    log = read_eval_log(log.location)
    log.eval.revision = log.eval.task_file = log.eval.config.sandbox_cleanup = None
    log.eval.model_args = {key: value for key, value in log.eval.model_args.items() if key == "batch_size"}
    log.eval.packages = {"inspect_ai": log.eval.packages["inspect_ai"]}
    for sample in log.samples or []:
        sample.events, sample.events_data, sample.store = [], None, {}
        for error in filter(None, [sample.error, *(sample.error_retries or [])]):
            error.traceback = error.traceback_ansi = ""
    write_eval_log(log, str(path))
    if path.suffix == ".json":
        path.write_text(json.dumps(json.loads(path.read_text())) + "\n")


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "tests/data/logs")
    out = parser.parse_args().out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "INSPECT_DISABLE_TELEMETRY": "1"}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        random_model(Path("tiny"), stop_ids=[1, 30, 31], chat_template="{{ messages[0]['content'] }}")
        lm_eval(out)
        inspect(out)


if __name__ == "__main__":
    main()
