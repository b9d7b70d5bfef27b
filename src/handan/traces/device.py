"""Where a model runs and in which number format, each with the reason in words."""

from __future__ import annotations

from handan.traces.errors import EngineError

FLOATS = ("float32", "float16", "bfloat16")
QUANTIZED = {8: "int8", 4: "int4"}


def resolve_device(asked: str = "auto") -> str:
    """Return the device that a model will run on: the best there is, or the one asked for.

    Parameters
    ----------
    asked : str
        ``auto``, or a name that torch knows: ``cpu``, ``cuda``, ``cuda:1``, ``mps``.

    Raises
    ------
    EngineError
        When torch does not know the device or this machine has none.
    """
    import torch

    if asked == "auto":
        return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(1, device=asked)
    except Exception as error:
        raise EngineError(
            f"there is no device {asked!r} here ({_first_line(error)}); ask for 'auto' or 'cpu'"
        ) from None
    return asked


def resolve_dtype(device: str = "auto", asked: str = "auto") -> tuple[str, str]:
    """Return the number format that a model will be loaded in, and why.

    The weights are not looked at: the name is part of every request's key, which must be
    known before anything is loaded.

    Parameters
    ----------
    device : str
        See `resolve_device`.
    asked : str
        ``auto``, ``float32``, ``float16``, ``bfloat16``, or ``int8`` and ``int4`` for
        weights quantised while loading.

    Returns
    -------
    name : str
        One of the above, not ``auto``.
    reason : str
        A line to print, for example ``float32: this is a CPU``.

    Raises
    ------
    EngineError
        When the format is unknown or the device can't compute in it.
    """
    device = resolve_device(device)
    if asked == "auto":
        return _best(device)
    if asked not in (*FLOATS, *QUANTIZED.values()):
        known = ", ".join((*FLOATS, *QUANTIZED.values()))
        raise EngineError(f"there is no dtype {asked!r}; choose auto, {known}")
    best, reason = _best(device)
    if asked in QUANTIZED.values() and not device.startswith("cuda"):
        raise EngineError(f"{asked} weights need a CUDA device, and this is {device}; ask for dtype 'auto'")
    if asked == "bfloat16" and device.startswith("cuda") and best == "float16":
        raise EngineError(f"bfloat16 can't be had ({reason}); ask for 'auto', float16 or float32")
    return asked, f"{asked}: asked for" + ("" if asked == best else f" (auto would take {reason})")


def _best(device: str) -> tuple[str, str]:
    import torch

    kind = device.split(":")[0]
    if kind == "cuda":
        name = torch.cuda.get_device_name(device)
        major, minor = torch.cuda.get_device_capability(device)
        ability = f"{name} (compute capability {major}.{minor})"
        if major >= 8:
            return "bfloat16", f"bfloat16: {ability} computes in it"
        return "float16", f"float16: {ability} has no bfloat16"
    if kind == "mps":
        if torch.backends.mps.is_macos_or_newer(14, 0):
            return "bfloat16", "bfloat16: an Apple GPU under macOS 14 or newer computes in it"
        return "float16", "float16: an Apple GPU before macOS 14 has no bfloat16"
    reason = "this is a CPU" if kind == "cpu" else f"nothing is known about {kind} devices"
    return "float32", f"float32: {reason}"


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
