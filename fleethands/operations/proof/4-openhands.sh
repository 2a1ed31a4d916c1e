# OpenHands runs, its user can work, it reaches Ollama from where its calls are made, and it has the model chosen.
: "${container_url:?}" "${apply:?}" "${model:?}" "${container:?}" "${image?}" "${ready_url?}" "${settings_url?}" "${limit:?}" "${key_file?}" "${validation?}"
: "${validate_url?}" "${workspace:?}" "${port:?}" "${chosen?}" "${chosen_url?}" "${chosen_says?}" "${chosen_wrong?}"
: "${openhands:?}" "${user?}" "${local_url:?}" "${limit_check:?}" "${warm:?}" "${chosen_try?}" "${choose:?}" "${webhook?}"

look() { docker container inspect --format "$1" "$container" 2>/dev/null; }

docker_answers() {
  link docker
  if said=$(timeout -k 5 20 docker version --format '{{.Server.Version}}' 2>&1); then
    holds "Docker $said answers"
    return 0
  fi
  breaks "Docker does not answer, docker.service is $(systemctl is-active docker)|on the host: systemctl restart docker"
  return 1
}

container_runs() {
  link container
  if ! state=$(look '{{.State.Status}} {{.Config.Image}}'); then
    missing=''
    docker image inspect "$image" >/dev/null 2>&1 || missing=", and no image $image"
    breaks "there is no container $container$missing|$apply"
  elif [ "${state%% *}" != running ]; then
    by=$(holder "$port")
    if [ -n "$by" ]; then
      breaks "$container is ${state%% *}, and port $port is held by ${by%|*}|on the host: ${by#*|} && docker start $container"
    else
      breaks "$container is ${state%% *}: $(docker logs --tail 1 "$container" 2>&1 | tr '|' ' ')|$apply"
    fi
  elif [ "${state#* }" != "$image" ]; then
    adopt=''
    is_own_container "$container" || adopt=' --data openhands_adopt=true'
    breaks "$container is made from ${state#* }, and not from $image|$apply$adopt"
  else
    holds "$container runs $image"
    return 0
  fi
  return 1
}

# as the user inside, whom its label names; for V1 that is the user of its sandboxes
can_write() {
  link workspace
  who=$(container_label "$container" users)
  place=$(look "{{range .Mounts}}{{if eq .Destination \"$workspace\"}}{{.Source}}{{end}}{{end}}")
  if [ -z "$place" ]; then
    breaks "$container has no workspace mounted at $workspace|$apply"
  elif docker exec --user "${who#* }" "$container" test -w "$workspace"; then
    holds "the user ${who#* } can write in $place"
  elif findmnt -no OPTIONS --target "$place" | grep -Eq '^ro(,|$)'; then
    breaks "$place is mounted read-only|on the host: mount -o remount,rw $(findmnt -no TARGET --target "$place")"
  else
    breaks "the user ${who#* }, who works in $place, cannot write there: it is $(stat -c '%U:%G %a' "$place")|$apply"
  fi
}

# the image that calls models: V1's sandboxes do, and not the web app
asking_image() {
  asking=$(container_label "$container" sandbox)
  [ -n "$asking" ] || asking=$(look '{{.Image}}')
}

# throw_away COMMAND: in a container of its own on Docker's own network, as sandboxes are
throw_away() {
  docker run --rm --pull never --add-host host.docker.internal:host-gateway --entrypoint sh "$asking" -c "$1"
}

# after a boot, or a restart of Docker, the container is up long before what is in it
gets_ready() {
  link openhands-answers
  end=$(($(date +%s) + limit))
  until curl -q --silent --noproxy '*' --fail --output /dev/null --max-time 5 "$ready_url"; do
    if ! runs || [ "$(date +%s)" -ge "$end" ]; then
      breaks "OpenHands does not answer at $ready_url: $(last_word)|$again"
      return 1
    fi
    sleep 0.2
  done
  holds "$ready_url"
}

# a sandbox that cannot call back is an error to the web app (app_server/sandbox/docker_sandbox_service.py, 1.11.0)
calls_back() {
  link sandbox-reaches-app
  if said=$(throw_away "curl --silent --noproxy '*' --show-error --fail --output /dev/null --max-time 10 $webhook" 2>&1); then
    holds "$webhook from its network"
    return 0
  fi
  case $said in
    *[Rr]esolv*) breaks "$(unnamed thrown-away)" ;;
    *'(28)'* | *'(7)'*)
      case $(look '{{json .HostConfig.PortBindings}}') in
        *"\"HostIp\":\"$(gateway)\""* | *'"HostIp":"0.0.0.0"'* | *'"HostIp":""'*) breaks "$(blocked "$port")" ;;
        *) breaks "$container is not published on the bridge's gateway, where its sandboxes call it|on the host: docker rm --force $container" ;;
      esac
      ;;
    *) breaks "its sandboxes do not reach it at $webhook: $(printf %s "$said" | tr '|' ' ')|on the host: docker restart $container" ;;
  esac
}

gateway() { docker network inspect bridge --format '{{(index .IPAM.Config 0).Gateway}}'; }

# what OpenHands answers; where it wants a key, that comes by standard input, as a command line can be read by everybody
openhands_says() {
  if [ -n "$key_file" ]; then
    sed -n 's/^LOCAL_BACKEND_API_KEY=\(.*\)$/header = "X-Session-API-Key: \1"/p' "$key_file"
  fi | curl -q --config - --silent --show-error --noproxy '*' --max-time 180 "$@" 2>&1
}

# the choice is read back by its API; one that a person made is tried as far as it can be
is_chosen() {
  link openhands-model
  if [ -n "$chosen_wrong" ]; then
    breaks "$chosen_wrong|$choose"
  elif [ -n "$chosen_try" ] && ! inside curl --silent --output /dev/null --max-time 20 "$chosen_try"; then
    breaks "$chosen_says, and nothing answers there|$choose"
  elif [ -z "$chosen" ]; then
    holds "$chosen_says"
  else
    answer=$(openhands_says "$settings_url") || true
    case $answer in
      *"\"$chosen\""*) ;;
      *) breaks "OpenHands does not say that $chosen is chosen|$choose" && return 0 ;;
    esac
    case $answer in
      *"\"$chosen_url\""*) holds "$chosen_says" ;;
      *) breaks "OpenHands has $chosen chosen, but not at $chosen_url|$choose" ;;
    esac
  fi
}

# newer servers give that call so many seconds and no second try, which a model that has to be loaded first may not keep
asks_model() {
  link openhands-asks-model
  validated && return 0
  [ "$spent" -lt "$limit_check" ] || { validated && return 0; }
  said=$(printf %s "$answer" | tr '|' ' ')
  if [ "$spent" -ge "$limit_check" ] && [ "$spent" -lt $((limit_check * 2)) ]; then
    breaks "$model is loaded, and did not answer OpenHands' own check within $spent s: $said|in the inventory: ${smaller:?}"
  else
    breaks "OpenHands gets no answer from $model: $said|$words"
  fi
}

# validated: whether it says that its own call was answered; spent: seconds that it took, with the model loaded before
validated() {
  curl -q --silent --noproxy '*' --output /dev/null --max-time 600 --data "$warm" "$local_url/api/generate" || true
  from=$(now)
  answer=$(openhands_says --header 'Content-Type: application/json' --data "$validation" "$validate_url") || true
  spent=$((($(now) - from) / 1000))
  case $answer in *'"valid":true'*) holds "its own call to $model was answered" ;; *) return 1 ;; esac
}

service_runs() {
  link service
  state=$(systemctl is-active openhands.service) || true
  if [ "$state" = active ]; then
    holds "openhands.service runs"
    return 0
  fi
  by=$(holder "$port")
  if [ -n "$by" ]; then
    breaks "openhands.service is $state, and port $port is held by ${by%|*}|on the host: ${by#*|} && systemctl restart openhands"
  else
    breaks "openhands.service is $state|$apply"
  fi
  return 1
}

service_can_write() {
  link workspace
  if as_user 60 test -w "$workspace"; then
    holds "the user $user can write in $workspace"
  else
    breaks "the user $user, who works in $workspace, cannot write there: it is $(stat -c '%U:%G %a' "$workspace")|$apply"
  fi
}

prove_container() {
  docker_answers || finish
  container_runs || finish
  can_write
  link generate-in-openhands
  generate ours docker exec "$container" sh -c "$(ask "$container_url")" || true
  asking_image
  link generate-in-container
  generate thrown-away throw_away "$(ask "$container_url")" || true
}

# its calls are made by its mark_managed user on the host
prove_service() {
  service_runs || finish
  service_can_write
  link generate-in-openhands
  generate '' as_user 660 sh -c "$(ask "$container_url")" || true
}

# what runs OpenHands: its last word, what starts it anew, where its words are
runs() { if [ "$openhands" = container ]; then [ "$(look '{{.State.Running}}')" = true ]; else systemctl is-active --quiet openhands.service; fi; }
last_word() {
  if [ "$openhands" = container ]; then docker logs --tail 1 "$container" 2>&1; else journalctl -u openhands.service -n 1 -o cat --no-pager; fi | tr '|' ' '
}
inside() { if [ "$openhands" = container ]; then docker exec "$container" "$@"; else as_user 60 "$@"; fi; }
as_user() { as_owner "$(numbers_of "$user")" "$@"; }
if [ "$openhands" = container ]; then
  again="on the host: docker restart $container" words="on the host: docker logs --tail 50 $container"
else
  again='on the host: systemctl restart openhands' words='on the host: journalctl -u openhands -n 50'
fi

prove_openhands() {
  "prove_$openhands"
  gets_ready || finish
  [ -z "$webhook" ] || calls_back
  is_chosen
  [ -z "$validation" ] || asks_model
}
