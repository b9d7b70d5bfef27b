#!/usr/bin/env bash
# Run a command where there is no network but the loopback interface (Linux):
#   scripts/offline.sh make book
# Without a command it only says, by its exit code, whether this machine can do that.
set -euo pipefail
exec unshare --map-root-user --net -- sh -c 'ip link set lo up && exec "$@"' sh "${@:-true}"
