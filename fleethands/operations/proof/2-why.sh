# Explains why a link broke: prints `CAUSE|COMMAND`, where the command repairs the link.
#   place, restart, said_by_ollama: where to type commands for Ollama, what restarts it, what prints its log
: "${model:?}" "${container:?}" "${port_of_ollama:?}" "${apply:?}" "${elsewhere?}" "${restart:?}" "${said_by_ollama:?}"
: "${ollama_image?}"

# `explain STATUS ANSWER [ours|thrown-away]`: the result of curl on the host, in OpenHands' container or in a new one
explain() {
  case $2 in *[Rr]esolving\ timed\ out* | *'Could not resolve'*) set -- 6 "$2" "${3:-}" ;; esac
  if [ -n "$elsewhere" ]; then
    explain_external "$1" "$2" "${3:-}"
    return
  fi
  case $1 in
    6) explain_name "${3:-}" ;;
    7) explain_refusal "${3:-}" ;;
    28 | 124 | 137) if [ -n "${3:-}" ]; then explain_firewall "$port_of_ollama"; else explain_timeout; fi ;;
    *) explain_answer "$1" "$2" ;;
  esac
}

explain_answer() { # STATUS ANSWER
  case $2 in
    *'not found'*) echo "Ollama has no model $model|$apply" ;;
    *'error: 403'* | *'HTTP 403'*) echo "Ollama refuses the request (403): its OLLAMA_HOST or OLLAMA_ORIGINS is not as declared|$apply" ;;
    *) echo "no answer to $(if [ "${link:?}" = list ]; then echo 'the question which models it has'; else echo 'the prompt'; fi): $(one_line "$2" | tr '|' ' ') (curl: $1)|$said_by_ollama" ;;
  esac
}

explain_timeout() { echo "Ollama took the prompt and gave no answer in time|$restart"; }

# Docker writes the name into a container's /etc/hosts when the container starts, if it was created with --add-host
explain_name() {
  if [ "$1" = thrown-away ]; then
    echo "Docker does not know the name host-gateway|on the host: systemctl restart docker"
  elif docker container inspect --format '{{.HostConfig.ExtraHosts}}' "$container" | grep -q host.docker.internal; then
    echo "the name host.docker.internal is gone from $container|on the host: docker restart $container"
  elif is_own_container "$container"; then
    echo "$container was made without host.docker.internal|on the host: docker rm --force $container"
  else
    echo "$container is a foreign container, made without host.docker.internal|$apply --data openhands_adopt=true"
  fi
}

# listen_addresses: of Ollama's port, with blanks between them
listen_addresses() { ss -Hltn "sport = :$port_of_ollama" | awk '{ print $4 }' | sort -u | tr '\n' ' ' | sed 's/ $//'; }

explain_refusal() { # WHERE
  where=$(listen_addresses)
  case $where in
    '') echo "connection refused: nothing listens on port $port_of_ollama, $(describe_stopped)|$apply" ;;
    127.* | '[::1]'*) echo "connection refused: Ollama listens on $where alone, which no container reaches|$apply" ;;
    *) if [ -n "$1" ]; then explain_firewall "$port_of_ollama"; else echo "connection refused, though $where is listened on|$apply"; fi ;;
  esac
}

# describe_stopped: why Ollama does not run; its service may need Docker, or the image of a container
describe_stopped() {
  needed=$(sed -n 's/^Requires=//p' /etc/systemd/system/ollama.service 2>/dev/null)
  if [ -n "$ollama_image" ] && [ -n "$needed" ]; then
    if ! systemctl is-active --quiet "$needed"; then
      echo "Docker does not run ($needed is $(systemctl is-active "$needed")), and Ollama is a container" && return 0
    elif ! docker image inspect "$ollama_image" >/dev/null 2>&1; then
      echo "the image $ollama_image is not on the host" && return 0
    fi
  fi
  echo "ollama.service is $(systemctl is-active ollama)"
}

bridge_name() { docker network inspect bridge --format '{{index .Options "com.docker.network.bridge.name"}}' 2>/dev/null || echo docker0; }

# explain_firewall PORT: which firewall blocks a port of the host for its containers
explain_firewall() {
  from=$(bridge_name)
  what="a firewall drops what containers send to port $1"
  if ! nft list table inet fleethands >/dev/null 2>&1 && [ -e /etc/fleethands/firewall.nft ]; then
    what="$what; the table of fleethands is not loaded"
  fi
  if ufw status 2>/dev/null | grep -q '^Status: active'; then
    echo "$what: ufw|on the host: ufw allow in on $from to any port $1 proto tcp"
  elif firewall-cmd --quiet --state 2>/dev/null; then
    echo "$what: firewalld|on the host: firewall-cmd --permanent --zone=trusted --add-interface=$from && firewall-cmd --reload"
  else
    rules=$(dropping_chains | while read -r family table chain; do
      printf ' && nft insert rule %s %s %s iifname %s tcp dport %s accept' "$family" "$table" "$chain" "$from" "$1"
    done)
    rules=${rules# && }
    chains=$(dropping_chains | awk '{ printf "%s%s %s", sep, $2, $3; sep = ", " }')
    echo "$what${chains:+: $chains}|on the host: ${rules:-nft list ruleset}"
  fi
}

# dropping_chains [HOOK]: prints `FAMILY TABLE CHAIN` for each foreign chain that drops or rejects packets
dropping_chains() {
  nft list chains 2>/dev/null | awk -v hook="${1:-input}" '
    $1 == "table" { family = $2; table = $3 }
    $1 == "chain" { chain = $2 }
    $0 ~ " hook " hook " " && table != "fleethands" { print family, table, chain }' |
    while read -r family table chain; do
      nft list chain "$family" "$table" "$chain" 2>/dev/null | grep -Eq 'policy drop|[[:space:]](drop|reject)' || continue
      echo "$family $table $chain"
    done
}

# port_holder PORT: prints `NAME|COMMAND that stops it`; nothing if the port is free
port_holder() {
  line=$(ss -Hltnp "sport = :$1" | head -n 1)
  [ -n "$line" ] || return 0
  name=$(printf %s "$line" | sed -n 's/.*users:(("\([^"]*\)".*/\1/p')
  pid=$(printf %s "$line" | sed -n 's/.*pid=\([0-9]*\).*/\1/p')
  unit=$(ps -o unit= -p "${pid:-0}" 2>/dev/null | grep '\.service$' || true)
  others=$(docker ps --filter "publish=$1" --format '{{.Names}}' | grep -vx "$container" | head -n 1)
  if [ -n "$others" ]; then
    echo "the container $others|docker stop $others"
  elif [ -n "$unit" ] && [ "$unit" != docker.service ]; then
    echo "$name ($unit)|systemctl stop $unit"
  elif [ -n "$pid" ] && [ "$unit" != docker.service ]; then
    echo "$name (process $pid)|kill $pid"
  fi
}
