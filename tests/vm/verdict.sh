#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Looks for trouble in a run's logs (console.log, dmesg.log, xen.log): prints each distinct line of trouble with its name, into
# verdict.log too, and returns 1 if there was any.
#
#   verdict.sh LOGDIR       ALLOW: an extended regular expression for lines that this run provokes on purpose
set -eu
VM=$(cd "$(dirname "$0")" && pwd -P)

logs=$1
cd "$logs"
: >verdict.log
for log in console.log dmesg.log xen.log; do
	[ ! -e "$log" ] || tr -d '\r\000' <"$log"
done | awk -v dirt="$VM/dirt.txt" -v harmless="$VM/harmless.txt" -v allow="${ALLOW:-}" '
	BEGIN {
		while ((getline line <dirt) > 0)
			if (line !~ /^#/ && split(line, part, "\t") == 2) {
				name[++nr] = part[1]
				pattern[nr] = part[2]
			}
		while ((getline line <harmless) > 0)
			if (line !~ /^#/ && line != "")
				good[++nr_good] = line
		if (allow != "")
			good[++nr_good] = allow
		if (!nr) {
			print "the list of patterns is empty: " dirt
			exit
		}
	}
	{
		for (i = 1; i <= nr; i++)
			if ($0 ~ pattern[i])
				break
		if (i > nr)
			next
		for (j = 1; j <= nr_good; j++)
			if ($0 ~ good[j])
				next
		# The same line comes by way of the console and of dmesg.
		text = $0
		sub(/^(<[0-9]+>)?\[ *[0-9.]+\] */, "", text)
		if (!seen[text]++)
			print name[i] ": " $0
	}' >verdict.log

[ -s verdict.log ] || exit 0
nr=$(wc -l <verdict.log)
echo "vm: the logs are not clean ($nr lines, all in $logs/verdict.log):"
head -n 10 verdict.log | sed 's/^/    /'
exit 1
