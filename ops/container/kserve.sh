#!/bin/sh
# Runs `torchserve --start --foreground` with the given arguments, as a container's first process. TorchServe's launcher
# does not pass a SIGTERM to the JVM, so all requests in flight would be lost. STOP_AFTER_S: seconds from the SIGTERM to
# the end of the server, during which it still answers the requests of proxies.
set -eu
torchserve --start --foreground "$@" &
launcher=$!
trap 'sleep "${STOP_AFTER_S:-15}"; torchserve --stop' TERM INT
wait "$launcher" || true # a signal ends this wait, after its trap
wait "$launcher" || true # until the JVM has ended too
