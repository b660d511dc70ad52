#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Makes build/report/bench.json, bench.md, bench-summary.md and bench-*.svg of what gntmap-bench wrote in one or more machines.
#
#   report.sh FILE...            the JSON files, one of each machine
#   report.sh -r README          put the summary that is there already between README's two markers
set -eu
HERE=$(cd "$(dirname "$0")" && pwd -P)
out=$(cd "$HERE/../.." && pwd -P)/build/report

if [ "${1:-}" = -r ]; then
	[ -s "$out/bench-summary.md" ] || { echo "report: there is no $out/bench-summary.md; run make bench first" >&2; exit 1; }
	# The markers are lines of their own; what is between them goes.
	awk -v summary="$out/bench-summary.md" '
		/^<!-- end of bench -->/ { inside = 0; ended++ }
		!inside { print }
		/^<!-- bench:/ {
			inside = 1; began++
			while ((getline text <summary) > 0)
				print text
		}
		END { exit !(began == 1 && ended == 1 && !inside) }' "$2" >"$2.new" || {
		rm -f "$2.new"
		echo "report: $2 has no pair of markers for the measurement" >&2
		exit 1
	}
	cat "$2.new" >"$2"
	rm "$2.new"
	exit
fi

[ $# -gt 0 ] || { sed -n '/^#   report/s/^# *//p' "$0" >&2; exit 2; }
mkdir -p "$out"
jq -s add "$@" >"$out/bench.json"
for what in report summary; do
	name=bench
	[ $what = report ] || name=bench-summary
	jq -r --arg what $what --arg workload '' --arg y '' -f "$HERE/report.jq" "$out/bench.json" >"$out/$name.md"
done

# plot NAME WORKLOAD FIELD TITLE X Y [GNUPLOT COMMAND]
plot() {
	jq -r --arg what plot --arg workload "$2" --arg y "$3" -f "$HERE/report.jq" "$out/bench.json" >"$out/bench-$1.dat"
	blocks=$(grep -c '^"' "$out/bench-$1.dat" || :)
	if [ "$blocks" -gt 0 ] && command -v gnuplot >/dev/null; then
		gnuplot -e "name='$out/bench-$1'; heading='$4'; x='$5'; y='$6'; blocks=$blocks; ${7:-}" "$HERE/plot.gp"
	fi
	rm -f "$out/bench-$1.dat"
}
rm -f "$out"/bench-*.svg
plot batch 'map and unmap' ratio 'Map and unmap: how many times faster than xen-gntdev' 'pages in one request' 'xen-gntdev / gntmap'
plot floor 'map and unmap' over_floor 'Map and unmap: how many times the bare hypercalls' 'pages in one request' 'gntmap / hypercalls'
plot held 'one more page' ratio 'One more page while a file holds many ranges' 'ranges held + 1' 'xen-gntdev / gntmap'
plot foreign 'foreign frames' ratio 'Foreign frames: how many times faster than privcmd' 'pages in one request' 'privcmd / gntmap'
cat "$out/bench-summary.md"
echo "report: $out/bench.md" >&2
