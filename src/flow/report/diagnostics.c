/* diagnostics.c - see diagnostics.h. */
#include "flow/report/diagnostics.h"

#include "base/text.h"

enum way { NONE = 0, IN = 1, OUT = 2, BOTH = IN | OUT };
enum { ANY = -1, UNABLE_TO_TRANSFER = 1 };

static const struct row {
	int reason, diagnostic;
	const char *status;
	enum way status_way;
	int notice;
	enum way notice_way;
} rows[] = {
#define X(reason, diagnostic, status, status_way, notice, notice_way)                              \
	{reason, diagnostic, status, status_way, notice, notice_way},
#include "flow/report/diagnostics_table.h"
#undef X
};

/* RFC 2156 has one line for the causes of physical delivery 32 to 45 and one more for 43. */
static bool is_postal(int diagnostic)
{
	return diagnostic >= 32 && diagnostic <= 45;
}

/* How well a row fits the pair: the diagnostic tells more than the reason, since peers differ in
 * that. */
static int fit(const struct row *row, int reason, int diagnostic)
{
	if (row->diagnostic == diagnostic && diagnostic != ANY)
		return row->reason == reason ? 3 : 2;
	return row->diagnostic == ANY && row->reason == reason ? 1 : 0;
}

static const struct row *find_out(int reason, int diagnostic, bool status)
{
	const struct row *found = NULL;
	int best = 0;
	if (is_postal(diagnostic) && diagnostic != 43)
		reason = 4;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum way way = status ? rows[i].status_way : rows[i].notice_way;
		int f = fit(&rows[i], reason, diagnostic);
		if ((way & OUT) != 0 && f > best) {
			best = f;
			found = &rows[i];
		}
	}
	return found;
}

const char *diagnostic_status(int reason, int diagnostic)
{
	const struct row *row = find_out(reason, diagnostic, true);
	return row == NULL ? "5.0.0" : row->status;
}

int diagnostic_notice(int reason, int diagnostic)
{
	const struct row *row = find_out(reason, diagnostic, false);
	return row == NULL ? 1 : row->notice;
}

/* `class.subject.detail`, each part at most three digits (RFC 3463 2). */
static bool split_status(struct view status, uint64_t part[3])
{
	for (int i = 0; i < 3; i++) {
		const uint8_t *dot =
			i == 2 || status.n == 0 ? NULL : memchr(status.p, '.', status.n);
		if (i < 2 && dot == NULL)
			return false;
		size_t n = dot == NULL ? status.n : (size_t)(dot - status.p);
		if (n > 3 || !text_uint(view_first(status, n), 999, &part[i]))
			return false;
		status = view_from(status, n + 1);
	}
	return part[0] == 4 || part[0] == 5;
}

static const struct row *find_in(uint64_t subject, uint64_t detail)
{
	char want[16];
	snprintf(want, sizeof want, ".%u.%u", (unsigned)subject, (unsigned)detail);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if ((rows[i].status_way & IN) != 0 && strcmp(rows[i].status + 1, want) == 0)
			return &rows[i];
	return NULL;
}

bool diagnostic_from_status(struct view status, int *reason_r, int *diagnostic_r)
{
	uint64_t part[3];
	if (!split_status(status, part))
		return false;
	const struct row *row = find_in(part[1], part[2]);
	if (row == NULL)
		row = find_in(part[1], 0);
	*reason_r = row == NULL ? UNABLE_TO_TRANSFER : row->reason;
	*diagnostic_r = row == NULL ? ANY : row->diagnostic;
	return true;
}

void diagnostic_from_notice(int notice, int *reason_r, int *diagnostic_r)
{
	*reason_r = UNABLE_TO_TRANSFER;
	*diagnostic_r = ANY;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if ((rows[i].notice_way & IN) != 0 && rows[i].notice == notice) {
			*reason_r = rows[i].reason;
			*diagnostic_r = rows[i].diagnostic;
		}
}
