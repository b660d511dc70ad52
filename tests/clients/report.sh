#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Makes build/report/clients.json and clients.md of what gntmap-clients wrote.
#
#   report.sh build/clients/KERNEL-MODE-STRATEGY/tap...
set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd -P)
out=$TOP/build/report

command -v jq >/dev/null || {
	[ "$(id -u)" = 0 ] || { echo "report: jq is missing: apt-get install jq" >&2; exit 1; }
	DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends jq >&2
}
mkdir -p "$out"
for tap; do
	cell=${tap%/tap}
	cell=${cell##*/}
	kernel=${cell%%-*}
	mode=${cell#*-}
	# A line "= STRATEGY | CLIENT | RESULT | DETAIL", and the verdict under it
	jq -R -n --arg kernel "$kernel" --arg mode "${mode%%-*}" '
		reduce inputs as $line ([];
			if $line | startswith("= ") then
				($line[2:] | split(" | ")) as $part |
				. + [{ kernel: $kernel, mode: $mode, strategy: $part[0], client: $part[1],
				       result: $part[2], detail: ($part[3:] | join(" | ")) }]
			elif ($line | test("^(not )?ok ")) and length > 0 then
				last.expected = ($line | startswith("ok"))
			else . end) | .[]' "$tap"
done | jq -s . >"$out/clients.json"

jq -r '
	def cell($rows; $client; $strategy):
		[$rows[] | select(.client == $client and .strategy == $strategy)] |
		if length == 0 then "–" else .[0].result + (if .[0].expected then "" else " (!)" end) end;
	group_by([.mode, .kernel])[] |
	. as $rows | (reduce .[].strategy as $s ([]; if index($s) then . else . + [$s] end)) as $strategies |
	(reduce .[].client as $c ([]; if index($c) then . else . + [$c] end)) as $clients |
	"\(.[0].mode | ascii_upcase) dom0, Linux \(.[0].kernel):", "",
	"| client | \($strategies | join(" | ")) |", "|---|\($strategies | map("---") | join("|"))|",
	($clients[] as $c | "| \($c) | \($strategies | map(cell($rows; $c; .)) | join(" | ")) |"),
	"", ($rows[] | "- \(.strategy), \(.client): \(.result): \(.detail)"), ""' "$out/clients.json" >"$out/clients.md"
echo "report: $out/clients.md" >&2
