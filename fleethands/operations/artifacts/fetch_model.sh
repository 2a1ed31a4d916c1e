# The script of the unit that fetches the parts of a model, and puts them into Ollama's store. It takes the place of puller.sh, and
# reports as puller.sh does.
: "${name:?}" "${what:?}" "${place:?}" "${blobs:?}" "${models_dir:?}" "${marker:?}" "${manifest:?}" "${digest?}" "${manifest_url:?}" "${renewal:?}" "${tries:?}"
LARGEST=65536 # bytes of a manifest; real ones have a few thousand
accept='application/vnd.docker.distribution.manifest.v2+json'

# Sets `document`: the digest of the manifest, which is a part then.
find_manifest() {
  document=${digest:+sha256:$digest}
  [ -n "$document" ] || document=$(delivered_digest model "$name")
  if [ -n "$document" ] && is_digest "$document" && [ -e "$(part_file "$document")" ]; then return 0; fi
  if [ -n "$document" ] && is_digest "$document" && take_document "$document" "$LARGEST"; then return 0; fi
  failures=0
  until ask_manifest; do
    case $code in 404) fail "the registry has no model $name" 'look for its right name: https://ollama.com/search' ;;
      401 | 403) fail "the registry refuses $name: it answers $code" 'a model that needs a login is pulled without download_limit: take it out of this host'"'"'s data' ;;
    esac
    failures=$((failures + 1))
    [ "$failures" -lt "$tries" ] ||
      fail_to_fetch "cannot ask the registry for $name" "$(tail -n 1 "$place/curl" | cut -c 1-300)" "on the host: curl -I $manifest_url"
    sleep $((1 << (failures - 1)))
  done
}

ask_manifest() {
  got=$place/manifest
  (exported && at_most $((LARGEST + 1)) curled "$manifest_url" --fail --max-time 30 --header "Accept: $accept" \
    --write-out '%{stderr}%{http_code}' "$manifest_url") >"$got" 2>"$place/curl" && ended=0 || ended=$?
  code=$(tail -n 1 "$place/curl" | sed 's/.*\(...\)$/\1/')
  [ "$(size_of "$got")" -le $LARGEST ] ||
    fail "the registry sends more than $((LARGEST / 1024)) KiB as manifest of $name" "see it, on the host: curl -L $manifest_url | head -c 1000"
  [ "$ended" -eq 0 ] || return 1
  document=$(digest_of "$got")
  [ -z "$digest" ] || [ "$document" = "$digest" ] ||
    fail "the tag $name moved: the registry has $document, pinned is $digest" \
      "if the new one is wanted, $(case $renewal in *' ') echo "$renewal$document" ;; *) echo "$renewal" ;; esac)" "nothing was changed: the model on the host still serves"
  document=sha256:$document
  name_part "$got" "$document"
}

# The list of the blobs that are missing. Damaged ones are removed, because Ollama would never look at them again.
list_missing() {
  listed=$(list_image "$document" | sort -u)
  [ -n "$listed" ] || fail "the registry sends no manifest of $name that fleethands can read" "see it, on the host: curl -L $manifest_url | head -c 1000"
  : >"$place/parts"
  while read -r each size; do
    is_whole "${each#sha256:}" "$size" && trusted="$trusted ${each#sha256:} " && continue
    remove_blob "${each#sha256:}" || true
    echo "$each $size ${manifest_url%/manifests/*}/blobs/$each" >>"$place/parts"
  done <<END
$listed
END
}

check_blobs() {
  while read -r each size; do
    case $trusted in *" ${each#sha256:} "*) continue ;; esac
    is_whole "${each#sha256:}" "$size" && continue
    remove_blob "${each#sha256:}" || true
    fail "$what: the blob $each was damaged on its way into $blobs" "its disk may be broken, on the host: dmesg | tail" 'run again: it is downloaded again'
  done <<END
$listed
END
}

await_turn
make_store
drop_old_parts
manifest=$(spelled "$manifest")
find_manifest
check_store
list_missing
if [ -n "$is_near" ]; then check_space; else check_space "$blobs"; fi
fetch_parts
while read -r each _; do import_blob "${each#sha256:}"; done <"$place/parts"
check_blobs
write_manifest "$document"
printf '%s\n' "$listed" | drop_parts # those that a bundle brought, and the store had
sync -f "$models_dir" # before the marker is removed, so that a crash loses nothing
rm -f "$(part_file "$document")" "$marker"
rm -rf "$place"
