/* fault.h - fault points: named places where a test makes the world fail.
 *
 *     if (FAULT(STORE_COMMIT))
 *             return err_set(e, ERR_TEMP, ERR_OF_PROCESS, "store: commit failed (fault point)");
 *
 * Every new write, commit, fork, connect gets a row in fault_table.h. Off, a point costs one
 * load and a branch. A plan `NAME:N:ACTION` fires at the N-th pass of that point (1 = the first),
 * `*:N:ACTION` at the N-th pass of any point; ACTION is fail (FAULT is true, once), stick (true
 * from then on), kill (SIGKILL to ourselves) or abort. */
#pragma once
#include "base/err.h"

enum fault_point {
#define X(name, where) FAULT_##name,
#include "base/fault_table.h"
#undef X
	FAULT_COUNT
};

extern bool fault_armed; /* any plan set: the fast path looks at nothing else */

#define FAULT(name) (fault_armed && fault_fires(FAULT_##name))

/* Sets the plan; NULL or "" disarms and clears the counts. `text` may hold several plans with `,`. */
MUST_CHECK bool fault_plan(const char *text, struct err *e);

/* Counts one pass of the point, does what the plan says. */
bool fault_fires(enum fault_point point);

/* Replaces SIGKILL, for the simulator: called for `kill`, may longjmp away. NULL: the real thing. */
void fault_set_killer(void (*killer)(void));

/* Told when a plan fires, before it acts: for a test that must know that it did. NULL: nobody. */
void fault_set_witness(void (*witness)(enum fault_point point, uint64_t pass));

/* Passes counted since the plan was set, of one point and of all. */
uint64_t fault_passes(enum fault_point point);
uint64_t fault_passes_all(void);

const char *fault_name(enum fault_point point);
const char *fault_where(enum fault_point point);
