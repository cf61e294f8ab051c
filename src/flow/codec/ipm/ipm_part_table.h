/* ipm_part_table.h - X(NAME, "name", context tag of the basic body part or -1, n of {id-et n} or -1): one row a kind
 * of body part (X.420 7.3 and annex B). {id-et n} is 2.6.1.4.n; its parameters are {id-ep n}, 2.6.1.11.n.
 * No include guard: see ipm.h. */
X(IA5_TEXT, "ia5-text", 0, 0)
X(G3_FACSIMILE, "g3-facsimile", 3, 2)
X(G4_CLASS1, "g4-class1", 4, 3)
X(TELETEX, "teletex", 5, 4)
X(VIDEOTEX, "videotex", 6, 5)
X(NATIONALLY_DEFINED, "nationally-defined", 7, 10)
X(ENCRYPTED, "encrypted", 8, 6)
X(MESSAGE, "message", 9, 7)
X(MIXED_MODE, "mixed-mode", 11, 8)
X(BILATERALLY_DEFINED, "bilaterally-defined", 14, 9)
X(GENERAL_TEXT, "general-text", -1, 11)
X(FILE_TRANSFER, "file-transfer", -1, 12)
X(REPORT, "report", -1, 14)
X(NOTIFICATION, "notification", -1, 15)
X(VOICE, "voice", -1, 16)
X(CONTENT, "content", -1, -1)     /* {id-et 17} is only a prefix: the content type follows it */
X(PKCS7, "pkcs7", -1, 18)
X(EXTENDED, "extended", -1, -1)   /* [15] of a type that has no row here */
X(UNKNOWN, "unknown", -1, -1)     /* a tag X.420 does not know, or a part that does not decode */
