#!/bin/sh
# Serve to those who have the key. One that the caller did not give is made once and kept with the state.
set -eu
if [ -z "${LOCAL_BACKEND_API_KEY:-}" ]; then
    file=$HOME/.openhands/agent-canvas/api-key.txt
    if [ ! -s "$file" ]; then
        mkdir -p "$(dirname "$file")"
        (umask 077 && head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$file")
    fi
    LOCAL_BACKEND_API_KEY=$(cat "$file")
    export LOCAL_BACKEND_API_KEY
fi
exec agent-canvas --port "${PORT:-8000}" --public
