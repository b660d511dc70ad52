# SPDX-License-Identifier: GPL-2.0
# Figures of gntmap-bench (a list of objects, see result.c) as Markdown, or as columns for a plot.
# $what: "report", "summary", or "plot" (with $workload, and $y: the field).

def distinct: reduce .[] as $x ([]; if any(.[]; . == $x) then . else . + [$x] end);
def series: capture("^(?<series>[0-9]+\\.[0-9]+)").series;
def line: "| " + join(" | ") + " |";
def head: (. | line), ("|" + ([range(length) | "---"] | join("|")) + "|");
def plain: (. * 100 | round) as $n | ($n / 100 | floor | tostring) + "." + ("0\($n % 100)" | .[-2:]);
def figure: if . == null then "–" elif . >= 100 then (round | tostring) elif . >= 10 then (. * 10 | round / 10 | tostring) else plain end;
def cells: map({mode, kernel}) | distinct;
# The strategy that does what the kernel's own driver does.
def alike: .strategy == "mixedmap";

def spread($field): .spread[$field] as $s |
	if $s == null then "–" else "\($s[1] | figure) (\($s[0] | figure) to \($s[2] | figure))" end;

def report:
	. as $rows |
	"# Speed and memory", "",
	"Medians, with the quartiles in brackets; ratio is theirs / ours (or ours / theirs where more is better), the median of the",
	"rounds' own ratios. Under emulation only ratios of one boot mean anything.", "",
	(cells[] as $cell |
		[$rows[] | select(.kernel == $cell.kernel and .mode == $cell.mode)] as $here |
		"## Linux \($cell.kernel), \($cell.mode)", "",
		(["workload", "size", "strategy", "unit", "ours", "theirs", "floor", "ratio", "over the floor", "rounds", ""] | head),
		($here[] | if .strategy == "" then [.workload, "", "", "", "", "", "", "", "", "", .note] | line else
			[.workload, "\(.size) \(.of)", .strategy, .unit, spread("ours"), spread("theirs"), spread("floor"),
			 spread("ratio"), (.over_floor | figure), "\(.rounds)", .note] | line end),
		"");

# What a cell of the summary says: sizes and waits as they are, all else as a ratio.
def short:
	if . == null or .ours == null then "–"
	elif .unit == "B a page" then "\(.ours | round) B, theirs \(if .theirs then "\(.theirs | round) B" else "–" end)"
	elif (.workload | test(" back")) then
		"\(.ours / 1000 | figure) ms, theirs \(if .theirs then "\(.theirs / 1000 | figure) ms" else "–" end)"
	elif .ratio == null then "–"
	else "\(.ratio | figure)" + (if .spread.ratio then " (\(.spread.ratio[0] | figure) to \(.spread.ratio[2] | figure))" else "" end) end;

def floors: .workload | test("^(map and unmap|foreign frames|grant copy)");

def summary:
	map(select(.strategy != "" and (.workload | test("^hypercalls|^map$|^unmap$") | not))) as $rows |
	($rows | cells) as $cells |
	($cells | map("\(.mode | ascii_upcase) \(.kernel | series)")) as $names |
	def table(keep; cell): [$rows[] | select(keep)] as $kept |
		($kept | map({workload, size, of}) | distinct[]) as $key |
		["\($key.workload), \($key.size) \($key.of)"] +
		[$cells[] as $c | [$kept[] | select(.workload == $key.workload and .size == $key.size and .of == $key.of and
			.kernel == $c.kernel and .mode == $c.mode)][0] | cell] | select(.[1:] | any(. != "–")) | line;
	"How many times faster than the kernel's own driver (privcmd for foreign frames), `mixedmap`; in brackets the quartiles of the rounds:", "",
	([""] + $names | head), table(alike and (.workload | test("^NUMA") | not); short), "",
	"How many times what the bare hypercalls for the same pages take, `mixedmap`:", "",
	([""] + $names | head), table(alike and floors; .over_floor | figure), "",
	([$rows[] | select(.workload | test("^NUMA"))] as $numa |
		if ($numa | length) == 0 then empty else
		"Time in `task_numa_work()` while a process has such a mapping, where ordinary memory of that size takes 1:", "",
		(["", "strategy"] + $names | head),
		(($numa | map({workload, size, of, strategy}) | distinct[]) as $key |
			["\($key.workload), \($key.size) \($key.of)", $key.strategy] +
			[$cells[] as $c | [$numa[] | select(.workload == $key.workload and .strategy == $key.strategy and
				.size == $key.size and .kernel == $c.kernel and .mode == $c.mode)][0].over_floor | figure] | line), "" end);

# One block of "size ours" for each kernel and mode, for gnuplot.
def plot:
	[.[] | select(.workload == $workload and alike and .[$y] != null)] as $rows |
	($rows | cells[]) as $cell |
	"\"\($cell.mode | ascii_upcase) \($cell.kernel | series)\"",
	($rows[] | select(.kernel == $cell.kernel and .mode == $cell.mode) |
		"\(.size) \(.[$y]) " + (if $y == "ratio" then "\(.spread.ratio[0]) \(.spread.ratio[2])" else "\(.[$y]) \(.[$y])" end)),
	"", "";

if $what == "summary" then summary elif $what == "plot" then plot else report end
