#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# All dom0 tests on a kernel with everything on that looks for mistakes (tests/vm/debug.config: KASAN, lockdep, kmemleak, DEBUG_VM,
# UBSAN and more), each strategy in a boot of its own, and afterwards a search for memory that nobody frees. First of all, what
# that kernel must notice (test_debug). xen-gntdev, on which lockdep falls silent, is in one boot only, with test_conform, which
# compares it with each strategy. The kernel is built once, which takes a quarter of an hour or more; on it the tests take several
# times as long as usual. Ends with a line `N passed, N failed, N skipped`.
#
# In PV, KASAN checks nothing (vm/debug-kernel-*.patch); all else does.
#
# KERNEL=7.2: that kernel (7.2.13) warns of itself, so that its PV cells fail whatever the tests say. At boot, in PV: a task's first
# switch resumes lazy MMU mode that nobody has paused (xen_end_context_switch()), and pgd_free() takes the user's PGD, which Xen's PV
# code keeps in page->private, for the page table's lock, which lies there too in a kernel with lockdep. While test_flight throttles:
# lockdep on the block layer's blkcg_mutex (blkg_conf_prep() allocates with it held).
#
#   debug.sh       KERNEL: list of series (default 6.12); MODE: list (both); STRATEGY: list (mistakes, beside and all four);
#                  PROGRAMS: only these, for the four; JOBS: how many machines at once
set -eu
TOP=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$TOP"

kernels=
for series in ${KERNEL:-6.12}; do
	kernels="$kernels ${series%-debug}-debug"
done
tests/vm/host.sh
# shellcheck disable=SC2086
tests/vm/prepare.sh $kernels
mkdir -p build/debug
rm -f build/debug/*/summary
died=
for kernel in $kernels; do
	for mode in ${MODE:-pv pvh}; do
		for strategy in ${STRATEGY:-mistakes beside mixedmap policy vmio none}; do
			echo "$kernel $mode debug $strategy"
		done
	done
done | xargs -P "${JOBS:-$(nproc)}" -L 1 tests/check-cell.sh || died=1
tests/sum.sh build/debug/*/summary
[ -z "$died" ]
