/* cotp_table.h - COTP class 0 as tables (X.224 with RFC 1006 and RFC 2126).
 *
 * COTP_TPDU(name, code): TPDU codes, X.224 13.1. Those not listed belong to other classes.
 * COTP_STATE(name, what is true in it): cotp_check_state tests the same words.
 * COTP_ROW(state, TPDU, action, next state, clause): what is not listed is a peer error. */
#ifdef COTP_TPDU
COTP_TPDU(CR, 0xe0)
COTP_TPDU(CC, 0xd0)
COTP_TPDU(DR, 0x80)
COTP_TPDU(DT, 0xf0)
COTP_TPDU(ER, 0x70)
#undef COTP_TPDU
#endif

#ifdef COTP_STATE
COTP_STATE(WAIT_CR, "responder, peer's reference unknown, nothing sent")
COTP_STATE(ASKED, "responder, CR kept, its user decides")
COTP_STATE(WAIT_CC, "initiator, CR sent")
COTP_STATE(OPEN, "size agreed, references known, no DT beyond the size is sent")
COTP_STATE(CLOSED, "nothing is sent or taken any more")
#undef COTP_STATE
#endif

#ifdef COTP_ROW
COTP_ROW(WAIT_CR, CR, on_cr, ASKED, "X.224 6.5")
COTP_ROW(WAIT_CC, CC, on_cc, OPEN, "X.224 6.5")
COTP_ROW(WAIT_CC, DR, on_dr, CLOSED, "X.224 6.6")
COTP_ROW(WAIT_CC, ER, on_er, CLOSED, "X.224 6.22")
COTP_ROW(ASKED, DR, on_dr, CLOSED, "X.224 6.6")
COTP_ROW(OPEN, DT, on_dt, OPEN, "X.224 6.2, 6.3")
COTP_ROW(OPEN, DR, on_dr, CLOSED, "X.224 6.7; PP sends it after DISCONNECT")
COTP_ROW(OPEN, ER, on_er, CLOSED, "X.224 6.22")
#undef COTP_ROW
#endif
