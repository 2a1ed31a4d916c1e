"""Accounts that OpenHands may not use: system accounts, and accounts whose group can become root."""

from __future__ import annotations

from fleethands.settings.expected import InvalidValue

# users and groups of Debian and Ubuntu, base-passwd and common services; a new user joins the group of its name
_SYSTEMS = frozenset(
    {
        *("avahi", "backup", "bin", "chrony", "colord", "containerd", "crontab", "daemon", "dhcpcd", "dnsmasq"),
        *("dockremap", "games", "geoclue", "gnats", "irc", "landscape", "libvirt-qemu", "list", "lp", "mail", "man"),
        *("messagebus", "mysql", "named", "news", "nginx", "nobody", "nogroup", "ntp", "ntpsec", "polkitd"),
        *("nvidia-persistenced", "pollinate", "postfix", "postgres", "prometheus", "proxy", "rabbitmq", "redis"),
        *("rtkit", "saned", "sshd", "statd", "sync", "sys", "syslog", "tcpdump", "tss", "usbmux", "uucp"),
        *("uuidd", "www-data"),
    }
)
_MIGHTY = frozenset(
    {"adm", "disk", "docker", "input", "kmem", "kvm", "libvirt", "lxd", "shadow", "staff", "sudo", "tty", "wheel"}
)


def check_account(user: str) -> None:
    """Raises InvalidValue for an account that OpenHands may not use."""
    if user == "root":
        raise InvalidValue("a user of its own", "as what an agent does would be done as root")
    if user == "ollama":
        raise InvalidValue(
            "a user of its own, such as `openhands`", "which serves the models: an agent could replace them"
        )
    if user in _MIGHTY:
        raise InvalidValue(
            "a user of its own, such as `openhands`", "whose group can become root, or read what root reads"
        )
    if user in _SYSTEMS or user.startswith(("systemd-", "_")):
        raise InvalidValue("a user of its own, such as `openhands`", "which belongs to the system")
