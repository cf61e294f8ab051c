// link.js - one link: what it does now, what it has in hand, when it tries next, what went wrong.
import { h } from "./dom.js";
import { get } from "./ask.js";
import { live, listen, since, history, addSample } from "./live.js";
import { lamp, severity, when, facts, none, waiting, failed, link } from "./parts.js";
import { count, octets, plural, rate, duration, words } from "./format.js";
import { plot } from "./plot.js";
import { nextWords, stateWords, throughputSeries } from "./links.js";
import { actOnLink } from "./act.js";

const MINUTES = 30, EVENTS = 12;

export function linkView(ctx) {
	const name = ctx.path[0], at = "/api/links/" + encodeURIComponent(name), wish = new AbortController();
	let page = null, came = 0, error = null, events = null, samples = [], asking = false;
	const rates = plot({ title: "Throughput", unit: "messages a second", series: throughputSeries, minutes: MINUTES, tick: 4 }, ctx.changed);
	const queue = plot({ title: "Queue", unit: "transfers that wait", series: [{ name: "queued", of: (s) => s.queued, show: count, axis: count, whole: true }], minutes: MINUTES, tick: 4 }, ctx.changed);

	async function load() {
		if (asking)
			return;
		asking = true;
		try {
			page = await get(at, wish.signal);
			came = performance.now();
			error = null;
		} catch (e) {
			if (e.name !== "AbortError")
				error = e;
		}
		asking = false;
		ctx.changed();
	}
	const loadEvents = () => get(`/api/events?link=${encodeURIComponent(name)}&severity=info&max=${EVENTS}`, wish.signal).then((a) => { events = a.rows; ctx.changed(); }, () => { events = events || []; });
	const isOurs = (e) => e.fields.some((f) => f.name === "link" && f.value === name);

	load();
	loadEvents();
	const loadHistory = () => history(name, MINUTES, wish.signal).then((got) => { samples = got; ctx.changed(); }, () => {});
	loadHistory();
	let seen = "";
	const ends = [
		listen("tick", ctx.changed),
		listen("resume", () => { load(); loadEvents(); loadHistory(); }),
		// Associations and settings are asked for again when something about the link has changed.
		listen("overview", (o) => {
			const l = o.links.find((x) => x.name === name);
			if (!l)
				return;
			addSample(samples, { at_ms: Date.parse(o.at), queued: l.queued, received_per_s: l.received_per_s, sent_per_s: l.sent_per_s, latency_ms: null }, MINUTES);
			const now = [l.state, l.lamp, l.inbound, l.outbound, l.in_flight, l.last_error].join("|");
			if (now !== seen)
				load();
			seen = now;
		}),
		listen("event", (e) => {
			if (isOurs(e) && events && e.severity !== "debug") {
				events = [e, ...events].slice(0, EVENTS);
				ctx.changed();
			}
		}),
	];

	return {
		title: () => name,
		close: () => { wish.abort(); ends.forEach((f) => f()); },
		draw() {
			const l = (live.overview && live.overview.links.find((x) => x.name === name)) || (page && page.link);
			const crumb = h("p", { class: "crumb" }, link("#/links", "Links"), " / ", name);
			if (!l)
				return [crumb, h("h1", { tabindex: -1 }, name), error ? failed(error, load) : waiting()];
			const passed = page ? performance.now() - came : 0;
			return [
				h("div", { class: "top" }, h("div", null, crumb, h("div", { class: "top" }, h("h1", { tabindex: -1 }, name), lamp(l.lamp, { large: true }), h("span", { class: "soft" }, sentence(l)))), acts(l, ctx)),
				error && failed(error, load),
				l.last_error && h("p", { class: "notice" + (l.lamp === "down" ? " bad" : "") }, h("b", null, l.lamp === "ok" ? "Last error:" : "Why:"), h("span", null, l.last_error)),
				h("div", { class: "columns" },
					h("div", { class: "panel" }, h("h2", null, "Now"), facts([
						["Calls", l.address], ["Schedule", l.schedule], ["Next attempt", nextWords(l).replace("next attempt ", "")], ["Failures in a row", l.open_failures > 0 && count(l.open_failures)],
						["Queue", link("#/queues?link=" + encodeURIComponent(name), `${plural(l.queued, "transfer")}, ${octets(l.octets)}`)],
						["In flight", count(l.in_flight)], ["Sent", `${count(l.sent)} (${rate(l.sent_per_s)})`], ["Received", `${count(l.received)} (${rate(l.received_per_s)})`]])),
					h("div", { class: "stack" }, associations(page, l, passed), monitor(l))),
				h("div", { class: "columns" }, h("div", { class: "panel" }, rates(samples)), h("div", { class: "panel" }, queue(samples))),
				h("div", { class: "columns" }, recent(events), page && page.settings.length > 0 && h("div", { class: "panel" }, h("h2", null, "Settings that matter"), facts(page.settings.map((s) => [s.name, s.value])))),
			];
		},
	};
}

function sentence(l) {
	const next = nextWords(l), busy = l.inbound + l.outbound;
	return next || (busy > 0 ? `${stateWords(l)}, ${plural(busy, "association")}` : stateWords(l));
}

function acts(l, ctx) {
	if (!ctx.may())
		return null;
	const b = (what, text, more) => h("button", { key: what, type: "button", onclick: () => actOnLink(l, what), ...more }, text);
	return h("div", { class: "acts", role: "group", "aria-label": "Acts on the link" },
		!l.stopped && b("retry", "Retry now", { class: l.lamp === "down" || l.lamp === "warning" ? "main" : "" }), !l.stopped && b("close", "Close", { disabled: l.inbound + l.outbound === 0 }),
		l.stopped ? b("start", "Start", { class: "main" }) : b("stop", "Stop"));
}

function monitor(l) {
	const m = l.monitor;
	return h("div", { class: "panel" }, h("h2", null, "Monitor"), !m ? h("p", { class: "soft" }, "No monitor is set for this link.") : facts([
		["State", { ok: lamp("ok"), warning: lamp("warning"), alert: h("span", { class: "lamp down" }, h("b", null, "alert")) }[m.state] || m.state],
		["Last round trip", m.last_ms === null ? "no probe was answered yet" : duration(m.last_ms, true)],
		["Waiting for", m.waiting_ms === null ? "every probe has been answered" : duration(m.waiting_ms + since())]]));
}

function associations(page, l, passed) {
	const rows = page ? page.associations : [];
	return h("div", { class: "panel flush" }, h("div", { class: "head" }, h("h2", null, "Associations"), h("span", { class: "soft small" }, `${l.outbound} out, ${l.inbound} in${l.two_way ? `, ${l.two_way} of them two-way` : ""}`)),
		rows.length === 0 ? none("No association is open.", l.stopped ? "The link is stopped." : "One is opened when mail wants it.") : h("div", { class: "rows cards" }, h("table", null,
			h("thead", null, h("tr", null, ["Association", "Direction", "State", "Process"].map((x) => h("th", { key: x, scope: "col" }, x)), ["In flight", "For"].map((x) => h("th", { key: x, scope: "col", class: "num" }, x)))),
			h("tbody", null, rows.map((a) => h("tr", { key: a.id }, h("td", { class: "mono" }, a.id), h("td", null, a.direction === "in" ? a.two_way ? "in, two-way" : "in" : "out"), h("td", null, a.state),
				h("td", { "data-name": "process" }, a.process), h("td", { class: "num", "data-name": "in flight" }, count(a.in_flight)),
				h("td", { class: "num", "data-name": "for" }, a.age_ms === null ? "-" : duration(a.age_ms + passed))))))));
}

function recent(events) {
	return h("div", { class: "panel flush" }, h("div", { class: "head" }, h("h2", null, "Recent events")), events === null ? waiting() : events.length === 0 ? none("Nothing has happened lately.")
		: h("ul", { class: "stream" }, events.map((e) => h("li", { key: e.seq + e.at }, h("span", { class: "at" }, when(e.at)), severity(e.severity),
			h("div", { class: "body" }, words(e.event.replace(".", " ")), " ", h("span", { class: "pairs2" }, e.fields.filter((f) => f.name !== "link").map((f) => `${f.name} ${f.value}`).join(", ")))))));
}
