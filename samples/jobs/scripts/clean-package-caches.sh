set -e
apt-get clean
journalctl --vacuum-time=30d
