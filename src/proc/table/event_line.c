/* event_line.c - see event_line.h. */
#include "proc/table/event_line.h"

#include "base/text.h"

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));
	return s == NULL ? "" : s;
}

static uint64_t number_of(const json_t *o, const char *name)
{
	json_int_t x = json_integer_value(json_object_get(o, name));
	return x < 0 ? 0 : (uint64_t)x;
}

static void take_fields(struct event_line *l)
{
	const char *name;
	json_t *value, *fields = json_object_get(l->json, "fields");
	json_object_foreach(fields, name, value)
		if (l->n_fields < EVENT_LINE_FIELDS && json_is_string(value))
			l->fields[l->n_fields++] = (struct event_field){ name, json_string_value(value) };
}

bool event_line_parse(struct view line, struct event_line *l, struct err *e)
{
	char shown[100];
	*l = (struct event_line){ .json = line.n == 0 ? NULL : json_loadb((const char *)line.p, line.n, 0, NULL) };
	l->time = text_of(l->json, "time");
	l->process = text_of(l->json, "process");
	l->event = text_of(l->json, "event");
	l->category = text_of(l->json, "category");
	l->source = text_of(l->json, "source");
	l->id = number_of(l->json, "id");
	l->repeated = number_of(l->json, "repeated");
	l->lost = number_of(l->json, "lost");
	take_fields(l);
	const bool is_own = event_is_of(line, l->process); /* and does not say later that it is another's */
	if (is_own && strlen(l->time) == EVENT_LINE_TIME && *l->process != 0 && *l->event != 0 && *l->category != 0 &&
	    event_severity_of(view_str(text_of(l->json, "severity")), &l->severity))
		return true;
	event_line_fini(l);
	return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "found \"%s\", want a line of JSON with time, process, severity, event and category",
		       text_escaped(shown, sizeof shown, view_first(line, 60)));
}

void event_line_fini(struct event_line *l)
{
	json_decref(l->json);
	l->json = NULL;
}

const char *event_line_field(const struct event_line *l, const char *name)
{
	for (size_t i = 0; i < l->n_fields; i++)
		if (strcmp(l->fields[i].name, name) == 0)
			return l->fields[i].value;
	return "";
}

void event_line_show(const struct event_line *l, struct out *o)
{
	event_show(o, l->time, l->process, event_severity_name(l->severity), l->event, l->source, l->fields, l->n_fields, l->repeated, l->lost);
}
