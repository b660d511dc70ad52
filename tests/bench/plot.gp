# SPDX-License-Identifier: GPL-2.0
# One plot: name (of the files, without their ends), heading, x, y, blocks come from report.sh.
set terminal svg size 800,480 background "white"
set output name.".svg"
set title heading
set xlabel x
set ylabel y
set logscale x
set yrange [0:*]
set grid
set key outside right
# $1 + 1 where a size may be 0
shift = (x eq "ranges held + 1")
plot 1 with lines linecolor "gray" dashtype 2 notitle, \
	for [i = 0:blocks - 1] name.".dat" index i using ($1 + shift):2:3:4 with yerrorlines title columnheader(1)
