"""Add rows under a limit on the size of files until the store refuses; prints what happened as JSON.

Usage: worker_full.py STORE LIMIT_BYTES PART_ROWS. Runs out of room as on a full disk (EFBIG for ENOSPC).
"""

import json
import os
import resource
import sys

from tests.traces.worker_rows import answer, request

from handan.traces.errors import StoreError
from handan.traces.store import Store


def main() -> None:
    path, limit, part_rows = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    store = Store.open(path, part_rows=part_rows)
    added, refusals = 0, []
    while len(refusals) < 3:  # it may be tried again and again
        try:
            store.add(answer(request(added), "word " * 100, tokens=100))
            added += 1
        except StoreError as error:
            refusals.append(str(error))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for number in range(added, added + 10):
        store.add(answer(request(number)))
    seen = len(store.read(["key"]))
    print(json.dumps({"added": added, "refusals": refusals, "seen": seen}), flush=True)
    os._exit(0)  # without closing


if __name__ == "__main__":
    main()
