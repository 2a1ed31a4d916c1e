# shellcheck disable=SC2154 # facts/models.sh sets names
# Prints what is in the model store: each manifest, the size of each blob, and the models that Ollama has loaded. Of an
# external Ollama, it prints the list of its models instead. The functions that it uses are those of the probe.
: "${mark:?}" "${newline:?}" "${home:?}" "${models_dir:?}" "${elsewhere?}" "${ollama_url:?}"

# print_answer WORD PATH: of Ollama's API
print_answer() {
  body=$(asked 2097152 "$ollama_url$2")
  case $body in
    *"${newline}0") echo "$1 $(printf %s "${body%"$newline"*}" | encoded)" ;;
    *) return 1 ;;
  esac
}

print_manifests() {
  [ -d "$models_dir/manifests" ] || return 0
  cd "$models_dir/manifests" || return 1
  found=$({ limit find . -mindepth 1 -maxdepth 4; echo "$mark $?"; } | head -n 20000)
  case $found in *"$mark 124") return 124 ;; esac
  deadline=$(($(date +%s) + 20))
  manifests
  for path in $names; do
    [ "$(date +%s)" -lt "$deadline" ] || return 124
    echo "manifest $path $(held "$path" | head -c 16384 | encoded)"
  done
}

print_blobs() {
  [ -d "$models_dir/blobs" ] || return 0
  cd "$models_dir/blobs" || return 1
  limit find . -mindepth 1 -maxdepth 1 -type f -name 'sha256-*' -printf 'blob %s %f\n' | head -n 20000
}

print_store() {
  need curl find head base64 tr date timeout || return $?
  if [ -n "$elsewhere" ]; then
    print_answer tags /api/tags || return $?
  else
    (print_manifests) && (print_blobs) || return $?
  fi
  print_answer loaded /api/ps || echo 'silent'
}

own_home
case $models_dir in @home*) models_dir=$home${models_dir#@home} ;; esac
echo "$mark begin"
status=0
(print_store) 2>/dev/null || status=$?
echo "$mark end $status"
