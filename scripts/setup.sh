#!/bin/sh
# Finds a Python 3.11 or 3.12 and hands over to set_up.py. What is done already is skipped.
set -eu
cd "$(dirname "$0")/.."

suits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null
}

for python in .venv/bin/python python3 python3.12 python3.11 python; do
    if suits "$python"; then
        exec "$python" scripts/set_up.py "$@"
    fi
done
echo "set-up: needs Python 3.11 or 3.12 on the path, and found neither" >&2
exit 1
