/** Requests to the API: reads keep the text of the answer, so that no number is changed. */
import { signal } from "@preact/signals";
import { API } from "../place";
import { away, problemOf } from "./problem";

/** Milliseconds by which the server's clock is ahead of this one. */
export const skew = signal(0);

/** An answer: the data, and the text that the data was read from. */
export interface Answer<T> {
	data: T;
	text: string;
	/** The version of what was read; "" where it has none. */
	etag: string;
	/** The seconds for which the server has had it; 0: it was read for this request. */
	age: number;
}

async function ask(path: string, options: RequestInit): Promise<Response> {
	let answer: Response;
	try {
		answer = await fetch(new URL(path, API), { credentials: "same-origin", ...options });
	} catch (error) {
		if ((error as Error).name === "AbortError") throw error;
		throw away();
	}
	noteClock(answer.headers.get("date"));
	if (!answer.ok) throw await problemOf(answer);
	return answer;
}

function noteClock(date: string | null): void {
	const told = date ? Date.parse(date) : Number.NaN;
	// A date has whole seconds: a difference below two of them is none.
	const ahead = told - Date.now();
	if (!Number.isNaN(ahead)) skew.value = Math.abs(ahead) < 2000 ? 0 : ahead;
}

/** Reads from the API: anew, unless it is said how old the answer may be, as `Cache-Control`. */
export async function get<T>(
	path: string,
	signal?: AbortSignal,
	tolerance?: string,
): Promise<Answer<T>> {
	const answer = await ask(path, {
		headers: { accept: "application/json", ...(tolerance && { "cache-control": tolerance }) },
		...(signal && { signal }),
	});
	const text = await answer.text();
	const { headers } = answer;
	return {
		data: JSON.parse(text) as T,
		text,
		etag: headers.get("etag") ?? "",
		age: Number(headers.get("age")),
	};
}

/** Reads a text beside the API, such as the metrics. */
export async function getText(path: string): Promise<string> {
	return (await ask(path, {})).text();
}

/** Asks the API to do something. */
export async function send<T>(method: string, path: string, body?: unknown): Promise<T> {
	const text = await sendText(method, path, body === undefined ? "" : JSON.stringify(body));
	return (text ? JSON.parse(text) : undefined) as T;
}

/** Asks the API to do something, by a body that is JSON text already; returns the text it answers. */
export async function sendText(
	method: string,
	path: string,
	body: string,
	more: Record<string, string> = {},
): Promise<string> {
	const headers: Record<string, string> = { accept: "application/json", ...more };
	if (body) headers["content-type"] = "application/json";
	const answer = await ask(path, { method, headers, ...(body && { body }) });
	return answer.text();
}

type Value = string | number | boolean | null | undefined;

/** Returns a path with a query, without what is not given. Lists repeat their name. */
export function withQuery(path: string, query: Record<string, Value | readonly string[]>): string {
	const made = new URLSearchParams();
	for (const [name, value] of Object.entries(query)) {
		if (Array.isArray(value)) for (const one of value) made.append(name, one);
		else if (value !== null && value !== undefined && value !== "") made.set(name, String(value));
	}
	const text = made.toString();
	return text ? `${path}?${text}` : path;
}
