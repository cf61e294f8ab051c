/* check.h - the words for what must hold, never compiled out.
 *
 * CHECK(p, MAGIC)     our bug: a pointer that came back is not what it was
 * CANT_HAPPEN("...")  our bug: a branch that no input can reach
 * Peers never reach one: bad input is a struct err, not an assertion. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Called once with the sentence before the process ends itself; set by proc/ to keep
 * the last words. NULL: standard error only. */
typedef void check_hook_f(const char *sentence);
void check_set_hook(check_hook_f *hook);

/* Writes where and what to standard error and the hook, then aborts. */
NORETURN void check_failed(const char *file, int line, const char *what);

#undef assert
#define assert(cond) ((cond) ? (void)0 : check_failed(__FILE__, __LINE__, #cond))
#define CHECK(p, want) assert((p) != NULL && (p)->magic == (want))
#define CANT_HAPPEN(why) check_failed(__FILE__, __LINE__, "cannot happen: " why)

/* The member's owner: CONTAINER(timer, struct link, timer). */
#define CONTAINER(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/* libc calls with no bound of their own. (alloca too, by review: system headers name it.) */
#pragma GCC poison strcpy strcat sprintf vsprintf atoi atol gets
