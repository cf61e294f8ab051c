/* board.c - see board.h. */
#include "sys/board.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_TRIES = 1000 };

/* The counter of changes is the only word that is read while it may be written; the rest is copied between two looks at it. */
static uint64_t load_changes(const struct board *b)
{
	return __atomic_load_n(&b->changes, __ATOMIC_ACQUIRE);
}

struct board *board_new(int *fd_r, struct err *e)
{
	int fd = memfd_create("posthorn-board", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *at = MAP_FAILED;
	if (fd >= 0 && ftruncate(fd, sizeof(struct board)) == 0)
		at = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	/* FUTURE_WRITE: our own mapping stays writable, and there will be no other. */
	if (at != MAP_FAILED && fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
		struct board *b = at;
		b->magic = BOARD_MAGIC;
		*fd_r = fd;
		return b;
	}
	err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "no memory for the board of processes: %s", strerror(errno));
	if (at != MAP_FAILED)
		munmap(at, sizeof(struct board));
	if (fd >= 0)
		close(fd);
	return NULL;
}

void board_free(struct board **b)
{
	if (*b != NULL)
		munmap(*b, sizeof **b);
	*b = NULL;
}

void board_begin(struct board *b)
{
	__atomic_store_n(&b->changes, b->changes + 1, __ATOMIC_RELAXED);
	atomic_thread_fence(memory_order_release);
}

void board_end(struct board *b)
{
	__atomic_store_n(&b->changes, b->changes + 1, __ATOMIC_RELEASE);
}

const struct board *board_map(int fd)
{
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0 || st.st_size != (off_t)sizeof(struct board))
		return NULL;
	const struct board *b = mmap(NULL, sizeof *b, PROT_READ, MAP_SHARED, fd, 0);
	if (b == MAP_FAILED)
		return NULL;
	if (b->magic == BOARD_MAGIC)
		return b;
	munmap((void *)(uintptr_t)b, sizeof *b);
	return NULL;
}

void board_unmap(const struct board **b)
{
	if (*b != NULL)
		munmap((void *)(uintptr_t)*b, sizeof **b);
	*b = NULL;
}

/* The writer is in it for microseconds, but may be put to sleep there. */
bool board_read(const struct board *b, struct board *copy_r)
{
	for (unsigned i = 0; i < READ_TRIES; i++) {
		const uint64_t before = load_changes(b);
		if (before % 2 == 0) {
			memcpy(copy_r, b, sizeof *copy_r);
			atomic_thread_fence(memory_order_acquire);
			if (load_changes(b) == before) {
				copy_r->n = copy_r->n <= BOARD_PROCESSES ? copy_r->n : BOARD_PROCESSES;
				return true;
			}
		}
		sched_yield();
	}
	return false;
}
