// find.js - tracking: messages of the past and of now, by identifier, address, subject and time.
import { h } from "./dom.js";
import { page as getPage, query as asQuery, checkId } from "./ask.js";
import { when, none, waiting, failed, traceTo } from "./parts.js";
import { octets, plural, duration, words, shortAddress, shortId, addresses } from "./format.js";

const NAMES = ["id", "address", "subject", "from", "to"];
const PAGE = 50;

// What a datetime-local field says, in the operator's own time, as the API wants it.
const asTime = (text) => text === "" || isNaN(new Date(text)) ? "" : new Date(text).toISOString();

export function findView(ctx) {
	const read = (q) => Object.fromEntries(NAMES.map((n) => [n, q.get(n) || ""]));
	let began = 0, values = read(ctx.query), typed = { ...values }, after = ctx.query.get("after") || "", answer = null, error = null, wish = null, depth = 0;

	const isEmpty = () => NAMES.every((n) => values[n] === "");
	async function load() {
		if (wish)
			wish.abort();
		answer = error = null;
		if (isEmpty())
			return ctx.changed();
		wish = new AbortController();
		began = performance.now();
		try {
			checkId(values.id);
			answer = await getPage("/api/track", { ...values, from: asTime(values.from), to: asTime(values.to), after, max: PAGE }, wish.signal, ctx.changed);
		} catch (e) {
			if (e.name === "AbortError")
				return;
			error = e;
		}
		ctx.changed();
	}
	function submit(event) {
		event.preventDefault();
		const to = "#/find" + asQuery(Object.fromEntries(NAMES.map((n) => [n, typed[n].trim()])));
		if (location.hash === to)
			load();
		else
			location.hash = to;
	}
	load();

	return {
		title: () => "Find",
		close: () => wish && wish.abort(),
		query(q) {
			values = read(q);
			typed = { ...values };
			after = q.get("after") || "";
			depth = after === "" ? 0 : depth + 1;
			load();
		},
		draw: () => [h("h1", { tabindex: -1 }, "Find a message"), form(typed, submit, ctx), error ? failed(error, load)
			: isEmpty() ? h("div", { class: "panel" }, none("What do you know of it?", "An address of its originator or of a recipient is enough. The subject has to be the whole one: only its hash is kept."))
				: answer === null ? waiting(performance.now() - began > 1000 ? `Looking since ${duration(performance.now() - began)}; nothing yet.` : "Looking.") : answer.rows.length === 0 ? h("div", { class: "panel" }, none("Nothing was found.", "Steps of messages are kept for the time and size that the settings give them."))
					: found(answer, values, after, depth)],
	};
}

function form(typed, submit, ctx) {
	const text = (name, label, more) => h("label", { class: "field wide", key: name }, h("span", null, label), h("input", { name, type: "search", autocomplete: "off", spellcheck: "false", value: typed[name], oninput: (e) => { typed[name] = e.target.value; ctx.changed(); }, ...more }));
	return h("form", { class: "filters panel", role: "search", "aria-label": "What is known", onsubmit: submit },
		text("address", "Originator or recipient", { placeholder: "G=Claude; S=Colin; O=Office; P=PARIS; A=POSTHORN; C=FR" }), text("id", "Identifier"), text("subject", "Subject, whole"),
		text("from", "Not before", { type: "datetime-local", step: 1 }), text("to", "Not after", { type: "datetime-local", step: 1 }),
		h("button", { type: "submit", class: "main", disabled: NAMES.every((n) => typed[n].trim() === "") }, "Find"));
}

function found(answer, values, after, depth) {
	const go = (a) => { location.hash = "#/find" + asQuery({ ...values, after: a }); };
	return h("div", { class: "panel flush" }, h("div", { class: "rows cards" }, h("table", null,
		h("thead", null, h("tr", null, ["Time", "Step", "Originator", "Recipients", "Peer"].map((x) => h("th", { key: x, scope: "col" }, x)), h("th", { scope: "col", class: "num" }, "Size"), h("th", { scope: "col" }, "Identifier"))),
		h("tbody", null, answer.rows.map((r) => {
			const to = addresses(r.recipients);
			return h("tr", { key: r.seq, "data-id": r.id }, h("td", { class: "nowrap" }, when(r.at)), h("td", null, words(r.step)), h("td", { class: "whole", "data-name": "from" }, h("span", { class: "clip", title: r.originator }, shortAddress(r.originator))),
				h("td", { class: "whole", "data-name": "to" }, h("span", { class: "clip", title: r.recipients }, shortAddress(to[0] || "-")), to.length > 1 && h("span", { class: "small" }, `and ${plural(to.length - 1, "more", "more")}`)),
				h("td", { "data-name": "peer" }, r.peer || "-"), h("td", { class: "num", "data-name": "size" }, octets(r.size)), h("td", { class: "whole" }, h("span", { class: "clip mono", title: r.id }, traceTo(r.id, shortId(r.id)))));
		})))), h("div", { class: "foot" }, h("span", { class: "soft small" }, plural(answer.rows.length, "step")), h("nav", { class: "acts top", "aria-label": "Pages" },
		after !== "" && h("button", { type: "button", class: "small", onclick: () => depth > 0 ? history.back() : go("") }, depth > 0 ? "Page before" : "First page"),
		answer.next !== null && h("button", { type: "button", class: "small", onclick: () => go(answer.next) }, "Next page"))));
}
