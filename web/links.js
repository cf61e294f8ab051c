// links.js - the map, and beneath it the board: every link as a lamp, what goes over it and what waits, trouble first.
import { h } from "./dom.js";
import { live, listen, wait, trend, history, addSample } from "./live.js";
import { lamp, none, waiting, linkTo, LAMP_NAMES, LAMP_ORDER } from "./parts.js";
import { count, octets, plural, rate, duration, capital } from "./format.js";
import { plot } from "./plot.js";
import { linkMap } from "./map.js";
import { actOnLink } from "./act.js";

const TILES_MAX = 60, MINUTES = 10, TREND_LEAST = 10; // fewer come and go

// "next attempt in 41 s", or what is true instead.
export function nextWords(l) {
	const left = wait(l.next_attempt_ms);
	if (l.stopped)
		return "stopped by an operator";
	if (left === null)
		return "";
	return left < 500 ? "next attempt now" : `next attempt in ${duration(left)}`;
}

export const throughputSeries = [
	{ name: "received", of: (s) => s.received_per_s, show: rate, axis: (v) => count(v) },
	{ name: "sent", of: (s) => s.sent_per_s, show: rate },
];

const by = {
	trouble: (a, b) => LAMP_ORDER[a.lamp] - LAMP_ORDER[b.lamp] || by.name(a, b),
	name: (a, b) => a.name < b.name ? -1 : 1,
	queue: (a, b) => b.queued - a.queued || (a.name < b.name ? -1 : 1),
};

export function linksView(ctx) {
	let only = ctx.query.get("lamp") || "", text = "", order = "trouble", form = "", samples = [];
	const wish = new AbortController();
	const draw = plot({ title: "Throughput", unit: "messages a second", series: throughputSeries, minutes: MINUTES, tick: 4 }, ctx.changed);
	const drawMap = linkMap(ctx.changed);
	const load = () => history("", MINUTES, wish.signal).then((got) => { samples = got; ctx.changed(); }, () => {});
	load();
	const ends = [listen("tick", ctx.changed), listen("resume", load), listen("history", (s) => { addSample(samples, s, MINUTES); ctx.changed(); })];

	return {
		title: () => "Links",
		query: (q) => { only = q.get("lamp") || ""; },
		close: () => { wish.abort(); ends.forEach((f) => f()); },
		draw() {
			const o = live.overview;
			if (!o)
				return [h("h1", { tabindex: -1 }, "Links"), waiting()];
			const all = [...o.links].sort(by[order]);
			const links = all.filter((l) => (!only || l.lamp === only) && (text === "" || l.name.toLowerCase().includes(text.toLowerCase())));
			const as = form || (o.links.length > TILES_MAX ? "list" : "tiles");
			return [
				h("div", { class: "top" }, h("h1", { tabindex: -1 }, "Links"), h("span", { class: "soft" }, summary(o.links))),
				figures(o),
				o.links.length > 0 && h("div", { class: "filters", role: "search", "aria-label": "Which links" },
					o.links.length > 8 && h("label", { class: "field wide" }, h("span", null, "Name"), h("input", { type: "search", value: text, oninput: (e) => { text = e.target.value; ctx.changed(); } })),
					h("label", { class: "field" }, h("span", null, "Lamp"), h("select", { value: only, onchange: (e) => { location.hash = "#/links" + (e.target.value ? "?lamp=" + e.target.value : ""); } },
						h("option", { value: "" }, "all"), LAMP_NAMES.map((n) => h("option", { value: n, key: n }, n)))),
					h("label", { class: "field" }, h("span", null, "Order"), h("select", { value: order, onchange: (e) => { order = e.target.value; ctx.changed(); } },
						h("option", { value: "trouble" }, "trouble first"), h("option", { value: "name" }, "by name"), h("option", { value: "queue" }, "longest queue first"))),
					h("div", { class: "segments", role: "group", "aria-label": "Shown as" }, ["tiles", "list"].map((x) =>
						h("button", { key: x, type: "button", "aria-pressed": String(as === x), onclick: () => { form = x; ctx.changed(); } }, capital(x))))),
				o.links.length === 0 ? none("No links are set.", "Links are a section of the settings; posthorn reload takes them in.")
					: links.length === 0 ? none("No link is like that.", "Choose another lamp or name.")
						: [drawMap(o, links), as === "tiles" ? h("ul", { class: "board" }, links.map((l) => tile(l, ctx))) : list(links)],
				h("div", { class: "panel" }, draw(samples)),
			];
		},
	};
}

function summary(links) {
	const bad = links.filter((l) => l.lamp === "down" || l.lamp === "warning").length;
	return `${plural(links.length, "link")}, ${bad === 0 ? "none in trouble" : `${bad} in trouble`}`;
}

function figures(o) {
	const t = o.totals, figure = (what, value, more, href) => h(href ? "a" : "div", { key: what, href }, h("span", { class: "what" }, what), h("span", { class: "value" }, value), more && h("span", { class: "more" }, more));
	return h("div", { class: "figures" },
		figure("Received", rate(t.received_per_s)), figure("Sent", rate(t.sent_per_s)),
		figure("Latency", t.latency_ms === null ? "-" : duration(t.latency_ms, true), "arrival to hand-over"),
		figure("Queued", count(t.queued), t.held > 0 ? `${count(t.held)} held` : "", "#/queues"),
		figure("Quarantine", count(t.quarantined), t.suspects > 0 ? plural(t.suspects, "suspect") : "", "#/quarantine"),
		figure("Up", duration(o.mta.uptime_ms), `version ${o.mta.version}`));
}

function tile(l, ctx) {
	const next = nextWords(l), busy = l.outbound + l.inbound;
	return h("li", { key: l.name, class: "tile " + l.lamp, "data-link": l.name },
		h("header", null, h("a", { class: "name", href: "#/links/" + encodeURIComponent(l.name), title: l.name }, l.name), lamp(l.lamp)),
		h("dl", { class: "pairs" },
			h("div", null, h("dt", null, "in"), h("dd", null, rate(l.received_per_s))), h("div", null, h("dt", null, "out"), h("dd", null, rate(l.sent_per_s))),
			h("div", null, h("dt", null, "queued"), h("dd", null, count(l.queued), l.queued >= TREND_LEAST && trendMark(l.name), l.octets > 0 && h("span", { class: "soft small" }, ` ${octets(l.octets)}`)))),
		l.last_error && l.lamp !== "ok" && h("p", { class: "fault", title: l.last_error }, l.last_error),
		h("footer", null, h("span", { class: next ? "next" : "soft" }, next || (busy > 0 ? plural(busy, "association") : stateWords(l))),
			ctx.may() && !l.stopped && (l.lamp === "down" || l.lamp === "warning") &&
				h("button", { type: "button", class: "small do", "aria-label": `Retry ${l.name} now`, onclick: () => actOnLink(l, "retry") }, "Retry now")));
}

function trendMark(name) {
	const t = trend(name);
	return t === 0 ? null : h("span", { class: "soft", title: t > 0 ? "grows" : "drains" }, h("span", { "aria-hidden": "true" }, t > 0 ? " \u2191" : " \u2193"), h("span", { class: "unseen" }, t > 0 ? " grows" : " drains"));
}

export const stateWords = (l) => l.state === "closed" && l.schedule ? `closed: ${l.schedule}` : l.state;

function list(links) {
	return h("div", { class: "panel flush rows cards" }, h("table", null,
		h("thead", null, h("tr", null, ["Link", "Lamp", "State"].map((x) => h("th", { key: x, scope: "col" }, x)), ["In", "Out", "Queued"].map((x) => h("th", { key: x, scope: "col", class: "num" }, x)),
			h("th", { scope: "col" }, "Last error"))),
		h("tbody", null, links.map((l) => h("tr", { key: l.name, "data-link": l.name }, h("td", null, linkTo(l.name)), h("td", null, lamp(l.lamp)), h("td", { "data-name": "state" }, nextWords(l) || stateWords(l)),
			h("td", { class: "num", "data-name": "in" }, rate(l.received_per_s)), h("td", { class: "num", "data-name": "out" }, rate(l.sent_per_s)),
			h("td", { class: "num", "data-name": "queued" }, count(l.queued)), h("td", { class: "whole soft" }, h("span", { class: "clip", title: l.last_error }, l.last_error)))))));
}
