// format.js - numbers, times and sizes as people read them: one way for each, everywhere.

const number = new Intl.NumberFormat("en-GB");
const two = (n) => String(n).padStart(2, "0");

export const count = (n) => n === undefined || n === null ? "-" : number.format(n);
export const plural = (n, one, many) => `${count(n)} ${n === 1 ? one : many || one + "s"}`;

export function octets(n) {
	if (n === undefined || n === null)
		return "-";
	for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["KB", 1e3]])
		if (n >= size)
			return `${n >= 100 * size ? Math.round(n / size) : (n / size).toFixed(1)} ${unit}`;
	return `${n} B`;
}

// Messages a second: small ones by the minute or hour, so that what trickles is not nothing.
export function rate(perSecond) {
	if (!perSecond)
		return "0/s";
	if (perSecond >= 100)
		return `${count(Math.round(perSecond))}/s`;
	if (perSecond >= 0.95)
		return `${perSecond.toFixed(1)}/s`;
	return perSecond * 60 >= 0.95 ? `${(perSecond * 60).toFixed(0)}/min` : `${Math.max(1, Math.round(perSecond * 3600))}/h`;
}

// "41 s", "3 min 20 s", "2 h 05 min", "3 d 4 h"; short ones as "12 ms", "1.24 s" when exact.
export function duration(ms, exact) {
	if (ms === undefined || ms === null)
		return "-";
	if (exact && ms < 1000)
		return `${Math.round(ms)} ms`;
	if (exact && ms < 10000)
		return `${(ms / 1000).toFixed(2)} s`;
	const s = Math.round(ms / 1000);
	if (s < 120)
		return `${s} s`;
	if (s < 3600)
		return `${Math.floor(s / 60)} min${s < 600 ? ` ${two(s % 60)} s` : ""}`;
	if (s < 86400)
		return `${Math.floor(s / 3600)} h ${two(Math.floor(s / 60) % 60)} min`;
	return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}

export const toDate = (t) => t instanceof Date ? t : new Date(t);

// In the operator's own time; the day only when it is not today's.
export function time(t, exact) {
	const d = toDate(t);
	if (t === undefined || t === null || t === "" || isNaN(d))
		return "-";
	const clock = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}` + (exact ? "." + String(d.getMilliseconds()).padStart(3, "0") : "");
	return d.toDateString() === new Date().toDateString() ? clock : `${day(d)} ${clock}`;
}

export function day(t) {
	const d = toDate(t);
	return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

// The whole of it, for titles and for the clipboard.
export function moment(t) {
	const d = toDate(t);
	return isNaN(d) ? "" : d.toISOString();
}

// "G=Hanako; S=Sato; O=Office; P=TOKYO; A=X; C=JP" -> "Hanako Sato \u00b7 Office \u00b7 TOKYO": for lists, with the whole of it in a title beside.
export function shortAddress(text) {
	const parts = new Map();
	for (const pair of String(text).split(";")) {
		const at = pair.indexOf("=");
		if (at > 0)
			parts.set(pair.slice(0, at).trim().toUpperCase(), pair.slice(at + 1).trim());
	}
	const pick = (...names) => names.map((n) => parts.get(n)).filter((x) => x);
	const name = pick("G", "I", "S", "Q").join(" ") || pick("CN")[0];
	return name ? [name, ...pick("OU1").slice(0, 1), ...pick("O"), ...pick("P").slice(0, 1)].join(" \u00b7 ") : text;
}

// The addresses of a list: one a line, or with a comma between where the store has joined them.
export const addresses = (text) => String(text || "").split(/\n|, (?=[A-Za-z0-9-]+=)/).filter((x) => x !== "");

// "C=GB;A=X;P=LONDON;L=london.6b0266f7.1" -> "london.6b0266f7.1": the part that differs.
export const shortId = (id) => (/L=([^;]*)$/.exec(id) || [id, id])[1];

// "transfer-out" -> "transfer out": words of tables, for people.
export const words = (text) => String(text || "").replaceAll("-", " ").replaceAll("_", " ");
export const capital = (text) => text ? text[0].toUpperCase() + text.slice(1) : "";
