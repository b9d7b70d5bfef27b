"""Whatever is done to a store in whatever order, it holds what a dictionary would hold."""

import shutil
import tempfile
import warnings
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.traces.worker_rows import answer, keys, request

from handan.traces.store import Store

pytest.importorskip("pyarrow")
NUMBERS = st.integers(0, 7)
STOPS = st.sampled_from(["stop", "length", "error"])


class AgainstADictionary(RuleBasedStateMachine):
    """Rows carry a running number in their text or error, so that the newest can be told."""

    @initialize(part_rows=st.integers(1, 5))
    def begin(self, part_rows):
        self.base = Path(tempfile.mkdtemp(prefix="handan-state-"))
        self.folder, self.copies, self.part_rows = self.base / "0", 0, part_rows
        self.written = []
        self.store = None
        self.open()

    def teardown(self):
        if hasattr(self, "base"):
            self.store.close()
            shutil.rmtree(self.base)

    def open(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.store = Store.open(self.folder, part_rows=self.part_rows)

    def expected(self):
        best = {}
        for number, stop, text in self.written:
            key = request(number).key
            if stop != "error" or best.get(key, ("error",))[0] == "error":
                best[key] = (stop, text)
        return best

    @rule(number=NUMBERS, stop=STOPS)
    def add(self, number, stop):
        text = f"row {len(self.written)}"
        attempt = 1 + sum(one[0] == number for one in self.written)
        self.store.add(answer(request(number), text, stop=stop, attempt=attempt))
        self.written.append((number, stop, text))

    @rule()
    def close_and_open(self):
        self.store.close()
        self.open()

    @rule()
    def compact(self):
        report = self.store.compact()
        assert report.rows == len(self.expected())
        assert report.parts_after <= 1

    @rule()
    def start_a_run(self):
        self.store.add_run({"requests": keys(3)})

    def leave(self):
        """Go on with a copy, as if the program had been killed."""
        self.copies += 1
        old, self.folder = self.folder, self.base / str(self.copies)
        shutil.copytree(old, self.folder)
        self.store.close()

    @rule()
    def crash(self):
        self.leave()
        self.open()

    @rule()
    def crash_before_the_manifest(self):
        """A part has its name, but no manifest lists it and the journal is still there."""
        manifest = (self.folder / "manifest.json").read_bytes()
        journal = self.folder / "journal.jsonl"
        kept = journal.read_bytes() if journal.exists() else None
        self.store.close()
        (self.folder / "manifest.json").write_bytes(manifest)
        if kept is not None:
            journal.write_bytes(kept)
        self.open()

    @precondition(lambda self: self.store is not None and self.store._journal and self.store._journal.rows)
    @rule(lost=st.integers(1, 60))
    def power_cut_within_the_last_line(self, lost):
        self.leave()
        journal = self.folder / "journal.jsonl"
        journal.write_bytes(journal.read_bytes()[:-lost])
        self.written.pop()
        self.open()

    @invariant()
    def holds_what_the_dictionary_holds(self):
        if getattr(self, "store", None) is None:
            return
        expected = self.expected()
        with Store.open(self.folder, writable=False) as reader:
            for store in (self.store, reader):
                rows = store.read(["key", "stop", "text", "error"])
                texts = rows["text"].where(rows["stop"] != "error", rows["error"])
                assert dict(zip(rows["key"], zip(rows["stop"], texts, strict=True), strict=True)) == expected
                assert len(rows) == len(expected)
        assert self.store.done(keys(8)) == set(expected)
        whole = {key for key, (stop, _) in expected.items() if stop != "error"}
        assert self.store.done(keys(8), retry_errors=True) == whole


AgainstADictionary.TestCase.settings = settings(max_examples=15, stateful_step_count=14, deadline=None)
TestAgainstADictionary = AgainstADictionary.TestCase
