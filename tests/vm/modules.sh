#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Builds the checkout's modules for one kernel. The sources are copied into a folder of that kernel's own, so that builds for
# several kernels neither disturb each other nor leave anything in the checkout.
#
#   modules.sh KERNEL [OUTDIR] [MAKE ARGUMENT...]       OUTDIR: build/RELEASE/modules unless told otherwise
#
# SOURCES: another checkout's folder to take the sources from.
set -eu
VM=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$VM/lib.sh"

# In the environment it says what is to be run.
unset STRATEGY

kernel=$1
shift
assignments=$("$VM/kernel.sh" "$kernel")
RELEASE='' KDIR='' BUILD=''
eval "$assignments"
out=$TOP/build/$RELEASE/modules
if [ $# -gt 0 ]; then
	[ -z "$1" ] || out=$1
	shift
fi
mkdir -p "$out"
out=$(cd "$out" && pwd -P)
lock "$out.lock"

# Sources that are gone from the checkout go from the copy; times are kept, so that make sees only what has changed.
cd "${SOURCES:-$TOP}"
find Kbuild driver include tests/kernel tests/guest -type f \( -name '*.[chS]' -o -name Kbuild -o -name Makefile \) \
	2>/dev/null | sort >"$out.sources"
(cd "$out" && find . -type f \( -name '*.[chS]' ! -name '*.mod.c' ! -name '.*' \) | sed 's,^\./,,' | sort) |
	comm -13 "$out.sources" - | while read -r file; do
	rm -f "$out/$file"
done
tar -c -T "$out.sources" | tar -x -C "$out"

# build M [ARGUMENT...]
build() {
	dir=$1
	shift
	# Type information for BPF would need pahole and a vmlinux that fits to the byte; no module of ours uses any.
	# BUILD is a command with its arguments.
	# shellcheck disable=SC2086
	$BUILD -s -j"$(nproc)" -C "$KDIR" M="$dir" W=1 CONFIG_DEBUG_INFO_BTF_MODULES= PAHOLE=none CONFIG_PAHOLE_VERSION=0 "$@" modules >&2
}
build "$out" "$@"
# A module that is not built any more must not get into dom0.
find "$out" -maxdepth 1 -name '*.ko' | while read -r ko; do
	name=${ko##*/}
	grep -Eq "(^|/)${name%.ko}\.k?o\$" "$out/modules.order" || rm -f "$ko"
done
# Modules that only tests need may use what ours export.
if [ -e "$out/tests/kernel/Kbuild" ]; then
	build "$out/tests/kernel" KBUILD_EXTRA_SYMBOLS="$out/Module.symvers" "$@"
fi
