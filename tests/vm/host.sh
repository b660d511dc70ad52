#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Makes sure that the host has the tools the test bed calls. Asks apt only when one is missing.
#
#   host.sh [TOOL:PACKAGE...]     these too
set -eu
VM=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$VM/lib.sh"

# tool:package. The 6.x kernels' own build tools need gcc-12 (it built those kernels) and libelf (objtool).
TOOLS="qemu-system-x86_64:qemu-system-x86 mmdebstrap:mmdebstrap jq:jq spin:spin gcc:gcc gcc-12:gcc-12 make:make cpio:cpio xz:xz-utils
	flock:util-linux unshare:util-linux depmod:kmod dpkg-deb:dpkg /usr/include/xen/xen.h:libxen-dev
	/usr/share/seabios/bios-256k.bin:seabios /usr/include/jansson.h:libjansson-dev pkg-config:pkg-config $*"

PATH=$PATH:/usr/sbin:/sbin

missing=
for tool in $TOOLS; do
	name=${tool%%:*}
	case $name in
	/*) [ -e "$name" ] ;;
	*) command -v "$name" >/dev/null ;;
	esac || missing="$missing ${tool##*:}"
done
if ! ldconfig -p | grep -q 'libelf\.so\.1 '; then
	missing="$missing libelf1"
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "vm: missing on this host; as root: apt-get install --no-install-recommends$missing" >&2
	exit 1
fi
say "installing on the host:$missing"
export DEBIAN_FRONTEND=noninteractive
# The package lists may be absent or old: refresh them only if the first try fails.
# shellcheck disable=SC2086
apt-get install -qq --no-install-recommends $missing >/dev/null 2>&1 || {
	apt-get update -qq >&2
	apt-get install -qq --no-install-recommends $missing >&2
}
