/* spdu_table.h - the SPDUs and parameters of X.225.
 *
 * SPDU(name, SI, category, lead, mandatory parameters, title, clause)
 *   category 0 stands alone or leads, 1 is alone in its TSDU, 2 follows a category 0 SPDU (6.3.7, Table 6);
 *   lead: which category 0 SPDU may stand before it (Table 7, basic concatenation). One SI has two meanings in
 *   places: 1 is GT first and DT second, 25 and 26 are AB and AA alone, AI and AIA after a lead.
 * SPDU_PARAM(name, code, in linking information, shortest, longest, title)
 *   Codes not listed are ignored (A.4.3.1.1). */
#ifdef SPDU
SPDU(GT, 1, 0, LEAD_NONE, 0, "GIVE TOKENS", "8.3.15")
SPDU(PT, 2, 0, LEAD_NONE, 0, "PLEASE TOKENS", "8.3.16")
SPDU(EX, 5, 1, LEAD_NONE, 0, "EXPEDITED", "8.3.12")
SPDU(PR, 7, 1, LEAD_NONE, 0, "PREPARE", "8.3.26")
SPDU(NF, 8, 1, LEAD_NONE, 0, "NOT FINISHED", "8.3.8")
SPDU(FN, 9, 1, LEAD_NONE, 0, "FINISH", "8.3.6")
SPDU(DN, 10, 1, LEAD_NONE, 0, "DISCONNECT", "8.3.7")
SPDU(RF, 12, 1, LEAD_NONE, 0, "REFUSE", "8.3.5")
SPDU(CN, 13, 1, LEAD_NONE, 0, "CONNECT", "8.3.1")
SPDU(AC, 14, 1, LEAD_NONE, 0, "ACCEPT", "8.3.4")
SPDU(CDO, 15, 1, LEAD_NONE, 0, "CONNECT DATA OVERFLOW", "8.3.3")
SPDU(OA, 16, 1, LEAD_NONE, 0, "OVERFLOW ACCEPT", "8.3.2")
SPDU(GTC, 21, 1, LEAD_NONE, 0, "GIVE TOKENS CONFIRM", "8.3.17")
SPDU(GTA, 22, 1, LEAD_NONE, 0, "GIVE TOKENS ACK", "8.3.18")
SPDU(AB, 25, 1, LEAD_NONE, BIT(T_DISCONNECT), "ABORT", "8.3.9")
SPDU(AA, 26, 1, LEAD_NONE, 0, "ABORT ACCEPT", "8.3.10")
SPDU(TD, 33, 1, LEAD_NONE, 0, "TYPED DATA", "8.3.13")
SPDU(ER, 0, 2, LEAD_PT, 0, "EXCEPTION REPORT", "8.3.27")
SPDU(DT, 1, 2, LEAD_GT, 0, "DATA TRANSFER", "8.3.11")
SPDU(AI, 25, 2, LEAD_GT, 0, "ACTIVITY INTERRUPT", "8.3.31")
SPDU(AIA, 26, 2, LEAD_PT, 0, "ACTIVITY INTERRUPT ACK", "8.3.32")
SPDU(AR, 29, 2, LEAD_GT | LEAD_PT, BIT(LINKING) | BIT(ACTIVITY), "ACTIVITY RESUME", "8.3.30") /* Tables 7, 8 disagree */
SPDU(RA, 34, 2, LEAD_PT, 0, "RESYNCHRONIZE ACK", "8.3.25")
SPDU(AE, 41, 2, LEAD_GT, BIT(SERIAL), "ACTIVITY END", "8.3.35")
SPDU(MAP, 41, 2, LEAD_GT, BIT(SYNC_TYPE) | BIT(SERIAL), "MAJOR SYNC POINT", "8.3.22") /* told from AE by PI 15 */
SPDU(AEA, 42, 2, LEAD_PT, BIT(SERIAL), "ACTIVITY END ACK", "8.3.36")
SPDU(AS, 45, 2, LEAD_GT, BIT(ACTIVITY), "ACTIVITY START", "8.3.29")
SPDU(ED, 48, 2, LEAD_PT, 0, "EXCEPTION DATA", "8.3.28")
SPDU(MIP, 49, 2, LEAD_GT, BIT(SERIAL), "MINOR SYNC POINT", "8.3.20")
SPDU(MIA, 50, 2, LEAD_PT, BIT(SERIAL), "MINOR SYNC ACK", "8.3.21")
SPDU(RS, 53, 2, LEAD_GT, 0, "RESYNCHRONIZE", "8.3.24")
SPDU(AD, 57, 2, LEAD_GT, 0, "ACTIVITY DISCARD", "8.3.33")
SPDU(ADA, 58, 2, LEAD_PT, 0, "ACTIVITY DISCARD ACK", "8.3.34")
SPDU(CD, 61, 2, LEAD_GT, 0, "CAPABILITY DATA", "8.3.14")
SPDU(CDA, 62, 2, LEAD_PT, 0, "CAPABILITY DATA ACK", "8.3.14")
#undef SPDU
#endif

#ifdef SPDU_PARAM
SPDU_PARAM(CALLED_REF, 9, false, 0, 64, "called SS-user reference")
SPDU_PARAM(CALLING_REF, 10, false, 0, 64, "calling SS-user reference")
SPDU_PARAM(COMMON_REF, 11, false, 0, 64, "common reference")
SPDU_PARAM(ADDITIONAL_REF, 12, false, 0, 4, "additional reference")
SPDU_PARAM(SYNC_TYPE, 15, false, 1, 1, "sync type")
SPDU_PARAM(TOKENS, 16, false, 1, 1, "token item")
SPDU_PARAM(T_DISCONNECT, 17, false, 1, 1, "transport disconnect")
SPDU_PARAM(OPTIONS, 19, false, 1, 1, "protocol options")
SPDU_PARAM(UNITS, 20, false, 2, 2, "functional units")
SPDU_PARAM(TSDU_MAX, 21, false, 4, 4, "TSDU maximum size")
SPDU_PARAM(VERSIONS, 22, false, 1, 1, "version number")
SPDU_PARAM(ENCLOSURE, 25, false, 1, 1, "enclosure item")
SPDU_PARAM(TOKEN_SETTING, 26, false, 1, 1, "token setting")
SPDU_PARAM(LINKING, 33, false, 1, 65535, "linking information")
SPDU_PARAM(ACTIVITY, 41, false, 0, 6, "activity identifier")
SPDU_PARAM(SERIAL, 42, false, 1, 6, "serial number")
SPDU_PARAM(REFLECT, 49, false, 0, 65535, "reflect parameter values")
SPDU_PARAM(REASON, 50, false, 1, 65535, "reason code")
SPDU_PARAM(CALLING_SSEL, 51, false, 0, 32, "calling session selector")
SPDU_PARAM(CALLED_SSEL, 52, false, 0, 32, "called session selector")
SPDU_PARAM(OVERFLOW, 60, false, 1, 1, "data overflow")
SPDU_PARAM(USER_DATA, 193, false, 0, 65535, "user data")
SPDU_PARAM(EXTENDED_DATA, 194, false, 0, 65535, "extended user data")
SPDU_PARAM(OLD_CALLED_REF, 9, true, 0, 64, "old called SS-user reference")
SPDU_PARAM(OLD_CALLING_REF, 10, true, 0, 64, "old calling SS-user reference")
SPDU_PARAM(OLD_COMMON_REF, 11, true, 0, 64, "old common reference")
SPDU_PARAM(OLD_ADDITIONAL_REF, 12, true, 0, 4, "old additional reference")
SPDU_PARAM(OLD_ACTIVITY, 41, true, 0, 6, "old activity identifier")
SPDU_PARAM(OLD_SERIAL, 42, true, 1, 6, "old serial number")
#undef SPDU_PARAM
#endif
