# What follows this in a script runs in a root that it may change anywhere: what it changes lies in /opt/upper outside.
if [ "${1:-}" != inside ]; then
    root=/root/image
    mkdir -p /opt/upper /opt/work "$root"
    # Each changed file whole, in its own place: what an image's layer can say.
    mount -t overlay -o lowerdir=/,upperdir=/opt/upper,workdir=/opt/work,metacopy=off,redirect_dir=off,index=off \
        overlay "$root"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount --rbind /tmp "$root/tmp"
    mount -t tmpfs -o mode=700 tmpfs "$root/root"
    mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
    mount --bind /etc/hosts "$root/etc/hosts"
    exec chroot "$root" /bin/sh -eu /tmp/build inside
fi

debian() {
    apt-get -q -o Acquire::https::CAInfo=/tmp/ca.pem update
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::https::CAInfo=/tmp/ca.pem \
        -o APT::Sandbox::User=root install --no-install-recommends "$@"
    apt-get clean
    rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log /var/log/alternatives.log
}
