// events.js - what happens, as it happens: filters of the page, a pause, and what came before.
import { h } from "./dom.js";
import { get, query as asQuery } from "./ask.js";
import { listen } from "./live.js";
import { severity, when, none, waiting, failed, say } from "./parts.js";
import { plural, capital } from "./format.js";

const PAGE = 100, SHOWN_MAX = 600, DRAW_MS = 100, ORDER = ["debug", "info", "notice", "warning", "error", "alarm"];

function fits(e, f) {
	if (f.severity && ORDER.indexOf(e.severity) < ORDER.indexOf(f.severity))
		return false;
	if (f.category && e.category !== f.category)
		return false;
	if (f.link && !e.fields.some((x) => x.name === "link" && x.value === f.link))
		return false;
	return !f.text || [e.event, e.sentence || "", ...e.fields.map((x) => `${x.name} ${x.value}`)].join(" ").toLowerCase().includes(f.text.toLowerCase());
}

export function eventsView(ctx) {
	const read = (q) => Object.fromEntries(["severity", "category", "link", "text"].map((n) => [n, q.get(n) || ""]));
	let f = read(ctx.query), rows = null, next = null, error = null, paused = false, held = [], missed = false, shown_max = SHOWN_MAX, wish = null, fresh = new Set();
	let coming = [], drawn_at = -DRAW_MS, due = 0; // what has come since it was drawn: in a storm that is not once for each event
	const categories = new Set(["content", "message", "operator", "process", "store", "x400"]);

	const keyOf = (e) => `${e.at} ${e.seq}`;
	const add = (list) => {
		const known = new Set(rows.map(keyOf));
		rows = [...list.filter((e) => !known.has(keyOf(e))), ...rows];
		if (rows.length > shown_max) { // what is shown no more is among the older ones
			rows = rows.slice(0, shown_max);
			next = rows[shown_max - 1].seq;
			fresh = new Set(rows.map(keyOf).filter((k) => fresh.has(k)));
		}
	};
	const take = () => {
		const list = coming.reverse();
		coming = [];
		if (paused) {
			held = [...list, ...held].slice(0, SHOWN_MAX);
		} else if (list.length > 0) {
			list.forEach((e) => fresh.add(keyOf(e)));
			add(list);
		}
	};
	const redraw = () => {
		due = 0;
		drawn_at = performance.now();
		ctx.changed();
	};
	async function load(more) {
		if (wish)
			wish.abort();
		wish = new AbortController();
		try {
			const answer = await get("/api/events" + asQuery({ ...f, before: more ? next : "", max: PAGE }), wish.signal);
			rows = more ? [...rows, ...answer.rows] : answer.rows;
			next = answer.next;
			shown_max = Math.max(SHOWN_MAX, more ? rows.length : 0);
			error = null;
			rows.forEach((e) => categories.add(e.category));
		} catch (e) {
			if (e.name === "AbortError")
				return;
			error = e;
			rows = rows || [];
		}
		ctx.changed();
	}
	load();
	const ends = [listen("event", (e) => {
		categories.add(e.category);
		if (rows === null || !fits(e, f))
			return;
		coming.push(e);
		if (due === 0)
			due = setTimeout(redraw, Math.max(0, drawn_at + DRAW_MS - performance.now()));
	})];
	ends.push(listen("resume", () => {
		if (paused)
			missed = true;
		else
			load();
	}));
	const turn = () => {
		take();
		paused = !paused;
		if (!paused) {
			if (missed)
				load();
			else if (rows !== null)
				add(held);
			held = [];
			missed = false;
		}
		say(paused ? "Paused" : "Following");
		ctx.changed();
	};
	const set = (name, value) => { location.hash = "#/events" + asQuery({ ...f, [name]: value }); };
	const choice = (name, label, options) => h("label", { class: "field", key: name }, h("span", null, label), h("select", { name, value: f[name], onchange: (e) => set(name, e.target.value) }, options.map(([v, w]) => h("option", { value: v, key: v }, w))));

	return {
		title: () => "Events",
		close: () => { clearTimeout(due); wish.abort(); ends.forEach((x) => x()); },
		query(q) {
			f = read(q);
			rows = null;
			held = [];
			coming = [];
			fresh = new Set();
			load();
		},
		draw: () => {
			if (rows !== null)
				take();
			return page();
		},
	};

	function page() {
		return [
			h("div", { class: "top" }, h("h1", { tabindex: -1 }, "Events"), h("span", { class: "soft" }, paused ? `paused, ${plural(held.length, "new one")} meanwhile` : "as they happen"),
				h("div", { class: "acts" }, h("button", { type: "button", "aria-pressed": String(paused), onclick: turn }, paused ? "Go on" : "Pause"))),
			h("form", { class: "filters panel", role: "search", "aria-label": "Which events", onsubmit: (e) => e.preventDefault() },
				choice("severity", "Severity", [["", "all"], ...ORDER.slice(1).map((s) => [s, s === "alarm" ? "alarm" : s + " and worse"])]), choice("category", "Category", [["", "all"], ...[...categories].sort().map((c) => [c, c])]),
				h("label", { class: "field wide" }, h("span", null, "Link"), h("input", { name: "link", type: "search", autocomplete: "off", value: f.link, oninput: (e) => { f.link = e.target.value; }, onchange: (e) => set("link", e.target.value) })),
				h("label", { class: "field wide" }, h("span", null, "Text"), h("input", { name: "text", type: "search", autocomplete: "off", value: f.text, oninput: (e) => { f.text = e.target.value; }, onchange: (e) => set("text", e.target.value) })),
				(f.severity || f.category || f.link || f.text) && h("a", { class: "button", href: "#/events" }, "Clear")),
			error && failed(error, () => load()),
			rows === null ? waiting() : h("div", { class: "panel flush" }, rows.length === 0 ? none("No event fits.", "What happens from now on is shown here.") : h("ul", { class: "stream", "aria-label": "Events, newest first" }, rows.map((e) => entry(e, fresh.has(keyOf(e)))))),
			next !== null && rows && rows.length > 0 && h("button", { type: "button", onclick: () => load(true) }, "Older ones"),
		];
	}

	function entry(e, isFresh) {
		return h("li", { key: keyOf(e), class: isFresh ? "fresh" : "", "data-event": e.event }, h("span", { class: "at" }, when(e.at)), severity(e.severity),
			h("div", { class: "body" }, h("span", { title: `${e.event}, ${e.id}${e.source ? ", " + e.source : ""}, of ${e.process}` }, e.sentence ? capital(e.sentence) : e.event), " ",
				h("div", { class: "pairs2" }, h("code", null, e.event), " ", e.fields.map((x, i) => [i > 0 ? ", " : "", x.name, " ", x.name === "link" ? h("a", { href: "#/links/" + encodeURIComponent(x.value) }, x.value) : h("b", null, x.value)]))));
	}
}
