# Reads every blob of the given models and takes away those that hold other bytes than their name says. The models they
# belong to count as not pulled to their end, or not made, from then on, so that they come anew. Says one link a model,
# as proof.sh does.
: "${models:?}" "${blobs:?}"
hurt=''
tab=$(printf '\t')
while IFS='|' read -r name marker record manifest; do
  manifest=$(spelled "$manifest")
  begin=$(date +%s%3N)
  bad=''
  [ ! -f "$manifest" ] || bad=$(broken "$manifest")
  [ -n "$bad" ] || { [ -s "$manifest" ] && [ -n "$(described "$manifest")" ]; } || bad=manifest
  took=$(($(date +%s%3N) - begin))
  link="blobs $name"
  if [ -z "$bad" ]; then
    echo "$link${tab}ok$tab$took${tab}$(described "$manifest" | wc -l) blobs hold what their names say$tab"
    continue
  fi
  hurt=yes
  if [ -n "$marker" ]; then echo "$name" | atomic_file "$marker" 0644 root:root; fi
  rm -f "$record"
  [ "$bad" = manifest ] || for hex in $bad; do blob_gone "$hex" || fail "the user ollama cannot remove $blobs/sha256-$hex" \
    "on the host: rm '$blobs/sha256-$hex'"; done
  cause="broken, and taken away: $(echo "$bad" | cut -c 1-12 | tr '\n' ' ')"
  echo "$link${tab}broken$tab$took$tab${cause% }${tab}fleethands apply: it brings them anew"
  echo "error: $link: ${cause% }" >&2
done <<END
$models
END
[ -z "$hurt" ] || fail 'models on this host had broken blobs' 'fleethands apply: it brings them anew'
