# Removes a user that fleethands created, with its group and its home.
#   user, home; content: yes to remove the home with its content, otherwise only an empty one
: "${user:?}" "${home:?}" "${content:?}"
userdel "$user" || fail "cannot remove the user $user" "see what it runs, on the host: ps -u $user"
if getent group "$user" >/dev/null; then groupdel "$user"; fi
if [ "$content" = yes ]; then remove_tree "$home"; else place=$(real_path "$home") && rmdir "$place" 2>/dev/null || true; fi
unmark_managed user "$user"
