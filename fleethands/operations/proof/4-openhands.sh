# Checks that OpenHands runs, can write to its workspace, reaches Ollama from where it calls models, and has the model selected.
# The variables are described in openhands_variables.py.
: "${container_url:?}" "${apply:?}" "${model:?}" "${container:?}" "${image?}" "${ready_url?}" "${settings_url?}" "${limit:?}" "${key_file?}" "${validation?}"
: "${validate_url?}" "${workspace:?}" "${port:?}" "${chosen?}" "${chosen_url?}" "${chosen_says?}" "${chosen_wrong?}"
: "${openhands:?}" "${user?}" "${local_url:?}" "${limit_check:?}" "${warm:?}" "${chosen_try?}" "${choose:?}" "${choice_rules?}" "${webhook?}"

inspect() { docker container inspect --format "$1" "$container" 2>/dev/null; }

prove_docker() {
  begin_link docker
  if said=$(timeout -k 5 20 docker version --format '{{.Server.Version}}' 2>&1); then
    holds "Docker $said answers"
    return 0
  fi
  breaks "Docker does not answer, docker.service is $(systemctl is-active docker)|on the host: systemctl restart docker"
  return 1
}

prove_container_runs() {
  begin_link container
  if ! state=$(inspect '{{.State.Status}} {{.Config.Image}}'); then
    missing=''
    docker image inspect "$image" >/dev/null 2>&1 || missing=", and no image $image"
    breaks "there is no container $container$missing|$apply"
  elif [ "${state%% *}" != running ]; then
    by=$(port_holder "$port")
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

# as the user inside the container, by its label; for V1 as the user of its sandboxes
prove_workspace() {
  begin_link workspace
  who=$(container_label "$container" users)
  place=$(inspect "{{range .Mounts}}{{if eq .Destination \"$workspace\"}}{{.Source}}{{end}}{{end}}")
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

# find_asking_image: the image that calls models; with V1 the sandboxes do, and not the web app
find_asking_image() {
  asking=$(container_label "$container" sandbox)
  [ -n "$asking" ] || asking=$(inspect '{{.Image}}')
}

# run_in_new_container COMMAND: on Docker's own network, where sandboxes are too
run_in_new_container() {
  docker run --rm --pull never --add-host host.docker.internal:host-gateway --entrypoint sh "$asking" -c "$1"
}

# after a boot or a restart of Docker, the container runs long before OpenHands answers
prove_ready() {
  begin_link openhands-answers
  end=$(($(date +%s) + limit))
  until curl -q --silent --noproxy '*' --fail --output /dev/null --max-time 5 "$ready_url"; do
    if ! is_running || [ "$(date +%s)" -ge "$end" ]; then
      breaks "OpenHands does not answer at $ready_url: $(last_log_line)|$again"
      return 1
    fi
    sleep 0.2
  done
  holds "$ready_url"
}

# a sandbox that cannot call back is an error to the web app (app_server/sandbox/docker_sandbox_service.py, 1.11.0)
prove_callback() {
  begin_link sandbox-reaches-app
  if said=$(run_in_new_container "curl --silent --noproxy '*' --show-error --fail --output /dev/null --max-time 10 $webhook" 2>&1); then
    holds "$webhook from its network"
    return 0
  fi
  case $said in
    *[Rr]esolv*) breaks "$(explain_name thrown-away)" ;;
    *'(28)'* | *'(7)'*)
      case $(inspect '{{json .HostConfig.PortBindings}}') in
        *"\"HostIp\":\"$(gateway)\""* | *'"HostIp":"0.0.0.0"'* | *'"HostIp":""'*) breaks "$(explain_firewall "$port")" ;;
        *) breaks "$container is not published on the bridge's gateway, where its sandboxes call it|on the host: docker rm --force $container" ;;
      esac
      ;;
    *) breaks "its sandboxes do not reach it at $webhook: $(printf %s "$said" | tr '|' ' ')|on the host: docker restart $container" ;;
  esac
}

gateway() { docker network inspect bridge --format '{{(index .IPAM.Config 0).Gateway}}'; }

# call_openhands OPTION…: the key goes in on standard input, because every user can read a command line
call_openhands() {
  if [ -n "$key_file" ]; then
    sed -n 's/^LOCAL_BACKEND_API_KEY=\(.*\)$/header = "X-Session-API-Key: \1"/p' "$key_file"
  fi | curl -q --config - --silent --show-error --noproxy '*' --max-time 180 "$@" 2>&1
}

# the selected model is read back by the API; the choice of a user is checked as far as possible
prove_choice() {
  begin_link openhands-model
  if [ -n "$chosen_wrong" ]; then
    breaks "$chosen_wrong|$choose"
  elif [ -n "$chosen_try" ] && ! inside curl --silent --output /dev/null --max-time 20 "$chosen_try"; then
    breaks "$chosen_says, and nothing answers there|$choose"
  elif [ -z "$chosen" ]; then
    holds "$chosen_says"
  else
    answer=$(call_openhands "$settings_url") || true
    case $answer in
      *"\"$chosen\""*"\"$chosen_url\""* | *"\"$chosen_url\""*"\"$chosen\""*) holds "$chosen_says" && return 0 ;;
      *"\"$chosen\""*) wrong="OpenHands has $chosen chosen, but not at $chosen_url" ;;
      *) wrong="OpenHands does not say that $chosen is chosen" ;;
    esac
    { [ -n "$choice_rules" ] && judge_choice; } || breaks "$wrong|$choose"
  fi
}

# judge_choice: whether the model can work that a user selected since; status 1 if the answer names none
judge_choice() {
  fields=$(printf %s "$answer" | head -c 65536 | json_values | tr '|' ' ') || return 1
  theirs=$(choice_field model) their_url=$(choice_field base_url)
  [ -n "$theirs" ] || return 1
  address=$(printf %s "$their_url" | sed -n 's#^\(https\{0,1\}://\)\([^/?]*@\)\{0,1\}\([^/?@]*\).*#\1\3#p')
  says="a person chose $theirs${address:+ at $address}" v1=no
  case ${their_url%/} in */v1) v1=yes ;; esac
  cause=$(printf '%s\n' "$choice_rules" | grep -F "${theirs%%/*}|$v1|" | cut -d '|' -f 3 | head -n 1)
  case $theirs/$address in
    [!/]*/?*/"$container_url" | [!/]*/?*/"${container_url%/}")
      if [ -n "$cause" ]; then breaks "$says: $cause|$choose"
      elif has_model "${theirs#*/}"; then holds "$says"
      else breaks "$says, which Ollama does not have|$choose"
      fi
      ;;
    [!/]*/?*/http*)
      if inside curl --silent --output /dev/null --max-time 20 "$address"; then holds "$says"; else breaks "$says, and nothing answers there|$choose"; fi
      ;;
    [!/]*/?*/) holds "$says of a provider's own, which was not asked" ;;
    *) breaks "$says: litellm does not know whose model that is|$choose" ;;
  esac
}

# choice_field NAME: of the settings, as each generation has them (current_model.py); of Canvas' profiles, the default one
choice_field() {
  printf '%s\n' "$fields" | awk -F '\t' -v name="$1" '
    $1 == "llm_" name || $1 == "agent_settings.llm." name { print $2; found = 1; exit }
    $1 ~ /^profiles\.[0-9]+\.name$/ && $2 == "default" { split($1, parts, "."); row = parts[2] }
    $1 ~ "^profiles\\.[0-9]+\\." name "$" { split($1, parts, "."); values[parts[2]] = $2 }
    END { if (!found && row != "") print values[row] }'
}

has_model() { # NAME, with or without a tag
  case ${1##*/} in *:*) name=$1 ;; *) name=$1:latest ;; esac
  get_models | grep -qiF "\"name\":\"$name\""
}

# newer servers limit that call to some seconds without a retry, which may be too short for a model that has to be loaded first
prove_own_check() {
  begin_link openhands-asks-model
  is_validated && return 0
  [ "$spent" -lt "$limit_check" ] || { is_validated && return 0; }
  said=$(printf %s "$answer" | tr '|' ' ')
  if [ "$spent" -ge "$limit_check" ] && [ "$spent" -lt $((limit_check * 2)) ]; then
    breaks "$model is loaded, and did not answer OpenHands' own check within $spent s: $said|in the inventory: ${smaller:?}"
  else
    breaks "OpenHands gets no answer from $model: $said|$words"
  fi
}

# is_validated: whether OpenHands reports an answer to its own call; sets `spent` to its seconds. The model is loaded before.
is_validated() {
  curl -q --silent --noproxy '*' --output /dev/null --max-time 600 --data "$warm" "$local_url/api/generate" || true
  from=$(now)
  answer=$(call_openhands --header 'Content-Type: application/json' --data "$validation" "$validate_url") || true
  spent=$((($(now) - from) / 1000))
  case $answer in *'"valid":true'*) holds "its own call to $model was answered" ;; *) return 1 ;; esac
}

prove_service_runs() {
  begin_link service
  state=$(systemctl is-active openhands.service) || true
  if [ "$state" = active ]; then
    holds "openhands.service runs"
    return 0
  fi
  by=$(port_holder "$port")
  if [ -n "$by" ]; then
    breaks "openhands.service is $state, and port $port is held by ${by%|*}|on the host: ${by#*|} && systemctl restart openhands"
  else
    breaks "openhands.service is $state|$apply"
  fi
  return 1
}

prove_service_workspace() {
  begin_link workspace
  if as_user 60 test -w "$workspace"; then
    holds "the user $user can write in $workspace"
  else
    breaks "the user $user, who works in $workspace, cannot write there: it is $(stat -c '%U:%G %a' "$workspace")|$apply"
  fi
}

prove_container() {
  prove_docker || finish
  prove_container_runs || finish
  prove_workspace
  begin_link generate-in-openhands
  prove_answer ours docker exec "$container" sh -c "$(curl_command "$container_url")" || true
  find_asking_image
  begin_link generate-in-container
  prove_answer thrown-away run_in_new_container "$(curl_command "$container_url")" || true
}

# the service runs as its own user on the host, who calls the model
prove_service() {
  prove_service_runs || finish
  prove_service_workspace
  begin_link generate-in-openhands
  prove_answer '' as_user 660 sh -c "$(curl_command "$container_url")" || true
}

# of the container or the service: whether it runs, its last log line, what restarts it, and what prints its log
is_running() { if [ "$openhands" = container ]; then [ "$(inspect '{{.State.Running}}')" = true ]; else systemctl is-active --quiet openhands.service; fi; }
last_log_line() {
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
  prove_ready || finish
  [ -z "$webhook" ] || prove_callback
  prove_choice
  [ -z "$validation" ] || prove_own_check
}
