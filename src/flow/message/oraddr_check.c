/* oraddr_check.c - the bounds of X.411 (MTSUpperBounds) and the forms of address of X.402 18.5. */
#include "flow/message/oraddr_int.h"

#include "base/text.h"

static bool fail(struct err *e, const char *label, struct view value, const char *what)
{
	char text[80];
	return err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, 11, "O/R address: %s=\"%s\": %s", label,
			  text_escaped(text, sizeof text, value), what);
}

static bool fail_length(struct err *e, const char *label, size_t n, size_t ub)
{
	return err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, 11,
			  "O/R address: %s has %zu characters, want 1 to %zu", label, n, ub);
}

static bool is_letter(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* CountryName: three digits of X.121 or two letters of ISO 3166. */
static bool check_country(const struct oraddr_attr *a, const char *label, struct err *e)
{
	struct view v = a->value;
	if (a->form == ORA_NUMERIC && v.n == 3 && oraddr_all_digits(v))
		return true;
	if (a->form == ORA_PRINTABLE && v.n == 2 && is_letter(v.p[0]) && is_letter(v.p[1]))
		return true;
	return fail(e, label, v, "want two letters (ISO 3166) or three digits (X.121)");
}

static bool check_alphabet(const struct oraddr_attr *a, const char *label, struct view v,
			   struct err *e)
{
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];
		bool line_end = a->type == ORA_PD_ADDRESS && c == '\n';
		if (a->form == ORA_PRINTABLE && !oraddr_is_ps_char(c) && !line_end)
			return fail(
				e, label, v,
				"a character is not in PrintableString; teletex is written *{ddd}");
		if (a->form == ORA_NUMERIC && c != ' ' && (c < '0' || c > '9'))
			return fail(e, label, v, "want digits and spaces only");
	}
	return true;
}

/* A teletex character may take two octets (T.61 accents), and shifts take none. */
static bool check_length(const struct oraddr_attr *a, const char *label, struct view v, size_t ub,
			 struct err *e)
{
	size_t max = a->form == ORA_TELETEX ? 2 * ub : ub;
	return (v.n > 0 && v.n <= max) || fail_length(e, label, v.n, ub);
}

static bool check_lines(const struct oraddr_attr *a, struct err *e)
{
	struct view rest = a->value;
	for (size_t line = 1;; line++) {
		size_t n = 0;
		while (n < rest.n && rest.p[n] != '\n')
			n++;
		if (line > ORA_LINES_MAX)
			return fail(e, "PD-ADDRESS", a->value, "more than 6 lines");
		if (n == 0 || n > ORA_LINE_UB)
			return fail_length(e, "a line of PD-ADDRESS", n, ORA_LINE_UB);
		if (n == rest.n)
			return true;
		rest = view_from(rest, n + 1);
	}
}

static bool check_network(const struct oraddr_attr *a, struct err *e)
{
	struct view number, sub;
	if (!oraddr_net_split(a->value, &number, &sub))
		return true; /* a presentation address, which has no bound */
	if (number.n > oraddr_row(a->type)->ub)
		return fail_length(e, "NET-NUM", number.n, oraddr_row(a->type)->ub);
	return sub.n <= ORA_SUBADDRESS_UB || fail_length(e, "NET-SUB", sub.n, ORA_SUBADDRESS_UB);
}

/* TerminalType is an INTEGER of 0 to ub-integer-options 256. */
static bool check_terminal(const struct oraddr_attr *a, struct err *e)
{
	uint64_t x;
	return text_uint(a->value, 256, &x) || fail(e, "T-TY", a->value, "want 0 to 256");
}

static bool check_attr(const struct oraddr_attr *a, struct err *e)
{
	const struct oraddr_row *row = oraddr_row(a->type);
	if (a->form == ORA_TELETEX && row->ext_teletex == 0)
		return fail(e, row->label, a->value, "has no teletex form");
	if (a->type == ORA_COUNTRY || a->type == ORA_PD_COUNTRY)
		return check_country(a, row->label, e);
	if (a->type == ORA_EXTENDED_NETWORK)
		return check_network(a, e);
	if (a->type == ORA_TERMINAL_TYPE)
		return check_terminal(a, e);
	if (a->form == ORA_UNIVERSAL || a->form == ORA_RAW)
		return true; /* written by hand in hexadecimal, or carried */
	if (a->type == ORA_PD_ADDRESS && a->form == ORA_PRINTABLE)
		return check_alphabet(a, row->label, a->value, e) && check_lines(a, e);
	if (a->type == ORA_DDA && (!check_alphabet(a, "DDA type", a->type_name, e) ||
				   !check_length(a, "DDA type", a->type_name, ORA_DDA_TYPE_UB, e)))
		return false;
	return check_alphabet(a, row->label, a->value, e) &&
	       check_length(a, row->label, a->value, row->ub, e);
}

bool oraddr_check_bounds(const struct oraddr *addr, struct err *e)
{
	size_t ddas[2] = {0, 0}; /* printable and teletex ones are two lists */
	for (size_t i = 0; i < addr->n; i++) {
		const struct oraddr_attr *a = &addr->v[i];
		if (!check_attr(a, e))
			return false;
		if (a->type == ORA_DDA && a->form <= ORA_TELETEX &&
		    ++ddas[a->form == ORA_TELETEX] > ORA_DDA_MAX)
			return err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, 11,
					  "O/R address: more than %d domain-defined attributes",
					  ORA_DDA_MAX);
	}
	return true;
}

static bool has(const struct oraddr *addr, enum oraddr_type type)
{
	return oraddr_find(addr, type) != NULL;
}

static bool missing(struct err *e, const char *what)
{
	return err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, 11, "O/R address: %s", what);
}

/* What tells one user of a domain from another in the mnemonic form (X.402 18.5.1). */
static bool has_mnemonic(const struct oraddr *addr)
{
	return has(addr, ORA_PRMD) || has(addr, ORA_ORGANIZATION) || has(addr, ORA_OU1) ||
	       has(addr, ORA_COMMON_NAME) || has(addr, ORA_SURNAME) || has(addr, ORA_DDA);
}

/* X.402 18.5.3: both postal forms need the country and the code; the unformatted one its lines. */
static bool check_postal(const struct oraddr *addr, struct err *e)
{
	if (!has(addr, ORA_PD_COUNTRY) || !has(addr, ORA_POSTAL_CODE))
		return missing(e, "a postal address wants PD-C and PD-PC (X.402 18.5.3)");
	return true;
}

bool oraddr_check(const struct oraddr *addr, struct err *e)
{
	if (!oraddr_check_bounds(addr, e))
		return false;
	if (addr->n == 0)
		return addr->directory_name.n > 0 || missing(e, "no attribute");
	bool personal =
		has(addr, ORA_GIVEN) || has(addr, ORA_INITIALS) || has(addr, ORA_GENERATION);
	if (personal && !has(addr, ORA_SURNAME))
		return missing(e, "a personal name wants S (X.402 18.3.12)");
	if (has(addr, ORA_X121) || has(addr, ORA_EXTENDED_NETWORK))
		return true; /* the terminal form: the rest is conditional (X.402 18.5.4) */
	if (!has(addr, ORA_COUNTRY))
		return missing(e, "C is missing (X.402 18.5)");
	if (!has(addr, ORA_ADMD) && !has(addr, ORA_PRMD))
		return missing(e, "A and P are both missing (X.402 18.5)");
	if (has(addr, ORA_NUMERIC_USER_ID))
		return true;
	bool postal = has(addr, ORA_PD_COUNTRY) || has(addr, ORA_POSTAL_CODE) ||
		      has(addr, ORA_PD_ADDRESS);
	if (postal)
		return check_postal(addr, e);
	return has_mnemonic(addr) ||
	       missing(e, "country and domain only, want at least one of P, O, OU1, S, CN, DDA");
}
