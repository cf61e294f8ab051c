/* metrics.c - `posthorn metrics`: all counters and gauges of the switch, as Prometheus reads them. */
#include "proc/ctl/ctl_int.h"

#include "proc/table/metrics.h"


static bool on_metric(void *ctx, struct view payload, struct err *e)
{
	struct ctl *c = ctx;
	return metrics_add(c->user, payload, e);
}

static bool on_end(void *ctx, struct view payload, struct err *e)
{
	(void)payload, (void)e;
	ctl_over(ctx, CTL_DONE);
	return true;
}

static void ask(struct ctl *c)
{
	chan_send(c->chan, MSG_METRICS, (struct view){ NULL, 0 });
}

static void print(const struct ctl *c, const struct metrics *m)
{
	struct out o;
	out_init(&o, METRICS_OUT_MAX);
	if (c->json)
		metrics_print_json(&o, NULL, m, NULL);
	else
		metrics_print(&o, NULL, m, NULL);
	fwrite(out_view(&o).p, 1, out_len(&o), stdout);
	out_fini(&o);
}

static const char usage[] =
	"usage: posthorn metrics -c FILE\n\nWhat was counted for ever, and how it is now: of the MTA and of each link, in the form that Prometheus reads.\n"
	"What each of them is: docs/metrics.md. Those of the processes are in the console's /metrics only.\n\n" CTL_FIND CTL_STATUSES;

int ctl_metrics(int argc, char **argv)
{
	static const struct chan_type types[] = {
		{ .type = MSG_METRIC, .name = "METRIC", .handle = on_metric, .max = MSG_MAX_METRIC },
		{ .type = MSG_METRICS_END, .name = "METRICS_END", .handle = on_end, .max = MSG_MAX_METRICS_END },
	};
	struct ctl c;
	ctl_begin(&c, argv[0]);
	if (ctl_options(&c, argc, argv, usage, NULL, 0) && ctl_no_more(&c, argc, argv) && ctl_find_mta(&c)) {
		struct metrics *m = metrics_new();
		c.user = m;
		c.status = ctl_converse(&c, "control", types, ARRAY_LEN(types), ask);
		if (c.status == CTL_DONE)
			print(&c, m);
		metrics_free(&m);
	}
	ctl_end(&c);
	return c.status;
}
