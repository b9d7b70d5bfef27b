"""A line that is written over while something runs."""

from __future__ import annotations

from typing import Any


class Line:
    """A line of text that is written over while something runs; only the last one stays.

    ``line = Line()``, then ``line.write("step 10 of 100")`` as often as needed.
    """

    def __init__(self) -> None:
        self._handle: Any = None

    def write(self, text: str) -> None:
        """Show a text in place of the one before; it is shown as it is, whatever markup it holds."""
        try:
            from IPython import get_ipython
            from IPython.display import display
        except ImportError:
            get_ipython = None
        if get_ipython is None or get_ipython() is None:
            print(text)
            return
        bundle = {"text/plain": text}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)
