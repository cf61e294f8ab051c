/* show.c - `posthorn show`: one stored message, by any of its ids: the envelope, and the content as text. */
#include "proc/ctl/quarantine_int.h"

#include "base/text.h"
#include "proc/content/render.h"


static void ask_show(struct ctl *c)
{
	const uint64_t *id = c->user;
	const struct msg_render m = { .id = 1, .delivery = *id, .err = { .reason = -1, .diagnostic = -1 } };
	put_msg_render(chan_begin(c->chan, MSG_SHOW), &m);
	chan_end(c->chan);
}

static bool on_shown(void *ctx, struct view payload, struct err *e)
{
	return ctl_print_rendered(ctx, payload, e);
}

static const char usage[] =
	"usage: posthorn show -c FILE ID\n\n"
	"One stored message by the number of it, of a transfer, of an entry in a mailbox, or of what\n"
	"is in quarantine: its envelope, and its content as a content process shows it. Octets that\n"
	"nobody has decoded are shown as such, with what of them can be read.\n\n"
	CTL_FIND CTL_STATUSES;

int ctl_show(int argc, char **argv)
{
	static const struct chan_type types[] = { { .type = MSG_SHOWN_MAIL, .name = "SHOWN_MAIL", .handle = on_shown, .max = CHAN_FRAME_MAX } };
	struct ctl c;
	ctl_begin(&c, argv[0]);
	if (!ctl_options(&c, argc, argv, usage, NULL, 0))
		goto out;
	uint64_t id;
	if (optind + 1 != argc || !text_uint(view_str(argv[optind]), UINT64_MAX, &id) || id == 0) {
		ctl_say(&c, CTL_USAGE, "want one number, as queue, read, quarantine and their like list it");
		goto out;
	}
	const struct quarantined it = { .id = id };
	struct out packed;
	out_init(&packed, MSG_ENVELOPE_MAX);
	if (ctl_find_mta(&c) && quarantine_fetch(&c, &it, "envelope", MSG_ENVELOPE_MAX, &packed)) {
		if (out_len(&packed) > 0) /* else octets */
			quarantine_show_envelope(&c, out_view(&packed));
		c.user = &id;
		ctl_converse(&c, "control", types, ARRAY_LEN(types), ask_show);
	}
	out_fini(&packed);
out:
	ctl_end(&c);
	return c.status;
}
