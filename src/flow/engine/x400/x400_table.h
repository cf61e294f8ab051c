/* x400_table.h - an association as tables.
 *
 * X400_STATE(name, what it is, what is waited for, for how many ms (0: for ever), what is true in it)
 * X400_ROW(state, session event, action, clause): what is not listed is a peer error. The action names the next state.
 *
 * Waits of the peer have a limit; a wait for our own user (DECIDING apart) has none here: the peer's timers, and
 * the end of the connection, end it. */
#ifdef X400_STATE
X400_STATE(CONNECTING, "transport connecting", "transport connect confirm (CC)", x->c.connect_timeout_ms,
	   x->initiator)
X400_STATE(BINDING, "bind sent", "answer to the bind (AC or RF)", x->c.connect_timeout_ms,
	   x->initiator && x->pres.n == (x->mode == X400_NORMAL ? 3 : 0))
X400_STATE(LISTENING, "connection open", "transport connect request (CR)", x->c.connect_timeout_ms,
	   !x->initiator)
X400_STATE(ACCEPTING, "transport connected", "session connect (CN)", x->c.connect_timeout_ms,
	   !x->initiator)
X400_STATE(DECIDING, "bind received", "decision on the bind", x->c.connect_timeout_ms,
	   !x->initiator && (x->mode != X400_NORMAL || presentation_id(&x->pres, PRESENTATION_RTSE) != 0))
X400_STATE(OPEN, "bound", "next activity", x->initiator ? 0 : x->c.idle_timeout_ms,
	   x400_bound_holds(x) && !x->reading)
X400_STATE(SENDING, "sending", "minor sync confirmation or room to send", x400_transfer_room(x) > 0 ? 0 : x->c.response_timeout_ms,
	   x400_bound_holds(x) && x->tx.sent < x->tx.total && x->tx.unconfirmed <= x->tx.window)
X400_STATE(ENDING, "sent", "activity end confirmation (AEA)", x->c.response_timeout_ms,
	   x400_bound_holds(x) && x->tx.sent == x->tx.total && x->tx.segment_left == 0)
X400_STATE(DISCARDING, "discarding", "activity discard confirmation (ADA)", x->c.response_timeout_ms,
	   x400_bound_holds(x))
X400_STATE(INTERRUPTING, "interrupting", "activity interrupt confirmation (AIA)", x->c.response_timeout_ms,
	   x400_bound_holds(x))
X400_STATE(RESUMING, "resume received", "decision on the resumed transfer", 0,
	   x400_bound_holds(x) && !x->reading)
X400_STATE(RECEIVING, "receiving", "octets of the transfer", x400_peer_is_due(x) ? x->c.receive_timeout_ms : 0,
	   x400_bound_holds(x) && x->rx_confirmed <= x->rx_synced)
X400_STATE(RECEIVED, "received", "decision on the transfer", 0,
	   x400_bound_holds(x) && !x->reading)
X400_STATE(EXCEPTED, "refused", "activity discard or interrupt (AD, AI)", x->c.response_timeout_ms,
	   x400_bound_holds(x) && !x->reading)
X400_STATE(RELEASING, "releasing", "release answer (DN)", x->c.response_timeout_ms,
	   x400_bound_holds(x))
X400_STATE(CLOSING, "ended", "end of the connection", x->c.abort_timeout_ms,
	   !x->reading)
X400_STATE(CLOSED, "closed", "nothing", 0,
	   !x->reading)
#undef X400_STATE
#endif

#ifdef X400_ROW
X400_ROW(CONNECTING, SESSION_T_CONNECTED, on_t_connected, "X.225 7.1")
X400_ROW(BINDING, SESSION_ACCEPTED, on_accepted, "X.228 8.1, X.227 7.1, X.226 6.2")
X400_ROW(BINDING, SESSION_REFUSED, on_refused, "X.228 8.1, X.227 7.1, X.226 6.2")
X400_ROW(LISTENING, SESSION_T_CONNECT, on_t_connect, "X.224 6.5")
X400_ROW(ACCEPTING, SESSION_CONNECT, on_connect, "X.228 8.1, X.227 7.1, X.226 6.2")
X400_ROW(OPEN, SESSION_ACTIVITY_START, on_start, "X.228 8.3")
X400_ROW(OPEN, SESSION_ACTIVITY_RESUME, on_resume, "X.228 8.8")
X400_ROW(OPEN, SESSION_ACTIVITY_INTERRUPT, on_late_stop, "X.228 8.6: it crossed our confirmation")
X400_ROW(OPEN, SESSION_ACTIVITY_DISCARD, on_late_stop, "X.228 8.6: it crossed our confirmation")
X400_ROW(OPEN, SESSION_TOKENS_PLEASE, on_please, "X.228 8.4")
X400_ROW(OPEN, SESSION_TOKENS_GIVE, on_give, "X.228 8.5")
X400_ROW(OPEN, SESSION_CONTROL_GIVE, on_give, "X.228 8.5")
X400_ROW(OPEN, SESSION_RELEASE, on_release, "X.227 7.2")
X400_ROW(SENDING, SESSION_MINOR_SYNC_CONFIRM, on_sync_confirm, "X.228 8.3")
X400_ROW(SENDING, SESSION_EXCEPTION, on_exception, "X.228 8.6")
X400_ROW(SENDING, SESSION_TOKENS_PLEASE, on_please, "X.228 8.4")
X400_ROW(ENDING, SESSION_MINOR_SYNC_CONFIRM, on_sync_confirm, "X.228 8.3")
X400_ROW(ENDING, SESSION_ACTIVITY_END_CONFIRM, on_end_confirm, "X.228 8.3")
X400_ROW(ENDING, SESSION_EXCEPTION, on_exception, "X.228 8.6")
X400_ROW(ENDING, SESSION_TOKENS_PLEASE, on_please, "X.228 8.4")
X400_ROW(DISCARDING, SESSION_MINOR_SYNC_CONFIRM, on_nothing, "X.228 8.6: it crossed our discard")
X400_ROW(DISCARDING, SESSION_EXCEPTION, on_nothing, "X.228 8.6: it crossed our discard")
X400_ROW(DISCARDING, SESSION_TOKENS_PLEASE, on_please, "X.228 8.4")
X400_ROW(DISCARDING, SESSION_ACTIVITY_DISCARD_CONFIRM, on_discarded, "X.228 8.6")
X400_ROW(INTERRUPTING, SESSION_TOKENS_PLEASE, on_please, "X.228 8.4")
X400_ROW(INTERRUPTING, SESSION_ACTIVITY_INTERRUPT_CONFIRM, on_interrupted, "X.228 8.6")
X400_ROW(RECEIVING, SESSION_DATA, on_data, "X.228 8.3")
X400_ROW(RECEIVING, SESSION_MINOR_SYNC, on_sync, "X.228 8.3")
X400_ROW(RECEIVING, SESSION_ACTIVITY_END, on_end, "X.228 8.3")
X400_ROW(RECEIVING, SESSION_ACTIVITY_INTERRUPT, on_interrupt, "X.228 8.6")
X400_ROW(RECEIVING, SESSION_ACTIVITY_DISCARD, on_discard, "X.228 8.6")
X400_ROW(RECEIVED, SESSION_ACTIVITY_INTERRUPT, on_interrupt, "X.228 8.6")
X400_ROW(RECEIVED, SESSION_ACTIVITY_DISCARD, on_discard, "X.228 8.6")
X400_ROW(EXCEPTED, SESSION_DATA, on_nothing, "X.228 8.6: it crossed our exception report")
X400_ROW(EXCEPTED, SESSION_MINOR_SYNC, on_nothing, "X.228 8.6: it crossed our exception report")
X400_ROW(EXCEPTED, SESSION_ACTIVITY_END, on_nothing, "X.228 8.6: it crossed our exception report")
X400_ROW(EXCEPTED, SESSION_ACTIVITY_INTERRUPT, on_interrupt, "X.228 8.6")
X400_ROW(EXCEPTED, SESSION_ACTIVITY_DISCARD, on_discard, "X.228 8.6")
X400_ROW(RELEASING, SESSION_RELEASED, on_released, "X.227 7.2")
#undef X400_ROW
#endif
