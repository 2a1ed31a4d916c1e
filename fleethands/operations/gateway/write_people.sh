# Writes who may log in to OpenHands' page, or removes both files where no person may.
: "${people?}" "${sessions?}" "${people_path:?}" "${sessions_path:?}" "${owner:?}"
if [ -n "$people" ]; then
  printf %s "$people" | atomic_file "$people_path" 0640 "$owner"
  printf %s "$sessions" | atomic_file "$sessions_path" 0640 "$owner"
else
  rm -f "$people_path" "$sessions_path"
fi
