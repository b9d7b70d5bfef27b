"""Traces: ask any model the items of the bank, and keep every token of what it wrote."""

from handan.traces.engine import Engine
from handan.traces.errors import EngineError, ModelError, RequestError, StoreError, TracesError
from handan.traces.models import TINY, Model, resolve, tiny
from handan.traces.prompts import problems, requests
from handan.traces.request import Completion, Decoding, Request
from handan.traces.run import Report, run

__all__ = [
    "TINY",
    "Completion",
    "Decoding",
    "Engine",
    "EngineError",
    "Model",
    "ModelError",
    "Report",
    "Request",
    "RequestError",
    "StoreError",
    "TracesError",
    "problems",
    "requests",
    "resolve",
    "run",
    "tiny",
]
