/** The words of the query bar, and the filters of the API that they stand for. */
import { seconds } from "./lengths";
import { STATES } from "./states";

/** A word: `state:failed`, `label.customer:7`, `args.order.id:42`. */
export interface Term {
	name: string;
	/** What follows the first dot: the name of a label, a path in arguments. */
	path: string;
	value: string;
	/** Why the API would refuse it; "" if it would not. */
	wrong: string;
	start: number;
	end: number;
}

/** The names that a word may have, with what is said of them. */
export const NAMES: Record<string, string> = {
	state: "one state, or several with commas",
	task: "a task; mail.* for all that begin so",
	queue: "a queue",
	"label.": "a label: label.customer:7",
	"args.": "a value in the arguments: args.order.id:42",
	error: "a text in the error",
	fingerprint: "a group of failures",
	key: "a unique key",
	schedule: "the schedule that has fired it",
	run: "the run that it is part of",
	step: "the step of a run",
	worker: "the worker that has it, or had it last",
	newer: "added less than so long ago: newer:1h",
	older: "added longer ago: older:7d",
	since: "added at this moment or later",
	until: "added before this moment",
};

const WORD = /(?:[^\s":]+:)?(?:"(?:[^"\\]|\\.)*"?|[^\s]+)/g;

function unquoted(text: string): string {
	if (!text.startsWith('"')) return text;
	return text.replace(/^"|"$/g, "").replace(/\\(.)/g, "$1");
}

/** Returns a value as it stands in the query bar. */
export function quoted(value: string): string {
	return /[\s"]/.test(value) || !value ? `"${value.replace(/["\\]/g, "\\$&")}"` : value;
}

function wrongIn(name: string, path: string, value: string): string {
	const known = path || name.endsWith(".") ? `${name}.` : name;
	if (!Object.hasOwn(NAMES, known)) return `There is no filter ${path ? `${name}.${path}` : name}.`;
	if (!value) return "A value is missing.";
	if (name === "state") {
		const unknown = value.split(",").find((one) => !(STATES as readonly string[]).includes(one));
		return unknown === undefined ? "" : `There is no state ${unknown}.`;
	}
	if ((name === "newer" || name === "older") && seconds(value) === null)
		return "Give a length: 90, 15min, 2h, 7d.";
	if ((name === "since" || name === "until") && Number.isNaN(Date.parse(value)))
		return "Give a moment: 2026-11-29T14:00Z.";
	return "";
}

/** Returns the words of a text. A word without a name is part of the name of a task. */
export function parse(text: string): Term[] {
	return [...text.matchAll(WORD)].map((found) => {
		const word = found[0];
		const start = found.index;
		const at = word.indexOf(":");
		const end = start + word.length;
		if (at < 1) {
			const value = unquoted(word);
			return {
				name: "task",
				path: "",
				value: value.includes("*") ? value : `${value}*`,
				wrong: "",
				start,
				end,
			};
		}
		const [name = "", ...rest] = word.slice(0, at).split(".");
		const path = rest.join(".");
		const value = unquoted(word.slice(at + 1));
		return { name, path, value, wrong: wrongIn(name, path, value), start, end };
	});
}

/** Returns why the API would refuse a word of a text, the first such one; "" if it would not. */
export function wrongOf(text: string): string {
	return parse(text).find((one) => one.wrong)?.wrong ?? "";
}

/** Returns the words as text. */
export function write(terms: readonly Pick<Term, "name" | "path" | "value">[]): string {
	return terms
		.map(({ name, path, value }) => `${path ? `${name}.${path}` : name}:${quoted(value)}`)
		.join(" ");
}

/** Returns a text in which a name has one value, or none. */
export function withTerm(text: string, name: string, value: string | null): string {
	const others = parse(text).filter((one) => one.name !== name || one.path);
	return write(value === null ? others : [...others, { name, path: "", value }]);
}

/** Returns the values of a name. */
export function valuesOf(text: string, name: string): string[] {
	return parse(text)
		.filter((one) => one.name === name && !one.path)
		.flatMap((one) => (name === "state" ? one.value.split(",") : [one.value]));
}

/** Returns the query of the API, in which names may come more than once. */
export function toQuery(text: string): [string, string][] {
	const found: [string, string][] = [];
	for (const { name, path, value, wrong } of parse(text)) {
		if (wrong) continue;
		if (name === "state") for (const state of value.split(",")) found.push(["state", state]);
		else if (name === "newer") found.push(["since", String(seconds(value))]);
		else if (name === "older") found.push(["until", String(seconds(value))]);
		else found.push([path ? `${name}.${path}` : name, value]);
	}
	return found;
}

/** A suggestion: what the query bar would hold, and where the cursor would stand. */
export interface Suggestion {
	label: string;
	says: string;
	text: string;
	cursor: number;
}

/** What may be suggested besides the names of filters. */
export interface Known {
	/** Paths in the arguments, as they are written: `args.order.id`. */
	names: readonly string[];
	/** The values of a name. */
	values: (name: string) => readonly string[];
}

/** Returns what may stand where the cursor is. */
export function suggest(text: string, cursor: number, known: Known): Suggestion[] {
	const start = text.slice(0, cursor).search(/\S+$/);
	const from = start < 0 ? cursor : start;
	const word = text.slice(from, cursor);
	const made = (filled: string, label: string, says: string): Suggestion => ({
		label,
		says,
		text: text.slice(0, from) + filled + text.slice(cursor),
		cursor: from + filled.length,
	});
	const at = word.indexOf(":");
	if (at < 0) {
		const paths = word.startsWith("args.") ? known.names : [];
		return [...Object.entries(NAMES), ...paths.map((name) => [name, ""] as const)]
			.filter(([name]) => name.startsWith(word) && name !== word)
			.slice(0, 24)
			.map(([name, says]) => made(name.endsWith(".") ? name : `${name}:`, name, says));
	}
	const name = word.slice(0, at);
	const typed = word.slice(at + 1);
	const comma = name === "state" ? typed.lastIndexOf(",") + 1 : 0;
	const begun = typed.slice(comma).toLowerCase();
	return known
		.values(name)
		.filter((one) => one.toLowerCase().includes(begun) && one !== begun)
		.slice(0, 12)
		.map((one) => made(`${name}:${typed.slice(0, comma)}${quoted(one)} `, one, ""));
}
