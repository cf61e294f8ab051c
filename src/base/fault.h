/* fault.h - fault points: named places where a test makes the world fail.
 *
 *     if (FAULT(STORE_COMMIT))
 *             return err_set(e, ERR_TEMP, ERR_OF_PROCESS, "store: commit failed (fault point)");
 *
 * Every new write, commit, fork, connect gets a row in fault_table.h. Off, a point costs one
 * load and a branch. A plan `NAME:N:ACTION` fires at the N-th pass of that point (1 = the first),
 * `*:N:ACTION` at the N-th pass of any point; ACTION is
 *  fail   FAULT is true, once
 *  stick  true from then on
 *  kill   SIGKILL to ourselves
 *  abort  abort()
 *  hang   never comes back, burns nothing: a watchdog's work
 *  eat    takes memory from mem_alloc and touches it, in growing pieces, until there is no more. Where nothing
 *         sets a limit it aborts by itself at FAULT_EAT_MAX, for the sake of the machine the test runs on.
 *
 * A point that holds octets is passed with them: `if (FAULT_ON(CONTENT_CONVERT, content))`. There a plan
 * `NAME:@TEXT:ACTION` fires each time that the octets contain TEXT (as it is, upper and lower case differ; not empty,
 * without `:` and `,`, at most FAULT_TEXT_MAX octets), so that a test can make some messages poison among others.
 * Such a plan's `fail` and `stick` are the same: true for just these octets. FAULT_ON is a pass like any other for plans
 * with N; FAULT never matches a plan with @TEXT. */
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
#define FAULT_ON(name, octets) (fault_armed && fault_fires_on(FAULT_##name, (octets)))

enum { FAULT_TEXT_MAX = 63, FAULT_EAT_MAX = 2000 * 1024 * 1024 };

/* Sets the plan; NULL or "" disarms and clears the counts. `text` may hold several plans with `,`. */
MUST_CHECK bool fault_plan(const char *text, struct err *e);

/* Counts one pass of the point, does what the plan says. */
bool fault_fires(enum fault_point point);
bool fault_fires_on(enum fault_point point, struct view octets);

/* Replaces SIGKILL, for the simulator: called for `kill`, may longjmp away. NULL: the real thing. */
void fault_set_killer(void (*killer)(void));

/* Told when a plan fires (a plan with @TEXT: each time), before it acts: for a test that must know that it did. NULL: nobody. */
void fault_set_witness(void (*witness)(enum fault_point point, uint64_t pass));

/* Rows of protocol machines, for tests that break the line at each of them: who watches is told "LAYER STATE EVENT" when
 * what that row says has been done. No pass of any point. NULL: nobody watches, which costs a load and a branch. */
extern void (*fault_watcher)(const char *row);
void fault_tell_row(const char *layer, const char *state, const char *event);
#define FAULT_ROW(layer, state, event) (fault_watcher == NULL ? (void)0 : fault_tell_row((layer), (state), (event)))

/* Passes counted since the plan was set, of one point and of all. */
uint64_t fault_passes(enum fault_point point);
uint64_t fault_passes_all(void);

const char *fault_name(enum fault_point point);
const char *fault_where(enum fault_point point);
