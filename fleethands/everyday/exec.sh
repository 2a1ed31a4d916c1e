#   command: for a shell
: "${command:?}"
HOME=~root
export HOME
cd ~root || cd /
begin ''
run_until_input_ends sh -c "$command"
