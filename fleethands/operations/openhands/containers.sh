# Containers: which are ours, which of them gave way, and which V1 of ours started.

container_exists() { docker container inspect "$1" >/dev/null 2>&1; }

# is_own_container NAME: fleethands made it. Its labels are not those of its image: what `docker commit` makes of a container
# of ours has them too, and so has every container that is made from that. The second one is another each time.
own_labels='{{with .Config}}{{with .Labels}}{{with index . "fleethands.spec"}}{{.}}{{end}} {{with index . "fleethands.made"}}{{.}}{{end}}{{end}}{{end}}'
is_own_container() {
  labels=$(docker container inspect --format "{{.Image}} $own_labels" "$1" 2>/dev/null) || return
  inherited=$(docker image inspect --format "$own_labels" "${labels%% *}" 2>/dev/null) || return
  case ${labels#* } in '' | ' '* | "$inherited") return 1 ;; esac
}

# container_label NAME LABEL: empty where there is none, or no container of ours
container_label() {
  is_own_container "$1" || return 0
  docker container inspect --format "{{with index .Config.Labels \"fleethands.$2\"}}{{.}}{{end}}" "$1" 2>/dev/null || true
}

# a container of ours goes; what somebody else made under its name stays
remove_own_container() { ! is_own_container "$1" || docker rm --force "$1" >/dev/null; }

# The id of the container that gave way last. A host of an earlier version has no such file, and one of somebody else's may
# wait there under that name.
previous_container_file=/var/lib/fleethands/gave-way
container_id() { docker container inspect --format '{{.Id}}' "$1" 2>/dev/null; }

# has_previous_container NAME: one that gave way to it waits for its proof
has_previous_container() {
  waiting=$(container_id "$1-before") || return
  is_own_container "$1-before" || [ ! -e "$previous_container_file" ] || [ "$(cat "$previous_container_file")" = "$waiting" ]
}

# set_container_aside NAME: it is stopped and kept; of two, the one that is kept already was proven, and the one that runs was not
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

# require_free_adopted_name NAME: one of somebody else's is kept under a name that is free
require_free_adopted_name() {
  ! container_exists "$1-adopted" ||
    fail "there is a container $1-adopted from an earlier adoption" "on the host: docker rename $1-adopted $1-adopted-1"
}

# list_sandboxes IMAGE: `ID ours|theirs NAME` of each container that a V1 started from it (docker_sandbox_service.py, openhands-ai
# 1.11.0). Every V1 names its own alike; only ours mounts a directory that we gave to who works in it.
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
