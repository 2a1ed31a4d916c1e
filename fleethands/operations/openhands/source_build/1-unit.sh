# shellcheck disable=SC2034,SC2154  # the parts are one script
# Builds OpenHands in a new directory while the old one runs. The symlink is swapped only after the build is complete and was
# started once in a rehearsal. Downloaded code runs in transient units as unprivileged users: systemd stops all processes of a
# unit with the unit.
#   root: the symlink; recipe: digest of how it is built; moved: commit that the branch has now, empty if it was not asked
#   kind: v0 or canvas; repo, ref: what to build, without repo a release of npm's
#   user, builder: the service's user, and the one that builds; builder_script: what the builder runs (source_builder/)
#   newest: lines `RELEASE DATE`, for releases whose dependencies must not be newer
#   ports, ready: of the rehearsal; variables, way: proxies and mirrors, and the pattern of their names
: "${root:?}" "${kind:?}" "${repo?}" "${ref:?}" "${moved?}" "${recipe:?}" "${user:?}" "${builder:?}" "${builder_script:?}"
: "${newest?}" "${ports:?}" "${ready:?}" "${variables?}" "${config:?}" "${way:?}"
authorities=/etc/ssl/certs/ca-certificates.crt # npm, pip and uv also trust the host's authorities
work=/run/fleethands/build
limit=2400 # seconds for a build; the rehearsal has 900 more, and a run waits an hour for a script (ssh/timeouts.py)
low=512    # MiB that stay free
few=20000  # inodes that stay free
most=1048576 # bytes of a build's log

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

# Proxies, mirrors and authorities of this session and of the settings. They go through a file that only root reads, because all
# users can read command lines and unit properties.
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

# room_or_end UNIT: stops a unit that fills the disk, in bytes or inodes; a build needs some 6 GB
room_or_end() {
  if [ "$(df -Pk "$build" | awk 'NR == 2 { print int($4 / 1024) }')" -lt "$low" ]; then
    end_unit "$1"
    fail "less than $low MiB are free in $place: the build was stopped" "on the host: df -h $place"
  elif [ "$(df -Pi "$build" | awk -v few="$few" 'NR == 2 { print ($2 > 0 && $4 < few) ? "full" : "" }')" ]; then
    end_unit "$1"
    fail "fewer than $few files can be made in $place: the build was stopped" "on the host: df -i $place"
  fi
}

# build_as USER PART DIRECTORY…: creates the directories for this user, and runs a part in the first one, which is its home
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
  } 9>&- | head -c "$most" >"$work/log" 9>&- & # through a pipe and `head`, so that the build cannot fill /run
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
  fail "the build of $ref${repo:+ of $repo} was stopped before it was complete" \
    "it may take $((limit / 60)) minutes and 80 % of the memory; on the host: journalctl -u fleethands-build -n 20"
}

# said NAME PATTERN: the value of NAME in the last line of the build's log, if it matches the pattern
said() { tail -n 1 "$work/log" | head -c 1000 | tr ' ' '\n' | sed -n "s/^$1=\\($2\\)\$/\\1/p"; }
