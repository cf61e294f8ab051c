// message.js - one message: its journey as a line, its envelope decoded, its content as text. By a number of the store
// (#/message/transfer/7) or by its MTS-identifier alone (#/trace/...), when nothing of it is stored any more.
import { h } from "./dom.js";
import { get, page as getPage, checkId } from "./ask.js";
import { live } from "./live.js";
import { facts, none, waiting, failed, traceTo, copyable, confirmed, link } from "./parts.js";
import { octets, plural, duration, words, capital, time } from "./format.js";
import { actOnQueue, QUEUE_ACTS } from "./act.js";
import { actOnQuarantine } from "./quarantine.js";

const STEPS_MAX = 500;
const GOOD = new Set(["delivered", "transfer-out"]);
const BAD = /not-delivered|non-delivery|report-made|quarantin|struck|deleted|returned|expired|discarded|undeliver/;
const ODD = /rerouted|redirected|held|expanded|retry|retried|released|suspect|moved/;

export function messageView(ctx) {
	const wish = new AbortController(), stored = ctx.name === "message", [kind, number] = ctx.path;
	let message = null, error = null, steps = null, stepsError = null, more = false, text = null, textError = null, id = stored ? "" : ctx.path[0] || "", copies = null;
	const at = `/api/message/${encodeURIComponent(kind)}/${encodeURIComponent(number)}`;

	async function loadMessage() {
		try {
			message = await get(at, wish.signal);
			error = null;
			id = message.mts_id;
		} catch (e) {
			error = e.name === "AbortError" ? null : e;
		}
		ctx.changed();
		if (id)
			loadSteps();
		else
			steps = [];
	}
	async function loadSteps() {
		try {
			checkId(id);
			const answer = await get(`/api/trace?id=${encodeURIComponent(id)}&max=${STEPS_MAX}`, wish.signal);
			steps = answer.rows;
			more = answer.next !== null;
			stepsError = null;
		} catch (e) {
			stepsError = e.name === "AbortError" ? null : e;
		}
		ctx.changed();
	}
	async function loadText() {
		try {
			text = await get(at + "/text", wish.signal);
		} catch (e) {
			textError = e.name === "AbortError" ? null : e;
		}
		ctx.changed();
	}
	// What of it still waits here: so that a message that was found can be acted on.
	async function loadCopies() {
		try {
			checkId(id);
			copies = (await getPage("/api/queue", { id, max: 20 }, wish.signal)).rows;
		} catch {
			copies = [];
		}
		ctx.changed();
	}
	if (stored) {
		loadMessage();
		loadText();
	} else {
		loadSteps();
		loadCopies();
	}
	const refresh = () => { if (stored) loadMessage(); else { loadSteps(); loadCopies(); } };

	return {
		title: () => "Message",
		close: () => wish.abort(),
		draw: () => [
			h("div", { class: "top" }, h("div", null, h("p", { class: "crumb" }, crumb(kind, stored)), h("h1", { tabindex: -1 }, heading(text, stored, kind))), stored && message && acts(kind, Number(number), ctx, refresh)),
			id && h("p", { class: "small soft" }, "Identifier ", copyable(id)),
			error && (error.status === 404 ? h("div", { class: "panel" }, none("It is not stored here any more.", "It has been handed over, delivered or given up; its journey can still be found."), h("p", { class: "none" }, link("#/find", "Find it"))) : failed(error, refresh)),
			copies && copies.length > 0 && h("div", { class: "panel" }, h("h2", null, "Waits here"), h("ul", { class: "stack" }, copies.map((c) => h("li", { key: c.transfer }, link(`#/message/transfer/${c.transfer}`, `transfer ${c.transfer}`),
				` for ${c.link}${c.held ? ", held" : ""}`, c.error && h("span", { class: "soft" }, `: ${c.error}`))))),
			h("div", { class: "columns" }, h("div", { class: "stack" }, journey(steps, stepsError, more, loadSteps, id)), stored && h("div", { class: "stack" }, content(text, textError, message), envelope(message))),
		],
	};
}

const crumb = (kind, stored) => !stored ? [link("#/find", "Find"), " / message"] : kind === "transfer" ? [link("#/queues", "Queues"), " / transfer"]
	: kind === "quarantine" ? [link("#/quarantine", "Quarantine"), " / set aside"] : [link("#/find", "Find"), " / " + kind];

function heading(text, stored, kind) {
	const subject = text && text.fields.find((f) => f.label === "subject");
	return subject && subject.value ? subject.value : stored ? capital(kind === "transfer" ? "message that waits" : kind === "quarantine" ? "set aside" : "message") : "Journey of a message";
}

function acts(kind, number, ctx, refresh) {
	if (!ctx.may() || kind !== "transfer" && kind !== "quarantine")
		return null;
	const run = async (what) => {
		const a = QUEUE_ACTS[what];
		const answer = await confirmed({ title: `${a.word} this transfer?`, body: h("p", null, a.body), act: `${a.word} 1 transfer`, grave: a.grave, why: a.why,
			choose: what === "reroute" ? { label: "To the link", options: live.overview ? live.overview.links.map((l) => l.name) : [] } : undefined });
		if (answer !== null)
			await actOnQueue(what, { ids: [number] }, answer, () => {}).then(refresh);
	};
	return h("div", { class: "acts", role: "group", "aria-label": "Acts on the message" }, kind === "transfer"
		? Object.entries(QUEUE_ACTS).map(([name, a]) => h("button", { key: name, type: "button", onclick: () => run(name) }, a.word))
		: ["release", "delete"].map((name) => h("button", { key: name, type: "button", onclick: () => actOnQuarantine(name, [number]).then((done) => { if (done) location.hash = "#/quarantine"; }) }, capital(name))));
}

// --- the journey ---

const tone = (s) => GOOD.has(s.step) ? "good" : BAD.test(s.step) ? "bad" : ODD.test(s.step) ? "odd" : "";
const SHAPES = { good: () => h("circle", { cx: 8, cy: 8, r: 6 }), bad: () => h("path", { d: "M2 2l12 12M14 2L2 14", "stroke-width": 3 }), odd: () => h("path", { d: "M8 1l7 13H1z" }), "": () => h("circle", { cx: 8, cy: 8, r: 5 }) };

// How far apart two steps are drawn: by the order of magnitude of the time between them.
const gapClass = (ms) => "gap g" + (ms < 1000 ? 0 : ms < 60000 ? 1 : ms < 3600000 ? 2 : ms < 86400000 ? 3 : 4);

function journey(steps, error, more, again, id) {
	const total = steps && steps.length > 1 ? Date.parse(steps[steps.length - 1].at) - Date.parse(steps[0].at) : 0;
	return h("section", { class: "panel", "aria-labelledby": "journey" }, h("div", { class: "top" }, h("h2", { id: "journey" }, "Journey"),
		total > 0 && h("span", { class: "soft small" }, `${plural(steps.length, "step")} in ${duration(total, true)}`), h("span", { class: "acts" }, h("button", { type: "button", class: "plain small", onclick: again }, "Refresh"))),
	error ? failed(error, again) : steps === null ? waiting() : steps.length === 0 ? none("No step is known.", id ? "They are kept for the time and size that the settings give them." : "It has no identifier of its own.")
		: h("ol", { class: "journey" }, steps.map((s, i) => step(s, steps[i + 1], id))), more && h("p", { class: "soft small" }, `The first ${STEPS_MAX} steps are shown.`));
}

function step(s, next, id) {
	const t = tone(s), other = s.id && s.id !== id ? s.id : s.other_id && s.other_id !== id ? s.other_id : "";
	return h("li", { key: s.seq, "data-step": s.step }, h("span", { class: "at" }, h("time", { datetime: s.at, title: s.at }, time(s.at, true))),
		h("span", { class: "dot " + t, "aria-hidden": "true" }, h("svg", { viewBox: "0 0 16 16" }, SHAPES[t]())),
		h("div", { class: "step" }, h("b", null, capital(words(s.step))), s.peer && h("span", null, ` ${s.step.endsWith("-in") ? "from" : s.step.endsWith("-out") ? "to" : "\u00b7"} ${s.peer}`), s.number ? h("span", { class: "aside", title: "number of the tracking event" }, ` event ${s.number}`) : null,
			s.text && h("span", { class: "small soft" }, s.text), other && h("span", { class: "small" }, s.id !== id ? "identifier " : "about ", traceTo(other))),
		next && h("span", { class: gapClass(next.after_ms || 0) }, next.after_ms ? `${duration(next.after_ms, true)} later` : ""));
}

// --- what it is ---

const SAID = new Set(["id", "originator", "recipients"]); // of the row, and shown above

// Times as envelopes and the store have them, in the operator's own.
function clock(text) {
	const utc = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?Z$/.exec(text);
	if (utc)
		return time(new Date(Date.UTC(2000 + Number(utc[1]), utc[2] - 1, utc[3], utc[4], utc[5], utc[6] || 0)));
	return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text) ? time(text) : text;
}

function envelope(m) {
	if (!m)
		return null;
	const passed = (list, title) => list.length > 0 && [h("h3", null, title), h("ol", { class: "stack small" }, list.map((p, i) => h("li", { key: i }, [p.mta, p.domain, clock(p.arrival)].filter((x) => x).join(" \u00b7 "))))];
	return h("section", { class: "panel stack", "aria-labelledby": "envelope" }, h("h2", { id: "envelope" }, "Envelope"), m.decoded && h("p", { class: "notice" }, m.decoded),
		m.fields.length > 0 && facts(m.fields.map((f) => [words(f.name), f.value])),
		m.recipients.length > 0 && [h("h3", null, plural(m.recipients.length, "recipient")), h("ul", { class: "stack small" }, m.recipients.slice(0, 200).map((r, i) => h("li", { key: i }, h("span", null, r.address), " ",
			h("span", { class: "soft" }, [r.outcome, r.responsible ? "" : "not ours to hand over", r.report && r.report !== "none" ? `report: ${r.report}` : ""].filter((x) => x).join(", "))))),
		m.recipients.length > 200 && h("p", { class: "soft small" }, `and ${plural(m.recipients.length - 200, "more", "more")}`)],
		passed(m.trace, "Domains it has passed"), passed(m.internal_trace, "MTAs it has passed"),
		m.row.length > 0 && [h("h3", null, "In the store"), facts(m.row.filter((f) => !SAID.has(f.name)).map((f) => [words(f.name), clock(f.value)]))]);
}

function content(text, error, message) {
	const noContent = error && error.status !== 404;
	return h("section", { class: "panel", "aria-labelledby": "content" }, h("h2", { id: "content" }, "Content"), error ? h("p", { class: "soft" }, noContent ? error.message : "It is not stored here any more.") : text === null ? waiting(message ? "A content process reads it." : "One moment.")
		: h("div", null, h("div", { class: "part" }, facts(text.fields.map((f) => [capital(words(f.label)), f.value]))), text.parts.map((p) => part(p))));
}

function part(p) {
	const about = [p.message ? "forwarded message" : words(p.kind), p.name, p.message ? "" : octets(p.size), p.truncated ? "cut" : "", p.replaced ? "some characters could not be read" : ""].filter((x) => x).join(", ");
	return h("div", { class: "part", key: `${p.part}.${p.depth}.${p.name}` }, h("h3", null, `Part ${p.part}: ${about}`), p.fields.length > 0 && facts(p.fields.map((f) => [capital(words(f.label)), f.value])),
		p.text !== undefined ? h("pre", { class: "text", tabindex: 0 }, p.text) : p.hex ? h("pre", { class: "text", tabindex: 0 }, p.hex.replace(/(..)/g, "$1 ").replace(/(.{48})/g, "$1\n")) : null);
}

