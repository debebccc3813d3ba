#!/bin/sh
# Runs the server under its supervisor, and prints the server's log on standard output for the container's engine.
set -eu
touch logs/ts.log
tail -n 0 -F logs/ts.log 2>/dev/null &
exec python -m ops.process.supervise "$@"
