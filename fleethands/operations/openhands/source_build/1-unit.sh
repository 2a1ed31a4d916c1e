# shellcheck disable=SC2034,SC2154  # the parts are one script
# Builds OpenHands beside what runs, in a directory of its own; only a whole and rehearsed one takes the place of the link.
# What comes from elsewhere runs in units, as users without any right; systemd ends every process of a unit with it.
: "${root:?}" "${kind:?}" "${repo?}" "${ref:?}" "${moved?}" "${recipe:?}" "${user:?}" "${builder:?}" "${script:?}"
: "${newest?}" "${ports:?}" "${ready:?}" "${variables?}" "${config:?}" "${way:?}"
authorities=/etc/ssl/certs/ca-certificates.crt # the host's own count for npm, pip and uv, too
work=/run/fleethands/build
limit=2400 # seconds for a build; the rehearsal gets 900, and a run waits an hour for a step (ssh/timeouts.py)
low=512    # MiB of the disk that stay free
few=20000  # files that can still be made
most=1048576 # bytes of what a build says

# in_unit NAME USER OPTION…
in_unit() {
  unit=$1 as=$2
  shift 2
  for each in NoNewPrivileges ProtectControlGroups ProtectHostname ProtectKernelLogs ProtectKernelModules ProtectKernelTunables \
    PrivateTmp PrivateDevices RestrictSUIDSGID LockPersonality; do
    set -- --property "$each=yes" "$@"
  done
  systemd-run --quiet --collect --unit "$unit" --uid "$as" --property CapabilityBoundingSet= --property ProtectSystem=strict \
    --property ProtectHome=read-only --property ProtectProc=invisible --property TimeoutStopSec=10 "$@" </dev/null
}

end_unit() {
  systemctl stop "$1" 2>/dev/null || true
  systemctl reset-failed "$1" 2>/dev/null || true
}

# Proxies, mirrors and authorities as this session has them and as they are declared. They go by a file of root's: command
# lines and the properties of units can be read by everybody.
way_to_packages() {
  awk -v way="^($way)\$" 'BEGIN {
    for (name in ENVIRON) if (tolower(name) ~ way && ENVIRON[name] !~ /[^ -~]/) {
      value = ENVIRON[name]
      gsub(/[\\"`$]/, "\\\\&", value)
      printf "%s=\"%s\"\n", name, value
    }
  }'
  for each in NODE_EXTRA_CA_CERTS PIP_CERT SSL_CERT_FILE REQUESTS_CA_BUNDLE; do echo "$each=$authorities"; done
  printf '%s' "$variables"
}

make_builder() {
  getent passwd "$builder" >/dev/null && return 0
  mark_managed user "$builder"
  useradd --system --user-group --shell /usr/sbin/nologin --home-dir /nonexistent --no-create-home "$builder" ||
    fail "cannot make the user $builder, which OpenHands is built as" "on the host: getent group $builder"
}

# ends what fills the disk, by bytes or by files; a build needs some 6 GB of it
room_or_end() {
  if [ "$(df -Pk "$build" | awk 'NR == 2 { print int($4 / 1024) }')" -lt "$low" ]; then
    end_unit "$1"
    fail "less than $low MiB are free in $place: the build was ended" "on the host: df -h $place"
  elif [ "$(df -Pi "$build" | awk -v few="$few" 'NR == 2 { print ($2 > 0 && $4 < few) ? "full" : "" }')" ]; then
    end_unit "$1"
    fail "fewer than $few files can be made in $place: the build was ended" "on the host: df -i $place"
  fi
}

# build_as USER PART DIRECTORY…: the directories are made for this user; the first one is its home meanwhile
build_as() {
  as=$1 what=$2
  shift 2
  install -d -o "$as" -g "$as" "$@"
  {
    way_to_packages
    printf '%s="%s"\n' part "$what" build "$build" HOME "$1" TMPDIR "$1"
  } | atomic_file "$work/environment" 0600 root:root
  rm -f "$work/status"
  {
    in_unit fleethands-build "$as" --wait --pipe --working-directory "$1" --property EnvironmentFile="$work/environment" \
      --property ReadWritePaths="$build" --property RuntimeMaxSec="$limit" --property MemoryMax=80% \
      /bin/sh "$build/builder.sh" 2>&1 && echo ok >"$work/status"
  } 9>&- | head -c "$most" >"$work/log" 9>&- & # through a pipe: who has the file itself could fill /run
  while kill -0 $! 2>/dev/null; do
    room_or_end fleethands-build
    sleep 0.5
  done
  end_unit fleethands-build
  [ -e "$work/status" ] || not_built
}

not_built() {
  tail -c 16384 "$work/log" >&2
  ! grep -q '^error: ' "$work/log" || stop
  fail "the build of $ref${repo:+ of $repo} was ended before it was done" \
    "it may take $((limit / 60)) minutes and 80 % of the memory; on the host: journalctl -u fleethands-build -n 20"
}

# said NAME PATTERN: one word of the last line that a build says, where it is such a word
said() { tail -n 1 "$work/log" | head -c 1000 | tr ' ' '\n' | sed -n "s/^$1=\\($2\\)\$/\\1/p"; }
