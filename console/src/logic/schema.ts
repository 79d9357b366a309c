/** The fields of a form, read from the JSON Schema of a task's arguments; values stay text. */
import { read } from "./json";

/** A JSON Schema, as far as forms look into it. */
export interface Schema {
	type?: string | string[];
	title?: string;
	description?: string;
	format?: string;
	enum?: unknown[];
	const?: unknown;
	default?: unknown;
	anyOf?: Schema[];
	items?: Schema | boolean;
	properties?: Record<string, Schema>;
	required?: string[];
	minimum?: number;
	maximum?: number;
	writeOnly?: boolean;
	$ref?: string;
	$defs?: Record<string, Schema>;
}

export type Kind =
	| "text"
	| "secret"
	| "integer"
	| "number"
	| "scalar"
	| "flag"
	| "choice"
	| "moment"
	| "day"
	| "time"
	| "json";

export interface Choice {
	/** As JSON text. */
	value: string;
	label: string;
}

/** One argument in a form. */
export interface Field {
	name: string;
	kind: Kind;
	/** The values that are allowed, in words. */
	words: string;
	required: boolean;
	nullable: boolean;
	/** What the control holds at first. */
	initial: string;
	description: string;
	choices: Choice[];
	/** Whether its default has no form in its control: then it is not sent until it is touched. */
	hidden: boolean;
}

const ANY = "**"; // the parameter that takes arguments of any name
const FOLLOWED = 16;
const FORMATS: Record<string, Kind> = {
	"date-time": "moment",
	date: "day",
	time: "time",
	password: "secret",
};
const WORDS: Record<Kind, string> = {
	text: "text",
	secret: "secret text",
	integer: "whole number",
	number: "number",
	scalar: "number or text",
	flag: "yes or no",
	choice: "one of these",
	moment: "date and time",
	day: "date",
	time: "time of day",
	json: "JSON",
};

/** Returns the fields of the arguments that a schema describes, in its order. */
export function fieldsOf(schema: Schema): Field[] {
	const needed = schema.required ?? [];
	return Object.entries(schema.properties ?? {})
		.filter(([name]) => name !== ANY)
		.map(([name, one]) => field(name, one, schema.$defs ?? {}, needed.includes(name)));
}

/**
 * Returns the paths of the values in the arguments that a schema describes, one level deep, each
 * with its values where these are known: as words of the query bar, which are JSON or else text.
 */
export function pathsOf(schema: Schema): Map<string, string[]> {
	const defs = schema.$defs ?? {};
	const found = new Map<string, string[]>();
	for (const [name, one] of Object.entries(schema.properties ?? {})) {
		if (name === ANY) continue;
		const outer = followed(one, defs).found;
		found.set(name, wordsFor(outer));
		for (const [inner, part] of Object.entries(outer.properties ?? {}))
			found.set(`${name}.${inner}`, wordsFor(followed(part, defs).found));
	}
	return found;
}

function wordsFor(schema: Schema): string[] {
	const values = schema.type === "boolean" ? [true, false] : (schema.enum ?? []);
	return values.map((one) => (typeof one === "string" && !isJson(one) ? one : JSON.stringify(one)));
}

function isJson(text: string): boolean {
	try {
		JSON.parse(text);
		return true;
	} catch {
		return false;
	}
}

const FILLED = /^(<class ')?rotulus\./;

/**
 * Returns the names of the parameters that a call gives, as far as a description of tasks tells:
 * not those that are marked as filled, nor those of a type of Rotulus.
 */
export function givenIn(
	parameters: readonly { name: string; annotation: string | null; default: string | null }[],
): string[] {
	return parameters
		.filter((one) => one.default !== "INJECTED" && !FILLED.test(one.annotation ?? ""))
		.map((one) => one.name);
}

/** Whether arguments of any name are taken, as those of a workflow are. */
export function takesAny(schema: Schema): boolean {
	return ANY in (schema.properties ?? {});
}

function field(
	name: string,
	schema: Schema,
	defs: Record<string, Schema>,
	required: boolean,
): Field {
	const { found, nullable } = followed(schema, defs);
	const kind = kindOf(found);
	const initial = "default" in schema ? shown(kind, schema.default) : "";
	return {
		name,
		kind,
		words: wordsOf(kind, found) + (nullable && kind !== "choice" ? ", or nothing" : ""),
		required,
		nullable,
		initial: initial ?? "",
		description: schema.description ?? found.description ?? "",
		choices: kind === "choice" ? choicesOf(found, required, nullable) : [],
		hidden: initial === null,
	};
}

/** The schema behind references, and whether null is allowed beside it. */
function followed(
	schema: Schema,
	defs: Record<string, Schema>,
): { found: Schema; nullable: boolean } {
	let found = schema;
	let nullable = false;
	for (let step = 0; step < FOLLOWED; step += 1) {
		if (found.$ref) {
			found = defs[found.$ref.replace("#/$defs/", "")] ?? {};
			continue;
		}
		const others = found.anyOf?.filter((one) => one.type !== "null");
		if (!others) break;
		nullable ||= others.length < (found.anyOf?.length ?? 0);
		if (others.length !== 1) return { found: { ...found, anyOf: others }, nullable };
		found = others[0] as Schema;
	}
	return { found, nullable };
}

function kindOf(schema: Schema): Kind {
	if (schema.enum || "const" in schema) return "choice";
	const types = schema.anyOf?.map((one) => one.type) ?? [];
	if (types.includes("string") && types.every((one) => /^(string|integer|number)$/.test(`${one}`)))
		return "scalar";
	if (schema.type === "integer" || schema.type === "number") return schema.type;
	if (schema.type === "boolean") return "flag";
	if (schema.type !== "string") return "json";
	if (schema.writeOnly) return "secret";
	return FORMATS[schema.format ?? ""] ?? "text";
}

function wordsOf(kind: Kind, schema: Schema): string {
	if (kind === "json") {
		if (schema.type === "array") return "list, as JSON";
		return schema.type === "object" ? "object, as JSON" : "JSON";
	}
	if (kind === "text" && schema.format) return `text (${schema.format})`;
	const { minimum, maximum } = schema;
	if (minimum === undefined && maximum === undefined) return WORDS[kind];
	if (maximum === undefined) return `${WORDS[kind]}, ${minimum} or more`;
	return minimum === undefined
		? `${WORDS[kind]}, ${maximum} at most`
		: `${WORDS[kind]} from ${minimum} to ${maximum}`;
}

const NAMES: Record<string, string> = { true: "yes", false: "no", null: "nothing" };

function choicesOf(schema: Schema, required: boolean, nullable: boolean): Choice[] {
	const values = [...(schema.enum ?? [schema.const])];
	if (nullable && !values.includes(null)) values.push(null);
	const found = values.map((one) => {
		const value = JSON.stringify(one);
		return { value, label: typeof one === "string" ? one : (NAMES[value] ?? value) };
	});
	return [{ value: "", label: required ? "Choose" : "The default" }, ...found];
}

/** What a control holds for a value; null if it cannot show the value. */
function shown(kind: Kind, value: unknown): string | null {
	if (kind === "choice" || kind === "flag") return JSON.stringify(value) ?? "";
	if (value === null || value === undefined) return "";
	if (kind === "json") return JSON.stringify(value, null, 2);
	if (kind === "moment") return null;
	return typeof value === "object" ? null : String(value);
}

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** A value that is no JSON, where JSON is wanted. */
export class Unfit extends Error {}

/** Returns the JSON text of what a control holds; undefined: the argument is left out. */
export function toJson(field: Field, value: string, touched: boolean): string | undefined {
	if (!touched && !field.required) return undefined;
	const { kind } = field;
	if (value === "" && kind !== "text" && kind !== "secret" && kind !== "scalar")
		return field.nullable && touched ? "null" : undefined;
	if (value === "" && field.nullable) return "null";
	// The server says what an empty text stands for, unless nobody has typed it.
	if (value === "" && !touched) return undefined;
	if (kind === "flag" || kind === "choice") return value;
	if (kind === "integer" || kind === "number" || kind === "scalar") {
		const text = value.trim();
		return NUMBER.test(text) ? text : JSON.stringify(value);
	}
	if (kind === "moment") return JSON.stringify(value + offset(new Date(value)));
	if (kind !== "json") return JSON.stringify(value);
	try {
		JSON.parse(value);
	} catch (error) {
		throw new Unfit(`This is no JSON: ${(error as Error).message}`);
	}
	return value.trim();
}

/** The offset of a moment in the zone of the browser: `+02:00`. */
function offset(moment: Date): string {
	const minutes = -moment.getTimezoneOffset();
	const two = (number: number) => String(Math.floor(Math.abs(number))).padStart(2, "0");
	return `${minutes < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
}

/** What the controls of a form hold, by name, and which of them somebody has touched. */
export interface Filled {
	values: Record<string, string>;
	touched: ReadonlySet<string>;
}

/** Returns a form as it is at first. */
export function empty(fields: readonly Field[]): Filled {
	const values = Object.fromEntries(fields.map((one) => [one.name, one.initial]));
	return { values, touched: new Set() };
}

/** Returns the arguments of a form as the text of a JSON object, and what is wrong by name. */
export function written(fields: readonly Field[], filled: Filled) {
	const wrong: Record<string, string> = {};
	const members: string[] = [];
	for (const one of fields) {
		try {
			const text = toJson(one, filled.values[one.name] ?? "", filled.touched.has(one.name));
			if (text !== undefined) members.push(`${JSON.stringify(one.name)}: ${text}`);
		} catch (error) {
			wrong[one.name] = (error as Error).message;
		}
	}
	return { text: members.length ? `{${members.join(", ")}}` : "{}", wrong };
}

/** Returns a form that holds the members of a JSON object, each as it was written. */
export function filledWith(fields: readonly Field[], text: string): Filled {
	const { values } = empty(fields);
	const touched = new Set<string>();
	for (const { key, value } of read(text).members) {
		const name = key === null ? "" : (JSON.parse(key) as string);
		const one = fields.find((field) => field.name === name);
		if (!one) continue;
		values[name] = fromJson(one, text.slice(value.start, value.end));
		touched.add(name);
	}
	return { values, touched };
}

function fromJson(field: Field, text: string): string {
	if (field.kind === "choice" || field.kind === "flag" || field.kind === "json") return text;
	if (text === "null") return "";
	if (!text.startsWith('"')) return text;
	const value = JSON.parse(text) as string;
	if (field.kind !== "moment") return value;
	const at = new Date(value);
	return Number.isNaN(at.getTime())
		? value
		: new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** Returns the name of the argument that a pointer of a problem names: `/params/to`; "" if none. */
export function fieldAt(pointer: string): string {
	const step = pointer.split("/")[2] ?? "";
	return step.replaceAll("~1", "/").replaceAll("~0", "~");
}
