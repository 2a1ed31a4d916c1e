# Asks a registry of images, without a login of a person: it gives a token to anybody who may have the image. A part of the
# scripts of units.
: "${place:?}" "${tries:?}" "${what:?}" "${authorization:?}" "${store:?}"
LARGEST_DOCUMENT=1048576 # bytes of a manifest or an index; real ones have some ten thousand
accept='application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json'

# locate_image IMAGE: sets registry, repository and reference, with Docker's defaults (distribution/reference, v0.6:
# splitDockerDomain)
locate_image() {
  rest=${1%%@*} reference=''
  case $1 in *@*) reference=${1##*@} ;; esac
  case ${rest##*/} in
    *:*) : "${reference:=${rest##*:}}" && rest=${rest%:*} ;;
  esac
  : "${reference:=latest}"
  case $rest in
    docker.io/* | index.docker.io/*) registry=docker.io repository=${rest#*/} ;;
    *.*/* | *:*/* | localhost/*)
      registry=${rest%%/*} repository=${rest#*/}
      case $registry in *.* | *:* | localhost) ;; *) registry=docker.io repository=$rest ;; esac
      ;;
    *) registry=docker.io repository=$rest ;;
  esac
  if [ "$registry" = docker.io ]; then
    registry="registry-1.docker.io"
    case $repository in */*) ;; *) repository=library/$repository ;; esac
  fi
  case $registry in
    localhost | localhost:* | 127.*) registry=http://$registry ;; # as Docker does
    *) registry=https://$registry ;;
  esac
}

# ask_registry URL OPTION…: print the answer
ask_registry() {
  address=$1
  shift
  [ ! -s "$authorization" ] || set -- --header "@$authorization" "$@"
  (exported && at_most $((LARGEST_DOCUMENT + 1)) curled "$address" --connect-timeout 15 --max-time 60 --header "Accept: $accept" "$@" "$address")
}

# renew_access URL: get a token (distribution docs/spec/auth/token.md), and put it into the file $authorization
renew_access() {
  rm -f "$authorization"
  challenge=$(ask_registry "$1" --head 2>/dev/null | tr -d '\r' | sed -n 's/^[wW][wW][wW]-[aA]uthenticate: *[bB]earer *//p' | tail -n 1)
  realm=$(challenged realm) service=$(challenged service)
  case $realm in
    https://*) ;;
    http://*) case $registry in http://*) ;; *) return 1 ;; esac ;;
    *) return 1 ;;
  esac
  token=$(exported && at_most 65536 curled "$realm" --fail --get --connect-timeout 15 --max-time 60 --data-urlencode "service=$service" \
    --data-urlencode "scope=repository:$repository:pull" "$realm" 2>/dev/null | json_values |
    awk -F '\t' '($1 == "token" || $1 == "access_token") && $2 ~ /^[A-Za-z0-9._~+\/=-]+$/ { print $2; exit }')
  [ -n "$token" ] || return 1
  (umask 077 && printf 'Authorization: Bearer %s\n' "$token" >"$authorization")
}
challenged() { printf '%s\n' "$challenge" | sed -n "s/.*$1=\"\\([^\"]*\\)\".*/\\1/p" | cut -c 1-1000; }

# fetch_document REFERENCE: a manifest or an index becomes a part. Sets `document`, its digest. Neighbors are asked for a digest
# only: they must not say what a tag stands for.
fetch_document() {
  document=''
  if is_digest "$1"; then
    document=$1
    if has_part "$1" || take_document "$1" "$LARGEST_DOCUMENT"; then return 0; fi
  fi
  url=$registry/v2/$repository/manifests/$1 failures=0 renewed=''
  until get_document; do
    case $code in
      404) fail "the registry has no $what: it answers 404 at $url" "look for its right name" ;;
      401 | 403)
        if [ -z "$renewed" ] && renew_access "$url"; then renewed=yes && continue; fi
        fail "the registry refuses $what: it answers $code" "if it needs a login, on the host: docker pull ${what#* }" ;;
    esac
    failures=$((failures + 1))
    [ "$failures" -lt "$tries" ] || fail_to_fetch "cannot ask the registry for $what" "$(registry_trouble)" "on the host: curl -sSI $url"
    sleep $((1 << (failures - 1)))
  done
}

registry_trouble() {
  case $code in '' | 000) tail -n 1 "$place/curl" | cut -c 1-300 ;; *) echo "it answers $code" ;; esac
}

# get_document: once
get_document() {
  got=$place/document
  ask_registry "$url" --fail --output "$got" --write-out '%{http_code}' >"$place/code" 2>"$place/curl" && ended=0 || ended=$?
  code=$(cut -c 1-3 "$place/code")
  [ "$ended" -eq 0 ] || return 1
  [ "$(size_of "$got")" -le "$LARGEST_DOCUMENT" ] || fail "the registry sends more than $(mib "$LARGEST_DOCUMENT") MiB as manifest of $what" "on the host: curl -sSI $url"
  digest=sha256:$(digest_of "$got")
  [ "${document:-$digest}" = "$digest" ] || fail "the registry sent another manifest of $what than the one of the digest $document" \
    'a proxy on the way, or the registry, sends wrong bytes: compare with another host'
  document=$digest
  : >"$place/asked"
  name_part "$got" "$digest"
}
login_hint() { echo "if it needs a login, on the host: docker pull ${what#* }"; }
