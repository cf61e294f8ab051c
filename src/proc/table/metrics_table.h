/* metrics_table.h - every metric: X(SYMBOL, name, type, unit, scope, RFC 2789 object, Exchange counter for the same, help).
 *
 * type   TOTAL: counts up, durable: kept in the store in the group of what it counts, so right after a restart or a crash
 *        COUNTER: counts up since its process began
 *        GAUGE: how it is now
 *        STAMP: a moment, ms since 1970, durable; shown as seconds; absent: never
 *        WORDS: a text, shown as a label of a metric whose value is 1; empty: absent
 *        HISTOGRAM: since the switch began
 * unit   ONE, OCTETS; MS and US are shown as seconds
 * scope  MTA, LINK (label link), PROCESS (labels process and number; from the board, not from the switch),
 *        SELF (of who prints)
 * METRIC carries the values of its scope in this order. Names of Prometheus: base units, octets as bytes, totals end so. */
#pragma once

#define METRICS(X)                                                                                                                           \
	X(UP, "posthorn_up", GAUGE, ONE, SELF, "", "", "1: the switch has answered; 0: it has not, and only its processes are shown") \
	X(INFO, "posthorn_info", WORDS, ONE, MTA, "", "", "name of this MTA (label mta) and version of Posthorn (label version)")     \
	/* the mtaTable of RFC 2789: all links, mailboxes and submissions together */                                                           \
	X(MTA_RECEIVED_MESSAGES, "posthorn_mta_received_messages_total", TOTAL, ONE, MTA, "mtaReceivedMessages", "MSExchangeMTA: Inbound Messages Total", "messages, probes and reports taken in, from links and submitted here") \
	X(MTA_RECEIVED_OCTETS, "posthorn_mta_received_bytes_total", TOTAL, OCTETS, MTA, "mtaReceivedVolume", "MSExchangeMTA: Inbound Bytes Total", "octets of their content") \
	X(MTA_RECEIVED_RECIPIENTS, "posthorn_mta_received_recipients_total", TOTAL, ONE, MTA, "mtaReceivedRecipients", "MSExchangeMTA: Total Recipients Inbound", "recipients of them that we are responsible for") \
	X(MTA_TRANSMITTED_MESSAGES, "posthorn_mta_transmitted_messages_total", TOTAL, ONE, MTA, "mtaTransmittedMessages", "MSExchangeMTA: Outbound Messages Total", "messages, probes and reports that a peer has confirmed, or that went to a mailbox here; one with several next hops counts for each") \
	X(MTA_TRANSMITTED_OCTETS, "posthorn_mta_transmitted_bytes_total", TOTAL, OCTETS, MTA, "mtaTransmittedVolume", "MSExchangeMTA: Outbound Bytes Total", "octets of their content") \
	X(MTA_TRANSMITTED_RECIPIENTS, "posthorn_mta_transmitted_recipients_total", TOTAL, ONE, MTA, "mtaTransmittedRecipients", "MSExchangeMTA: Total Recipients Outbound", "recipients of them") \
	X(MTA_CONVERTED, "posthorn_mta_converted_messages_total", TOTAL, ONE, MTA, "mtaSuccessfulConvertedMessages", "MSExchangeMTA: Total Successful Conversions", "contents that were converted for a link") \
	X(MTA_CONVERSIONS_FAILED, "posthorn_mta_failed_conversions_total", TOTAL, ONE, MTA, "mtaFailedConvertedMessages", "MSExchangeMTA: Total Failed Conversions", "contents that could not be converted for a link") \
	X(MTA_LOOPS, "posthorn_mta_loops_detected_total", TOTAL, ONE, MTA, "mtaLoopsDetected", "MSExchangeMTA: Total Loops Detected", "messages that have been here before") \
	X(MTA_STORED_MESSAGES, "posthorn_mta_stored_messages", GAUGE, ONE, MTA, "mtaStoredMessages", "MSExchangeMTA: Work Queue Length", "transfers that wait; a message counts once for each next hop") \
	X(MTA_STORED_OCTETS, "posthorn_mta_stored_bytes", GAUGE, OCTETS, MTA, "mtaStoredVolume", "MSExchangeMTA: Work Queue Bytes", "octets of content that wait") \
	X(MTA_STORED_RECIPIENTS, "posthorn_mta_stored_recipients", GAUGE, ONE, MTA, "mtaStoredRecipients", "MSExchangeMTA: Total Recipients Queued", "recipients that wait") \
	/* more of the MTA */                                                                                                                   \
	X(MTA_SUBMITTED, "posthorn_mta_submitted_messages_total", TOTAL, ONE, MTA, "", "", "of those received: messages and probes that were submitted here") \
	X(MTA_DELIVERED, "posthorn_mta_delivered_messages_total", TOTAL, ONE, MTA, "", "", "of those transmitted: entries put into mailboxes here") \
	X(MTA_REPORTED, "posthorn_mta_non_delivery_reports_total", TOTAL, ONE, MTA, "", "", "recipients that were given up and reported so") \
	X(MTA_DUPLICATES, "posthorn_mta_duplicates_total", TOTAL, ONE, MTA, "", "", "messages that came again after their confirmation was lost: confirmed and not stored") \
	X(MTA_DISCARDED, "posthorn_mta_discarded_reports_total", TOTAL, ONE, MTA, "", "", "reports that could not be routed") \
	X(MTA_EXPIRED, "posthorn_mta_expired_total", TOTAL, ONE, MTA, "", "", "transfers whose time was over") \
	X(MTA_STRIKES, "posthorn_mta_strikes_total", TOTAL, ONE, MTA, "", "", "strikes: something was in the hands of a process that died by a fault") \
	X(MTA_QUARANTINES, "posthorn_mta_quarantined_total", TOTAL, ONE, MTA, "", "", "messages and octets that were put into quarantine") \
	X(MTA_QUARANTINE, "posthorn_mta_quarantine", GAUGE, ONE, MTA, "", "", "messages and octets in quarantine now") \
	X(MTA_SUSPECTS, "posthorn_mta_suspects", GAUGE, ONE, MTA, "", "", "messages and inputs with a strike, which are handled alone") \
	X(MTA_HELD, "posthorn_mta_held", GAUGE, ONE, MTA, "", "", "transfers that an operator holds") \
	X(MTA_DEFERRED, "posthorn_mta_deferred", GAUGE, ONE, MTA, "", "MSExchangeMTA: Deferred Delivery Msgs", "messages that wait for their time") \
	X(MTA_PARTIALS, "posthorn_mta_partial_transfers", GAUGE, ONE, MTA, "", "", "transfers on their way in that have a checkpoint") \
	X(MTA_MAILBOX_ENTRIES, "posthorn_mta_mailbox_entries", GAUGE, ONE, MTA, "", "", "messages and reports in mailboxes here") \
	X(MTA_ASSOCIATIONS, "posthorn_mta_associations", GAUGE, ONE, MTA, "", "MSExchangeMTA: Adjacent MTA Associations", "associations that are open, both ways") \
	X(STORE_MESSAGES, "posthorn_store_messages", GAUGE, ONE, MTA, "", "", "messages in the store: in queues, mailboxes and quarantine") \
	X(STORE_FREE, "posthorn_store_free_bytes", GAUGE, OCTETS, MTA, "", "", "octets of disk that are free; absent: the system does not say") \
	X(STORE_MIN_FREE, "posthorn_store_min_free_bytes", GAUGE, OCTETS, MTA, "", "", "store.min-free: with less nothing is taken in") \
	X(STORE_TRACKING_LOST, "posthorn_store_tracking_lost_total", COUNTER, ONE, MTA, "", "", "steps of journeys that could not be written") \
	X(SWITCH_BUSY, "posthorn_switch_busy", GAUGE, ONE, MTA, "", "", "1: nothing is taken in now, peers are answered busy") \
	X(SWITCH_MEMORY, "posthorn_switch_memory_bytes", GAUGE, OCTETS, MTA, "", "", "octets of messages under way in memory") \
	X(SWITCH_MEMORY_LIMIT, "posthorn_switch_memory_limit_bytes", GAUGE, OCTETS, MTA, "", "", "limits.memory: with more nothing is taken in") \
	X(SWITCH_STARTED, "posthorn_switch_start_time_seconds", GAUGE, MS, MTA, "", "", "when the switch began") \
	X(SWITCH_COMMIT, "posthorn_switch_commit_seconds", HISTOGRAM, US, MTA, "", "", "what a commit of the store took") \
	X(MTA_DELAY, "posthorn_mta_delivery_delay_seconds", HISTOGRAM, MS, MTA, "", "", "from a message's arrival to the peer's confirmation, or to the mailbox") \
	/* the mtaGroupTable of RFC 2789: one link */                                                                                           \
	X(LINK_RECEIVED_MESSAGES, "posthorn_link_received_messages_total", TOTAL, ONE, LINK, "mtaGroupReceivedMessages", "MSExchangeMTA Connections: Inbound Messages Total", "messages, probes and reports taken in") \
	X(LINK_RECEIVED_OCTETS, "posthorn_link_received_bytes_total", TOTAL, OCTETS, LINK, "mtaGroupReceivedVolume", "MSExchangeMTA Connections: Inbound Bytes Total", "octets of their content") \
	X(LINK_RECEIVED_RECIPIENTS, "posthorn_link_received_recipients_total", TOTAL, ONE, LINK, "mtaGroupReceivedRecipients", "MSExchangeMTA Connections: Total Recipients Inbound", "recipients of them that we are responsible for") \
	X(LINK_REJECTED_MESSAGES, "posthorn_link_rejected_messages_total", TOTAL, ONE, LINK, "mtaGroupRejectedMessages", "", "offers that were refused for now: the peer tries again") \
	X(LINK_TRANSMITTED_MESSAGES, "posthorn_link_transmitted_messages_total", TOTAL, ONE, LINK, "mtaGroupTransmittedMessages", "MSExchangeMTA Connections: Outbound Messages Total", "messages, probes and reports that the peer has confirmed") \
	X(LINK_TRANSMITTED_OCTETS, "posthorn_link_transmitted_bytes_total", TOTAL, OCTETS, LINK, "mtaGroupTransmittedVolume", "MSExchangeMTA Connections: Outbound Bytes Total", "octets of their content") \
	X(LINK_TRANSMITTED_RECIPIENTS, "posthorn_link_transmitted_recipients_total", TOTAL, ONE, LINK, "mtaGroupTransmittedRecipients", "MSExchangeMTA Connections: Total Recipients Outbound", "recipients of them") \
	X(LINK_STORED_MESSAGES, "posthorn_link_stored_messages", GAUGE, ONE, LINK, "mtaGroupStoredMessages", "MSExchangeMTA Connections: Queue Length", "transfers that wait, those in hand too") \
	X(LINK_STORED_OCTETS, "posthorn_link_stored_bytes", GAUGE, OCTETS, LINK, "mtaGroupStoredVolume", "MSExchangeMTA Connections: Queued Bytes", "octets of their content") \
	X(LINK_STORED_RECIPIENTS, "posthorn_link_stored_recipients", GAUGE, ONE, LINK, "mtaGroupStoredRecipients", "MSExchangeMTA Connections: Total Recipients Queued", "recipients of them") \
	X(LINK_OLDEST, "posthorn_link_oldest_message_age_seconds", GAUGE, MS, LINK, "mtaGroupOldestMessageStored", "MSExchangeMTA Connections: Oldest Message Queued", "since the oldest message that waits has come, held ones left out; absent: none waits") \
	X(LINK_INBOUND, "posthorn_link_inbound_associations", GAUGE, ONE, LINK, "mtaGroupInboundAssociations", "MSExchangeMTA Connections: Current Inbound Associations", "associations that the peer has open") \
	X(LINK_OUTBOUND, "posthorn_link_outbound_associations", GAUGE, ONE, LINK, "mtaGroupOutboundAssociations", "MSExchangeMTA Connections: Current Outbound Associations", "associations that we have open") \
	X(LINK_INBOUND_TOTAL, "posthorn_link_inbound_associations_total", TOTAL, ONE, LINK, "mtaGroupAccumulatedInboundAssociations", "MSExchangeMTA Connections: Cumulative Inbound Associations", "associations that the peer has opened") \
	X(LINK_OUTBOUND_TOTAL, "posthorn_link_outbound_associations_total", TOTAL, ONE, LINK, "mtaGroupAccumulatedOutboundAssociations", "MSExchangeMTA Connections: Cumulative Outbound Associations", "associations that we have opened") \
	X(LINK_LAST_INBOUND, "posthorn_link_last_inbound_activity_timestamp_seconds", STAMP, MS, LINK, "mtaGroupLastInboundActivity", "MSExchangeMTA Connections: Last Inbound Association", "when the peer last opened an association or handed a message over") \
	X(LINK_LAST_OUTBOUND, "posthorn_link_last_outbound_activity_timestamp_seconds", STAMP, MS, LINK, "mtaGroupLastOutboundActivity", "MSExchangeMTA Connections: Last Outbound Association", "when we last opened an association or the peer confirmed a message") \
	X(LINK_LAST_ATTEMPT, "posthorn_link_last_outbound_attempt_timestamp_seconds", STAMP, MS, LINK, "mtaGroupLastOutboundAssociationAttempt", "", "when we last tried to open an association") \
	X(LINK_INBOUND_REJECTED, "posthorn_link_rejected_inbound_associations_total", TOTAL, ONE, LINK, "mtaGroupRejectedInboundAssociations", "MSExchangeMTA Connections: Inbound Rejected Total", "associations of the peer that were refused") \
	X(LINK_OUTBOUND_FAILED, "posthorn_link_failed_outbound_associations_total", TOTAL, ONE, LINK, "mtaGroupFailedOutboundAssociations", "MSExchangeMTA Connections: Failed Outbound Associations", "associations that could not be opened") \
	X(LINK_REJECTION_REASON, "posthorn_link_inbound_rejection_info", WORDS, ONE, LINK, "mtaGroupInboundRejectionReason", "MSExchangeMTA Connections: Inbound Reject Reason", "why the last association of the peer was refused (label reason)") \
	X(LINK_FAILURE_REASON, "posthorn_link_outbound_failure_info", WORDS, ONE, LINK, "mtaGroupOutboundConnectFailureReason", "MSExchangeMTA Connections: Outbound Failure Reason", "why the last association could not be opened (label reason)") \
	X(LINK_RETRY, "posthorn_link_scheduled_retry_seconds", GAUGE, MS, LINK, "mtaGroupScheduledRetry", "MSExchangeMTA Connections: Next Association Retry", "until we try again to open one; absent: nothing is to be tried") \
	X(LINK_CONVERTED, "posthorn_link_converted_messages_total", TOTAL, ONE, LINK, "mtaGroupSuccessfulConvertedMessages", "", "contents that were converted for this link") \
	X(LINK_CONVERSIONS_FAILED, "posthorn_link_failed_conversions_total", TOTAL, ONE, LINK, "mtaGroupFailedConvertedMessages", "", "contents that could not be converted for this link") \
	X(LINK_LOOPS, "posthorn_link_loops_detected_total", TOTAL, ONE, LINK, "mtaGroupLoopsDetected", "", "messages of the peer that have been here before") \
	X(LINK_PROTOCOL, "posthorn_link_info", WORDS, ONE, LINK, "mtaGroupMailProtocol", "", "what the link is, and how it is served (label kind: x400, connector, msmail)") \
	/* more of a link */                                                                                                                    \
	X(LINK_UP, "posthorn_link_up", GAUGE, ONE, LINK, "", "", "1: an association that mail can go out on is open, or none has failed since; 0: attempts to open one fail, no connector serves it, or an operator has stopped it") \
	X(LINK_STATE, "posthorn_link_state_info", WORDS, ONE, LINK, "", "", "its state in words (label state), as posthorn status has it") \
	X(LINK_FAILURES, "posthorn_link_open_failures", GAUGE, ONE, LINK, "", "", "attempts to open an association that have failed in a row") \
	X(LINK_IN_FLIGHT, "posthorn_link_in_flight", GAUGE, ONE, LINK, "", "", "transfers in hand: given to an association and not confirmed") \
	X(LINK_RETRIES, "posthorn_link_transfer_retries_total", TOTAL, ONE, LINK, "", "", "transfers that failed and are tried again") \
	X(LINK_REPORTED, "posthorn_link_given_up_total", TOTAL, ONE, LINK, "", "", "transfers that were given up and reported") \
	X(LINK_REROUTED, "posthorn_link_rerouted_total", TOTAL, ONE, LINK, "", "", "transfers that went another way since this link failed") \
	X(LINK_PARTIALS, "posthorn_link_partial_transfers", GAUGE, ONE, LINK, "", "", "transfers on their way in that may be broken off, or were") \
	X(LINK_DELAY, "posthorn_link_delivery_delay_seconds", HISTOGRAM, MS, LINK, "", "", "from a message's arrival to the peer's confirmation") \
	X(LINK_MONITOR, "posthorn_link_monitor_state", GAUGE, ONE, LINK, "", "", "of its monitor: 0 ok, 1 warning, 2 alert; absent: it is not monitored") \
	X(LINK_MONITOR_TRIP, "posthorn_link_monitor_round_trip_seconds", GAUGE, MS, LINK, "", "", "from the last probe that was answered to its answer") \
	X(LINK_MONITOR_WAITS, "posthorn_link_monitor_unanswered_seconds", GAUGE, MS, LINK, "", "", "since the oldest probe without an answer was sent; 0: none waits for one") \
	X(LINK_MONITOR_SUCCESS, "posthorn_link_monitor_last_success_timestamp_seconds", STAMP, MS, LINK, "", "", "when a probe was last answered") \
	X(LINK_PROBES, "posthorn_link_monitor_probes_total", TOTAL, ONE, LINK, "", "", "probes sent by the monitor") \
	X(LINK_PROBES_ANSWERED, "posthorn_link_monitor_answers_total", TOTAL, ONE, LINK, "", "", "of those, answered") \
	/* processes */                                                                                                                         \
	X(PROCESS_UP, "posthorn_process_up", GAUGE, ONE, PROCESS, "", "", "1: it runs and has said that it is ready") \
	X(PROCESS_STARTED, "posthorn_process_start_time_seconds", GAUGE, MS, PROCESS, "", "", "when it was started last") \
	X(PROCESS_STARTS, "posthorn_process_starts_total", COUNTER, ONE, PROCESS, "", "", "times it was started") \
	X(PROCESS_FAULTS, "posthorn_process_faults_total", COUNTER, ONE, PROCESS, "", "", "times it died by a fault of its own") \
	X(PROCESS_ANSWERED, "posthorn_process_last_answer_timestamp_seconds", GAUGE, MS, PROCESS, "", "", "when it last answered the watchdog; absent: never") \
	X(PROCESS_BUSY, "posthorn_process_busy", GAUGE, ONE, PROCESS, "", "", "1: it has something in hand") \
	X(PROCESS_PROGRESS, "posthorn_process_progress_total", COUNTER, ONE, PROCESS, "", "MSExchangeMTA: % Processor Time of its threads", "steps of its work that it has noted")

enum metric_type { METRIC_TOTAL, METRIC_COUNTER, METRIC_GAUGE, METRIC_STAMP, METRIC_WORDS, METRIC_HISTOGRAM };
enum metric_unit { METRIC_ONE, METRIC_OCTETS, METRIC_MS, METRIC_US };
enum metric_scope { METRIC_OF_MTA, METRIC_OF_LINK, METRIC_OF_PROCESS, METRIC_OF_SELF };

enum metric {
#define X(symbol, name, type, unit, scope, rfc, exchange, help) METRIC_##symbol,
	METRICS(X)
#undef X
	METRIC_COUNT
};
