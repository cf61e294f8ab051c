/* options.c - options of commands: those that find the MTA, --json and --help are everybody's, the others are in a table of the command's own. */
#include "proc/ctl/ctl_int.h"

#include "base/text.h"
#include "sys/settings_unit.h"

#include <getopt.h>

enum { OPTIONS_MAX = 32, ALL = 5 /* everybody's */, PATIENCE = 255 /* what getopt gives for it */,
       FIRST_OWN = 256 /* what getopt gives for the first of the table */ };

bool ctl_size(struct ctl *c, const char *option, const char *text, uint64_t *octets_r)
{
	if (settings_size(view_str(text), octets_r))
		return true;
	ctl_say(c, CTL_USAGE, "--%s \"%s\": want a size, as 4096, 64K, 1M", option, text);
	return false;
}

bool ctl_age(struct ctl *c, const char *option, const char *text, uint64_t *ms_r)
{
	if (settings_duration(view_str(text), ms_r))
		return true;
	ctl_say(c, CTL_USAGE, "--%s \"%s\": want a time, as 30s, 10min, 2h, 1d", option, text);
	return false;
}

bool ctl_patience(const char *text, uint64_t *ms_r)
{
	uint64_t seconds;
	if (!text_uint(view_str(text), 24 * 3600, &seconds))
		return settings_duration(view_str(text), ms_r);
	*ms_r = seconds * 1000;
	return true;
}

bool ctl_no_more(struct ctl *c, int argc, char **argv)
{
	if (optind < argc)
		ctl_say(c, CTL_USAGE, "found \"%.40s\", want no argument", argv[optind]);
	return optind == argc;
}

static bool take(struct ctl *c, const struct ctl_option *x)
{
	if (x->flag != NULL)
		*x->flag = true;
	else if (x->text != NULL)
		*x->text = optarg;
	else if (x->octets != NULL)
		return ctl_size(c, x->name, optarg, x->octets);
	else if (x->ms != NULL)
		return ctl_age(c, x->name, optarg, x->ms);
	else
		return x->take(c, x->name, optarg);
	return true;
}

static const struct ctl_option *of_letter(const struct ctl_option *own, int letter)
{
	while (own->letter != letter)
		own++;
	return own;
}

bool ctl_options(struct ctl *c, int argc, char **argv, const char *usage, const struct ctl_option *own, size_t n)
{
	struct option longs[OPTIONS_MAX] = { { "config", 1, NULL, 'c' }, { "directory", 1, NULL, 'd' }, { "json", 0, NULL, 'j' }, { "help", 0, NULL, 'h' },
					       { "patience", 1, NULL, PATIENCE } };
	char letters[8 + OPTIONS_MAX] = "c:d:jh";
	size_t n_letters = strlen(letters);
	const char *config = NULL;
	bool has_directory = false;
	assert(n + ALL + 1 <= OPTIONS_MAX);
	for (size_t i = 0; i < n; i++) {
		longs[ALL + i] = (struct option){ own[i].name, own[i].flag == NULL, NULL, FIRST_OWN + (int)i };
		if (own[i].letter != 0)
			letters[n_letters++] = own[i].letter; /* flags all */
	}
	for (int o; (o = getopt_long(argc, argv, letters, longs, NULL)) != -1;)
		switch (o) {
		case 'c': config = optarg; break;
		case 'd':
			has_directory = true;
			snprintf(c->directory, sizeof c->directory, "%s", optarg);
			break;
		case 'j': c->json = true; break;
		case 'h':
			puts(usage);
			c->status = CTL_DONE;
			return false;
		case PATIENCE:
			if (ctl_patience(optarg, &c->patience_ms))
				break;
			c->status = ctl_say(c, CTL_USAGE, "--patience \"%s\": want seconds, as 30, or a time, as 2min", optarg);
			return false;
		case '?':
			c->status = CTL_USAGE;
			return false;
		default:
			if (!take(c, o >= FIRST_OWN ? &own[o - FIRST_OWN] : of_letter(own, o)))
				return false;
		}
	if (config != NULL || has_directory) /* else what the environment says */
		c->config = config;
	return true;
}
