#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Adds up the cells' summaries: prints a line `N passed, N failed, N skipped`, and succeeds if nothing failed and something passed.
#
#   sum.sh SUMMARY...
set -eu
cat "$@" | awk '
	# What is said of a cell is indented.
	/^[^ ]/ && match($0, /[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped/) {
		split(substr($0, RSTART, RLENGTH), n, /[ ,]+/)
		passed += n[1]; failed += n[3]; skipped += n[5]
	}
	END {
		printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
		exit failed || !passed
	}'
