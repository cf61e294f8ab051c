// map.js - the map: this MTA in the middle, a line to the lamp of each link around it. A line is as thick as much goes over it, and dots go along
// it the way the mail goes; what waits for a link is a number on its line. Few links stand around; many hang on a rail, above and below.
import { h } from "./dom.js";
import { wait } from "./live.js";
import { lampShape, mark, LAMP_ORDER } from "./parts.js";
import { count, plural, rate, duration } from "./format.js";

const DRAWN_MAX = 150; // of more only those that matter most are drawn
const AROUND_MAX = 16, AROUND_NARROW = 10, NARROW = 900;
const LABEL = 215;  // room for what is beside a lamp
const COLUMN = 190, ROW = 25, RAIL = 80;
const BOX_W = 168, BOX_H = 52;

const NAME = "600 13px", WORDS = "400 12px";
const ruler = document.createElement("canvas").getContext("2d");
const widths = new Map();

function wide(text, font) {
	const key = font + text;
	if (!widths.has(key)) {
		if (widths.size > 5000)
			widths.clear();
		ruler.font = `${font} ${getComputedStyle(document.body).fontFamily}`;
		widths.set(key, ruler.measureText(text).width);
	}
	return widths.get(key);
}

// Whole letters, whatever they are made of.
function clipped(text, room, font) {
	if (wide(text, font) <= room)
		return text;
	const letters = [...text];
	while (letters.length > 1 && wide(letters.join("") + "\u2026", font) > room)
		letters.pop();
	return letters.join("") + "\u2026";
}

const short = (n) => n < 10000 ? count(n) : n < 1e6 ? `${Math.round(n / 1000)}k` : `${(n / 1e6).toFixed(1)}M`;

// 1.5 when nothing goes, then by the power of ten.
export const thickness = (perSecond) => perSecond > 0 ? Math.min(9, 2 + 1.6 * Math.log10(1 + 10 * perSecond)) : 1.5;
const speed = (perSecond) => perSecond < 0.1 ? 1 : perSecond < 1 ? 2 : perSecond < 10 ? 3 : 4;

function state(l) {
	const left = wait(l.next_attempt_ms), flows = l.received_per_s + l.sent_per_s > 0;
	if (left !== null && !l.stopped && l.lamp !== "ok")
		return `${l.lamp}, next ${left < 500 ? "now" : `in ${duration(left)}`}`;
	return flows ? `${l.lamp}, in ${rate(l.received_per_s)}, out ${rate(l.sent_per_s)}` : l.lamp;
}

const spoken = (l) => `${l.name}: ${l.lamp}, ${l.queued === 0 ? "nothing waits" : `${count(l.queued)} queued`}, in ${rate(l.received_per_s)}, out ${rate(l.sent_per_s)}`;

// --- where they are: {x, y, from: {x, y}, side: -1 words are left of the lamp, 1 right, room} ---

// On an ellipse, so that nobody is straight above or below.
export function around(n, width) {
	const height = n <= 2 ? 120 : n <= 4 ? 190 : n <= 8 ? 290 : n <= 12 ? 390 : 525, aside = n === 1 ? Math.min(150, width / 2 - LABEL) : 0, cx = width / 2 - aside, cy = height / 2;
	const rx = n === 1 ? 2 * aside : Math.max(BOX_W / 2 + 40, Math.min(width / 2 - LABEL, 460)), ry = height / 2 - 26;
	const first = n % 2 === 1 ? 0 : -Math.PI / 2 + Math.PI / n;
	const places = [];
	for (let i = 0; i < n; i++) {
		const a = first + 2 * Math.PI * i / n, dx = rx * Math.cos(a);
		places.push({ x: cx + dx, y: cy + ry * Math.sin(a), from: { x: cx, y: cy }, side: dx < 0 ? -1 : 1, room: Math.min(LABEL, n === 1 ? LABEL : width / 2 - rx) - 30 });
	}
	return { height, box: { x: cx, y: cy }, rails: [], places };
}

// In columns on branches of a rail.
export function onRails(n, width) {
	const columns = Math.max(1, Math.min(Math.floor(width / COLUMN), Math.ceil(n / 2))), pitch = width / columns, each = Math.ceil(n / columns), above = Math.ceil(each / 2);
	const cy = above * ROW + RAIL / 2 + 4, places = [], rails = [];
	for (let c = 0; c < columns; c++) {
		const here = Math.min(each, n - c * each), up = Math.min(above, here), x = c * pitch + 14;
		if (here <= 0)
			break;
		for (let i = 0; i < here; i++) {
			const y = i < up ? cy - RAIL / 2 - (up - i) * ROW + ROW / 2 : cy + RAIL / 2 + (i - up) * ROW + ROW / 2;
			places.push({ x: x + 34, y, from: { x, y }, side: 1, room: pitch - 34 - 14 - 30 });
		}
		rails.push({ x1: x, x2: x, y1: cy - RAIL / 2 - (up - 0.5) * ROW, y2: here > up ? cy + RAIL / 2 + (here - up - 0.5) * ROW : cy });
	}
	rails.push({ x1: Math.min(rails[0].x1, width / 2), x2: Math.max(rails[rails.length - 1].x1, width / 2), y1: cy, y2: cy });
	return { height: cy + RAIL / 2 + (each - above) * ROW + 4, box: { x: width / 2, y: cy }, rails, places };
}

// --- what is drawn ---

function flow(p, direction, perSecond) {
	if (!(perSecond > 0))
		return null;
	const dx = p.x - p.from.x, dy = p.y - p.from.y, far = Math.hypot(dx, dy) || 1, off = direction === "sent" ? 2.2 : -2.2;
	const ox = -dy / far * off, oy = dx / far * off;
	return h("path", { key: direction, class: `flow ${direction} f${speed(perSecond)}`, d: `M${(p.from.x + ox).toFixed(1)} ${(p.from.y + oy).toFixed(1)}L${(p.x + ox).toFixed(1)} ${(p.y + oy).toFixed(1)}` });
}

function line(l, p, isAround) {
	return h("g", { key: l.name, class: `way ${l.lamp}` }, h("line", { x1: p.from.x, y1: p.from.y, x2: p.x, y2: p.y, "stroke-width": thickness(l.received_per_s + l.sent_per_s).toFixed(1) }),
		isAround && flow(p, "received", l.received_per_s), isAround && flow(p, "sent", l.sent_per_s));
}

function pill(l, x, y, end) {
	if (l.queued === 0)
		return null;
	const text = short(l.queued), w = 12 + wide(text, NAME);
	return h("g", { key: "pill", class: "waits" }, h("rect", { x: end ? x - w : x - w / 2, y: y - 9, width: w, height: 18, rx: 9 }), h("text", { x: end ? x - w / 2 : x, y: y + 4, "text-anchor": "middle" }, text));
}

function shape(l, p, size) {
	return h("g", { class: `lamp ${l.lamp}`, transform: `translate(${p.x - size / 2} ${p.y - size / 2}) scale(${size / 16})` }, h("rect", { class: "ground", x: -3, y: -3, width: 22, height: 22, rx: 11 }), lampShape(l.lamp));
}

// A link: its lamp, its name, how it is.
function big(l, p) {
	const anchor = p.side < 0 ? "end" : "start", x = p.x + 18 * p.side, name = clipped(l.name, p.room, NAME), words = clipped(state(l), p.room, WORDS);
	const w = Math.max(wide(name, NAME), wide(words, WORDS)) + 42, dx = p.x - p.from.x, dy = p.y - p.from.y;
	const t = (1 + Math.min(BOX_W / 2 / Math.abs(dx), BOX_H / 2 / Math.abs(dy))) / 2; // the middle of what is seen of the line
	return [h("rect", { class: "ring", x: p.side < 0 ? p.x - w + 16 : p.x - 16, y: p.y - 20, width: w, height: 40, rx: 8 }), shape(l, p, 18),
		h("text", { class: "name", x, y: p.y - 2, "text-anchor": anchor }, name), h("text", { class: `how ${l.lamp}`, x, y: p.y + 14, "text-anchor": anchor }, words),
		pill(l, p.from.x + dx * t, p.from.y + dy * t, false)];
}

function small(l, p) {
	const queue = l.queued > 0 ? 16 + wide(short(l.queued), NAME) : 0;
	return [h("rect", { class: "ring", x: p.x - 12, y: p.y - ROW / 2, width: p.room + 26, height: ROW, rx: 6 }), shape(l, p, 13),
		h("text", { class: "name", x: p.x + 13, y: p.y + 4.5 }, clipped(l.name, p.room - queue, NAME)), pill(l, p.x + p.room + 10, p.y, true)];
}

function box(b, mta, o) {
	const away = !o.switch, words = away ? "no answer" : o.totals.queued === 0 ? "nothing waits" : `${short(o.totals.queued)} queued`;
	return h("g", { class: "self" + (away ? " away" : "") }, h("rect", { x: b.x - BOX_W / 2, y: b.y - BOX_H / 2, width: BOX_W, height: BOX_H, rx: 10 }),
		h("g", { transform: `translate(${b.x - BOX_W / 2 + 12} ${b.y - 14}) scale(.875)` }, mark().kids),
		h("text", { class: "name", x: b.x - BOX_W / 2 + 50, y: b.y - 2 }, clipped(mta, BOX_W - 60, "600 14px")), h("text", { class: "how", x: b.x - BOX_W / 2 + 50, y: b.y + 15 }, words));
}

const byName = (a, b) => a.name < b.name ? -1 : 1;
const byWeight = (a, b) => LAMP_ORDER[a.lamp] - LAMP_ORDER[b.lamp] || b.queued - a.queued || b.received_per_s + b.sent_per_s - a.received_per_s - a.sent_per_s || byName(a, b);

const legend = (hasDots, left) => h("p", { class: "legend" }, hasDots && h("span", { key: "in" }, h("i", { class: "received" }), "received"), hasDots && h("span", { key: "out" }, h("i", { class: "sent" }), "sent"),
	h("span", null, h("i", { class: "thick" }), "thicker: more a second"), h("span", null, h("b", { class: "number" }, "12"), "queued"), left > 0 && h("span", { key: "left" }, `${plural(left, "quieter link")} not drawn: in the list below`));

// Gives draw(overview, links) -> nodes. One stop of the Tab key; the arrow keys go from link to link, Enter opens one.
export function linkMap(changed) {
	let root = null, width = 960, here = "";
	const go = (event, links) => {
		const i = links.findIndex((l) => l.name === here), last = links.length - 1;
		const moves = { ArrowRight: i + 1, ArrowDown: i + 1, ArrowLeft: i - 1, ArrowUp: i - 1, Home: 0, End: last };
		if (!(event.key in moves) || event.altKey || event.ctrlKey || event.metaKey)
			return;
		event.preventDefault();
		const to = links[Math.max(0, Math.min(last, moves[event.key]))];
		here = to.name;
		[...root.querySelectorAll("a")].find((a) => a.getAttribute("data-map") === here).focus();
		changed();
	};
	return (o, links) => {
		const sorted = links.length <= DRAWN_MAX ? [...links] : [...links].sort(byWeight).slice(0, DRAWN_MAX);
		sorted.sort(byName);
		if (root && root.isConnected && root.clientWidth > 0)
			width = root.clientWidth;
		const isAround = sorted.length <= (width < NARROW ? AROUND_NARROW : AROUND_MAX), at = isAround ? around(sorted.length, width) : onRails(sorted.length, width);
		if (!sorted.some((l) => l.name === here))
			here = sorted.length > 0 ? sorted[0].name : "";
		return h("figure", { class: "map panel", onmake: (el) => { root = el.querySelector(".sheet"); requestAnimationFrame(changed); } },
			h("div", { class: "sheet" }, h("svg", { viewBox: `0 0 ${width} ${at.height}`, width, height: at.height, role: "group", "aria-label": `Map of ${plural(links.length, "link")}: arrow keys go from one to the next` },
				at.rails.map((r, i) => h("line", { key: i, class: "rail", ...r })), sorted.map((l, i) => line(l, at.places[i], isAround)), box(at.box, o.mta.name, o),
				sorted.map((l, i) => h("a", { key: l.name, href: "#/links/" + encodeURIComponent(l.name), "data-map": l.name, "data-state": l.lamp, tabindex: l.name === here ? 0 : -1, "aria-label": spoken(l),
					onfocus: () => { if (here !== l.name) { here = l.name; changed(); } }, onkeydown: (e) => go(e, sorted) },
					h("title", null, `${spoken(l)}${l.last_error && l.lamp !== "ok" ? `\n${l.last_error}` : ""}`), isAround ? big(l, at.places[i]) : small(l, at.places[i]))))),
			legend(isAround, links.length - sorted.length));
	};
}
