# Models in the store, or in the list of an external Ollama.
: "${newline:?}" "${mark:?}" "${models_dir:?}" "${elsewhere?}" "${ollama_url:?}"

# The digest of a model is the digest of its manifest (ollama manifest/manifest.go, v0.32.15), so that it is known while
# Ollama is stopped. Another account owns the directory, so its content may be anything. Only manifests are reported.
read_models() {
  if [ -n "$elsewhere" ]; then
    models_elsewhere
    return
  fi
  [ -d "$models_dir/manifests" ] || return 0
  need timeout find head sha256sum date || return $?
  cd "$models_dir/manifests" || return 1
  found=$({ limit find . -mindepth 1 -maxdepth 4; echo "$mark $?"; } | head -n 20000)
  case $found in *"$mark 124") return 124 ;; esac
  manifests
  # shellcheck disable=SC2086
  set -- $names
  [ $# -gt 0 ] || return 0
  digests=$(limit sha256sum "$@")
  case $? in 124) one_by_one "$@" ;; *) [ -z "$digests" ] || printf '%s\n' "$digests" ;; esac
}

models_elsewhere() {
  need curl head base64 tr || return $?
  body=$(asked 1048576 "$ollama_url/api/tags")
  case $body in *"${newline}0") ;; *"${newline}28") return 124 ;; *) return 1 ;; esac
  echo "tags $(printf %s "${body%"$newline"*}" | encoded)"
}

# Of what was found, the files whose path is the name of a model, in $names
manifests() {
  names='' left=1000
  IFS=$newline
  set -f
  for path in $found; do
    case $path in *[!A-Za-z0-9._/:-]* | */.*) continue ;; ./*/*/*/*) ;; *) continue ;; esac
    [ -f "$path" ] && [ ! -L "$path" ] || continue
    names="$names $path" left=$((left - 1))
    [ "$left" -gt 0 ] || break
  done
  unset IFS
  set +f
}

# FILE...: where there was no time for all of them, because one has become a FIFO
one_by_one() {
  deadline=$(($(date +%s) + 10))
  for path in "$@"; do
    [ "$(date +%s)" -lt "$deadline" ] || return 124
    digest=$(held "$path" | sha256sum)
    case $digest in e3b0c44298fc1c14*) ;; *) echo "${digest%% *}  $path" ;; esac # the first is that of nothing
  done
}

# Pulls that are not complete, models made from Modelfiles, and the models that Ollama was asked to load since boot
read_store() {
  for record in /var/lib/fleethands/pulls/*; do
    [ -f "$record" ] && echo "pulling $(cat "$record")"
  done
  for record in /var/lib/fleethands/models/*; do
    [ -f "$record" ] && echo "made $(cat "$record")"
  done
  if [ -f /run/fleethands/preloaded ]; then cat /run/fleethands/preloaded; fi
}
