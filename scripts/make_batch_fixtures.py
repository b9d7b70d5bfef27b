"""Write small batch files by their documented shape, to test the importers with.

    python scripts/make_batch_fixtures.py [--out tests/data/logs]

No real run is possible without an account or a GPU. The bodies of the OpenAI ones go
through the types of the ``openai`` package, which must be installed; those of vLLM follow
its protocol by hand. The problems are our own.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HERE / "src"))

from handan.norms import task  # noqa: E402

ITEMS = [
    ("binary-addition", "1010+0110"),
    ("binary-addition", "0001+0001"),
    ("game-of-24", "1 1 1 11"),
    ("syllogisms", "AA1"),
]
URL = "/v1/chat/completions"


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
            response = {
                "status_code": 200,
                "request_id": f"r{place}{sample}",
                "body": _completion(doc, sample),
            }
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
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": "stop",
            "stop_reason": None,
        }
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
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    openai_batch(out)
    vllm_batch(out)


if __name__ == "__main__":
    main()
