/* diagnostics_table.h - why mail failed, in the three languages of Posthorn, one row for each correspondence.
 * X(reason, diagnostic, status, status_way, notice, notice_way)
 *
 * reason, diagnostic: X.411 8.3.1.2.1; ANY: any or none. status: RFC 3463. notice: the number of a Microsoft Mail mover's
 * notice. A way says in which direction the row holds: OUT from X.411, IN to X.411, BOTH, or NONE.
 * Status rows are the two tables of RFC 2156, 5.3.8.2 (OUT) and 5.1.8.4 (IN), which are not each other's inverse.
 * Notices have no standard mapping: theirs follows from their meaning. IN of a status ignores its class. */

/* Reasons whose diagnostic is unknown or absent. */
X(0, ANY, "4.4.0", BOTH, 1,  OUT)
X(1, ANY, "5.0.0", BOTH, 1,  BOTH)  /* [001] cannot deliver, mailbag missing */
X(2, ANY, "5.6.3", OUT,  1,  OUT)
X(3, ANY, "5.6.0", OUT,  1,  OUT)
X(4, ANY, "5.1.0", OUT,  1,  OUT)
X(5, ANY, "5.7.1", OUT,  1,  OUT)
X(6, ANY, "5.4.3", BOTH, 1,  OUT)
X(7, ANY, "5.3.3", OUT,  1,  OUT)
X(8, ANY, "5.7.0", OUT,  1,  OUT)   /* transfer-failure-for-security-reason came after RFC 2156 */

X(1, 0,   "5.1.1", BOTH, 2,  BOTH)  /* [002] unknown address */
X(1, 1,   "5.1.4", BOTH, 30, BOTH)  /* [030] duplicate address */
X(1, 2,   "4.3.1", BOTH, 8,  BOTH)  /* [008] mailbag contention */
X(1, 3,   "5.4.6", BOTH, 4,  BOTH)  /* [004] circular route */
X(1, 3,   "",      NONE, 3,  IN)    /* [003] hop count exceeded */
X(1, 4,   "4.2.1", BOTH, 17, BOTH)  /* [017] mailbag full */
X(1, 5,   "4.4.7", BOTH, 5,  OUT)
X(1, 6,   "5.6.1", BOTH, 1,  OUT)
X(1, 7,   "5.2.3", BOTH, 9,  BOTH)  /* [009] maximum size exceeded */
X(2, 8,   "5.6.3", BOTH, 1,  OUT)
X(2, 9,   "5.6.3", OUT,  1,  OUT)
X(1, 10,  "5.6.3", OUT,  1,  OUT)
X(1, 11,  "5.5.2", OUT,  1,  OUT)
X(1, 12,  "5.5.2", OUT,  12, BOTH)  /* [012] corrupt message */
X(1, 12,  "",      NONE, 29, IN)    /* [029] could not be parsed */
X(1, 13,  "5.5.2", OUT,  9,  OUT)
X(1, 14,  "5.5.0", OUT,  1,  OUT)
X(1, 15,  "5.6.1", OUT,  1,  OUT)
X(1, 16,  "5.5.3", BOTH, 1,  OUT)
X(1, 17,  "5.4.4", OUT,  1,  OUT)
X(1, 18,  "5.3.3", BOTH, 1,  OUT)
X(2, 19,  "5.6.2", OUT,  1,  OUT)
X(2, 20,  "5.6.0", OUT,  1,  OUT)
X(2, 21,  "5.6.0", OUT,  1,  OUT)
X(2, 22,  "5.6.2", OUT,  1,  OUT)
X(2, 23,  "5.6.2", OUT,  1,  OUT)
X(2, 24,  "5.6.2", OUT,  1,  OUT)
X(2, 25,  "5.6.2", OUT,  1,  OUT)
X(1, 26,  "5.4.0", OUT,  1,  OUT)
X(1, 27,  "5.4.6", OUT,  4,  OUT)
X(1, 28,  "5.7.2", BOTH, 1,  OUT)
X(1, 29,  "5.7.1", BOTH, 1,  OUT)
X(1, 30,  "4.2.4", BOTH, 7,  BOTH)  /* [007] group no longer exists */
X(4, 31,  "5.6.0", OUT,  1,  OUT)
X(1, 43,  "5.1.6", BOTH, 2,  OUT)
X(1, 46,  "5.7.0", BOTH, 1,  OUT)
X(2, 47,  "5.3.3", OUT,  1,  OUT)
X(0, 48,  "5.3.4", OUT,  16, BOTH)  /* [016] message file missing */
X(0, 48,  "",      NONE, 18, IN)    /* [018] attachment missing */
X(0, 49,  "4.4.7", OUT,  5,  BOTH)  /* [005] retry count exceeded */
X(0, ANY, "",      NONE, 21, IN)    /* [021] routing file missing */
X(0, ANY, "",      NONE, 24, IN)    /* [024] routing file corrupt */

/* What RFC 2156 5.1.8.4 adds on the way in. */
X(1, ANY, "5.1.0", IN,   0,  NONE)
X(1, 0,   "5.1.2", IN,   0,  NONE)
X(1, 0,   "5.1.3", IN,   0,  NONE)
X(1, 11,  "5.1.7", IN,   0,  NONE)
X(1, 11,  "5.1.8", IN,   0,  NONE)
X(1, ANY, "5.2.0", IN,   0,  NONE)
X(1, 4,   "5.2.2", IN,   0,  NONE)
X(0, ANY, "5.3.0", IN,   0,  NONE)
X(1, 2,   "5.3.2", IN,   0,  NONE)
X(1, 7,   "5.3.4", IN,   0,  NONE)
X(1, ANY, "5.3.5", IN,   0,  NONE)
X(0, ANY, "5.4.1", IN,   0,  NONE)
X(0, ANY, "5.4.2", IN,   0,  NONE)
X(0, ANY, "5.4.4", IN,   0,  NONE)
X(1, 2,   "5.4.5", IN,   0,  NONE)
X(1, ANY, "5.5.0", IN,   0,  NONE)
X(1, 14,  "5.5.1", IN,   0,  NONE)
X(1, 14,  "5.5.2", IN,   0,  NONE)
X(1, 14,  "5.5.4", IN,   0,  NONE)
X(1, 18,  "5.5.5", IN,   0,  NONE)
X(2, ANY, "5.6.0", IN,   0,  NONE)
X(1, 9,   "5.6.2", IN,   0,  NONE)
X(2, 47,  "5.6.5", IN,   0,  NONE)
X(1, 46,  "5.7.3", IN,   0,  NONE)
X(1, 46,  "5.7.4", IN,   0,  NONE)
X(1, 46,  "5.7.5", IN,   0,  NONE)
X(1, 46,  "5.7.6", IN,   0,  NONE)
X(1, 46,  "5.7.7", IN,   0,  NONE)
