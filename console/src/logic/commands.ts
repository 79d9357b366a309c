/** A call of a task as people write it elsewhere: in Python, for curl, on the command line. */
import { type Node, read } from "./json";

/** What is enqueued beside the arguments. */
export interface CallOptions {
	queue?: string;
	priority?: number;
	delay?: number;
	at?: string;
	key?: string;
}

function quoted(text: string): string {
	return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Returns a command of curl that stores a job. */
export function asCurl(address: string, body: string): string {
	return [
		`curl -X POST ${quoted(address)}`,
		"-H 'Content-Type: application/json'",
		`-d ${quoted(body)}`,
	].join(" \\\n  ");
}

/** Returns a command of ours that stores a job. */
export function asCommand(name: string, text: string, options: CallOptions): string {
	const { queue, priority, delay, at, key } = options;
	const flags = [
		queue && `--queue ${quoted(queue)}`,
		priority !== undefined && `--priority ${priority}`,
		delay !== undefined && `--in ${delay}`,
		at && `--at ${quoted(at)}`,
		key && `--key ${quoted(key)}`,
	].filter(Boolean);
	const given = text === "{}" ? [] : [`--json-args ${quoted(text)}`];
	return ["rotulus enqueue", quoted(name), ...given, ...flags].join(" ");
}

/** Returns a call in Python that stores a job. */
export function asPython(name: string, text: string, options: CallOptions): string {
	const chosen = Object.entries(options).map(([key, value]) =>
		key === "at"
			? `at=datetime.fromisoformat(${JSON.stringify(value)})`
			: `${key}=${JSON.stringify(value)}`,
	);
	const using = chosen.length ? `.using(${chosen.join(", ")})` : "";
	const given = read(text).members.map(({ key, value }) => {
		const word = JSON.parse(key ?? '""') as string;
		const shown = python(text, value);
		return /^[A-Za-z_]\w*$/.test(word) ? `${word}=${shown}` : `**{${key}: ${shown}}`;
	});
	return `app${using}.enqueue(${[JSON.stringify(name), ...given].join(", ")})`;
}

const WORDS: Record<string, string> = { true: "True", false: "False", null: "None" };

/** A value of JSON as Python writes it: its texts and numbers are the same there. */
function python(text: string, node: Node): string {
	if (node.kind === "word") return WORDS[node.text] ?? node.text;
	if (node.kind === "object")
		return `{${node.members.map((one) => `${one.key}: ${python(text, one.value)}`).join(", ")}}`;
	if (node.kind === "array")
		return `[${node.members.map((one) => python(text, one.value)).join(", ")}]`;
	return node.text;
}
