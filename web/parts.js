// parts.js - small pieces that every view is made of: lamps, states of loading and failing, facts, dialogs, short messages.
import { h, drawing } from "./dom.js";
import { time, moment } from "./format.js";

const LAMPS = {
	ok: ["ok", () => h("circle", { cx: 8, cy: 8, r: 6.5 })],
	warning: ["warning", () => h("path", { d: "M8 1l7.5 14H.5z" })],
	down: ["down", () => h("path", { d: "M3 .5L8 5.500 13 .5 15.500 3 10.500 8l5 5L13 15.500l-5-5-5 5L.5 13l5-5-5-5z" })],
	closed: ["closed", () => h("circle", { cx: 8, cy: 8, r: 6 })],
	stopped: ["stopped", () => h("rect", { x: 2, y: 2, width: 12, height: 12, rx: 1 })],
};
export const LAMP_NAMES = Object.keys(LAMPS);
// Trouble first.
export const LAMP_ORDER = { down: 0, warning: 1, stopped: 2, closed: 3, ok: 4 };

export const lampShape = (name) => (LAMPS[name] || LAMPS.stopped)[1]();

export function lamp(name, { large, word = true } = {}) {
	const [text, shape] = LAMPS[name] || LAMPS.stopped;
	return h("span", { class: `lamp ${name}${large ? " large" : ""}`, "data-lamp": name },
		h("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, shape()), word && h("b", null, text));
}

const SEVERITY_SHAPES = {
	warning: "M8 1l7.5 14H.5z",
	error: "M3 .5L8 5.500 13 .5 15.500 3 10.500 8l5 5L13 15.500l-5-5-5 5L.5 13l5-5-5-5z",
	alarm: "M8 0l8 8-8 8-8-8z",
};

export function severity(name) {
	const shape = SEVERITY_SHAPES[name];
	return h("span", { class: "severity s-" + name }, shape && h("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, h("path", { d: shape })), name);
}

export const when = (t, exact) => t ? h("time", { datetime: moment(t), title: moment(t) }, time(t, exact)) : h("span", { class: "soft" }, "-");

// [["name", value], ...]: what has no value is left out; a name that stands more than once in a row is shown once.
export function facts(rows) {
	const shown = rows.filter(([, value]) => value !== "" && value !== null && value !== undefined && value !== false);
	return h("dl", { class: "facts" }, shown.map(([name, value], i) => [(i === 0 || shown[i - 1][0] !== name) && h("dt", null, name), h("dd", null, value)]));
}

export const waiting = (text) => h("p", { class: "wait", role: "status" }, text || "One moment.");
export const none = (text, more) => h("div", { class: "none" }, h("b", null, text), more && h("span", null, more));

export function failed(error, again) {
	return h("div", { class: "notice bad", role: "alert" }, h("span", null, error.message || String(error)), again && h("button", { type: "button", onclick: again }, "Try again"));
}

// A short message at the edge of the window; what is bad stays until it is closed.
const toasts = { list: [], draw: null };
export function toast(text, kind = "good") {
	const t = { text, kind, key: Math.random() };
	toasts.list.push(t);
	const close = () => { toasts.list = toasts.list.filter((x) => x !== t); drawToasts(); };
	t.close = close;
	if (kind === "good")
		setTimeout(close, 6000);
	drawToasts();
}

function drawToasts() {
	if (!toasts.draw) {
		const root = document.createElement("div");
		root.className = "toasts";
		document.body.append(root);
		toasts.draw = drawing(root);
	}
	toasts.draw(toasts.list.map((t) => h("div", { key: t.key, class: "notice " + t.kind, role: t.kind === "bad" ? "alert" : "status" }, h("span", null, t.text),
		h("button", { type: "button", class: "plain small", onclick: t.close }, "Close"))));
}

// For those who hear the page: one region, polite.
export function say(text) {
	document.getElementById("said").textContent = text;
}

// A question with a reason. `ask` is {title, body, act, grave, why: "wanted"|"asked"|undefined, choose: {label, options}}. Resolves to
// {why, choice}, or null when it was put off. The title and the button name what will happen, and to how many.
export function confirmed(ask) {
	return new Promise((resolve) => {
		const root = document.createElement("dialog");
		document.getElementById("dialogs").append(root);
		let why = "", choice = ask.choose ? ask.choose.options[0] || "" : "", answer = null;
		const draw = drawing(root);
		const close = () => root.close();
		const submit = (event) => {
			event.preventDefault();
			answer = { why: why.trim(), choice };
			close();
		};
		const redraw = () => draw(h("form", { method: "dialog", onsubmit: submit },
			h("h2", { id: "dialog-title" }, ask.title),
			h("div", { class: "what" }, ask.body),
			ask.choose && h("label", { class: "field" }, h("span", null, ask.choose.label),
				h("select", { name: "choice", value: choice, onchange: (e) => { choice = e.target.value; redraw(); } },
					ask.choose.options.map((o) => h("option", { value: o, key: o }, o)))),
			ask.why && h("label", { class: "field" }, h("span", null, ask.why === "wanted" ? "Why (kept in the journey and in the audit event)" : "Why (optional, kept in the audit event)"),
				h("input", { name: "why", maxlength: 300, autocomplete: "off", required: ask.why === "wanted", value: why, oninput: (e) => { why = e.target.value; redraw(); } })),
			h("div", { class: "acts" },
				h("button", { type: "button", onclick: close }, "Cancel"),
				h("button", { type: "submit", class: ask.grave ? "grave" : "main", disabled: ask.why === "wanted" && why.trim() === "" || ask.choose && choice === "" }, ask.act))));
		root.setAttribute("aria-labelledby", "dialog-title");
		root.addEventListener("close", () => { root.remove(); resolve(answer); });
		redraw();
		root.showModal();
		const first = root.querySelector("input, select") || root.querySelector(".acts button");
		first.focus();
	});
}

// Text that is copied when its button is pressed.
export function copyable(text) {
	return h("span", null, h("code", null, text), " ", h("button", { type: "button", class: "plain small copy", title: "Copy",
		onclick: () => navigator.clipboard && navigator.clipboard.writeText(text).then(() => toast("Copied."), () => {}) }, "copy"));
}

export const link = (href, ...kids) => h("a", { href }, ...kids);
export const linkTo = (name, tabindex) => h("a", { href: "#/links/" + encodeURIComponent(name), tabindex }, name);
export const traceTo = (id, text) => link("#/trace/" + encodeURIComponent(id), text || id);

export const mark = () => h("svg", { viewBox: "0 0 32 32", "aria-hidden": "true" }, h("rect", { width: 32, height: 32, rx: 7, fill: "#1d3f5e" }),
	h("g", { fill: "none", stroke: "#f2b632", "stroke-width": 3, "stroke-linecap": "round", "stroke-linejoin": "round" }, h("circle", { cx: 13, cy: 18, r: 6.5 }),
		h("path", { d: "M13 11.500h9M22 8v7l5 2.500V5.500z" })));
