# SPDX-License-Identifier: GPL-2.0
# Cells of gntmap-compare (a list of objects, see compare_table.c) as Markdown. $what: "report": all of it; "strategies": the
# summary of that table; "gup": that of the two others.

def distinct: reduce .[] as $x ([]; if any(.[]; . == $x) then . else . + [$x] end);
def series: capture("^(?<series>[0-9]+\\.[0-9]+)").series;
def numeric: .expected | test("^(=|>|>=) ");
def line: "| " + (map(gsub("[|]"; "\\|")) | join(" | ")) + " |";
def head: ([""] + . | line), ("|" + ([range(length + 1) | "---"] | join("|")) + "|");

def cell:
	if . == null then "–"
	elif .verdict == "fail" then "**\(.observed)** ✗"
	elif .verdict == "skip" then "(\(.observed))"
	else .observed end;

# What each row is measured against: one line for each expectation, with the strategies it is for.
def reasons:
	. as $cells | map(.row) | distinct[] as $row |
	[$cells[] | select(.row == $row and .decided_by != "")] |
	map({expected, decided_by}) as $all | ($all | distinct) as $kinds | . as $of_row |
	$kinds[] as $kind |
	([$of_row[] | select(.expected == $kind.expected and .decided_by == $kind.decided_by) | .strategy]) as $who |
	"- \($row)" + (if $kinds | length > 1 then " (" + ($who | join(", ")) + ")" else "" end) +
	": `\($kind.expected)`. \($kind.decided_by)";

def failures:
	.[] | select(.verdict == "fail") |
	"- \(.kernel) \(.mode) \(.strategy), \(.row): observed \(.observed), expected `\(.expected)`: \(.decided_by)";

# Rows whose expectation is not the same for all kernels of a mode.
def differences:
	. as $cells | map(.mode) | distinct[] as $mode |
	[$cells[] | select(.mode == $mode and .decided_by != "")] as $of_mode |
	($of_mode | map({row, strategy}) | distinct[]) as $key |
	[$of_mode[] | select(.row == $key.row and .strategy == $key.strategy and .verdict != "skip")] |
	select(map(.expected) | distinct | length > 1) |
	"- \($mode), \($key.strategy), \($key.row): " +
	([.[] | "`\(.expected)` on \(.kernel | series)"] | join(", ")) + ". " + (map(.decided_by) | distinct | join("; "));

def report:
	. as $cells |
	"# Strategies side by side", "",
	"What was observed; ✗ marks what the kernel's source does not make us expect, brackets what could not be looked at, and why.",
	"Figures in ns come from one boot each; under emulation only their ratios mean anything.", "",
	([failures] | if length > 0 then "## Failures", "", .[], "" else empty end),
	([$cells | differences] | if length > 0 then "## Rows that differ between kernels", "", .[], "" else empty end),
	(map({kernel, mode, table}) | distinct[] as $machine |
		[$cells[] | select({kernel, mode, table} == $machine)] as $here |
		($here | map(.strategy) | distinct) as $strategies |
		"## Linux \($machine.kernel), \($machine.mode), \($machine.table)", "",
		($strategies | head),
		($here | map(.row) | distinct[] as $row |
			[$row] + [$strategies[] as $s | [$here[] | select(.row == $row and .strategy == $s)][0] | cell] | line),
		"", "Decided by:", "",
		($here | reasons), "");

# The least and the greatest number of some cells, and the signals in them; a probe that failed says why instead.
def numbers_of:
	([.[].observed | capture("^(?<n>[0-9]+)").n | tonumber] | sort) as $n |
	(([.[].observed | capture("(?<sig>SIG[A-Z]+)").sig] | distinct) | map(", " + .) | join("")) as $signal |
	(if ($n | length) == 0 then .[0].observed
	 elif $n[0] == $n[-1] then "\($n[0])"
	 else "\($n[0]) to \($n[-1])" end) + $signal;

# What the kernels that have something to show did.
def seen:
	([.[] | select(.verdict != "skip")]) as $seen |
	(if any(.[]; .verdict == "fail") then " ✗" else "" end) as $mark |
	if length == 0 then "–"
	elif ($seen | length) == 0 then "(\(.[0].observed))"
	elif $seen[0] | numeric then
		# kernels of which the same is expected together
		[($seen | map(.expected) | distinct) as $kinds | $kinds[] as $kind |
			[$seen[] | select(.expected == $kind)] |
			(if $kinds | length > 1 then ([.[].kernel | series] | distinct | join(", ")) + ": " else "" end) + numbers_of] |
		join("; ") + $mark
	elif ($seen[0].expected | test("^!= ")) then $seen | map(.observed) | distinct | join(", ") + $mark
	elif ($seen | map(.observed) | distinct | length) == 1 then $seen[0].observed + $mark
	else
		[($seen | map(.observed) | distinct[]) as $text |
			([$seen[] | select(.observed == $text) | .kernel | series] | distinct | join(", ")) + ": " + $text] |
		join("; ") + $mark
	end;

# One cell for several kernels: numbers as a range, texts once if they agree, and which kernels have nothing to show.
def merged:
	([.[] | select(.verdict == "skip") | .kernel | series] | distinct | join(", ")) as $missing |
	seen + (if $missing != "" and any(.[]; .verdict != "skip") then " (\($missing): –)" else "" end);

def summary:
	. as $cells | map(.mode) | distinct[] as $mode |
	(if $what == "gup" then "uses", "gup" else $what end) as $table |
	# Figures are for the report alone, and so is what has none.
	[$cells[] | select(.mode == $mode and .verdict != "info" and .table == $table and (.row | endswith("ns a page") | not))] as $here |
	($here | map(.strategy) | distinct) as $strategies |
	{ uses: ", system calls", gup: ", get_user_pages() and its kin" }[$table] as $title |
	"\($mode | ascii_upcase) dom0, Linux " + ([$here[].kernel | series] | distinct | join(", ")) + "\($title // ""):", "",
	($strategies | head),
	($here | map(.row) | distinct[] as $row |
		[$row] + [$strategies[] as $s | [$here[] | select(.row == $row and .strategy == $s)] | merged] | line),
	"";

if $what == "report" then report else summary end
