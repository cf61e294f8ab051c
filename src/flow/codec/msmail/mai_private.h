/* mai_private.h - what the reader and the writer of a MAI share: the numbers of our vendor elements (docs/postoffice-format.md). */
#pragma once

/* Qualifiers of vendor-defined elements that the dumps show; of the plain form. */
enum { MS_BAGS = 0x31, MS_WORD_2 = 0x32, MS_HOPS = 0x33, MS_WORD_7 = 0x37, MS_WORD_2_VALUE = 2, MS_WORD_7_VALUE = 10 };

/* Ours: of the vendor form (a leading zero octet), so that no number of Microsoft's can be meant. */
enum { OUR_CODE_PAGE = 0x5001, OUR_ADDRESS = 0x5002, OUR_FLAGS = 0x5003, OUR_ATTACHMENTS = 0x5004 };

#define NO_FILE "        " /* the id of an attachment that has none: as long as one, so that it can be patched */

enum { MESSAGE_TYPE = 1 }; /* the qualifier of the Message: as in all examples of FIPS 98 */
enum { FLAG_RECEIPT = 1, FLAG_IS_RECEIPT = 2 };
enum { LIST_FROM = 0, LIST_TO = 1, LIST_CC = 2 }; /* which address an OUR_ADDRESS element is about */
