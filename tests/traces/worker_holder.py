"""Hold a store open for writing until standard input ends. Usage: worker_holder.py STORE."""

import sys

from handan.traces.store import Store

with Store.open(sys.argv[1]) as store:
    print("ready", flush=True)
    sys.stdin.read()
