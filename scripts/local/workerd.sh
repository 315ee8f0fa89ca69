#!/bin/sh
# Runs the Workers runtime so that it never outlives the server. Miniflare starts this in place of workerd, see workerd.ts.

# The server is closing and its runtime has drained and ended, which Miniflare takes for a crash and would mend.
# It takes the configuration, as Miniflare waits for that, and serves nothing.
if [ -n "$STOWAGE_STOPPING" ]; then
  cat >/dev/null
  exec cat <&3 >/dev/null
fi

echo $$ >"$STOWAGE_WORKERD_PID"

# Ctrl-C and a closed terminal reach every process of the group, but it is for the server to end the runtime, after the
# requests under way. Descriptor 3, Miniflare's control pipe, ends when the server does: then, and only if the runtime is
# still this watcher's parent (its process id may be another's by then), the runtime is killed.
trap '' INT HUP
(
  trap '' TERM
  cat <&3
  exec sh -c '[ "$PPID" = "$1" ] && kill -KILL "$1"' sh $$
) </dev/null >/dev/null 2>&1 &

exec "$STOWAGE_WORKERD" "$@"
