#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Makes build/report/compare.json, compare.md, strategies.md and gup.md of what gntmap-compare wrote in one or more machines.
#
#   report.sh FILE...            the JSON files, one of each machine
#   report.sh -r PAGE TABLE      put TABLE.md (strategies or gup) that is there already between the page's two markers
set -eu
HERE=$(cd "$(dirname "$0")" && pwd -P)
out=$(cd "$HERE/../.." && pwd -P)/build/report

command -v jq >/dev/null || {
	[ "$(id -u)" = 0 ] || { echo "report: jq is missing: apt-get install jq" >&2; exit 1; }
	DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends jq >&2
}

if [ "${1:-}" = -r ]; then
	summary=$out/$3.md
	[ -s "$summary" ] || { echo "report: there is no $summary; run make compare first" >&2; exit 1; }
	# The markers are lines of their own; what is between them goes.
	awk -v summary="$summary" '
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
for table in strategies gup; do
	jq -r --arg what "$table" -f "$HERE/report.jq" "$out/compare.json" >"$out/$table.md"
done
echo "report: $out/compare.md" >&2
