/* track.c - see track.h. */
#include "flow/store/track.h"

int track_event(enum store_step_kind kind, enum message_kind of, bool gateway)
{
	static const int16_t events[][6] = {
#define X(kind, name, message, probe, report, gw_message, gw_probe, gw_report)                                                              \
	[STEP_##kind] = {message, report, probe, gw_message, gw_report, gw_probe}, /* in the order of enum message_kind */
#include "flow/store/track_table.h"
#undef X
	};
	if ((size_t)kind >= ARRAY_LEN(events) || kind < STEP_SUBMITTED || of > MESSAGE_PROBE)
		return TRACK_NO_EVENT;
	return events[kind][(size_t)of + (gateway ? 3 : 0)];
}

const char *track_event_name(int event)
{
	switch (event) {
	case 0: return "message transfer in";
	case 1: return "probe transfer in";
	case 2: return "report transfer in";
	case 4: return "message submitted";
	case 5: return "probe submitted";
	case 6: return "probe transfer out";
	case 7: return "message transfer out";
	case 8: return "report transfer out";
	case 9: return "message delivered";
	case 10: return "report delivered";
	case 26: return "distribution list expanded";
	case 28: return "redirected";
	case 29: return "rerouted";
	case 31: return "downgraded to 1984";
	case 33: return "report absorbed";
	case 34: return "report generated";
	case 43: return "unroutable report discarded";
	case 50: return "message deleted by an operator";
	case 51: return "probe deleted by an operator";
	case 52: return "report deleted by an operator";
	case 1003: return "message to a gateway";
	case 1004: return "message from a gateway";
	case 1005: return "report from a gateway";
	case 1006: return "report to a gateway";
	case 1007: return "gateway made a non-delivery report";
	default: return "";
	}
}
