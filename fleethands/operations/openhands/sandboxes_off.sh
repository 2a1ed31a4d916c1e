# Removes the sandboxes that our V1 started. Another OpenHands' sandboxes have the same names and images, and stay.
: "${images:?}"
printf '%s\n' "$images" | while IFS= read -r image; do
  list_sandboxes "$image" | while read -r id whose name; do
    if [ "$whose" = ours ]; then
      docker rm --force --volumes "$id" >/dev/null
    else
      echo "note: the container $name stays: another OpenHands started it"
    fi
  done
  unmark_managed sandbox "$image"
done
