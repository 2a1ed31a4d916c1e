# Removes parts that were kept for hosts that are added to the site later. The list changes last: a removal that is interrupted is repeated.
#   spare: lines `KIND NAME` of artifacts that stay
: "${spare?}" "${store:?}"

# split_kept yes|no: rows of artifacts that stay, or that do not
split_kept() {
  # shellcheck disable=SC2016
  list_kept | spare=$spare stays=$1 awk 'BEGIN { many = split(ENVIRON["spare"], rows, "\n"); for (i = 1; i <= many; i++) spared[rows[i]] = 1 }
    (($1 " " $2) in spared) == (ENVIRON["stays"] == "yes")'
}

staying=$(split_kept yes)
split_kept no | while read -r _ _ digest; do
  is_digest "$digest" || continue
  case $staying in *" $digest"*) continue ;; esac
  keep_shared "$digest" || rm -f "$(part_file "$digest")"
done
printf '%s\n' "$staying" | write_kept
drop_old_parts
