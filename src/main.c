/* main.c - argv[1] -> subcommand. */
#include <stdio.h>

int main(void)
{
	puts("posthorn");
	return 0;
}
