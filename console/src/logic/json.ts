/** JSON read from its text, lexeme by lexeme: no number is changed, no key is lost. */

/** A value, with the part of the text that it stands in. */
export interface Node {
	kind: "object" | "array" | "string" | "number" | "word";
	/** The lexeme of a plain value, as it was written. */
	text: string;
	/** The members of an object, the items of an array; keys are as they were written. */
	members: Member[];
	start: number;
	end: number;
	/** Whether the text ended inside of it. */
	cut: boolean;
}

export interface Member {
	key: string | null;
	value: Node;
}

const LEXEME = /\s*(?:([{}[\],:])|("(?:[^"\\]|\\.)*"?)|([^\s{}[\],:"]+))/y;
const DEEPEST = 500;

/** Reads a text. One that is cut off, or no JSON, gives what could be read. */
export function read(text: string, from = 0): Node {
	const lexemes = new Lexemes(text, from);
	return readValue(lexemes, 0);
}

class Lexemes {
	kind: "sign" | "string" | "plain" | "end" = "end";
	text = "";
	start = 0;

	constructor(
		readonly whole: string,
		public at: number,
	) {
		this.next();
	}

	next(): void {
		LEXEME.lastIndex = this.at;
		const found = LEXEME.exec(this.whole);
		if (!found) {
			this.kind = "end";
			this.text = "";
			this.start = this.whole.length;
			return;
		}
		this.at = LEXEME.lastIndex;
		this.text = found[1] ?? found[2] ?? found[3] ?? "";
		this.start = this.at - this.text.length;
		this.kind = found[1] ? "sign" : found[2] ? "string" : "plain";
	}

	isEnd(): boolean {
		return this.kind === "end";
	}

	isSign(sign: string): boolean {
		return this.kind === "sign" && this.text === sign;
	}
}

function readValue(lexemes: Lexemes, depth: number): Node {
	const { kind, text, start } = lexemes;
	if (kind === "sign" && (text === "{" || text === "[") && depth < DEEPEST)
		return readMembers(lexemes, text === "{", depth);
	const plain: Node = {
		kind: kind === "string" ? "string" : /^[-\d]/.test(text) ? "number" : "word",
		text,
		members: [],
		start,
		end: start + text.length,
		cut: kind === "end" || (kind === "string" && !/^"(?:[^"\\]|\\.)*"$/s.test(text)),
	};
	lexemes.next();
	return plain;
}

function readMembers(lexemes: Lexemes, isObject: boolean, depth: number): Node {
	const close = isObject ? "}" : "]";
	const node: Node = {
		kind: isObject ? "object" : "array",
		text: "",
		members: [],
		start: lexemes.start,
		end: lexemes.start,
		cut: false,
	};
	lexemes.next();
	while (lexemes.kind !== "end" && !lexemes.isSign(close)) {
		let key: string | null = null;
		if (isObject && lexemes.kind === "string") {
			key = lexemes.text;
			lexemes.next();
			if (lexemes.isSign(":")) lexemes.next();
		}
		if (lexemes.isEnd()) break;
		node.members.push({ key, value: readValue(lexemes, depth + 1) });
		if (lexemes.isSign(",")) lexemes.next();
	}
	node.cut = lexemes.kind === "end";
	node.end = node.cut ? lexemes.whole.length : lexemes.start + 1;
	lexemes.next();
	return node;
}

/** Returns the text of a member of the object that a text is; "" if it has none of that name. */
export function member(text: string, name: string): string {
	const key = JSON.stringify(name);
	const found = read(text).members.find((one) => one.key === key);
	return found ? text.slice(found.value.start, found.value.end) : "";
}

/** Returns a text as people read it: indented, each lexeme as it was. */
export function pretty(node: Node, indent = ""): string {
	const [open, close] = node.kind === "object" ? "{}" : "[]";
	if (node.kind !== "object" && node.kind !== "array") return node.text;
	if (!node.members.length) return `${open}${close}`;
	const inner = `${indent}  `;
	const lines = node.members.map(
		({ key, value }) => `${inner}${key === null ? "" : `${key}: `}${pretty(value, inner)}`,
	);
	return `${open}\n${lines.join(",\n")}\n${indent}${close}`;
}
