# Reads every blob of the given models and removes those whose bytes do not match their digest. A model with a broken blob
# counts as unfinished, or as not created, so that the next apply downloads or creates it again. Prints one line a model, in
# the format of the proof.
: "${models:?}" "${blobs:?}"
hurt=''
tab=$(printf '\t')
while IFS='|' read -r name marker record manifest; do
  manifest=$(spelled "$manifest")
  begin=$(date +%s%3N)
  bad=''
  [ ! -f "$manifest" ] || bad=$(find_broken_blobs "$manifest")
  [ -n "$bad" ] || { [ -s "$manifest" ] && [ -n "$(list_blobs "$manifest")" ]; } || bad=manifest
  took=$(($(date +%s%3N) - begin))
  link="blobs $name"
  if [ -z "$bad" ]; then
    echo "$link${tab}ok$tab$took${tab}$(list_blobs "$manifest" | wc -l) blobs hold what their names say$tab"
    continue
  fi
  hurt=yes
  if [ -n "$marker" ]; then echo "$name" | atomic_file "$marker" 0644 root:root; fi
  rm -f "$record"
  [ "$bad" = manifest ] || for hex in $bad; do remove_blob "$hex" || fail "the user ollama cannot remove $blobs/sha256-$hex" \
    "on the host: rm '$blobs/sha256-$hex'"; done
  cause="broken, removed: $(echo "$bad" | cut -c 1-12 | tr '\n' ' ')"
  echo "$link${tab}broken$tab$took$tab${cause% }${tab}fleethands apply: it downloads them again"
  echo "error: $link: ${cause% }" >&2
done <<END
$models
END
[ -z "$hurt" ] || fail 'models on this host had broken blobs' 'fleethands apply: it downloads them again'
