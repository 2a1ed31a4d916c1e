# user NAME [SHELL]: one more account that the controller's key lets in
user() {
  useradd -m -s "${2:-/bin/bash}" "$1"
  cp -r /root/.ssh "/home/$1/"
  chown -R "$1:" "/home/$1/.ssh"
}
