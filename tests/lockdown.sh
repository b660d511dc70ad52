#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The kernel locked down ("integrity"), as with Secure Boot, after our modules were loaded: they go on working, descriptors and
# restrictions mean the same. The premise is that an unsigned module is refused from then on. That a signed one is taken cannot be
# shown here: Debian's kernels trust Debian's keys and those that EFI hands over, and there is no EFI in the test bed; what is shown
# is that a module of ours that was signed, with a key that nobody trusts, loads where signatures are not enforced.
#
#   lockdown.sh       KERNEL, MODE: lists (6.12, both modes); STRATEGY, PROGRAMS: lists
set -eu
TOP=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$TOP"

# Those that neither look into debugfs nor load or unload modules
programs=
for program in ${PROGRAMS:-test_abi test_input test_copy test_notify test_vma test_io test_restrict test_foreign test_privilege}; do
	programs="$programs -p $program"
done
strategies=${STRATEGY:-mixedmap policy vmio}

tests/vm/host.sh openssl:openssl
failed=0
for kernel in ${KERNEL:-6.12}; do
	tests/vm/prepare.sh "$kernel"
	RELEASE="" KDIR=""
	eval "$(tests/vm/kernel.sh "$kernel")"
	work=$(mktemp -d)
	trap 'rm -rf "$work" "$work.key" "$work.x509"' EXIT
	mkdir -p "$work/usr/lib/signed"
	openssl req -new -x509 -newkey rsa:2048 -nodes -sha256 -days 2 -subj /CN=nobody/ -keyout "$work.key" -out "$work.x509" 2>/dev/null
	"$KDIR/scripts/sign-file" sha256 "$work.key" "$work.x509" "build/$RELEASE/modules/gntmap.ko" "$work/usr/lib/signed/gntmap.ko"
	rm -f "$work.key" "$work.x509"
	for mode in ${MODE:-pv pvh}; do
		tests/vm/run.sh -k "$kernel" -m "$mode" -t "${TIMEOUT:-1500}" -l "$TOP/build/lockdown/$kernel-$mode" -o "$work" "
			set -e
			grep -q 'Module signature appended' /usr/lib/signed/gntmap.ko
			insmod /usr/lib/signed/gntmap.ko
			for strategy in $strategies; do modprobe gntmap-\$strategy; done
			mount -t securityfs security /sys/kernel/security
			echo integrity >/sys/kernel/security/lockdown
			cat /sys/kernel/security/lockdown
			if modprobe gntmap-none 2>/dev/null; then
				echo 'premise: an unsigned module was loaded'
				exit 1
			fi
			gntmap-test$programs $strategies" || failed=1
	done
	rm -rf "$work"
done
exit $failed
