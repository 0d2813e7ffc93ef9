#!/usr/bin/env bash
# Run load.py with the newest libraries, in a Debian 13 below DIR that has a CPU-only torch 2.x (3 GB with its environments, kept).
#
# usage: newer.sh DIR [options of load.py]
#
# Needs root and debootstrap; MIRROR is another Debian mirror than its own choice. The certificates and the resolver of
# this machine are copied, so that PyPI is reached from inside as it is from here.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(mkdir -p "${1:?usage: newer.sh DIR [options of load.py]}" && cd "$1" && pwd)/trixie
shift

if [ ! -x "$root/usr/bin/python3" ]; then
    rm -rf "$root.new"
    debootstrap --variant=minbase --include=python3,python3-venv,python3-torch,ca-certificates \
        trixie "$root.new" ${MIRROR:+"$MIRROR"}
    mv "$root.new" "$root"
fi
cp /etc/resolv.conf "$root/etc/resolv.conf"
if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
fi
mkdir -p "$root/models" "$root/work"
cp "$here"/*.py "$root/models/"
trap 'umount "$root/proc" "$root/dev" 2>/dev/null || true' EXIT
mountpoint -q "$root/proc" || mount --bind /proc "$root/proc"
mountpoint -q "$root/dev" || mount --bind /dev "$root/dev"
chroot "$root" env PIP_CERT=/etc/ssl/certs/ca-certificates.crt python3 /models/load.py "$@" /work
