# Creates a model from a Modelfile, and records what it was made from. The command `ollama create` is used, and not the API,
# because only the command parses Modelfiles.
#   base, base_manifest: the model that it starts from; record: file with the checksums of text, base and model
: "${name:?}" "${text:?}" "${address:?}" "${manifest:?}" "${base:?}" "${base_manifest:?}" "${record:?}" "${image?}"
work=$(mktemp -d)
remove_at_end "$work"
base_manifest=$(spelled "$base_manifest")
[ -f "$base_manifest" ] || fail "$base, which $name is made from, is not on the host" "on the host: curl -s $address/api/tags"
digest_of() { read_as "$(numbers_of ollama)" "$1" | sha256sum | cut -d ' ' -f 1; }
from=$(digest_of "$base_manifest")
printf %s "$text" >"$work/Modelfile"
chgrp -R ollama "$work"
chmod 750 "$work"
rm -f "$record"
# in an empty directory, because FROM would prefer a file of the model's name
create() {
  if [ -z "$image" ]; then
    cd "$work" && HOME=/nonexistent OLLAMA_HOST=$address timeout 1800 \
      setpriv --reuid=ollama --regid=ollama --clear-groups --no-new-privs ollama create "$name" -f Modelfile
  else
    timeout 1800 docker run --rm --pull never --network host --user "$(id -u ollama):$(getent group ollama | cut -d : -f 3)" --cap-drop ALL \
      --security-opt no-new-privileges --env HOME=/nonexistent --env "OLLAMA_HOST=$address" \
      --volume "$work:/work:ro" --workdir /work "$image" create "$name" -f Modelfile
  fi
}
(create) >"$work/said" 2>&1 9>&- ||
  fail "cannot create $name: $(grep -a -i error "$work/said" | tail -n 1)" 'correct its Modelfile, then run again'
manifest=$(spelled "$manifest")
[ -f "$manifest" ] || fail "Ollama said that it created $name, and it is not there" "on the host: curl -s $address/api/tags"
echo "$(printf %s "$text" | sha256sum | cut -d ' ' -f 1) $from $(digest_of "$manifest") $name" |
  atomic_file "$record" 0644 root:root
