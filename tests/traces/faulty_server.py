"""An OpenAI-compatible server on the loopback interface that misbehaves on command.

Every request takes the next fault of the schedule; when the schedule is used up, the
server answers well: by itself, or by handing the request on to a real server.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

MODEL = "kitten-1"
REASONING = "Two and two…"
RESETTABLE = (
    "rate-limit",
    "rate-limit-ms",
    "server-error",
    "unavailable",
    "dropped",
    "dropped-midway",
    "malformed",
    "empty",
    "no-choices",
    "error-in-200",
    "broke-off",
)


def answer(prompt: str) -> str:
    """What the server replies to a prompt."""
    return f"reply to <{prompt}>"


def reply(prompt: str, **changes: Any) -> dict[str, Any]:
    """A well-formed reply; `changes` go into the choice."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": answer(prompt), "reasoning_content": REASONING},
        "finish_reason": "stop",
    }
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": MODEL,
        "system_fingerprint": "fp_1",
        "choices": [choice | changes],
        "usage": {
            "prompt_tokens": len(prompt),
            "completion_tokens": 12,
            "completion_tokens_details": {"reasoning_tokens": 7},
        },
    }


class FaultyServer:
    """Run it as a context manager.

    Parameters
    ----------
    schedule : iterable of str
        Faults in order of arrival, see the methods of `_Handler`; ``ok`` is none.
    seconds : float
        Time that an answer takes.
    upstream : str, optional
        Address of a real server, up to ``/v1``, that does the answering.
    payload : callable, optional
        Prompt to reply, in place of `reply`.
    """

    def __init__(self, schedule=(), *, seconds=0.0, upstream=None, payload=reply):
        self.schedule = deque(schedule)
        self.seconds, self.upstream, self.payload = seconds, upstream, payload
        self.seen: list[SimpleNamespace] = []
        self.active = self.most_active = 0
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.owner = self
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self):
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def prompts(self):
        return [one.body["messages"][0]["content"] for one in self.seen]


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # a client that hangs up is nothing to report


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_POST(self):
        owner = self.server.owner
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        with owner.lock:
            owner.active += 1
            owner.most_active = max(owner.most_active, owner.active)
            fault = owner.schedule.popleft() if owner.schedule else "ok"
            self.body = json.loads(raw)
            owner.seen.append(
                SimpleNamespace(
                    path=self.path,
                    headers=dict(self.headers),
                    body=self.body,
                    fault=fault,
                    time=time.monotonic(),
                )
            )
        self.counted = True
        self.prompt = self.body["messages"][0]["content"]
        try:
            time.sleep(owner.seconds)
            getattr(self, "on_" + fault.replace("-", "_"))()
        finally:
            self.leave()

    def leave(self):
        """No longer in flight: before the client can know that, so that it can't be counted twice."""
        with self.server.owner.lock:
            self.server.owner.active -= self.counted
            self.counted = False

    def send(self, status, payload, **headers):
        raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.leave()
        self.send_response(status)
        kind = {"Content_Type": "application/json", "Content_Length": str(len(raw))}
        for name, value in (kind | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(raw)

    def hang_up(self):
        self.leave()
        self.close_connection = True
        self.connection.shutdown(2)

    def error(self, status, message, code=None, param=None, **headers):
        self.send(status, {"error": {"message": message, "code": code, "param": param}}, **headers)

    def on_ok(self):
        if self.server.owner.upstream:
            self.hand_on()
        elif self.body.get("stream"):
            self.stream(self.server.owner.payload(self.prompt))
        else:
            self.send(200, self.server.owner.payload(self.prompt))

    def hand_on(self):
        address = self.server.owner.upstream + self.path.removeprefix("/v1")
        asked = urllib.request.Request(
            address, json.dumps(self.body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(asked) as came:
                status, raw, kind = came.status, came.read(), came.headers["Content-Type"]
        except urllib.error.HTTPError as error:
            status, raw, kind = error.code, error.read(), error.headers["Content-Type"]
        self.send(status, raw, Content_Type=kind)

    def stream(self, whole, *, stop_after=None, clean_end=True):
        """Send a reply in pieces of a few characters, with the noise that real streams have."""
        choice = whole["choices"][0]
        message = choice["message"]
        deltas = [{"role": "assistant", "content": ""}]
        for name in ("reasoning_content", "reasoning", "content"):
            text = message.get(name) or ""
            deltas += [{name: text[at : at + 3]} for at in range(0, len(text), 3)]
        events = [{"model": whole["model"], "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
        events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
        events.append({"choices": [], "usage": whole["usage"]})
        texts = [f"data: {json.dumps(event, ensure_ascii=False)}\n\n" for event in events]
        data = [": keep-alive\n\n", *texts, "data: [DONE]\n\n"][:stop_after]
        self.leave()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        raw = "".join(data).encode()
        for at in range(0, len(raw), 50):  # chunks end anywhere, also inside a character
            piece = raw[at : at + 50]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if clean_end:
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.hang_up()

    def on_stream_dropped(self):
        self.stream(reply(self.prompt), stop_after=6, clean_end=False)

    def on_stream_cut(self):
        """End in good order, but in the middle of the reply."""
        self.stream(reply(self.prompt), stop_after=6)

    def on_rate_limit(self):
        self.error(429, "slow down", Retry_After="0")

    def on_rate_limit_ms(self):
        self.error(429, "slow down", Retry_After="9", retry_after_ms="300")

    def on_rate_limit_date(self):
        later = datetime.now(UTC) + timedelta(seconds=2)
        self.error(429, "slow down", Retry_After=format_datetime(later, usegmt=True))

    def on_rate_limit_for_an_hour(self):
        self.error(429, "slow down", Retry_After="3600")

    def on_quota(self):
        self.error(429, "You exceeded your current quota", code="insufficient_quota")

    def on_server_error(self):
        self.error(500, "oops")

    def on_unavailable(self):
        self.send(503, b"<html>no\x1b[31m healthy upstream</html>", Content_Type="text/html")

    def on_dropped(self):
        self.hang_up()

    def on_dropped_midway(self):
        raw = json.dumps(reply(self.prompt)).encode()
        self.leave()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw[: len(raw) // 2])
        self.wfile.flush()
        self.hang_up()

    def on_malformed(self):
        self.send(200, json.dumps(reply(self.prompt)).encode()[:-9])

    def on_long_garbage(self):
        self.send(200, b"\x00\x1b[2J\xff garbage " * 400)

    def on_empty(self):
        self.send(200, b"")

    def on_no_choices(self):
        self.send(200, {"id": "x", "choices": []})

    def on_deep(self):
        self.send(200, b"[" * 100_000)

    def on_error_in_200(self):
        self.send(200, {"error": {"message": "provider failed", "code": 502}})

    def on_broke_off(self):
        self.send(200, reply(self.prompt, finish_reason="insufficient_system_resource"))

    def on_slow(self):
        time.sleep(0.6)
        self.on_ok()

    def on_hang(self):
        """Answer when the server goes down, not before."""
        self.server.owner.closing.wait(60)

    def on_bad_request(self):
        self.error(
            400,
            "This model's maximum context length is 64 tokens. However, max_tokens is not supported there",
        )

    def on_echo(self):
        self.send(418, f"who are you? {self.headers['Authorization']}".encode() * 40)

    def on_echo_in_the_reply(self):
        self.send(200, reply(self.headers["Authorization"], finish_reason=self.headers["Authorization"]))

    def on_unauthorized(self):
        key = self.headers["Authorization"] or "none"
        self.error(401, f"Incorrect API key provided: {key}, which begins with {key[:-6]}")

    def on_forbidden(self):
        self.error(403, "no access")

    def on_payment(self):
        self.error(402, "Insufficient Balance")

    def on_not_found(self):
        self.error(404, f"The model `{self.body['model']}` does not exist")

    def on_redirect(self):
        self.send(307, b"", Location="http://127.0.0.1:9/v1/chat/completions")

    def on_picky_limit(self):
        """Take the newer word for the token limit only."""
        if "max_tokens" in self.body:
            self.error(
                400,
                "Unsupported parameter: 'max_tokens' is not supported with this model. "
                "Use 'max_completion_tokens' instead.",
                "unsupported_parameter",
                "max_tokens",
            )
        else:
            self.on_ok()

    def on_picky_seed(self):
        """Refuse a seed the way that pydantic does."""
        if "seed" in self.body:
            fault = {
                "type": "extra_forbidden",
                "loc": ["body", "seed"],
                "msg": "Extra inputs are not permitted",
            }
            self.send(422, {"detail": [fault]})
        else:
            self.on_ok()

    def on_picky_temperature(self):
        said = (
            f"Unsupported value: 'temperature' does not support {self.body['temperature']} with this model."
        )
        self.error(400, said, "unsupported_value", "temperature")

    def on_no_limit_at_all(self):
        name = "max_tokens" if "max_tokens" in self.body else "max_completion_tokens"
        self.error(400, f"Unknown parameter: {name}", "unknown_parameter", name)
