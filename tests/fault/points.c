/* points.c - prints the name of every fault point, one a line: what tests/fault/kill must have passed. */
#include "base/fault.h"

#include <stdio.h>

int main(void)
{
	for (unsigned i = 0; i < FAULT_COUNT; i++)
		puts(fault_name((enum fault_point)i));
	return 0;
}
