#!/bin/sh
# Run the server as the user the caller asked for with SANDBOX_USER_ID (0: as root, which is the default).
set -eu
if [ "${SANDBOX_USER_ID:-0}" = 0 ]; then
    exec "$@"
fi
if [ "$(id -u)" != 0 ]; then
    echo "entrypoint: SANDBOX_USER_ID needs the container to start as root" >&2
    exit 1
fi
getent passwd enduser >/dev/null || useradd --no-log-init --create-home --non-unique --uid "$SANDBOX_USER_ID" \
    --shell /bin/bash enduser
if [ -S /var/run/docker.sock ]; then
    gid=$(stat -c %g /var/run/docker.sock)
    getent group "$gid" >/dev/null || groupadd --gid "$gid" docker-socket
    usermod --append --groups "$gid" enduser
fi
# A directory that the caller mounted keeps its owner unless the user could not write there at all.
setpriv --reuid=enduser --regid="$(id -g enduser)" --init-groups test -w "$FILE_STORE_PATH" ||
    chown enduser "$FILE_STORE_PATH"
export HOME=/home/enduser USER=enduser
exec setpriv --reuid=enduser --regid="$(id -g enduser)" --init-groups "$@"
