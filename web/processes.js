// processes.js - is everything alive and getting on; how much went through and how long it took.
import { h } from "./dom.js";
import { live, listen, since, history, addSample } from "./live.js";
import { lamp, none, waiting } from "./parts.js";
import { count, duration, plural } from "./format.js";
import { plot } from "./plot.js";
import { throughputSeries } from "./links.js";

const SPANS = [[10, "10 min"], [60, "1 h"], [360, "6 h"]], SLOW_MS = 10000, SPEED_MS = 5000;

// The supervisor asks all at the same time, seldom (a quarter of `watchdog`): who has not answered is behind the others. What has only just
// started was not asked yet.
export function lastAsked(list) {
	const answered = list.filter((p) => p.ready && p.answer_ms !== null && p.up_ms - p.answer_ms > 1000).map((p) => p.answer_ms);
	return answered.length > 0 ? Math.min(...answered) : Infinity;
}
export const isSlow = (p, asked) => p.ready && p.answer_ms !== null && p.answer_ms > asked + SLOW_MS;
const lampOf = (p, asked) => p.pid === 0 ? "down" : !p.ready || isSlow(p, asked) ? "warning" : "ok";
const words = (p, asked) => p.pid === 0 ? "not running" : !p.ready ? "starting" : isSlow(p, asked) ? "does not answer" : "alive";

export function processesView(ctx) {
	let minutes = 60, samples = [], plots = [], wish = new AbortController();
	const before = new Map(); // progress, by kind and instance, some seconds ago

	function makePlots() {
		plots = [
			plot({ title: "Throughput", unit: "messages a second", series: throughputSeries, minutes, tick: 4 }, ctx.changed),
			plot({ title: "Latency", unit: "arrival to hand-over, mean, ms", series: [{ name: "latency", of: (s) => s.latency_ms, show: (v) => duration(v, true), axis: count }], minutes, tick: 100 }, ctx.changed),
			plot({ title: "Queue", unit: "transfers that wait", series: [{ name: "queued", of: (s) => s.queued, show: count, axis: count, whole: true }], minutes, tick: 4 }, ctx.changed),
		];
	}
	function load() {
		wish.abort();
		wish = new AbortController();
		makePlots();
		history("", minutes, wish.signal).then((got) => { samples = got; ctx.changed(); }, () => {});
		ctx.changed();
	}
	const moved = new Map();
	const look = (o) => {
		for (const p of o.processes) {
			const key = `${p.kind}-${p.instance}`, was = before.get(key);
			const now = performance.now(), passed = was && was.life === p.life ? now - was.t : 0;
			if (passed >= SPEED_MS)
				moved.set(key, (p.progress - was.progress) * 1000 / passed);
			if (!was || was.life !== p.life || passed >= SPEED_MS)
				before.set(key, { progress: p.progress, life: p.life, t: now });
		}
	};
	load();
	const ends = [listen("resume", load), listen("overview", look), listen("tick", ctx.changed), listen("history", (s) => { addSample(samples, s, minutes); ctx.changed(); })];

	return {
		title: () => "Processes",
		close: () => { wish.abort(); ends.forEach((f) => f()); },
		draw() {
			const o = live.overview;
			const spans = h("div", { class: "segments", role: "group", "aria-label": "Span of the plots" }, SPANS.map(([m, text]) => h("button", { key: m, type: "button", "aria-pressed": String(m === minutes), onclick: () => { minutes = m; load(); } }, text)));
			return [
				h("div", { class: "top" }, h("h1", { tabindex: -1 }, "Processes"), o && h("span", { class: "soft" }, summary(o.processes)), h("div", { class: "acts" }, spans)),
				h("div", { class: "columns three" }, plots.map((draw, i) => h("div", { class: "panel", key: `${minutes}.${i}` }, draw(samples)))),
				!o ? waiting() : o.processes.length === 0 ? h("div", { class: "panel" }, none("The board of processes is not there."))
					: h("div", { class: "panel flush rows cards" }, h("table", null, h("thead", null, h("tr", null, ["Process", "Liveness"].map((x) => h("th", { key: x, scope: "col" }, x)),
						["Pid", "Up", "Last answer", "Life", "Faults", "Progress", "a second"].map((x) => h("th", { key: x, scope: "col", class: "num" }, x)))),
					h("tbody", null, o.processes.map((p) => row(p, lastAsked(o.processes), moved.get(`${p.kind}-${p.instance}`)))))),
			];
		},
	};
}

function summary(list) {
	const bad = list.filter((p) => lampOf(p, lastAsked(list)) !== "ok").length, faults = list.reduce((n, p) => n + p.faults, 0);
	return `${plural(list.length, "process", "processes")}, ${bad === 0 ? "all alive" : `${bad} not well`}${faults > 0 ? `, ${plural(faults, "fault")} since the start` : ""}`;
}

function row(p, asked, speed) {
	const passed = since();
	return h("tr", { key: `${p.kind}-${p.instance}`, "data-process": `${p.kind}-${p.instance}` }, h("td", null, h("b", null, p.kind), p.instance > 0 || p.kind === "link" ? ` ${p.instance}` : ""),
		h("td", null, h("span", { class: "lamp " + lampOf(p, asked) }, lamp(lampOf(p, asked), { word: false }), h("b", null, words(p, asked)))), h("td", { class: "num", "data-name": "pid" }, p.pid || "-"),
		h("td", { class: "num", "data-name": "up" }, p.up_ms === null ? "-" : duration(p.up_ms + passed)), h("td", { class: "num", "data-name": "answered" }, p.answer_ms === null ? "-" : p.answer_ms + passed < 1500 ? "now" : `${duration(p.answer_ms + passed)} ago`),
		h("td", { class: "num", "data-name": "life" }, count(p.life)), h("td", { class: "num", "data-name": "faults" }, p.faults > 0 ? h("b", null, count(p.faults)) : "0"),
		h("td", { class: "num", "data-name": "progress" }, count(p.progress)), h("td", { class: "num", "data-name": "a second" }, speed === undefined ? "-" : speed.toFixed(speed < 10 ? 1 : 0)));
}
