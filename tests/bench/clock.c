// SPDX-License-Identifier: GPL-2.0
#include "clock.h"

#include <stdio.h>

double clock_ticks_per_us(void)
{
	static double mhz;
	char line[256];
	FILE *file;

	if (mhz)
		return mhz;
	file = fopen("/proc/cpuinfo", "re");
	while (file && !mhz && fgets(line, sizeof(line), file))
		sscanf(line, "cpu MHz : %lf", &mhz);
	if (file)
		fclose(file);
	return mhz;
}

double clock_us(uint64_t ticks)
{
	return ticks / clock_ticks_per_us();
}
