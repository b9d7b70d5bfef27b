import contextlib
import functools
import http.server
import os
import shutil
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)

# How long an example takes says nothing about it on a shared machine.
settings.register_profile("handan", deadline=None)
settings.load_profile("handan")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def raw() -> Path:
    """The team's raw data, where there is any: RAW=... or ../shared/data."""
    path = Path(os.environ.get("RAW", ROOT.parent / "shared/data"))
    if not path.is_dir():
        pytest.skip(f"the raw data is not at {path}; set RAW to run this test")
    return path


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def serve():
    """Serve folders on the loopback interface; call it with a folder, get an address."""
    servers = []

    def start(folder: Path) -> str:
        handler = functools.partial(Silent, directory=str(folder))
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()


@pytest.fixture(scope="session")
def chromium():
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET.split())
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def visitor(chromium):
    """Visit pages at a width; a visit gives the page, what it asked other machines for, its complaints."""

    @contextlib.contextmanager
    def visiting(address: str, width: int):
        context = chromium.new_context(viewport={"width": width, "height": 800})
        page = context.new_page()
        outside, complaints = [], []
        own = (address, "data:", "blob:")
        page.on("request", lambda asked: None if asked.url.startswith(own) else outside.append(asked.url))
        page.on(
            "response",
            lambda got: complaints.append(f"{got.status} {got.url}") if got.status >= 400 else None,
        )
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))

        def open_page(name: str):
            page.goto(f"{address}/{name}.html")
            page.wait_for_load_state("networkidle")
            return page, outside, complaints

        yield open_page
        context.close()

    return visiting


@pytest.fixture(scope="module")
def open_deck(chromium):
    """Open a deck on a screen of 1280 by 720; gives the page, and all that it complained of or asked for."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720})

    def opening(place):
        tab = context.new_page()
        faults = []
        own = place.rsplit("/slides/", 1)[0]
        tab.on(
            "request",
            lambda one: None if one.url.startswith((own, "data:", "blob:")) else faults.append(one.url),
        )
        tab.on("requestfailed", lambda one: faults.append(f"failed: {one.url}"))
        tab.on(
            "response", lambda one: faults.append(f"{one.status} {one.url}") if one.status >= 400 else None
        )
        tab.on(
            "console", lambda line: faults.append(line.text) if line.type in ("error", "warning") else None
        )
        tab.on("pageerror", lambda error: faults.append(str(error)))
        tab.goto(place)
        tab.wait_for_function("window.Reveal && Reveal.isReady()")
        return tab, faults

    yield opening
    context.close()


@pytest.fixture
def handan(monkeypatch, capsys):
    """The command, run in this process: call it with arguments, get exit code, output and messages."""
    from handan import cli

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["handan", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        captured = capsys.readouterr()
        return caught.value.code or 0, captured.out, captured.err

    return run
