/* fuzz_replay.c - gives each file of the folders named to a fuzzer's entry, once, and says how many.
 * A folder that does not exist counts as empty: a new fuzzer has no corpus yet. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		return;
	enum { MAX = 1 << 22 };
	uint8_t *buf = malloc(MAX);
	size_t n = buf == NULL ? 0 : fread(buf, 1, MAX, f);
	fclose(f);
	uint8_t *exact = malloc(n == 0 ? 1 : n); /* so that ASan sees a read past the end */
	if (buf != NULL && exact != NULL) {
		for (size_t i = 0; i < n; i++)
			exact[i] = buf[i];
		LLVMFuzzerTestOneInput(exact, n);
	}
	free(exact);
	free(buf);
}

int main(int argc, char **argv)
{
	unsigned n = 0;
	static const uint8_t nothing[1];
	LLVMFuzzerTestOneInput(nothing, 0);
	for (int i = 1; i < argc; i++) {
		DIR *d = opendir(argv[i]);
		for (struct dirent *entry; d != NULL && (entry = readdir(d)) != NULL;) {
			char path[4096];
			if (entry->d_name[0] == '.')
				continue;
			snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
			replay(path);
			n++;
		}
		if (d != NULL)
			closedir(d);
	}
	printf("replayed %u inputs\n", n);
	return 0;
}
