// plot.js - curves over time as SVG: axes with round numbers and a unit, a readout under the pointer or by the arrow keys.
import { h } from "./dom.js";
import { time } from "./format.js";

const H = 170, LEFT = 46, RIGHT = 8, TOP = 8, BOTTOM = 22;
const LEAST_MS = 60000; // what is younger than its span fills the width, but no less than this

// 1, 2 or 5 times a power of ten, so that about n of them cover `max`.
export function niceStep(max, n) {
	const raw = max / n, power = 10 ** Math.floor(Math.log10(raw));
	return power * [1, 2, 5, 10].find((x) => x * power >= raw * 0.999);
}

const TIME_STEPS = [10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200].map((s) => s * 1000);

// {title, unit, series: [{name, of: (sample) => number|null, show: (n) => text, axis: the same, whole: no
// halves}], minutes}. Gives draw(samples, width) -> nodes; `changed` is
// called when it wants to be drawn again.
export function plot({ title, unit, series, minutes, tick }, changed) {
	let at = null, last = [], width = 640, root = null;
	const show = (s, v) => v === null || v === undefined ? "nothing" : s.show(v);
	const x_of = (t, from, to) => LEFT + (width - LEFT - RIGHT) * (t - from) / (to - from);
	const range = () => {
		const to = last.length > 0 ? last[last.length - 1].at_ms : Date.now();
		const first = last.length > 0 ? last[0].at_ms : to;
		return [Math.max(to - minutes * 60000, Math.min(first, to - LEAST_MS)), to];
	};

	function nearest(clientX, box) {
		const [from, to] = range();
		const wanted = from + (clientX - box.left - LEFT * box.width / width) / ((width - LEFT - RIGHT) * box.width / width) * (to - from);
		let best = null;
		for (const s of last)
			if (s.at_ms >= from && (best === null || Math.abs(s.at_ms - wanted) < Math.abs(best.at_ms - wanted)))
				best = s;
		return best;
	}
	const point = (s) => { at = s ? s.at_ms : null; changed(); };
	const onKey = (event) => {
		const [from] = range();
		const seen = last.filter((s) => s.at_ms >= from);
		if (seen.length === 0)
			return;
		let i = at === null ? seen.length : seen.findIndex((s) => s.at_ms >= at);
		const jump = event.shiftKey ? 10 : 1;
		const moves = { ArrowLeft: i - jump, ArrowRight: i + jump, Home: 0, End: seen.length - 1 };
		if (event.key === "Escape" && at !== null) {
			point(null);
		} else if (event.key in moves) {
			event.preventDefault();
			i = Math.max(0, Math.min(seen.length - 1, moves[event.key]));
			point(seen[i]);
		}
	};

	// What has nothing beside it is a dot.
	function alone(samples, s) {
		const has = (i) => i >= 0 && i < samples.length && s.of(samples[i]) !== null && s.of(samples[i]) !== undefined;
		return samples.filter((p, i) => has(i) && !has(i - 1) && !has(i + 1));
	}

	function curve(samples, s, x, y) {
		let path = "", pen = false;
		for (const p of samples) {
			const v = s.of(p);
			if (v === null || v === undefined) {
				pen = false;
				continue;
			}
			path += `${pen ? "L" : "M"}${x(p.at_ms).toFixed(1)} ${y(v).toFixed(1)}`;
			pen = true;
		}
		return path;
	}

	return (samples) => {
		last = samples;
		if (root && root.isConnected)
			width = Math.max(260, root.clientWidth || width);
		const [from, to] = range();
		const seen = samples.filter((s) => s.at_ms >= from);
		let max = 0;
		for (const s of seen)
			for (const k of series)
				max = Math.max(max, k.of(s) || 0);
		const step = Math.max(niceStep(max > 0 ? max * 1.05 : tick || 1, 4), series[0].whole ? 1 : 0), top = Math.max(step, Math.ceil(max * 1.02 / step) * step);
		const x = (t) => x_of(t, from, to), y = (v) => H - BOTTOM - (H - BOTTOM - TOP) * v / top;
		const lines = [], labels = [];
		for (let v = 0; v <= top * 1.001; v += step) {
			const yy = Math.round(y(v)) + 0.5;
			lines.push(h("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: yy, y2: yy }));
			labels.push(h("text", { class: "axis", x: LEFT - 6, y: yy + 4, "text-anchor": "end" }, (series[0].axis || String)(Number(v.toPrecision(6)))));
		}
		const every = TIME_STEPS.find((s) => (to - from) / s <= Math.max(3, (width - LEFT) / (s < 60000 ? 80 : 56))) || TIME_STEPS[TIME_STEPS.length - 1];
		const zone = new Date(to).getTimezoneOffset() * 60000;
		for (let t = Math.ceil((from - zone) / every) * every + zone; t <= to; t += every) {
			if (x(t) < LEFT + 16 || x(t) > width - RIGHT - 16)
				continue;
			labels.push(h("text", { class: "axis", x: x(t), y: H - 6, "text-anchor": "middle" }, time(t).slice(-8, every < 60000 ? undefined : -3)));
			lines.push(h("line", { class: "grid", x1: x(t), x2: x(t), y1: H - BOTTOM, y2: H - BOTTOM + 4 }));
		}
		const here = at === null ? null : seen.find((s) => s.at_ms >= at) || null;
		const readout = here ? `${time(here.at_ms)}: ` + series.map((s) => `${s.name} ${show(s, s.of(here))}`).join(", ") : "";
		const now = seen[seen.length - 1];
		const label = `${title}, the last ${minutes} minutes. ` + (now ? "Now " + series.map((s) => `${s.name} ${show(s, s.of(now))}`).join(", ") + "." : "Nothing yet.");
		return h("figure", { class: "plot", onmake: (el) => { root = el; requestAnimationFrame(changed); } },
			h("figcaption", null, h("h2", null, title, " ", h("span", { class: "soft small" }, unit))),
			h("svg", { viewBox: `0 0 ${width} ${H}`, width, height: H, tabindex: 0, role: "slider", "aria-label": label, "aria-valuetext": readout || "arrow keys read values",
				"aria-valuenow": here ? here.at_ms : 0, "aria-valuemin": from, "aria-valuemax": to, onkeydown: onKey, onblur: () => at !== null && point(null),
				onpointermove: (e) => point(nearest(e.clientX, e.currentTarget.getBoundingClientRect())), onpointerleave: () => point(null) },
				lines, labels,
				series.length === 1 && seen.length > 1 && h("path", { class: "area", d: areaOf(curve(seen, series[0], x, y), seen, series[0], x, y) }),
				series.map((s, i) => h("path", { key: s.name, class: `curve s${i + 1}`, d: curve(seen, s, x, y) })),
				series.map((s, i) => alone(seen, s).map((p) => h("circle", { key: `${s.name}${p.at_ms}`, class: `spot s${i + 1}`, cx: x(p.at_ms).toFixed(1), cy: y(s.of(p)).toFixed(1), r: 2 }))),
				here && h("line", { class: "cross", x1: x(here.at_ms), x2: x(here.at_ms), y1: TOP, y2: H - BOTTOM }),
				here && series.map((s, i) => s.of(here) !== null && s.of(here) !== undefined &&
					h("circle", { class: `mark s${i + 1}`, cx: x(here.at_ms), cy: y(s.of(here)), r: 3.5 }))),
			h("p", { class: "readout" }, now ? [h("span", null, here ? time(here.at_ms) : "now"), series.map((s, i) => h("span", { key: s.name, class: "one" }, h("i", { class: `s${i + 1}` }), `${s.name} `,
				h("b", null, show(s, s.of(here || now)))))] : "Nothing has been measured yet."));
	};
}

// Only a curve without gaps has a ground.
function areaOf(path, seen, s, x, y) {
	if (path === "" || seen.some((p) => s.of(p) === null || s.of(p) === undefined))
		return "";
	return `${path}L${x(seen[seen.length - 1].at_ms).toFixed(1)} ${y(0)}L${x(seen[0].at_ms).toFixed(1)} ${y(0)}z`;
}
