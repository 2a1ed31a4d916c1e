# Which containers are managed, which one is the previous one, and which are sandboxes of the managed V1. A part of other scripts.

container_exists() { docker container inspect "$1" >/dev/null 2>&1; }

# is_own_container NAME: fleethands created it. Labels that the container inherits from its image do not count: `docker commit`
# copies them from our container to an image. `fleethands.made` is different for each container.
own_labels='{{with .Config}}{{with .Labels}}{{with index . "fleethands.spec"}}{{.}}{{end}} {{with index . "fleethands.made"}}{{.}}{{end}}{{end}}{{end}}'
is_own_container() {
  labels=$(docker container inspect --format "{{.Image}} $own_labels" "$1" 2>/dev/null) || return
  inherited=$(docker image inspect --format "$own_labels" "${labels%% *}" 2>/dev/null) || return
  case ${labels#* } in '' | ' '* | "$inherited") return 1 ;; esac
}

# container_label NAME LABEL: empty without the label, and for a foreign container
container_label() {
  is_own_container "$1" || return 0
  docker container inspect --format "{{with index .Config.Labels \"fleethands.$2\"}}{{.}}{{end}}" "$1" 2>/dev/null || true
}

# a foreign container of the same name stays
remove_own_container() { ! is_own_container "$1" || docker rm --force "$1" >/dev/null; }

# Id of the previous container. The file is missing on hosts of an older fleethands, where a foreign container may have its
# name, too.
previous_container_file=/var/lib/fleethands/gave-way
container_id() { docker container inspect --format '{{.Id}}' "$1" 2>/dev/null; }

# has_previous_container NAME: the previous one is kept until NAME is proven
has_previous_container() {
  previous=$(container_id "$1-before") || return
  is_own_container "$1-before" || [ ! -e "$previous_container_file" ] || [ "$(cat "$previous_container_file")" = "$previous" ]
}

# set_container_aside NAME: stops and keeps it. If a proven one is kept already, NAME was never proven and is removed.
set_container_aside() {
  if has_previous_openhands "$1" && is_own_container "$1"; then
    remove_own_container "$1"
  elif container_exists "$1"; then
    ! container_exists "$1-before" ||
      fail "a container named $1-before is in the way" "on the host: docker rename $1-before $1-before-mine"
    docker stop --time 15 "$1" >/dev/null
    container_id "$1" | atomic_file "$previous_container_file" 0600 root:root
    docker rename "$1" "$1-before"
  fi
  [ -e "$previous_container_file" ] || container_exists "$1-before" || printf '' | atomic_file "$previous_container_file" 0600 root:root
}

# require_free_adopted_name NAME: an adopted container is kept as NAME-adopted
require_free_adopted_name() {
  ! container_exists "$1-adopted" ||
    fail "there is a container $1-adopted from an earlier adoption" "on the host: docker rename $1-adopted $1-adopted-1"
}

# list_sandboxes IMAGE: `ID ours|theirs NAME` of each container that a V1 started from it (docker_sandbox_service.py, openhands-ai
# 1.11.0). Every V1 uses the same names. A sandbox is
# `ours` if it mounts a directory that fleethands gave to V1.
list_sandboxes() {
  given=$([ ! -f "${workers:?}" ] || cut -d ' ' -f 2- "$workers")
  docker ps --all --quiet --no-trunc --filter name='^/?oh-agent-server-' | while read -r sandbox_id; do
    found=$(docker container inspect --format '{{.Name}} {{.Config.Image}}{{range .Mounts}}{{println}}{{.Source}}{{end}}' "$sandbox_id" 2>/dev/null) || continue
    first=$(printf '%s\n' "$found" | head -n 1)
    [ "${first#* }" = "$1" ] || continue
    if [ -n "$given" ] && printf '%s\n' "$found" | tail -n +2 | grep -qxF -- "$given"; then whose=ours; else whose=theirs; fi
    echo "$sandbox_id $whose ${first%% *}"
  done
}
