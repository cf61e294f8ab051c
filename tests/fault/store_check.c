/* store_check.c - `store_check DIRECTORY ...`: is each store whole? One line for each violation; exit status 1 when there is one. */
#include "flow/store/check.h"
#include "sys/loop.h"

#include <stdio.h>

static void show(void *ctx, const char *sentence)
{
	printf("%s: %s\n", (const char *)ctx, sentence);
}

int main(int argc, char **argv)
{
	bool good = argc > 1;
	for (int i = 1; i < argc; i++) {
		struct store_check_result result = { 0 };
		struct err e;
		struct env *env = loop_new(argv[i]);
		if (!store_check(env, "store.db", show, argv[i], &result, &e)) {
			printf("%s: %s\n", argv[i], e.text);
			good = false;
		}
		good = good && result.found == 0;
		loop_free(&env);
	}
	return good ? 0 : 1;
}
