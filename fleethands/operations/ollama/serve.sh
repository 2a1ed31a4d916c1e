# Starts Ollama from the files on the host and waits until it answers with its version. If it does not, the files of the last
# Ollama that answered are restored and started. The unit of a container requires Docker's unit; that of a service does not.
#   restart: no if the right process runs already, and only the unit has to be enabled or reloaded
#   image, pinned: of the container, as declared and as it is pulled; empty for a service
: "${version:?}" "${url:?}" "${limit:?}" "${limit_listen:?}" "${unit:?}" "${override:?}" "${secrets:?}" "${restart:?}"
: "${image?}" "${pinned?}" "${container:?}" "${label:?}"
confirmed=/var/lib/fleethands/served
candidate=$confirmed.tried
adopting=/var/lib/fleethands/adopting # common.sh
log=$(mktemp)
remove_at_end "$log"

now() { date +%s%3N; }

# docker_unit_of FILE: Docker's unit that a unit file requires; empty for a service
docker_unit_of() { sed -n 's/^Requires=//p' "$1" 2>/dev/null | head -n 1; }

# the symlink is missing before the first release is installed
current_release() { readlink /opt/ollama/current || true; }

# the container's image as `ID NAME`: a tag may move to another image
image_of_name() { [ -z "$image" ] || echo "$(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null) $image"; }

# save_state DIRECTORY: the current unit, override, secrets, release, image and address
save_state() {
  rm -rf "$1"
  (umask 077 && mkdir -p "$1")
  cp -p "$unit" "$1/unit"
  cp -p "$override" "$1/override"
  [ ! -e "$secrets" ] || cp -p "$secrets" "$1/secrets"
  current_release >"$1/release"
  image_of_name >"$1/image"
  echo "$version" >"$1/version"
  echo "$url" >"$1/url"
  sync -f "$1"
}

differs_from() {
  ! { cmp -s "$unit" "$1/unit" && cmp -s "$override" "$1/override" && same_secrets "$1" &&
    [ "$(current_release)" = "$(cat "$1/release")" ] && [ "$(image_of_name)" = "$(cat "$1/image" 2>/dev/null)" ]; }
}

same_secrets() { if [ -e "$secrets" ]; then cmp -s "$secrets" "$1/secrets"; else [ ! -e "$1/secrets" ]; fi; }

restore_state() {
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
  # a state of an older fleethands, without containers, has no file `version`: the release is its version
  version=$(cat "$1/version" 2>/dev/null || cat "$1/release") url=$(cat "$1/url")
}

unlink_from_docker() { [ -z "$docker_before" ] || rm -f "/etc/systemd/system/$docker_before.wants/ollama.service"; }

# From a container to a service: the container may outlive its unit and keep the port, and the service must not start
# with Docker.
remove_container() {
  [ -n "$docker_before" ] && [ -z "$(docker_unit_of "$unit")" ] || return 0
  unlink_from_docker
  systemctl stop ollama.service || true
  docker ps --all --quiet --filter "name=^/?$container\$" --filter "label=$label" | xargs -r docker rm --force >/dev/null || true
}

start() {
  # a needless reload can take the GPU away from running containers (NVIDIA/nvidia-docker#1730)
  [ "$(systemctl show ollama.service -p NeedDaemonReload --value)" = no ] || systemctl daemon-reload
  systemctl unmask --quiet ollama.service
  systemctl enable --quiet ollama.service
  [ "$restart" = yes ] || return 0
  systemctl reset-failed ollama.service 2>/dev/null || true
  since=$(date +%s) begin=$(now)
  remove_container
  systemctl restart ollama.service || true
}

# waits until Ollama answers with its version; otherwise $trouble has the reason
await_answer() {
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

# the last error in Ollama's log, or the reason why systemd could not start it
last_error() {
  since_begin=$(journalctl -u ollama.service --since "@$since" -o cat --no-pager)
  {
    printf '%s\n' "$since_begin" | grep -iE '^(docker: )?(Error|panic|fatal)' | tail -n 1 | grep . ||
      printf '%s\n' "$since_begin" | sed -n 's/^ollama\.service: \(Failed [at][to] .*\)/\1/p' | head -n 1
  } | sed 's/^/: /'
}

# Ollama logs all its settings at its start, a proxy's password included (server/routes.go, v0.32.15)
journal_tail() {
  { journalctl -u ollama.service --since "@$since" -n 31 -o cat --no-pager 2>&1 || true; } |
    sed -e '/msg="server config"/d' -e 's#://[^/@[:space:]]*@#://********@#g' | tail -n 30
}

# the candidate answers, so the next failed restart restores this state
confirm_state() {
  rm -f "$adopting"
  rm -rf "$confirmed.new"
  mv -T "$candidate" "$confirmed.new"
  rm -rf "$confirmed"
  mv -T "$confirmed.new" "$confirmed"
}

# is_serving DIRECTORY: the running process was started from the state that is saved there, and answers
is_serving() {
  pid=$(systemctl show ollama.service -p MainPID --value)
  runs=$(tr '\0' '\n' <"/proc/${pid:-0}/environ" 2>/dev/null | sed -n 's/^FLEETHANDS_REVISION=//p')
  [ -n "$runs" ] && cat "$1/override" "$1/secrets" 2>/dev/null | grep -qF "$runs" &&
    curl -q --silent --noproxy '*' --output /dev/null --fail --max-time 5 "$(cat "$1/url")/api/version"
}

# restores the foreign Ollama that was being adopted: its binary, unit, drop-ins, and the owner of its models
restore_foreign_ollama() {
  systemctl stop ollama.service || true
  unlink_from_docker
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

roll_back() {
  rm -rf "$candidate"
  journal_tail >"$log"
  reason=$trouble
  if [ -d "$confirmed" ] && differs_from "$confirmed"; then
    restore_state "$confirmed"
    restart=yes
    start
    if await_answer; then ending="; Ollama $version serves again as before"; else ending="; the previous one does not answer either: $trouble"; fi
  elif [ -s "$adopting" ]; then
    restore_foreign_ollama
    ending='; the Ollama that was there before is restored'
  else
    systemctl stop ollama.service || true
    ending='; it is stopped'
  fi
  echo 'last lines of its journal:' >&2
  cat "$log" >&2
  fail "$reason$ending" 'on the host: journalctl -u ollama -n 100'
}

[ -d "$confirmed" ] || [ ! -s "$confirmed.new/url" ] || mv -T "$confirmed.new" "$confirmed"
docker_before=$(docker_unit_of "$confirmed/unit")
[ -n "$docker_before" ] || docker_before=$(docker_unit_of "$unit")
# a run was interrupted between the restart and `confirm_state`
if [ -s "$candidate/url" ] && is_serving "$candidate"; then confirm_state; fi
if [ -n "$pinned" ] && [ "$pinned" != "$image" ]; then docker tag "$(image_id "$pinned")" "$image"; fi
if [ -n "$image" ] && docker container inspect "$container" >/dev/null 2>&1; then # a managed container, or a foreign one?
  docker ps --all --filter "name=^/?$container\$" --filter "label=$label" --quiet | grep -q . ||
    fail "a foreign container is called $container" "on the host: docker rename $container $container-mine"
fi
[ "$restart" = no ] || save_state "$candidate"
start
if [ "$restart" = no ]; then exit 0; fi
await_answer || roll_back
is_serving "$candidate" || { # the previous process may still be the one that answers
  trouble='systemd did not restart it'
  roll_back
}
echo "note: Ollama $version answers $(($(now) - begin)) ms after its restart began"
confirm_state
