# Prints the release records of this host, the newest first: a number and its file.
#   records: path of the newest record without `.json`; kept: how many a host has; longest: bytes of one
: "${mark:?}" "${records:?}" "${kept:?}" "${longest:?}"
echo "$mark begin"
number=0
while [ "$number" -lt "$kept" ]; do
  file=$records.json
  [ "$number" -eq 0 ] || file=$records-$number.json
  if [ -f "$file" ] && [ ! -L "$file" ]; then
    echo "record $number $(head -c "$((longest + 1))" "$file" | base64 | tr -d '\n')"
  fi
  number=$((number + 1))
done
echo "$mark end 0"
