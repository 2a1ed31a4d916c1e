# Gets the certificate of the gateway by ACME, or renews it, and installs it. It asks the authority only if that is due.
#   server: the ACME directory; email: for the authority, or empty; names: of the certificate, with blanks between them
#   directory: certbot's files; trust: a file with root certificates, empty for those of the system
#   issued: the file that says what was asked for, and which certificate is installed
#   certificate, key, owner: of the gateway; service, loaded, read: as load_gateway.sh has them
# The argument `install` leaves the reload to the caller. Status 3: the reason was printed.
set -eu
: "${server:?}" "${email?}" "${names:?}" "${directory:?}" "${trust:?}" "${issued:?}"
: "${certificate:?}" "${key:?}" "${owner:?}" "${service:?}" "${loaded:?}" "${read:?}"
umask 077
mkdir -p /run/fleethands
exec 8>>/run/fleethands/acme.lock
flock -w 600 8
# other names or another authority: another lineage, so that certbot keeps none of the certificates before
lineage=gateway-$(echo "$server $names" | sha256sum | cut -c 1-12)
live=$directory/config/live/$lineage
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# certbot's own settings of the host, which are for other certificates, are in its home and in /etc/letsencrypt
certbot_here() {
  HOME=/nonexistent LC_ALL=C timeout -k 10 300 certbot "$@" --non-interactive --config-dir "$directory/config" \
    --work-dir "$directory/work" --logs-dir "$directory/logs" --cert-name "$lineage" >"$log" 2>&1 8>&- </dev/null
}

ask() {
  set -- --agree-tos --standalone --preferred-challenges http --key-type ecdsa --keep-until-expiring --server "$server"
  if [ -n "$email" ]; then set -- "$@" --email "$email"; else set -- "$@" --register-unsafely-without-email; fi
  for name in $names; do set -- "$@" --domain "$name"; done
  [ ! -s "$trust" ] || export REQUESTS_CA_BUNDLE="$trust"
  certbot_here certonly "$@"
}

# printable: what the authority says, as one line with a limit
printable() { LC_ALL=C tr -c '[:print:]' ' ' | tr -s ' ' | cut -c 1-300; }

# reason: the first problem that the authority reports, or certbot's last line
reason() {
  said=$(sed -n 's/^ *Detail: //p' "$log" | head -n 1)
  [ -n "$said" ] || said=$(sed -n '/^An unexpected error occurred:/{n;p;}' "$log" | head -n 1)
  [ -n "$said" ] || said=$(grep -v -e '^ *$' -e '^Ask for help' -e '^See the logfile' "$log" | tail -n 1)
  printf %s "$said" | printable
}

explain() {
  if grep -q -e 'Could not bind TCP port 80' -e 'binding to port 80' "$log"; then
    echo "error: no certificate for $names: another program on this host has port 80, where the authority connects" >&2
    echo "hint: which one, on the host: ss -Hltnp 'sport = :80'" >&2
  else
    echo "error: no certificate for $names: $(reason)" >&2
    echo "hint: each name has to lead to this host, on the host: getent ahosts ${names%% *}" >&2
    echo "hint: the authority connects to port 80, which a firewall of your provider may close" >&2
  fi
  exit 3
}

# replace FILE TARGET: as a whole
replace() {
  install -m 0640 -o "${owner%:*}" -g "${owner#*:}" "$1" "$2.new"
  sync "$2.new"
  mv -fT "$2.new" "$2"
}

# remove_others: lineages of earlier names
remove_others() {
  for place in "$directory"/config/live/gateway-*; do
    other=${place##*/}
    if [ -d "$place" ] && [ "$other" != "$lineage" ]; then
      rm -rf "$place" "$directory/config/archive/$other" "$directory/config/renewal/$other.conf"
    fi
  done
}

# digest: of what the gateway reads, as load_gateway.sh writes it
# shellcheck disable=SC2086
digest() { cat $read 2>/dev/null | sha256sum | cut -c 1-64; }

# reload: unless the gateway has read these files, also after a reload that failed
reload() {
  wanted=$(digest)
  systemctl is-active --quiet "$service" || return 0
  [ "$(cut -d ' ' -f 1 "$loaded" 2>/dev/null)" != "$wanted" ] || return 0
  systemctl reload "$service"
  echo "$wanted $(cut -d ' ' -f 2 "$loaded")" >"$loaded.new"
  mv -fT "$loaded.new" "$loaded"
}

mkdir -p "$directory"
ask || explain
if ! cmp -s "$live/fullchain.pem" "$certificate" || ! cmp -s "$live/privkey.pem" "$key"; then
  # a reload between the two fails, and the gateway keeps those that it has
  replace "$live/privkey.pem" "$key"
  replace "$live/fullchain.pem" "$certificate"
fi
chown "$owner" "$certificate" "$key"
chmod 0640 "$certificate" "$key"
printf '%s %s\n%s\n' "$server" "$names" "$(sha256sum <"$certificate" | cut -c 1-64)" >"$issued.new"
mv -fT "$issued.new" "$issued"
remove_others
[ "${1:-}" = install ] || reload
