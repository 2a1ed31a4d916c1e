# Has Ollama run on the files that are there now, answering with its version. What served before is kept, and comes back
# if this does not answer in time. Where it runs in a container, its unit is the one that needs Docker's.
: "${version:?}" "${url:?}" "${limit:?}" "${limit_listen:?}" "${unit:?}" "${override:?}" "${secrets:?}" "${restart:?}"
: "${image?}" "${pinned?}" "${container:?}" "${label:?}"
served=/var/lib/fleethands/served
tried=$served.tried
adopting=/var/lib/fleethands/adopting # common.sh
log=$(mktemp)
remove_at_end "$log"

now() { date +%s%3N; }

# needs FILE: Docker's unit that a unit's text needs; empty for a service
needs() { sed -n 's/^Requires=//p' "$1" 2>/dev/null | head -n 1; }

# where there is no release yet, there is no link
released() { readlink /opt/ollama/current || true; }

# what the name of the container's image means, as `ID NAME`: a tag may move
named() { [ -z "$image" ] || echo "$(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null) $image"; }

# record DIRECTORY: the unit, the override, the secrets, the release, the image and the address that are there now
record() {
  rm -rf "$1"
  (umask 077 && mkdir -p "$1")
  cp -p "$unit" "$1/unit"
  cp -p "$override" "$1/override"
  [ ! -e "$secrets" ] || cp -p "$secrets" "$1/secrets"
  released >"$1/release"
  named >"$1/image"
  echo "$version" >"$1/version"
  echo "$url" >"$1/url"
  sync -f "$1"
}

differs() {
  ! { cmp -s "$unit" "$1/unit" && cmp -s "$override" "$1/override" && same_secrets "$1" &&
    [ "$(released)" = "$(cat "$1/release")" ] && [ "$(named)" = "$(cat "$1/image" 2>/dev/null)" ]; }
}

same_secrets() { if [ -e "$secrets" ]; then cmp -s "$secrets" "$1/secrets"; else [ ! -e "$1/secrets" ]; fi; }

put() {
  atomic_file "$unit" 0644 root:root <"$1/unit"
  if [ -e "$1/secrets" ]; then atomic_file "$secrets" 0600 root:root <"$1/secrets"; else rm -f "$secrets"; fi
  mode=$(stat -c %a "$1/override")
  atomic_file "$override" "$mode" root:root <"$1/override"
  if [ -s "$1/release" ]; then
    ln -sfn "$(cat "$1/release")" /opt/ollama/current.fleethands
    mv -fT /opt/ollama/current.fleethands /opt/ollama/current
  fi
  image=''
  if [ -s "$1/image" ]; then
    read -r id image <"$1/image"
    docker tag "$id" "$image" || true
  fi
  # one from before there were containers has no file of the version: it is the release
  version=$(cat "$1/version" 2>/dev/null || cat "$1/release") url=$(cat "$1/url")
}

unwanted_by_docker() { [ -z "$docker_before" ] || rm -f "/etc/systemd/system/$docker_before.wants/ollama.service"; }

# A container is Docker's, and may outlive the unit whose client it had: it would hold the port. And a service does not
# follow Docker's starts.
without_container() {
  [ -n "$docker_before" ] && [ -z "$(needs "$unit")" ] || return 0
  unwanted_by_docker
  systemctl stop ollama.service || true
  docker ps --all --quiet --filter "name=^/?$container\$" --filter "label=$label" | xargs -r docker rm --force >/dev/null || true
}

start() {
  # a needless reload can take the GPU away from containers that run (NVIDIA/nvidia-docker#1730)
  [ "$(systemctl show ollama.service -p NeedDaemonReload --value)" = no ] || systemctl daemon-reload
  systemctl unmask --quiet ollama.service
  systemctl enable --quiet ollama.service
  [ "$restart" = yes ] || return 0
  systemctl reset-failed ollama.service 2>/dev/null || true
  since=$(date +%s) begin=$(now)
  without_container
  systemctl restart ollama.service || true
}

# answers: 0 once it says its version; else the reason is in $trouble
answers() {
  end=$(($(date +%s) + limit)) heard=$(($(date +%s) + limit_listen))
  while :; do
    status=0
    said=$(curl -q --silent --noproxy '*' --max-time 5 "$url/api/version") || status=$?
    [ "$status" -eq 7 ] || heard=$end # it listens before it looks for GPUs (ollama cmd/cmd.go, v0.32.15)
    case $said in
      *'"version":"'"$version"'"'*) return 0 ;;
      *'"version":"'*) trouble="${image:-something} answers at $url, but not as Ollama $version: $said" && return 1 ;;
    esac
    if systemctl is-failed --quiet ollama.service || [ "$(systemctl show ollama.service -p NRestarts --value)" -ge 2 ]; then
      trouble="Ollama $version does not stay up$(last_error)"
      return 1
    fi
    [ "$(date +%s)" -lt "$heard" ] || [ "$status" -ne 7 ] || {
      trouble="Ollama $version hangs: nothing listens at $url after $limit_listen s"
      return 1
    }
    [ "$(date +%s)" -lt "$end" ] || {
      trouble="Ollama $version did not answer at $url within $limit s"
      return 1
    }
    sleep 0.02
  done
}

# Ollama's last word on why, or what kept systemd from starting it
last_error() {
  since_begin=$(journalctl -u ollama.service --since "@$since" -o cat --no-pager)
  {
    printf '%s\n' "$since_begin" | grep -iE '^(docker: )?(Error|panic|fatal)' | tail -n 1 | grep . ||
      printf '%s\n' "$since_begin" | sed -n 's/^ollama\.service: \(Failed [at][to] .*\)/\1/p' | head -n 1
  } | sed 's/^/: /'
}

# Ollama says all its settings once, a proxy's password among them (server/routes.go, v0.32.15)
last_words() {
  { journalctl -u ollama.service --since "@$since" -n 31 -o cat --no-pager 2>&1 || true; } |
    sed -e '/msg="server config"/d' -e 's#://[^/@[:space:]]*@#://********@#g' | tail -n 30
}

# what was tried is what the next one comes back to
remember() {
  rm -f "$adopting"
  rm -rf "$served.new"
  mv -T "$tried" "$served.new"
  rm -rf "$served"
  mv -T "$served.new" "$served"
}

# is_serving DIRECTORY: whether the process that runs was started from what is kept there, and answers
is_serving() {
  pid=$(systemctl show ollama.service -p MainPID --value)
  runs=$(tr '\0' '\n' <"/proc/${pid:-0}/environ" 2>/dev/null | sed -n 's/^FLEETHANDS_REVISION=//p')
  [ -n "$runs" ] && cat "$1/override" "$1/secrets" 2>/dev/null | grep -qF "$runs" &&
    curl -q --silent --noproxy '*' --output /dev/null --fail --max-time 5 "$(cat "$1/url")/api/version"
}

# an Ollama of somebody else's, which was to be adopted, as it was: binary, unit, drop-ins, whose its models are
theirs_back() {
  systemctl stop ollama.service || true
  unwanted_by_docker
  rm -f "$unit" "$override" "$secrets"
  [ ! -L /usr/local/bin/ollama ] || rm -f /usr/local/bin/ollama
  while read -r kind what path; do
    case $kind in
      kept)
        what=$what${path:+ $path}
        mkdir -p "$(dirname "$what")" && cp -a --remove-destination -T "/opt/ollama/adopted$what" "$what"
        ;;
      owner) give_tree "$path" "$(id -u ollama)" "$(numbers_of "$what")" || true ;;
    esac
  done <"$adopting"
  systemctl daemon-reload
  systemctl reset-failed ollama.service 2>/dev/null || true
  systemctl restart ollama.service || true
  rm -f "$adopting"
}

come_back() {
  rm -rf "$tried"
  last_words >"$log"
  reason=$trouble
  if [ -d "$served" ] && differs "$served"; then
    put "$served"
    restart=yes
    start
    if answers; then ending="; Ollama $version serves again as before"; else ending="; nor does what served before it: $trouble"; fi
  elif [ -s "$adopting" ]; then
    theirs_back
    ending='; the Ollama that was there before is in its place again'
  else
    systemctl stop ollama.service || true
    ending='; it is stopped'
  fi
  echo 'last lines of its journal:' >&2
  cat "$log" >&2
  fail "$reason$ending" 'on the host: journalctl -u ollama -n 100'
}

[ -d "$served" ] || [ ! -s "$served.new/url" ] || mv -T "$served.new" "$served"
docker_before=$(needs "$served/unit")
[ -n "$docker_before" ] || docker_before=$(needs "$unit")
# a run that was cut off between the restart and `remember`
if [ -s "$tried/url" ] && is_serving "$tried"; then remember; fi
if [ -n "$pinned" ] && [ "$pinned" != "$image" ]; then docker tag "$pinned" "$image"; fi
if [ -n "$image" ] && docker container inspect "$container" >/dev/null 2>&1; then # of that name, and of whom?
  docker ps --all --filter "name=^/?$container\$" --filter "label=$label" --quiet | grep -q . ||
    fail "a container of somebody else's is called $container" "on the host: docker rename $container $container-mine"
fi
[ "$restart" = no ] || record "$tried"
start
if [ "$restart" = no ]; then exit 0; fi
answers || come_back
is_serving "$tried" || { # the one before may still be there
  trouble='systemd did not restart it'
  come_back
}
echo "note: Ollama $version answers $(($(now) - begin)) ms after its restart began"
remember
