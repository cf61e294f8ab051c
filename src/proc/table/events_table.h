/* events_table.h - every kind of event: X(SYMBOL, name, id, severity, category, Exchange source and number for the same fact, sentence).
 * Ids are for ever: new rows take new numbers. */
#pragma once
#include "sys/event.h"

#define EVENTS(X)                                                                                                                        \
	X(PROCESS_READY, "process.ready", 100, INFO, "process", "", "a process is up")                                  \
	X(PROCESS_STOPPED, "process.stopped", 101, INFO, "process", "", "a process has ended as asked")                 \
	X(CHANNEL_CLOSED, "process.channel-closed", 102, WARNING, "process", "", "the channel to another process has ended")             \
	X(SUPERVISOR_UP, "supervisor.up", 110, NOTICE, "process", "MSExchangeMTA 9298", "every process has started and is ready")               \
	X(SUPERVISOR_STOPPING, "supervisor.stopping", 111, NOTICE, "process", "", "asked to end: links first, the switch last")                 \
	X(SUPERVISOR_DOWN, "supervisor.down", 112, NOTICE, "process", "MSExchangeMTA 9299", "every process has ended")                          \
	X(SUPERVISOR_LISTENING, "supervisor.listening", 113, INFO, "process", "", "an address is bound; the processes of the kind named accept on it") \
	X(PROCESS_STARTED, "process.started", 114, INFO, "process", "", "a process was started")                                                \
	X(PROCESS_FAULT, "process.fault", 115, ALARM, "process", "", "a process has died by a fault of its own; what it had in hand gets a strike; see its last words") \
	X(PROCESS_ENDED, "process.ended", 116, WARNING, "process", "", "a process has ended unasked, but not by a fault: nothing is charged")   \
	X(PROCESS_RESTART, "process.restart", 117, NOTICE, "process", "", "a process will be started again after the delay")                    \
	X(PROCESS_HUNG, "process.hung", 118, ERROR, "process", "", "a process makes no progress: it is ended, as a fault")                      \
	X(PROCESS_KILLED, "process.killed", 119, WARNING, "process", "", "a process did not end in its time and was killed")                    \
	X(PROCESS_UNKILLABLE, "process.unkillable", 122, ERROR, "process", "", "a process does not end even when killed: a call of the system keeps it, as of a file server that hangs; the others are ended without it") \
	X(PROCESS_UNSTARTED, "process.unstarted", 120, ALARM, "process", "", "a process could not be started: the system has no room")          \
	X(LINK_SETTINGS, "link.settings", 169, NOTICE, "process", "", "a link was added or removed by new settings, or its associations are opened anew by them: see what") \
	X(CONFIG_DOUBTFUL, "config.doubtful", 121, WARNING, "process", "", "the settings are right, but hardly meant: see what") \
	X(EVENTS_LOST, "events.lost", 130, WARNING, "events", "", "so many events could not be passed to the recorder, since it was not there or did not read: they are on standard error only") \
	X(RECORDER_FILE_FAILED, "recorder.file-failed", 131, ERROR, "events", "", "the file of events cannot be written: see why; nothing waits for it, it is tried again each second") \
	X(RECORDER_FILE_AGAIN, "recorder.file-again", 132, NOTICE, "events", "", "the file of events is written again; so many events are missing in it") \
	X(RECORDER_NONSENSE, "recorder.nonsense", 133, WARNING, "events", "", "a line that looked like an event is none: it was dropped") \
	X(RECORDER_ROTATED, "recorder.rotated", 134, INFO, "events", "", "the file of events was long enough and was put aside; a new one is begun") \
	X(RECORDER_NOT_ROTATED, "recorder.not-rotated", 135, ERROR, "events", "", "the file of events cannot be put aside: see why; it grows meanwhile, and is tried again each minute") \
	X(RECORDER_JOURNAL_FAILED, "recorder.journal-failed", 136, ERROR, "events", "", "the journal of the system does not take events: see why; each is offered to it all the same") \
	X(RECORDER_JOURNAL_AGAIN, "recorder.journal-again", 137, NOTICE, "events", "", "the journal takes events again; so many events are missing in it") \
	X(RECORDER_SLOW, "recorder.follower-slow", 138, NOTICE, "events", "", "who follows events reads too slowly: so many of them were dropped for it; everybody else has them") \
	X(RECORDER_ENDED, "recorder.ended", 139, NOTICE, "events", "", "every other process has ended: there are no more events before the next start") \
	X(WIRETRACE_BEGUN, "link.trace-begun", 140, NOTICE, "x400", "", "the octets of a link's connections are written to a file: it has passwords and mail in it") \
	X(WIRETRACE_ENDED, "link.trace-ended", 141, NOTICE, "x400", "", "a trace of a link has ended: see why") \
	X(ASSOC_IN, "link.inbound", 200, INFO, "x400", "", "a peer has opened an association")                                            \
	X(ASSOC_REFUSED, "link.inbound-refused", 201, WARNING, "x400", "MSExchangeMTA 1293", "a peer's bind was refused: see why")         \
	X(ASSOC_UNKNOWN, "link.unknown-peer", 202, WARNING, "x400", "MSExchangeMTA 51", "an MTA that no link names has tried to bind")     \
	X(ASSOC_CREDENTIALS, "link.bad-credentials", 203, WARNING, "x400", "MSExchangeMTA 48", "a peer has given a wrong password")        \
	X(ASSOC_ENDED, "link.association-ended", 204, WARNING, "x400", "MSExchangeMTA 1294", "an association has ended abnormally")        \
	X(ASSOC_RELEASED, "link.released", 205, DEBUG, "x400", "", "an association was released in order")                                \
	X(ASSOC_OUT, "link.outbound", 206, INFO, "x400", "", "an association to a peer is open")                                          \
	X(OPEN_FAILED, "link.open-failed", 207, WARNING, "x400", "MSExchangeMTA 289", "an association could not be opened; the next attempt follows after the open interval") \
	X(ASSOC_LIMIT, "link.association-limit", 208, WARNING, "x400", "MSExchangeMTA 57", "the limit of associations is reached; the caller was told busy") \
	X(TSEL_UNKNOWN, "link.unknown-selector", 209, WARNING, "x400", "MSExchangeMTA 4293", "a caller has named a transport selector that no link has") \
	X(ASSOC_RECOVER, "link.recover-refused", 210, INFO, "x400", "", "a peer wanted to recover a broken association; it was told busy and opens afresh") \
	X(LINK_MEMORY, "link.memory", 211, WARNING, "x400", "", "messages on their way in hold as much memory as limits.memory allows: callers and transfers are answered busy") \
	X(LINK_MEMORY_FREE, "link.memory-free", 212, NOTICE, "x400", "", "messages on their way in hold less than three quarters of limits.memory: callers are taken again") \
	X(LINK_CLAMPED, "link.associations-clamped", 213, WARNING, "x400", "", "limits.associations is more than the system's limit of open descriptors allows: it is lowered") \
	X(ASSOC_BUSY, "link.busy", 214, WARNING, "x400", "", "nothing can be taken in now: a caller was told busy and will try again") \
	X(ASSOC_HOST, "link.wrong-host", 215, WARNING, "x400", "MSExchangeMTA 9301", "a caller has the name of a link, but calls from a host that is not among its peer-hosts") \
	X(ASSOC_MODE, "link.wrong-mode", 216, WARNING, "x400", "MSExchangeMTA 55", "a caller uses another protocol or dialogue mode than its link takes") \
	X(ASSOC_CROWD, "link.crowd", 217, WARNING, "x400", "", "one address has too many connections open that do not bind: more are closed") \
	X(ASSOC_RECOVERED, "link.recovered", 218, INFO, "x400", "", "a broken association was recovered") \
	X(TRANSFER_RESUMED, "link.transfer-resumed", 219, INFO, "x400", "", "a transfer that was broken off goes on from its last checkpoint") \
	X(TLS_FAILED, "link.tls-failed", 220, WARNING, "x400", "", "TLS was not agreed on: see why") \
	X(TURN_LOST, "link.turn", 221, WARNING, "x400", "", "mail waits, and the peer has not given the turn: the association is ended") \
	X(NETWORK_CHANGED, "link.network", 222, INFO, "x400", "", "the host's network has changed: links that wait try again now") \
	X(OPEN_RETRIES, "link.open-retries", 223, ERROR, "x400", "MSExchangeMTA 301", "a link could not be opened as often as max-open-retries: what has waited for all of them is rerouted or reported") \
	X(NETWORK_UNTOLD, "link.network-untold", 224, WARNING, "x400", "", "the system does not tell of changes of its network: links that wait are tried at their intervals only") \
	X(AUTH_REFUSED, "link.credentials-refused", 225, ALARM, "x400", "MSExchangeMTA 1290", "a peer refuses our name or password: its mail waits until the settings of both agree") \
	X(SSEL_IGNORED, "link.selector-ignored", 226, WARNING, "x400", "", "a session selector is set for a link in X.410 mode, which has none: it is not sent") \
	X(SCHEDULE_CHANGED, "link.schedule", 227, INFO, "x400", "MSExchangeMTA 37", "a link's schedule has opened or closed") \
	X(MONITOR_WARNING, "monitor.warning", 230, WARNING, "x400", "", "no probe of the link monitor has been answered for monitor.warning: see the link's errors and queue, and ask its other side") \
	X(MONITOR_ALERT, "monitor.alert", 231, ALARM, "x400", "", "no probe of the link monitor has been answered for monitor.alert: the link, or the MTA behind it, does not pass mail") \
	X(MONITOR_OK, "monitor.ok", 232, NOTICE, "x400", "", "a probe of the link monitor was answered again") \
	X(MESSAGE_REROUTED, "message.rerouted", 314, NOTICE, "message", "MSExchangeMTA 287", "a message goes another way, since its link has failed") \
	X(MESSAGE_REDIRECTED, "message.redirected", 315, NOTICE, "message", "", "a recipient was replaced by an alternate recipient") \
	X(LIST_EXPANDED, "message.expanded", 316, NOTICE, "message", "", "a distribution list was expanded") \
	X(LIST_REFUSED, "message.list-refused", 317, NOTICE, "message", "MSExchangeMTA 150", "a distribution list was not expanded: see why") \
	X(REPORT_AGAIN, "message.report-again", 319, NOTICE, "message", "", "a second report about the same recipient has come") \
	X(PARTIAL_DROPPED, "message.partial-dropped", 318, NOTICE, "message", "", "what was kept of a transfer that was broken off was dropped: the recovery timeout is over, or there is no room for it") \
	X(DECODE_FAILED, "message.undecodable", 300, ERROR, "message", "MSExchangeMTA 200", "octets of a peer are not a P1 message: they are taken as they are, for the quarantine; or they break after the envelope: that message is reported")       \
	X(MESSAGE_IN, "message.in", 301, DEBUG, "message", "", "a message was taken in")                                                  \
	X(MESSAGE_OUT, "message.out", 302, DEBUG, "message", "", "a message was handed over")                                             \
	X(MESSAGE_RETRY, "message.retry", 303, NOTICE, "message", "", "a transfer has failed and will be tried again")                    \
	X(MESSAGE_REPORTED, "message.not-delivered", 304, NOTICE, "message", "MSExchangeMTA 290", "a non-delivery report was made")        \
	X(MESSAGE_DUPLICATE, "message.duplicate", 305, NOTICE, "message", "", "a message came again after its confirmation was lost; it was confirmed and not stored") \
	X(MESSAGE_LOOP, "message.loop", 306, WARNING, "message", "MSExchangeMTA 201", "a message has been here before: reported")          \
	X(MESSAGE_AGAIN, "message.placed-again", 320, INFO, "message", "", "a message that waited for a link is placed again: that link is in the settings no more, or other routes hold now") \
	X(MESSAGE_DISCARDED, "message.report-discarded", 307, NOTICE, "message", "MSExchangeMTA 141", "a report could not be routed; there is no report about a report") \
	X(MESSAGE_REFUSED, "message.refused", 308, WARNING, "message", "", "an offer could not be taken now; the peer will try again")    \
	X(MESSAGE_STRUCK, "message.struck", 309, WARNING, "message", "", "a message or input was in the hands of a process that died by a fault: one strike; it is handled alone from now on") \
	X(MESSAGE_CLEARED, "message.cleared", 310, NOTICE, "message", "", "a suspect was handled alone without harm: it is none any more") \
	X(MESSAGE_QUARANTINED, "message.quarantined", 311, ALARM, "message", "", "a message was put into quarantine and reported to its originator; see posthorn quarantine") \
	X(OCTETS_QUARANTINED, "message.octets-quarantined", 312, ALARM, "message", "MSExchangeMTA 200", "octets of a peer that cannot be read were confirmed and put into quarantine; see posthorn quarantine") \
	X(MESSAGE_UNREPORTED, "message.unreported", 313, ERROR, "message", "", "a message was put into quarantine, and no report could be made") \
	X(STORE_FAILED, "store.failed", 400, ALARM, "store", "MSExchangeMTA 2143", "the store has failed; the switch ends and starts again from what is on disk") \
	X(STORE_FULL, "store.full", 401, ALARM, "store", "MSExchangeMTA 9411", "the disk is full: nothing is taken in until there is room") \
	X(STORE_ROOM, "store.room", 402, NOTICE, "store", "", "the disk has room again")                                                  \
	X(STORE_OPEN, "store.open", 403, INFO, "store", "", "the store is open, with so much in it")                                      \
	X(STORE_DAMAGED, "store.damaged-row", 404, ERROR, "store", "MSExchangeMTA 3150", "a stored message cannot be read")              \
	X(STORE_LOW, "store.low", 405, ALARM, "store", "MSExchangeMTA 9411", "free disk is under store.min-free: nothing is taken in, what is there goes on") \
	X(BUSY_BEGUN, "store.busy", 406, WARNING, "store", "", "nothing can be taken in now: peers are answered busy") \
	X(BUSY_ENDED, "store.busy-ended", 407, NOTICE, "store", "", "mail is taken in again") \
	X(TRACKING_LOST, "store.tracking-lost", 408, ERROR, "store", "MSExchangeMTA 2026", "steps of journeys could not be written; mail goes on") \
	X(CONFIG_RELOADED, "config.reloaded", 150, NOTICE, "operator", "", "new settings are in force: who has asked for it, and how many changes there are") \
	X(CONFIG_CHANGED, "config.changed", 151, NOTICE, "operator", "", "one of those changes; of more than 50 the first") \
	X(CONFIG_SAME, "config.unchanged", 152, NOTICE, "operator", "", "the settings were read again, and nothing in them has changed") \
	X(CONFIG_REFUSED, "config.refused", 153, WARNING, "operator", "", "new settings are right, and yet nothing was changed: see why") \
	X(CONFIG_WRONG, "config.wrong", 154, ERROR, "operator", "", "new settings are wrong, or could not be read: nothing was changed; see where and why") \
	X(OPERATOR_ACT, "operator.act", 600, NOTICE, "operator", "", "an operator has changed something: who, what, why") \
	X(CONNECTOR_IN, "connector.registered", 700, INFO, "connector", "", "a connector has registered for its link") \
	X(CONNECTOR_REFUSED, "connector.refused", 701, WARNING, "connector", "", "a program has tried to register as a connector and was refused") \
	X(CONNECTOR_LOST, "connector.lost", 702, WARNING, "connector", "", "a connector has gone") \
	X(CONNECTOR_HUNG, "connector.hung", 703, ERROR, "connector", "", "a connector makes no progress: its channel is ended, what it had in hand gets a strike") \
	X(CONNECTOR_NONSENSE, "connector.nonsense", 704, ERROR, "connector", "", "a connector has sent what makes no sense: its channel is ended, what it had in hand gets a strike") \
	X(CONNECTOR_MISSED, "connector.missed", 705, WARNING, "connector", "", "mail waits for a link whose connector has not registered, or has gone") \
	X(INTERCHANGE_UP, "interchange.attached", 800, INFO, "msmail", "", "a postoffice is attached: mail goes both ways") \
	X(INTERCHANGE_DOWN, "interchange.detached", 801, ERROR, "msmail", "", "a postoffice cannot be used: see why; it is tried again, each time a little later") \
	X(INTERCHANGE_LOCKED, "interchange.locked", 802, WARNING, "msmail", "MSExchangeMSMI 2302", "somebody holds a lock of the postoffice longer than lock-patience: see who; it is tried again") \
	X(MSMAIL_TAKEN, "msmail.taken", 803, INFO, "msmail", "MSExchangeMSMI 2444", "a message was taken from INQUEUE3, or from an FFAPI directory, and is the switch's now") \
	X(MSMAIL_PASSED, "msmail.passed", 804, INFO, "msmail", "MSExchangeMSMI 2448", "a message was passed to Microsoft Mail") \
	X(MSMAIL_RETURNED, "msmail.returned", 805, NOTICE, "msmail", "MSExchangeMSMI 2117", "a notice of non-delivery was put into the mailbag of a Microsoft Mail sender") \
	X(MSMAIL_NO_USER, "msmail.no-user", 806, NOTICE, "msmail", "MSExchangeMSMI 2371", "a recipient is not known at the postoffice: reported with [002]") \
	X(MSMAIL_NO_ROUTE, "msmail.no-route", 807, NOTICE, "msmail", "MSExchangeMSMI 2375", "no mailbag leads to a recipient's postoffice: reported; a route of the settings leads here that no postoffice serves") \
	X(MSMAIL_FAILED, "msmail.failed", 808, WARNING, "msmail", "MSExchangeMSMI 2446", "a message could not be passed to Microsoft Mail: see why") \
	X(MSMAIL_HEADER_CUT, "msmail.header", 809, NOTICE, "msmail", "MSExchangeMSMI 2604", "a message has more names of recipients than header-limit") \
	X(MSMAIL_SERIAL, "msmail.serial", 810, WARNING, "msmail", "MSExchangeMSMI 4188", "two postoffices that meet here have the same serial number: one of them has to get another") \
	X(MSMAIL_STRUCK, "msmail.struck", 811, WARNING, "msmail", "", "a message on its way in was in hand when a process died by a fault: one strike; the others go before it") \
	X(MSMAIL_QUARANTINED, "msmail.quarantined", 812, ALARM, "msmail", "MSExchangeMSMI 2380", "a message of Microsoft Mail was put into quarantine as it is, and its sender told; see posthorn quarantine") \
	X(MSMAIL_NO_FILE, "msmail.no-file", 813, WARNING, "msmail", "", "a record of INQUEUE3 names a message file that is not there: its sender is told with [016]") \
	X(MSMAIL_NO_ATTACHMENT, "msmail.no-attachment", 814, WARNING, "msmail", "", "an attachment is not there: the message goes on without it, with a line that says so [018]") \
	X(MSMAIL_CODE_PAGE, "msmail.code-page", 815, WARNING, "msmail", "MSExchangeMSMI 2597", "a code page is not known here: some characters are replaced. Said once") \
	X(MSMAIL_REFUSED, "msmail.refused", 816, NOTICE, "msmail", "", "the switch has refused a message, or some recipients of it, for good: the sender is told") \
	X(MSMAIL_NOTICE, "msmail.notice", 817, INFO, "msmail", "MSExchangeMSMI 2117", "a mover's notice about mail of ours was made a report") \
	X(MSMAIL_NOTICE_FAILED, "msmail.notice-failed", 818, WARNING, "msmail", "MSExchangeMSMI 2568", "a notice or report could not be passed on: see why") \
	X(MSMAIL_REPORT_DROPPED, "msmail.report-dropped", 819, DEBUG, "msmail", "", "a delivery report has no form in Microsoft Mail: it ends here") \
	X(MSMAIL_ACCUSED, "msmail.file-server", 820, ALARM, "msmail", "", "a process has died, or was ended, while it waited for the file server: no message is charged") \
	X(MSMAIL_DAMAGED, "msmail.damaged-record", 821, ERROR, "msmail", "", "a record of INQUEUE3 cannot be read: it is left there; see posthorn postoffice check") \
	X(FFAPI_BAD, "ffapi.bad-file", 822, WARNING, "msmail", "", "an FFAPI message file cannot be read: it was moved into BAD, with the reason beside it") \
	X(INTERCHANGE_JOURNAL, "interchange.journal", 823, ERROR, "msmail", "", "a journal in the store's directory cannot be read or written: see why") \
	X(INTERCHANGE_HEALTH, "interchange.health", 824, WARNING, "msmail", "", "the postoffice works, but see what") \
	X(INTERCHANGE_LOST, "interchange.sent-lost", 825, WARNING, "msmail", "", "lines of a journal were damaged and are passed over") \
	X(MSMAIL_LEFT, "msmail.left", 826, WARNING, "msmail", "", "a message on its way in cannot be handled now: it stays where it is, the others go on, and it is tried again; see why") \
	X(MSMAIL_ENVELOPE_LOST, "msmail.envelope-lost", 827, ERROR, "msmail", "", "the envelope (P1) of a message in INQUEUE3 is gone: who has the message keeps it, of all others its sender is told with [021], where its file still says who that is") \
	X(MOVER_ATTACHED, "mover.attached", 850, INFO, "msmail", "", "a mover has attached its postoffice") \
	X(MOVER_DETACHED, "mover.detached", 851, ERROR, "msmail", "", "a mover cannot work on its postoffice: see why; it is tried again at every interval") \
	X(MOVER_PEER, "mover.peer", 852, NOTICE, "msmail", "", "what is known of a peer has changed: START, UNINIT (our own postoffice is not attached), OK, ERROR (not reached), FULL, FAILED (not to be used: see why) or NO-REF (no mailbag here is for it)") \
	X(MOVER_SERIAL, "mover.duplicate-serial", 853, ALARM, "msmail", "MSExchangePCMTA 4188", "a peer has the serial number of our own postoffice: nothing is moved between them until one of them has another") \
	X(MOVER_LOCKED, "mover.locked", 854, WARNING, "msmail", "MSExchangePCMTA 4254", "somebody else has held a mailbag for longer than lock-patience: see who; its mail waits, and nothing is counted against it") \
	X(MOVER_ENVELOPE_BAD, "mover.envelope-corrupt", 855, ERROR, "msmail", "MSExchangePCMTA 4355", "the envelope (P1) of a message cannot be read: its sender is told with [024]") \
	X(MOVER_ENVELOPE_EMPTY, "mover.envelope-empty", 856, WARNING, "msmail", "MSExchangePCMTA 4395", "a record is for nobody: it was dropped") \
	X(MOVER_DIRS_MADE, "mover.directories-made", 857, WARNING, "msmail", "MSExchangePCMTA 4536", "directories of a postoffice were missing, and have been made") \
	X(MOVER_MAI_MISSING, "mover.message-missing", 858, ERROR, "msmail", "MSExchangePCMTA 4304", "a record names a message file that is not there: its sender is told with [016], where somebody knows him") \
	X(MOVER_NOTICE, "mover.notice", 859, NOTICE, "msmail", "MSExchangeMSMI 2117", "a notice of non-delivery was made") \
	X(MOVER_OUT, "mover.out", 860, DEBUG, "msmail", "", "a message was put into a peer") \
	X(MOVER_IN, "mover.in", 861, DEBUG, "msmail", "MSExchangeMSMI 2444", "a message was taken from INQUEUE3 and put into mailbags") \
	X(MOVER_UNTOLD, "mover.untold", 862, NOTICE, "msmail", "", "a message could not be delivered, and nobody is to be told: it is a notice itself, or has no sender") \
	X(MOVER_STRUCK, "mover.strike", 863, ERROR, "msmail", "", "a message has ended the process that worked on it: it is counted, and at limits.strikes set aside") \
	X(MOVER_ASIDE, "mover.set-aside", 864, ALARM, "msmail", "MSExchangeMSMI 2380", "a message that ends the process that works on it was set aside, with its files, in the directory named; its sender is told with [012]") \
	X(MOVER_LOG_LOST, "mover.log-lost", 865, WARNING, "msmail", "", "a line of SENT.LOG or RECV.LOG could not be written; mail goes on") \
	X(MOVER_PENDING, "mover.pending", 866, WARNING, "msmail", "MSExchangeMSMI 2010", "a mailbag could not be written: the recipients there wait, all others are served") \
	X(MOVER_UNWATCHED, "mover.unwatched", 867, INFO, "msmail", "", "the system does not tell of changes in this postoffice: rounds begin at the interval only") \
	X(MOVER_LEFT, "mover.left", 868, WARNING, "msmail", "", "a message could not be moved now and will be tried again") \
	X(MOVER_RECORD_BAD, "mover.record-unreadable", 869, ERROR, "msmail", "", "a record of a mailbag cannot be read: it is left alone, the others go on") \
	X(MOVER_FORGETFUL, "mover.state-lost", 870, ERROR, "msmail", "", "what a mover has to remember (attempts, strikes) could not be written to the store's directory") \
	X(MOVER_GAVE_UP, "mover.gave-up", 871, WARNING, "msmail", "", "a message was tried as often and as long as retries and give-up say: its sender is told with [005]") \
	X(MOVER_SWEPT, "mover.swept", 872, INFO, "msmail", "", "files that nobody names were removed") \
	X(MOVER_SHORT, "mover.no-room", 873, WARNING, "msmail", "MSExchangePCMTA 4254", "a peer has less room than min-free and the message: it waits, smaller ones and other peers go on") \
	X(MOVER_ENVELOPE_LOST, "mover.envelope-lost", 874, ERROR, "msmail", "", "the envelope (P1) of a message in INQUEUE3 is gone: who has the message keeps it, of all others its sender is told with [021], where its file still says who that is") \
	X(CONSOLE_LOGIN, "console.login", 901, NOTICE, "console", "", "somebody has logged in to the console") \
	X(CONSOLE_LOGIN_FAILED, "console.login-failed", 902, WARNING, "console", "", "somebody has tried to log in with a name or password that is wrong") \
	X(CONSOLE_SLOWED, "console.login-slowed", 903, WARNING, "console", "", "so many logins of an address or a name have failed that further ones are refused for a while, unlooked at") \
	X(CONSOLE_LOGOUT, "console.logout", 904, INFO, "console", "", "somebody has logged out") \
	X(CONSOLE_REFUSED, "console.refused", 905, WARNING, "console", "", "a request was refused: it was meant for another host, came from a page of another site, or had not the token of its session") \
	X(CONSOLE_FORBIDDEN, "console.forbidden", 906, WARNING, "console", "", "a viewer has tried to act") \
	X(CONSOLE_ACT, "console.act", 907, NOTICE, "operator", "", "an operator has acted by the console: what it did is told by the switch") \
	X(CONSOLE_VIEWERS, "console.viewers", 908, WARNING, "console", "", "as many pages as console.viewers allows, or allows to one user, follow live: another one was told to come later") \
	X(CONSOLE_CUT, "console.viewer-cut", 909, INFO, "console", "", "a page did not take its live updates and was cut off; it connects again by itself") \
	X(CONSOLE_HELD, "console.answers-held", 910, WARNING, "console", "", "answers that browsers were slow to take, of one user, of one address or of all, fill the memory that there is for them: a request was told to come again") \
	X(CONSOLE_UPSTREAM, "console.upstream", 911, INFO, "console", "", "a process that the console asks has come or gone") \
	X(CONSOLE_MALFORMED, "console.malformed", 912, WARNING, "console", "", "a request was turned away that made no sense, was too long or too slow") \
	X(TRACKING_SHORT, "tracking.short", 340, NOTICE, "store", "", "the steps of tracking take as much as store.tracking-size allows: the oldest went before keep-tracking was over; what came so many minutes ago or earlier is no longer in any journey, nor known as a duplicate when it comes again") \
	X(CONVERT_FAILED, "content.not-converted", 501, WARNING, "content", "MSExchangeMTA 210", "a content could not be converted for its link") \
	X(BACKUP_DONE, "backup.done", 950, NOTICE, "store", "", "a backup of the store was made: it is whole, and all of it is on disk") \
	X(BACKUP_FAILED, "backup.failed", 951, ERROR, "store", "", "a backup of the store could not be made, see why: nothing is left of it, and the last one that was made is the one to have") \
	X(RENDER_FAILED, "content.failed", 500, WARNING, "content", "", "a content could not be shown")

enum event {
#define X(symbol, name, id, severity, category, source, sentence) EV_##symbol,
	EVENTS(X)
#undef X
	EVENT_KINDS
};

extern const struct event_kind event_kinds[EVENT_KINDS];
