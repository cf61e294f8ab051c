/* ipm_part_table.h - X(NAME, "name", context tag of the basic body part or -1, n of {id-et n} or -1): one row a kind
 * of body part (X.420 7.3 and annex B; X.420 of 1984, 3.3). {id-et n} is 2.6.1.4.n; its parameters are {id-ep n}, 2.6.1.11.n.
 * From 256 on n is that of the military {id-nato-mmhs-et n}, 1.3.26.0.4406.0.7.n (STANAG 4406 annex A), and 256 more.
 * G4 class 1 and mixed mode are what 1984 called TIF0 and TIF1.
 * No include guard: see ipm.h. */
X(IA5_TEXT, "ia5-text", 0, 0)
X(TELEX, "telex", 1, -1)                              /* 1984: for further study, so octets */
X(VOICE_1984, "voice-1984", 2, -1)
X(G3_FACSIMILE, "g3-facsimile", 3, 2)
X(G4_CLASS1, "g4-class1", 4, 3)
X(TELETEX, "teletex", 5, 4)
X(VIDEOTEX, "videotex", 6, 5)
X(NATIONALLY_DEFINED, "nationally-defined", 7, 10)
X(ENCRYPTED, "encrypted", 8, 6)
X(MESSAGE, "message", 9, 7)
X(SIMPLE_FORMATTABLE, "simple-formattable-document", 10, -1) /* 1984: SFD */
X(MIXED_MODE, "mixed-mode", 11, 8)
X(BILATERALLY_DEFINED, "bilaterally-defined", 14, 9)
X(GENERAL_TEXT, "general-text", -1, 11)
X(FILE_TRANSFER, "file-transfer", -1, 12)
X(REPORT, "report", -1, 14)
X(NOTIFICATION, "notification", -1, 15)
X(VOICE, "voice", -1, 16)
X(CONTENT, "content", -1, -1)     /* {id-et 17} is only a prefix: the content type follows it */
X(PKCS7, "pkcs7", -1, 18)
X(ADATP3, "adatp3", -1, 256)
X(CORRECTIONS, "corrections", -1, 257)
X(FORWARDED_ENCRYPTED, "forwarded-encrypted", -1, 262)
X(MM_MESSAGE, "mm-message", -1, 265)
X(ACP127_DATA, "acp127-data", -1, 268)
X(EXTENDED, "extended", -1, -1)   /* [15] of a type that has no row here */
X(UNKNOWN, "unknown", -1, -1)     /* a tag X.420 does not know, or a part that does not decode */
