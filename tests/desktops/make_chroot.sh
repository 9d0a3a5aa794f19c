#!/bin/sh
# make_chroot.sh FOLDER SUITE PACKAGE...: another Debian in a folder, for newer desktops.
# As root, on Debian. A finished folder holds a file `.ready`; nothing stays mounted.
set -eu
folder=$1 suite=$2
shift 2
[ -e "$folder/.ready" ] && exit 0

sources='$(REPO_URI)'
here="Codename: $(. /etc/os-release; echo "$VERSION_CODENAME")"
mirror=$(apt-get indextargets --format "$sources" 'Created-By: Packages' "$here" | sort -u | head -1)
mkdir -p "$folder"
debootstrap --variant=minbase "$suite" "$folder" "$mirror"
cp /etc/resolv.conf "$folder/etc/"
printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
chmod +x "$folder/usr/sbin/policy-rc.d"
# A mirror that is a snapshot may be older than it says it lives.
echo 'Acquire::Check-Valid-Until "false";' >"$folder/etc/apt/apt.conf.d/90snapshot"

export DEBIAN_FRONTEND=noninteractive LC_ALL=C
"$(dirname "$0")/in_chroot.sh" "$folder" apt-get update -q
"$(dirname "$0")/in_chroot.sh" "$folder" apt-get install -q -y --no-install-recommends "$@"
"$(dirname "$0")/in_chroot.sh" "$folder" apt-get clean
touch "$folder/.ready"
