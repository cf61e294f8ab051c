// ask.js - requests to the console (docs/openapi.yaml), and their refusals as sentences.

export class Refused extends Error {
	// status 0: no answer at all; wait_s: what Retry-After says, else 0.
	constructor(status, text, wait_s) {
		super(text);
		this.status = status;
		this.wait_s = wait_s || 0;
	}
}

let token = "";
let onLoggedOut = () => {};
let isAnother = async () => false;

export const setToken = (csrf) => { token = csrf || ""; };
export const whenLoggedOut = (f) => { onLoggedOut = f; };
// f() looks whether the same user has another session by now, and takes its token: then what was refused is asked once more.
export const whenRefused = (f) => { isAnother = f; };

async function ask(method, path, body, signal, again) {
	const headers = { Accept: "application/json" };
	if (method === "POST") {
		headers["Content-Type"] = "application/json";
		if (token)
			headers["X-Posthorn-CSRF"] = token;
	}
	let response, answer;
	try {
		response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal, cache: "no-store", credentials: "same-origin" });
		answer = await response.json();
	} catch (e) {
		if (e.name === "AbortError")
			throw e;
		if (!response)
			throw new Refused(0, "The console does not answer.");
		if (response.ok)
			throw new Refused(0, "The answer of the console has come in part only.");
		answer = null;
	}
	if (response.ok && answer !== null)
		return answer;
	if (response.status === 401 && path !== "/api/login" && path !== "/api/session")
		onLoggedOut();
	if (response.status === 403 && method === "POST" && token && !again && await isAnother().catch(() => false))
		return ask(method, path, body, signal, true);
	throw new Refused(response.status, (answer && answer.error) || `The console has answered ${response.status}.`, Number(response.headers.get("Retry-After")) || 0);
}

export const get = (path, signal) => ask("GET", path, undefined, signal);
export const post = (path, body) => ask("POST", path, body || {});

const ID_MAX = 256; // octets, as docs/openapi.yaml has it: far more than X.411 lets one have

// An address cannot hold everything that can be pasted: what is no identifier of a message is not asked for, and that is said.
export function checkId(id) {
	const octets = new TextEncoder().encode(id).length;
	if (octets > ID_MAX)
		throw new Refused(0, `This identifier has ${octets} octets; no message has one of more than ${ID_MAX}.`);
}

// {a: 1, b: ""} -> "?a=1": what is empty is left out.
export function query(values) {
	const q = new URLSearchParams();
	for (const [name, value] of Object.entries(values))
		if (value !== "" && value !== null && value !== undefined && value !== false)
			q.set(name, value === true ? "1" : value);
	const text = q.toString();
	return text ? "?" + text : "";
}

// Lists may answer fewer than asked for, or an empty page, and have a next: the time for one question was over. Goes on until the page is full, or the
// end, or some time has passed and there is something; told() each time, so that it is seen to work.
const FILL_MS = 2000;
export async function page(path, values, signal, told) {
	const begun = performance.now(), rows = [];
	for (let after = values.after; ;) {
		const answer = await get(path + query({ ...values, after, max: values.max - rows.length }), signal);
		rows.push(...answer.rows);
		if (answer.next === null || rows.length >= values.max || rows.length > 0 && performance.now() - begun > FILL_MS)
			return { ...answer, rows };
		after = answer.next;
		if (told)
			told();
	}
}
