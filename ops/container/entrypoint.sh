#!/bin/sh
# The server under its supervisor, and the server's log on standard output, where a container's engine looks for it.
set -eu
touch logs/ts.log
tail -n 0 -F logs/ts.log 2>/dev/null &
exec python -m ops.process.supervise "$@"
