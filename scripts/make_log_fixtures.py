"""Write the small logs of other tools that the importers are tested with.

    python scripts/make_log_fixtures.py [--out tests/data/logs]

Needs an environment with lm_eval, inspect_ai, torch, transformers and openai beside this
package; the project itself needs none but torch and transformers. The logs of
lm-evaluation-harness and inspect_ai are written by these tools, asked our own problems;
the models are a small random one, and a list of replies that stands below. Batch files can't be had without an account or a GPU: they are written here
by their documented shape, the OpenAI ones through the types of the ``openai`` package.
What names this machine (paths, commits, tracebacks) is taken out.
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

from tiny import random_model  # noqa: E402

from handan.norms import task  # noqa: E402

ITEMS = [
    ("binary-addition", "1010+0110"),
    ("binary-addition", "0001+0001"),
    ("game-of-24", "1 1 1 11"),
    ("syllogisms", "AA1"),
]
LEFT_OUT = (
    *("pretty_env_info", "git_hash", "upper_git_hash", "date", "total_evaluation_time_seconds"),
    *("configs", "task_hashes", "group_subtasks", "versions", "n-shot", "higher_is_better"),
)
URL = "/v1/chat/completions"
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
  - {{name: last-line, filter: [{{function: regex, regex_pattern: "Answer: (.*)"}}, {{function: take_first}}]}}
"""


def docs() -> list[dict[str, str]]:
    """Our problems, as a data set that any harness can read."""
    return [
        {"task": name, "item": item, "problem": task(name).prompt(item), "answer": task(name).answer(item)}
        for name, item in ITEMS
    ]


def replies(doc: dict[str, str]) -> list[str]:
    """Three outputs for a problem: right, wrong with a second thought, cut off while thinking."""
    right, wrong = f"Answer: {doc['answer']}", "Answer: nothing of the kind"
    return [
        f"<think>The problem is {doc['item']}. I work it out, naïvely ≈ once.</think>\n{right}",
        f"<think>First try.</think>\n<think>Second try, for {doc['item']}.</think>\n{wrong}",
        "<think>" + "Step by step. " * 6,
    ]


def lm_eval(out: Path) -> None:
    """Run lm-evaluation-harness: a random model with and without its think_end_token, and set replies."""
    folder = Path.cwd()
    Path("docs.jsonl").write_text("".join(json.dumps(doc) + "\n" for doc in docs()))
    shapes = {"bank-plain": ("", "</s>", 1), "bank-think": ("<think>", "</s>", 1), "bank-repeats": ("", "###", 3)}
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
            results = {key: value for key, value in json.loads(path.read_text()).items() if key not in LEFT_OUT}
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


def openai_batch(out: Path) -> None:
    """Write a request file and the output and error files that the OpenAI batch service gives for it."""
    requests, rows, failed = [], [], []
    for place, doc in enumerate(docs()):
        for sample in range(2):
            name = f"{doc['task']}:{doc['item']}:{sample}"
            body = {"model": "deepseek-reasoner", "messages": [{"role": "user", "content": doc["problem"]}]}
            requests.append({"custom_id": name, "method": "POST", "url": URL, "body": body})
            status = {"id": f"batch_req_{place}{sample}", "custom_id": name}
            if doc["task"] == "syllogisms" and sample:
                error = {"error": {"message": "Rate limit reached", "type": "tokens", "code": "rate_limit"}}
                response = {"status_code": 429, "request_id": f"r{place}{sample}", "body": error}
                failed.append({**status, "response": response, "error": None})
                continue
            response = {"status_code": 200, "request_id": f"r{place}{sample}", "body": _completion(doc, sample)}
            rows.append({**status, "response": response, "error": None})
    for item in ("AA2", "AA3"):  # one expires, one is never heard of again
        problem = [{"role": "user", "content": task("syllogisms").prompt(item)}]
        body = {"model": "deepseek-reasoner", "messages": problem}
        requests.append({"custom_id": f"syllogisms:{item}:0", "method": "POST", "url": URL, "body": body})
    expired = {"code": "batch_expired", "message": "This request could not be executed in time."}
    failed.append({"id": "batch_req_x", "custom_id": "syllogisms:AA2:0", "response": None, "error": expired})
    for name, lines in {"requests": requests, "output": rows, "errors": failed}.items():
        _write_lines(out / f"openai-batch-{name}.jsonl", lines)


def _completion(doc: dict[str, str], sample: int) -> dict[str, Any]:
    from openai.types.chat import ChatCompletion

    cut = sample == 1 and doc["task"] == "game-of-24"
    reasoning = 30 + 7 * len(doc["item"]) + sample
    written = 64 if cut else reasoning + 8
    message = {"role": "assistant", "content": "" if cut else f"Answer: {doc['answer']}"}
    message["reasoning_content"] = f"I work out {doc['item']}. " * (2 + sample)
    details = {"reasoning_tokens": written if cut else reasoning}
    whole = {
        "id": "chatcmpl-0", "object": "chat.completion", "created": 1700000000, "model": "deepseek-reasoner",
        "choices": [{"index": 0, "message": message, "finish_reason": "length" if cut else "stop"}],
        "usage": {"prompt_tokens": 90, "completion_tokens": written, "total_tokens": 90 + written,
                  "completion_tokens_details": details},
    }  # fmt: skip
    return ChatCompletion.model_validate(whole).model_dump(mode="json", exclude_unset=True)


def vllm_batch(out: Path) -> None:
    """Write an output file of ``vllm run-batch``: reasoning apart, no count of it, ids of vLLM."""
    lines = []
    for place, doc in enumerate(docs()):
        name = f"{doc['task']}:{doc['item']}:0"
        apart = place != 1
        text = f"Answer: {doc['answer']}" if apart else replies(doc)[0]
        message = {"role": "assistant", "content": text, "refusal": None, "tool_calls": []}
        if apart:  # the field was renamed between releases
            message["reasoning" if place == 2 else "reasoning_content"] = f"Let me see: {doc['item']}."
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop", "stop_reason": None}
        usage = {"prompt_tokens": 70, "total_tokens": 170 + place, "completion_tokens": 100 + place,
                 "prompt_tokens_details": None}  # fmt: skip
        body = {"id": f"chatcmpl-{place}", "object": "chat.completion", "created": 1700000000,
                "model": "Qwen/QwQ-32B", "choices": [choice], "usage": usage, "prompt_logprobs": None,
                "kv_transfer_params": None}  # fmt: skip
        response = {"status_code": 200, "request_id": f"vllm-batch-{place}", "body": body}
        lines.append({"id": f"vllm-{place}", "custom_id": name, "response": response, "error": None})
    lines[3]["response"] = {"status_code": 400, "request_id": "vllm-batch-3", "body": None}
    lines[3]["error"] = {"object": "error", "message": "The model's context is too short", "code": 400}
    _write_lines(out / "vllm-batch-output.jsonl", lines)


def _write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "tests/data/logs")
    out = parser.parse_args().out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    openai_batch(out)
    vllm_batch(out)
    os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "INSPECT_DISABLE_TELEMETRY": "1"}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        random_model(Path("tiny"), stop_ids=[1, 30, 31], chat_template="{{ messages[0]['content'] }}")
        lm_eval(out)
        inspect(out)


if __name__ == "__main__":
    main()
