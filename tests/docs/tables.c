/* tables.c - prints a table of the program as documentation: tools/gen-docs puts it between the marks in docs/ and man/.
 *
 *   doc_tables settings    the settings section of posthorn.yaml.5, in mdoc
 *   doc_tables events | faults | messages | metrics    tables in Markdown */
#include "base/fault.h"
#include "proc/table/events_table.h"
#include "proc/table/metrics.h"
#include "proc/table/msgs.h"
#include "proc/table/settings_change.h"

enum { TEXT_MAX = 1024 * 1024 };

static void print_events(struct out *o)
{
	out_str(o, "| id | name | severity | category | Exchange event | meaning |\n| --- | --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < EVENT_KINDS; i++) {
		const struct event_kind *k = &event_kinds[i];
		out_fmt(o, "| %u | `%s` | %s | %s | %s | %s |\n", k->id, k->name, event_severity_name(k->severity), k->category,
			k->source, k->sentence);
	}
}

static void print_faults(struct out *o)
{
	out_str(o, "| point | where |\n| --- | --- |\n");
	for (unsigned i = 0; i < FAULT_COUNT; i++)
		out_fmt(o, "| `%s` | %s |\n", fault_name((enum fault_point)i), fault_where((enum fault_point)i));
}

static void print_messages(struct out *o)
{
	out_str(o, "| type | name | sent by | longest payload | what it says |\n| --- | --- | --- | --- | --- |\n");
#define X(name, number, max, who, what) out_fmt(o, "| %d | `%s` | %s | %d | %s |\n", number, #name, who, (int)(max), what);
	MSGS(X)
#undef X
}

static void print_settings(struct out *o)
{
	settings_manual(&settings_root, settings_change_note, o);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*print)(struct out *o);
	} tables[] = { { "settings", print_settings }, { "events", print_events }, { "faults", print_faults }, { "messages", print_messages }, { "metrics", metrics_manual } };
	struct out o;
	bool known = false;
	out_init(&o, TEXT_MAX);
	for (size_t i = 0; argc == 2 && i < ARRAY_LEN(tables); i++)
		if (strcmp(tables[i].name, argv[1]) == 0) {
			tables[i].print(&o);
			known = true;
		}
	if (known && !o.bad)
		fwrite(out_view(&o).p, 1, out_len(&o), stdout);
	else
		fprintf(stderr, "doc_tables: want one of settings, events, faults, messages, metrics\n");
	out_fini(&o);
	return known ? 0 : 64;
}
