#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Makes build/report/compare.json, compare.md and summary.md of what gntmap-compare wrote in one or more machines.
#
#   report.sh FILE...            the JSON files, one of each machine
#   report.sh -r README          put the summary that is there already between README's two markers
set -eu
HERE=$(cd "$(dirname "$0")" && pwd -P)
out=$(cd "$HERE/../.." && pwd -P)/build/report

command -v jq >/dev/null || {
	[ "$(id -u)" = 0 ] || { echo "report: jq is missing: apt-get install jq" >&2; exit 1; }
	DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends jq >&2
}

if [ "${1:-}" = -r ]; then
	[ -s "$out/summary.md" ] || { echo "report: there is no $out/summary.md; run make compare first" >&2; exit 1; }
	# The markers are lines of their own; what is between them goes.
	awk -v summary="$out/summary.md" '
		/^<!-- end of table -->/ { inside = 0; ended++ }
		!inside { print }
		/^<!-- table:/ {
			inside = 1; began++
			while ((getline text <summary) > 0)
				print text
		}
		END { exit !(began == 1 && ended == 1 && !inside) }' "$2" >"$2.new" || {
		rm -f "$2.new"
		echo "report: $2 has no pair of markers" >&2
		exit 1
	}
	cat "$2.new" >"$2"
	rm "$2.new"
	exit
fi

[ $# -gt 0 ] || { sed -n '/^#   report/s/^# *//p' "$0" >&2; exit 2; }
mkdir -p "$out"
jq -s add "$@" >"$out/compare.json"
jq -r --arg what report -f "$HERE/report.jq" "$out/compare.json" >"$out/compare.md"
jq -r --arg what summary -f "$HERE/report.jq" "$out/compare.json" >"$out/summary.md"
echo "report: $out/compare.md" >&2
