# Reads every blob of the given models and takes away those that hold other bytes than their name says. The models they
# belong to count as not pulled to their end, or not made, from then on, so that they come anew.
: "${models:?}" "${blobs:?}"
hurt=''
while IFS='|' read -r name manifest marker record; do
  [ -f "$manifest" ] || continue
  bad=$(broken "$manifest")
  [ -n "$bad" ] || { [ -s "$manifest" ] && [ -n "$(described "$manifest")" ]; } || bad=manifest
  [ -n "$bad" ] || continue
  hurt="$hurt $name"
  if [ -n "$marker" ]; then echo "$name" | atomic_file "$marker" 0644 root:root; fi
  rm -f "$record"
  for hex in $bad; do
    echo "broken: model $name $hex"
    rm -f "$blobs/sha256-$hex"
  done
done <<END
$models
END
[ -n "$hurt" ] || echo 'every blob holds what its name says'
