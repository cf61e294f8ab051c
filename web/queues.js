// queues.js - what waits, by filters that are part of the address; rows are chosen and acted on, after a question that names how many.
import { h } from "./dom.js";
import { get, page as getPage, query as asQuery } from "./ask.js";
import { live, listen, wait, mtaNow } from "./live.js";
import { none, waiting, failed, linkTo, confirmed } from "./parts.js";
import { count, octets, plural, duration, shortAddress, addresses } from "./format.js";
import { actOnQueue, QUEUE_ACTS } from "./act.js";

const PAGE = 50, COUNT_MAX = 20000, REFRESH_MS = 5000;
const NAMES = ["link", "recipient", "originator", "id", "priority", "larger", "older", "held"];
const AGES = [["", "any"], ["300", "5 minutes"], ["3600", "an hour"], ["14400", "4 hours"], ["86400", "a day"]];
const SIZES = [["", "any"], ["100000", "100 KB"], ["1000000", "1 MB"], ["10000000", "10 MB"]];

function read(q) {
	const values = {};
	for (const name of NAMES)
		values[name] = q.get(name) || "";
	return values;
}

// As the body of an act wants it.
function filterOf(values) {
	const filter = {};
	for (const name of NAMES)
		if (values[name] !== "")
			filter[name] = name === "held" ? true : name === "larger" || name === "older" ? Number(values[name]) : values[name];
	return Object.keys(filter).length > 0 ? filter : { all: true };
}

function inWords(values) {
	const said = [];
	if (values.link)
		said.push(`for ${values.link}`);
	if (values.priority)
		said.push(values.priority);
	if (values.recipient)
		said.push(`to "${values.recipient}"`);
	if (values.originator)
		said.push(`from "${values.originator}"`);
	if (values.id)
		said.push(`of identifier ${values.id}`);
	if (values.larger)
		said.push(`larger than ${octets(Number(values.larger))}`);
	if (values.older)
		said.push(`older than ${duration(Number(values.older) * 1000)}`);
	if (values.held)
		said.push("held");
	return said.length > 0 ? said.join(", ") : "everything that waits";
}

export function queuesView(ctx) {
	let values = read(ctx.query), after = ctx.query.get("after") || "", rows = null, next = null, error = null, wish = null, loaded = 0, changed = false;
	let chosen = new Map(), all = false, progress = "", typed = { ...values }, last = -1, depth = 0, current = 0, looking = 0, busy = false, took = 0;

	async function load() {
		if (wish)
			wish.abort();
		wish = new AbortController();
		loaded = performance.now();
		changed = false;
		looking = 0;
		busy = true;
		try {
			const answer = await getPage("/api/queue", { ...values, after, max: PAGE }, wish.signal, () => { looking = performance.now() - loaded; ctx.changed(); });
			rows = answer.rows;
			next = answer.next;
			error = null;
			for (const id of [...chosen.keys()])
				if (after === "" && next === null && !rows.some((r) => r.transfer === id))
					chosen.delete(id);
		} catch (e) {
			if (e.name === "AbortError") /* another one has begun */
				return;
			error = e;
		}
		busy = false;
		took = performance.now() - loaded;
		ctx.changed();
	}

	function goTo(more) {
		location.hash = "#/queues" + asQuery({ ...values, ...more });
	}
	function setFilter(name, value) {
		typed[name] = value;
		goTo({ ...typed, after: "" });
	}
	const clearChosen = () => { chosen = new Map(); all = false; };

	// How many a filter finds: counted page by page, up to a bound; many for all, or for a link, are known.
	async function howMany() {
		let n = 0;
		for (let a = ""; ;) {
			const answer = await get("/api/queue" + asQuery({ ...values, after: a, max: 500 }));
			n += answer.rows.length;
			a = answer.next;
			if (a === null || n >= COUNT_MAX)
				return { n, more: a !== null };
			const known = fromOverview();
			if (known !== null && n >= 500)
				return { n: known, more: false };
			progress = `Counting: ${count(n)} so far`;
			ctx.changed();
		}
	}

	// Of the last sample, a second or so old: good enough for many.
	function fromOverview() {
		const given = NAMES.filter((name) => values[name] !== ""), o = live.overview, l = o && o.links.find((x) => x.name === values.link);
		return o && given.length === 0 ? o.totals.queued : l && given.length === 1 ? l.queued : null;
	}

	async function act(what) {
		let how = plural(chosen.size, "transfer"), about = null;
		try {
			if (all) {
				const found = await howMany();
				progress = "";
				how = (found.more ? "more than " : "") + plural(found.n, "transfer");
				about = h("p", null, `All that match now: ${inWords(values)}.`);
			}
		} catch (e) {
			error = e;
			progress = "";
			return ctx.changed();
		}
		const a = QUEUE_ACTS[what], links = live.overview ? live.overview.links.map((l) => l.name).filter((n) => n !== values.link) : [];
		const answer = await confirmed({ title: `${a.word} ${how}?`, body: h("div", { class: "stack" }, h("p", null, a.body), about), act: `${a.word} ${how}`, grave: a.grave, why: a.why,
			choose: what === "reroute" ? { label: "To the link", options: links } : undefined });
		if (answer === null)
			return;
		await actOnQueue(what, all ? { filter: filterOf(values) } : { ids: [...chosen.keys()] }, answer, (text) => { progress = text; ctx.changed(); });
		clearChosen();
		load();
	}

	const choose = (r, i, event) => {
		const on = !chosen.has(r.transfer), from = event.shiftKey && last >= 0 ? Math.min(i, last) : i, to = event.shiftKey && last >= 0 ? Math.max(i, last) : i;
		for (let k = from; k <= to && k < rows.length; k++)
			if (on)
				chosen.set(rows[k].transfer, rows[k]);
			else
				chosen.delete(rows[k].transfer);
		all = false;
		last = i;
		ctx.changed();
	};
	const choosePage = (on) => {
		for (const r of rows)
			if (on)
				chosen.set(r.transfer, r);
			else
				chosen.delete(r.transfer);
		all = false;
		ctx.changed();
	};

	// One row is a stop of the Tab key; the arrow keys go to another, so that what is below the table is near.
	const onKey = (event) => {
		const moves = { ArrowDown: current + 1, ArrowUp: current - 1, Home: 0, End: rows.length - 1 };
		if (!(event.key in moves) || event.altKey || event.ctrlKey || event.metaKey)
			return;
		event.preventDefault();
		current = Math.max(0, Math.min(rows.length - 1, moves[event.key]));
		const tr = event.currentTarget.children[current];
		(tr.querySelector(event.target.type === "checkbox" ? "input" : "a") || tr.querySelector("a")).focus();
		ctx.changed();
	};

	load();
	let before = "";
	const ends = [
		listen("overview", (o) => {
			const now = values.link ? String((o.links.find((l) => l.name === values.link) || {}).queued) : `${o.totals.queued} ${o.totals.held}`;
			changed = changed || before !== "" && before !== now;
			before = now;
			// A search that takes long is not begun anew for every change.
			if (changed && !busy && chosen.size === 0 && !all && performance.now() - loaded > Math.max(rows && rows.length < PAGE ? 900 : REFRESH_MS, 10 * took))
				load();
		}),
		listen("tick", ctx.changed),
	];

	return {
		title: () => "Queues",
		close: () => { if (wish) wish.abort(); ends.forEach((f) => f()); },
		query(q) {
			const to = read(q), a = q.get("after") || "";
			depth = a === "" ? 0 : depth + 1;
			if (JSON.stringify(to) !== JSON.stringify(values))
				clearChosen();
			values = to;
			typed = { ...to };
			after = a;
			rows = null;
			load();
		},
		draw() {
			const links = live.overview ? live.overview.links.map((l) => l.name) : values.link ? [values.link] : [];
			return [
				h("div", { class: "top" }, h("h1", { tabindex: -1 }, "Queues"), h("span", { class: "soft" }, live.overview ? `${plural(live.overview.totals.queued, "transfer")} waiting, ${count(live.overview.totals.held)} held` : "")),
				filters(typed, links, setFilter, (e) => { e.preventDefault(); goTo({ ...typed, after: "" }); }, inWords(values) === inWords(read(new URLSearchParams()))),
				error && failed(error, load),
				rows === null ? !error && waiting(looking > 0 ? `Looking through the queues since ${duration(looking, true)}; nothing yet.` : "") : rows.length === 0 ? h("div", { class: "panel" }, inWords(values) === "everything that waits" && after === "" ? none("Nothing waits.", "Whatever was accepted has been handed over.")
					: none("Nothing waits that fits.", after === "" ? `Looked for: ${inWords(values)}.` : "What was on this page has gone."))
					: table(),
				(chosen.size > 0 || all) && selection(),
				h("p", { class: "unseen", role: "status" }, progress),
			];
		},
	};

	function table() {
		const may = ctx.may(), every = rows.every((r) => chosen.has(r.transfer));
		return h("div", { class: "panel flush" }, h("div", { class: "rows cards" }, h("table", null,
			h("thead", null, h("tr", null, may && h("th", { scope: "col" }, h("input", { type: "checkbox", "aria-label": "All on this page", checked: every || all, onchange: (e) => choosePage(e.target.checked) })),
				["Recipient", "Originator", "Link"].map((x) => h("th", { key: x, scope: "col" }, x)), h("th", { key: "p", scope: "col" }, "Priority"),
				["Size", "Age", "Attempts"].map((x) => h("th", { key: x, scope: "col", class: "num" }, x)), h("th", { key: "n", scope: "col" }, "Next"))),
			h("tbody", { onkeydown: onKey }, rows.map((r, i) => row(r, i, may))))), h("div", { class: "foot" },
			may && !all && h("button", { type: "button", class: "small", onclick: () => choosePage(!every) }, every ? "Choose none" : "Choose this page"),
			may && !all && h("button", { type: "button", class: "small", onclick: () => { chosen = new Map(); all = true; ctx.changed(); } }, "Choose all that match"),
			h("span", { class: "soft small" }, `${plural(rows.length, "row")}${changed ? ", changed since" : ""}`), changed && h("button", { type: "button", class: "plain small", onclick: load }, "Refresh"),
			h("nav", { class: "acts top", "aria-label": "Pages" }, after !== "" && h("button", { type: "button", class: "small", onclick: () => depth > 0 ? history.back() : goTo({ after: "" }) }, depth > 0 ? "Page before" : "First page"),
				next !== null && h("button", { type: "button", class: "small", onclick: () => goTo({ after: next }) }, "Next page"))));
	}

	function row(r, i, may) {
		const to = addresses(r.recipients), on = all || chosen.has(r.transfer);
		const stop = i === Math.min(current, rows.length - 1) ? null : -1;
		const left = r.next_ms === null ? null : Math.max(0, r.next_ms - (performance.now() - loaded));
		return h("tr", { key: r.transfer, class: `${on ? "chosen" : ""}${may ? " ticked" : ""}`, "data-transfer": r.transfer, onfocusin: () => { if (current !== i) { current = i; ctx.changed(); } } },
			may && h("td", { class: "box" }, h("input", { type: "checkbox", tabindex: stop, checked: on, disabled: all, "aria-label": `Transfer ${r.transfer} to ${to[0] || "nobody"}`, onclick: (e) => choose(r, i, e) })),
			h("td", { class: "whole" }, h("a", { class: "clip", tabindex: stop, href: `#/message/transfer/${r.transfer}`, title: r.recipients }, shortAddress(to[0] || "") || r.id), (to.length > 1 || r.error) && h("span", { class: "small clip", title: r.error },
				[to.length > 1 ? `and ${plural(to.length - 1, "more", "more")}` : "", r.error].filter((x) => x).join(" \u00b7 "))),
			h("td", { class: "whole", "data-name": "from" }, h("span", { class: "clip", title: r.originator }, shortAddress(r.originator))), h("td", { "data-name": "link" }, links(r.link, stop)),
			h("td", null, r.held && h("span", { class: "tag held" }, "held"), r.held && " ", h("span", { class: "tag " + (r.priority === "urgent" ? "urgent" : "quiet") }, r.priority)),
			h("td", { class: "num", "data-name": "size" }, octets(r.size)), h("td", { class: "num", "data-name": "age" }, h("span", { title: r.arrived }, r.arrived ? duration(Math.max(0, mtaNow() - Date.parse(r.arrived))) : "-")),
			h("td", { class: "num", "data-name": "attempts" }, count(r.attempts)), h("td", { class: "nowrap", "data-name": "next" }, r.held ? "when released" : left !== null && left >= 500 ? `in ${duration(left)}` : linkNext(r.link)));
	}

	// What may go at once goes when its link can.
	function linkNext(name) {
		const l = live.overview && live.overview.links.find((x) => x.name === name), left = l ? wait(l.next_attempt_ms) : null;
		return l && l.stopped ? "link stopped" : l && l.lamp === "closed" ? "link closed" : left !== null && left >= 500 ? `in ${duration(left)}` : "ready";
	}

	function links(name, stop) {
		return live.overview && live.overview.links.some((l) => l.name === name) ? linkTo(name, stop) : name;
	}

	function selection() {
		return h("div", { class: "selection", role: "region", "aria-label": "What is chosen" }, h("b", null, all ? `All that match: ${inWords(values)}` : `${plural(chosen.size, "transfer")} chosen`),
			Object.entries(QUEUE_ACTS).map(([name, a]) => h("button", { key: name, type: "button", class: "small", disabled: progress !== "", onclick: () => act(name) }, a.word)),
			h("button", { type: "button", class: "plain small", onclick: () => { clearChosen(); ctx.changed(); } }, "Choose none"), progress && h("span", { class: "soft small" }, progress));
	}
}

function filters(typed, links, set, submit, bare) {
	const text = (name, label) => h("label", { class: "field wide", key: name }, h("span", null, label), h("input", { name, type: "search", autocomplete: "off", value: typed[name], oninput: (e) => { typed[name] = e.target.value; }, onchange: (e) => set(name, e.target.value) }));
	const choice = (name, label, options) => h("label", { class: "field", key: name }, h("span", null, label), h("select", { name, value: typed[name], onchange: (e) => set(name, e.target.value) },
		options.map(([value, word]) => h("option", { value, key: value }, word))));
	return h("form", { class: "filters panel", role: "search", "aria-label": "What is shown", onsubmit: submit },
		choice("link", "Link", [["", "all"], ...[...new Set([...links, ...(typed.link ? [typed.link] : [])])].sort().map((l) => [l, l])]),
		text("recipient", "Recipient"), text("originator", "Originator"), text("id", "Identifier"), choice("priority", "Priority", [["", "any"], ["urgent", "urgent"], ["normal", "normal"], ["non-urgent", "non-urgent"]]),
		choice("larger", "Larger than", SIZES), choice("older", "Older than", AGES),
		h("label", { class: "tick" }, h("input", { name: "held", type: "checkbox", checked: typed.held === "1", onchange: (e) => set("held", e.target.checked ? "1" : "") }), "held"),
		!bare && h("a", { class: "button", href: "#/queues" }, "Clear"));
}

