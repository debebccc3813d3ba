#!/bin/sh
# `torchserve --start --foreground` with the arguments given, as a container's first process: its launcher would not hand
# a SIGTERM on to the JVM, and be killed with everything in flight. STOP_AFTER_S: seconds from the SIGTERM until the
# server is ended, in which it answers what proxies still send here.
set -eu
torchserve --start --foreground "$@" &
launcher=$!
trap 'sleep "${STOP_AFTER_S:-15}"; torchserve --stop' TERM INT
wait "$launcher" || true # a signal ends this wait, after its trap
wait "$launcher" || true # until the JVM has ended too
