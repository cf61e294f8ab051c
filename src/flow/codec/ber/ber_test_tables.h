/* ber_test_tables.h - the tables that the tests and fuzzers of this folder share: X.690 Annex A's
 * personnel record, and one type that has every kind of row. */
#pragma once
#include "flow/codec/ber/ber.h"

#define AT(s, m) .name = #m, .offset = offsetof(struct s, m)

/* --- X.690 A.1 --- */

struct person {
	struct ber_seq seq;
	struct view givenName, initial, familyName;
};
struct child {
	struct ber_seq seq;
	struct person name;
	struct view dateOfBirth;
};
struct record {
	struct ber_seq seq;
	struct person name;
	struct view title;
	int64_t number;
	struct view dateOfHire;
	struct person nameOfSpouse;
	struct ber_list children;
};

static const struct ber_type visible_string = { "VisibleString", BER_STRING, BER_U(26), sizeof(struct view),
						.min = 1, .max = 64 };
static const struct ber_type date_type = { "Date", BER_STRING, BER_A(3), sizeof(struct view), .min = 8, .max = 8 };
static const struct ber_type employee_number = { "EmployeeNumber", BER_INT, BER_A(2), sizeof(int64_t) };

static const struct ber_field person_fields[] = {
	{ AT(person, givenName), .type = &visible_string },
	{ AT(person, initial), .type = &visible_string },
	{ AT(person, familyName), .type = &visible_string },
};
static const struct ber_type person_type = { "Name", BER_SEQ, BER_A(1), sizeof(struct person), person_fields,
					     ARRAY_LEN(person_fields) };
static const struct ber_field child_fields[] = {
	{ AT(child, name), .type = &person_type },
	{ AT(child, dateOfBirth), .type = &date_type, .tag = BER_C(0), .flags = BER_EXPLICIT },
};
static const struct ber_type child_type = { "ChildInformation", BER_SET, BER_U(17), sizeof(struct child),
					    child_fields, ARRAY_LEN(child_fields) };
static const struct ber_type children_type = { "Children", BER_SEQ_OF, BER_U(16), sizeof(struct ber_list),
					       .of = &child_type, .max = 4 };
static const struct ber_field record_fields[] = {
	{ AT(record, name), .type = &person_type },
	{ AT(record, title), .type = &visible_string, .tag = BER_C(0), .flags = BER_EXPLICIT },
	{ AT(record, number), .type = &employee_number },
	{ AT(record, dateOfHire), .type = &date_type, .tag = BER_C(1), .flags = BER_EXPLICIT },
	{ AT(record, nameOfSpouse), .type = &person_type, .tag = BER_C(2), .flags = BER_EXPLICIT },
	{ AT(record, children), .type = &children_type, .tag = BER_C(3), .flags = BER_OPTIONAL },
};
static const struct ber_type record_type = { "PersonnelRecord", BER_SET, BER_A(0), sizeof(struct record),
					     record_fields, ARRAY_LEN(record_fields) };

/* --- every kind of row --- */

struct pick;
struct inner_pick {
	struct ber_choice choice;
	int64_t number;
	struct view text;
};
struct pick {
	struct ber_choice choice;
	struct ber_list many;    /* [0] constructed */
	struct view bytes;       /* [0] primitive */
	struct inner_pick inner; /* untagged */
	struct pick *again;      /* [5], recursive */
	bool nothing;            /* [6] NULL */
};
struct open_value {
	struct ber_seq seq;
	struct view id;
	int64_t weight;
	struct view value;
};
struct all {
	struct ber_seq seq;
	bool flag;
	int64_t count;
	int64_t colour;
	struct view big;
	struct ber_bits bits;
	struct view octets;
	struct view oid, relative, real;
	struct view text;
	struct view time;
	struct pick pick;
	struct ber_list picks;
	struct open_value *open;
	struct ber_list set_of;
	struct pick tagged;
	struct ber_seq empty;
	struct view any;
};

static const struct ber_type t_bool = { "BOOLEAN", BER_BOOL, BER_U(1), sizeof(bool) };
static const struct ber_name count_names[] = { { 1, "one" }, { 2, "two" } };
static const struct ber_type t_int = { "Count", BER_INT, BER_U(2), sizeof(int64_t), .names = count_names,
				       .n_names = 2, .min = -5, .max = 1000 };
static const struct ber_name colour_names[] = { { 0, "red" }, { 1, "green" } };
static const struct ber_type t_enum = { "Colour", BER_ENUM, BER_U(10), sizeof(int64_t), .names = colour_names,
					.n_names = 2 };
static const struct ber_type t_big = { "Serial", BER_BIGINT, BER_U(2), sizeof(struct view) };
static const struct ber_name bit_names[] = { { 0, "first" }, { 2, "third" } };
static const struct ber_type t_bits = { "Flags", BER_BITS, BER_U(3), sizeof(struct ber_bits), .names = bit_names,
					.n_names = 2, .max = 32 };
static const struct ber_type t_octets = { "OCTET STRING", BER_OCTETS, BER_U(4), sizeof(struct view) };
static const struct ber_type t_null = { "NULL", BER_NULL, BER_U(5), sizeof(bool) };
static const struct ber_type t_oid = { "OBJECT IDENTIFIER", BER_OID, BER_U(6), sizeof(struct view) };
static const struct ber_type t_relative = { "RELATIVE-OID", BER_RELATIVE_OID, BER_U(13), sizeof(struct view) };
static const struct ber_type t_real = { "REAL", BER_REAL, BER_U(9), sizeof(struct view) };
static const struct ber_type t_t61 = { "TeletexString", BER_STRING, BER_U(20), sizeof(struct view) };
static const struct ber_type t_utc = { "UTCTime", BER_TIME, BER_U(23), sizeof(struct view) };
static const struct ber_type t_any = { "ANY", BER_ANY, BER_NO_TAG, sizeof(struct view) };
static const struct ber_type t_empty = { "Empty", BER_SEQ, BER_U(16), sizeof(struct ber_seq), .closed = true };

static const struct ber_type pick_type, tagged_type;
static const struct ber_type t_ints = { "Counts", BER_SEQ_OF, BER_U(16), sizeof(struct ber_list), .of = &t_int };
static const struct ber_field inner_fields[] = {
	{ AT(inner_pick, number), .type = &t_int },
	{ AT(inner_pick, text), .type = &visible_string },
};
static const struct ber_type inner_type = { "Inner", BER_CHOICE, BER_NO_TAG, sizeof(struct inner_pick),
					    inner_fields, ARRAY_LEN(inner_fields), .closed = true };
static const struct ber_field pick_fields[] = {
	{ AT(pick, many), .type = &t_ints, .tag = BER_C(0), .flags = BER_CONSTRUCTED },
	{ AT(pick, bytes), .type = &t_octets, .tag = BER_C(0), .flags = BER_PRIMITIVE },
	{ AT(pick, inner), .type = &inner_type },
	{ AT(pick, again), .type = &pick_type, .tag = BER_C(5), .flags = BER_POINTER },
	{ AT(pick, nothing), .type = &t_null, .tag = BER_C(6) },
};
static const struct ber_type pick_type = { "Pick", BER_CHOICE, BER_NO_TAG, sizeof(struct pick), pick_fields,
					   ARRAY_LEN(pick_fields) };
static const struct ber_type tagged_type = { "Tagged", BER_TAGGED, BER_A(7), sizeof(struct pick),
					     .of = &pick_type };
static const struct ber_type picks_type = { "Picks", BER_SEQ_OF, BER_U(16), sizeof(struct ber_list),
					    .of = &pick_type };
static const struct ber_type set_of_type = { "Texts", BER_SET_OF, BER_U(17), sizeof(struct ber_list),
					     .of = &visible_string };

/* 2.100.3 (X.690 8.19.5's example) holds a Count, anything else is unknown. */
static inline const struct ber_type *resolve_open(const void *parent)
{
	const struct open_value *open = parent;
	return view_eq(open->id, VIEW("\x81\x34\x03")) ? &picks_type : NULL;
}
static const struct ber_field open_fields[] = {
	{ AT(open_value, id), .type = &t_oid },
	{ AT(open_value, weight), .type = &t_int, .flags = BER_HAS_DEFAULT, .def = 7 },
	{ AT(open_value, value), .type = &t_any, .tag = BER_C(1), .resolve = resolve_open },
};
static const struct ber_type open_type = { "Open", BER_SEQ, BER_U(16), sizeof(struct open_value), open_fields,
					   ARRAY_LEN(open_fields) };

static const struct ber_field all_fields[] = {
	{ AT(all, flag), .type = &t_bool, .flags = BER_HAS_DEFAULT },
	{ AT(all, count), .type = &t_int },
	{ AT(all, colour), .type = &t_enum, .flags = BER_HAS_DEFAULT, .def = 1 },
	{ AT(all, big), .type = &t_big, .tag = BER_C(30), .flags = BER_OPTIONAL },
	{ AT(all, bits), .type = &t_bits, .flags = BER_OPTIONAL },
	{ AT(all, octets), .type = &t_octets, .flags = BER_OPTIONAL },
	{ AT(all, oid), .type = &t_oid, .flags = BER_OPTIONAL },
	{ AT(all, relative), .type = &t_relative, .flags = BER_OPTIONAL },
	{ AT(all, real), .type = &t_real, .flags = BER_OPTIONAL },
	{ AT(all, text), .type = &t_t61, .flags = BER_OPTIONAL },
	{ AT(all, time), .type = &t_utc, .flags = BER_OPTIONAL },
	{ AT(all, pick), .type = &pick_type, .tag = BER_C(31), .flags = BER_OPTIONAL },
	{ AT(all, picks), .type = &picks_type, .tag = BER_C(200), .flags = BER_OPTIONAL },
	{ AT(all, open), .type = &open_type, .tag = BER_C(20000), .flags = BER_OPTIONAL | BER_POINTER },
	{ AT(all, set_of), .type = &set_of_type, .flags = BER_OPTIONAL },
	{ AT(all, tagged), .type = &tagged_type, .flags = BER_OPTIONAL },
	{ AT(all, empty), .type = &t_empty, .tag = BER_P(1), .flags = BER_OPTIONAL },
	{ AT(all, any), .type = &t_any, .tag = BER_C(2), .flags = BER_OPTIONAL },
};
static const struct ber_type all_seq_type = { "All", BER_SEQ, BER_U(16), sizeof(struct all), all_fields,
					      ARRAY_LEN(all_fields) };
/* The same rows in any order; and closed. */
static const struct ber_type all_set_type = { "AllSet", BER_SET, BER_U(17), sizeof(struct all), all_fields,
					      ARRAY_LEN(all_fields), .closed = true };
