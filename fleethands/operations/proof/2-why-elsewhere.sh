# Why a link broke to an Ollama that is elsewhere: `there` on another machine, or `here`, on a loopback address of this host.
: "${elsewhere?}" "${server:=}" "${bring_model:=}" "${port_of_ollama:?}" "${place:?}" "${local_url:?}" "${model:?}" "${restart:?}"

why_elsewhere() { # STATUS ANSWER [ours|thrown-away]
  case $1 in
    6) unnamed_elsewhere "$3" ;;
    7) refused_elsewhere "$3" ;;
    28 | 124 | 137) late_elsewhere "$3" ;;
    35 | 51 | 58 | 59 | 60 | 77) echo "${3:+from a container }the certificate of $local_url will not do: $(flat "$2" | tr '|' ' ')|$(trusted "$3")" ;;
    *) answered_elsewhere "$1" "$2" ;;
  esac
}

answered_elsewhere() { # STATUS ANSWER
  case $2 in
    *'not found'*) echo "Ollama at $local_url has no model $model|$bring_model" ;;
    *'HTTP 403'*) echo "Ollama at $local_url refuses the request (403): its OLLAMA_HOST, or a server before it|$restart" ;;
    *) answered "$1" "$2" ;;
  esac
}

# containers ask Docker's name server, which does not read this host's /etc/hosts
unnamed_elsewhere() { # WHERE
  address=$(getent ahosts "$server" | sed -n '1s/ .*//p')
  case $address in *:*) address="[$address]" ;; esac
  if [ -z "$1" ]; then
    echo "the name $server is not known on this host|on the host: getent ahosts $server"
  elif [ "$elsewhere" = here ]; then
    unnamed "$1"
  else
    echo "containers of this host do not know the name $server|in the inventory: by its address, as \"ollama_address\": \"$(named_by "${address:-10.0.0.5}")\""
  fi
}

named_by() { printf %s "$local_url" | sed "s#//$server#//$1#"; } # ADDRESS

refused_elsewhere() { # WHERE
  if [ "$elsewhere" = there ]; then
    if [ -z "$1" ]; then echo "connection refused: nothing listens at $local_url|$restart"; else forwarded; fi
    return
  fi
  where=$(listened_on)
  case $where in
    '') echo "connection refused: nothing listens at $local_url|$restart" ;;
    127.* | '[::1]'*) echo "connection refused: that Ollama listens on $where alone, which no container reaches|$place, and close port $port_of_ollama to other machines: $(environment OLLAMA_HOST=0.0.0.0)" ;;
    *) blocked "$port_of_ollama" ;;
  esac
}

late_elsewhere() { # WHERE
  if [ "${link:?}" = list ]; then
    echo "no answer from $local_url in time: a firewall keeps this host out, or that machine is off|$(let_in)"
  elif [ -z "$1" ]; then
    slow
  elif [ "$elsewhere" = here ]; then
    blocked "$port_of_ollama"
  else
    forwarded
  fi
}

# this host gets there, and its containers do not
forwarded() {
  case $local_url in
    *//\[*)
      echo "this host reaches $local_url, and its containers do not: Docker's networks have no IPv6, unless it is set up|in the inventory: \`ollama_address\` by that server's IPv4 address"
      return
      ;;
  esac
  from=$(bridge)
  rules=$(dropping forward | while read -r family table chain; do
    printf ' && nft insert rule %s %s %s iifname %s tcp dport %s accept' "$family" "$table" "$chain" "$from" "$port_of_ollama"
  done)
  rules=${rules# && }
  chains=$(dropping forward | awk '{ printf "%s%s %s", sep, $2, $3; sep = ", " }')
  what="this host reaches $local_url, and its containers do not: a firewall drops what it forwards${chains:+: $chains}"
  if ufw status 2>/dev/null | grep -q '^Status: active'; then
    echo "$what|on the host: ufw route allow in on $from to any port $port_of_ollama proto tcp"
  else
    echo "$what|on the host: ${rules:-nft list ruleset}"
  fi
}

# the host's own address on the way there is what its server has to let in
let_in() {
  address=$(getent ahosts "$server" | sed -n '1s/ .*//p')
  ours=$(ip -o route get "${address:-$server}" 2>/dev/null | sed -n 's/.* src \([0-9a-f.:]*\).*/\1/p')
  echo "on that server, where ufw is its firewall: ufw allow from ${ours:-this host} to any port $port_of_ollama proto tcp"
}

trusted() { # WHERE
  if [ -z "$1" ]; then echo 'on the host: apt-get install ca-certificates'; else echo 'in the inventory: an address by http inside your network, or have a public authority sign it'; fi
}

# environment ASSIGNMENT: what sets a variable of a service, and restarts it
environment() {
  directory=/etc/systemd/system/ollama.service.d
  echo "mkdir -p $directory && { echo '[Service]'; echo 'Environment=$1'; } > $directory/zz-${1%%=*}.conf && systemctl daemon-reload && systemctl restart ollama"
}

# short_elsewhere: a window that OpenHands' prompt does not fit into
short_elsewhere() {
  what="$model is loaded there with a context of ${got:?} tokens, and OpenHands' own prompt needs ${least:?}"
  if printf %s "${about?}" | grep -q '"parameters":"[^"]*num_ctx'; then
    echo "$what: it sets its own num_ctx|in the inventory: another model, as one made there with PARAMETER num_ctx 32768"
  else
    echo "$what: that server's OLLAMA_CONTEXT_LENGTH is shorter|$place: $(environment OLLAMA_CONTEXT_LENGTH=32768)"
  fi
}
