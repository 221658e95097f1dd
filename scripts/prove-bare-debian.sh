#!/usr/bin/env bash
# Proves, as root, that a fresh clone sets itself up on a bare Debian 12 and passes a command.
#
#   scripts/prove-bare-debian.sh FOLDER [make arguments]     default: setup
#
# FOLDER becomes a minimal Debian (git, make and python3 only) unless it is one already; the
# committed state of this checkout is cloned into it, anew each time. To begin from nothing,
# remove FOLDER. The environment may name:
#   MIRROR      Debian mirror, where debootstrap's own choice is not reachable
#   CA_BUNDLE   file of certificates that clients must trust here
#   PIP_CONF    configuration of pip to use inside
#   AS_USER     1: run as an ordinary user with sudo instead of root
set -euo pipefail

[ $# -ge 1 ] || { sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"; exit 2; }
repository=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=$1
shift
[ $# -gt 0 ] || set -- setup

if [ ! -e "$folder/etc/debian_version" ]; then
  debootstrap --variant=minbase --include=git,make,python3,ca-certificates bookworm "$folder" \
    ${MIRROR:+"$MIRROR"}
fi
folder=$(cd -P "$folder" && pwd)
cp /etc/hosts /etc/resolv.conf "$folder/etc/"
[ -z "${CA_BUNDLE:-}" ] || cp "$CA_BUNDLE" "$folder/etc/ssl/certs/ca-certificates.crt"
[ -z "${PIP_CONF:-}" ] || cp "$PIP_CONF" "$folder/etc/pip.conf"

mounted=()
leave() {
  local place
  for place in "${mounted[@]}"; do umount "$place"; done
}
trap leave EXIT
mount -t proc proc "$folder/proc" && mounted+=("$folder/proc")
mount --bind /dev "$folder/dev" && mounted+=("$folder/dev")

inside() {
  chroot "$folder" env -i HOME="$home" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 "$@"
}

home=/root
become=()
if [ "${AS_USER:-0}" = 1 ]; then
  inside sh -c 'command -v sudo >/dev/null ||
    { apt-get update && apt-get install -y --no-install-recommends sudo; }
    id geodesist >/dev/null 2>&1 || useradd --create-home geodesist
    echo "geodesist ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/geodesist'
  home=/home/geodesist
  become=(setpriv --reuid=geodesist --regid=geodesist --init-groups)
fi
rm -rf "$folder$home/fournaise"
git clone --quiet --no-hardlinks "$repository" "$folder$home/fournaise"
[ ${#become[@]} -eq 0 ] || inside chown -R geodesist: "$home/fournaise"
inside "${become[@]}" make -C "$home/fournaise" "$@"
