// login.js - who are you? What the address names is shown afterwards.
import { h } from "./dom.js";
import { post } from "./ask.js";
import { mark } from "./parts.js";

const state = { name: "", password: "", busy: false, error: "", until: 0, redraw: null };

async function submit(event, done) {
	event.preventDefault();
	if (state.busy)
		return;
	state.busy = true;
	state.error = "";
	state.redraw();
	try {
		const answer = await post("/api/login", { name: state.name, password: state.password });
		state.password = "";
		state.busy = false;
		done(answer);
		return;
	} catch (e) {
		state.error = e.message;
		if (e.status === 429 && e.wait_s > 0)
			slowDown(e.wait_s);
		state.password = "";
	}
	state.busy = false;
	state.redraw();
	const field = document.getElementById("password");
	if (field)
		field.focus();
}

function slowDown(s) {
	state.until = performance.now() + s * 1000;
	const timer = setInterval(() => {
		if (performance.now() >= state.until) {
			clearInterval(timer);
			state.until = 0;
			state.error = "";
		}
		state.redraw();
	}, 500);
}

export function loginView(reason, done, redraw) {
	state.redraw = redraw;
	const left = Math.ceil((state.until - performance.now()) / 1000);
	return h("main", { class: "login", key: "login" }, h("form", { onsubmit: (e) => submit(e, done) },
		h("div", { class: "brand" }, mark(), h("b", null, "Posthorn")),
		reason && !state.error && h("p", { class: "notice", role: "status" }, reason),
		h("h1", { class: "unseen" }, "Log in"),
		h("label", { class: "field" }, h("span", null, "Name"),
			h("input", { id: "name", name: "name", autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: true, maxlength: 64, value: state.name,
				onmake: (el) => queueMicrotask(() => el.focus()), oninput: (e) => { state.name = e.target.value; } })),
		h("label", { class: "field" }, h("span", null, "Password"),
			h("input", { id: "password", name: "password", type: "password", autocomplete: "current-password", required: true, maxlength: 256, value: state.password,
				oninput: (e) => { state.password = e.target.value; } })),
		state.error && h("p", { class: "notice bad", role: "alert" }, state.error, left > 0 && ` (${left} s)`),
		h("button", { type: "submit", class: "main", disabled: state.busy || left > 0 }, state.busy ? "Logging in" : left > 0 ? `Wait ${left} s` : "Log in")));
}
