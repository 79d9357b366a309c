/** What differs between two JSON texts, place by place, each value as it was written. */
import { type Node, pretty, read } from "./json";

/** A place where two texts differ; null: it is not there. */
export interface Difference {
	path: string;
	one: string | null;
	other: string | null;
}

const MOST = 200;
const SHOWN = 400; // letters of a value

/** Returns the places where two texts differ, at most 200. */
export function differences(one: string, other: string): Difference[] {
	const found: Difference[] = [];
	if (one || other) compare(one ? read(one) : null, other ? read(other) : null, "", found);
	return found.slice(0, MOST);
}

function compare(one: Node | null, other: Node | null, path: string, found: Difference[]): void {
	if (found.length >= MOST) return;
	if (one && other && one.kind === other.kind && one.members.length + other.members.length) {
		const left = named(one);
		const right = named(other);
		for (const name of new Set([...left.keys(), ...right.keys()]))
			compare(
				left.get(name) ?? null,
				right.get(name) ?? null,
				path ? `${path}.${name}` : name,
				found,
			);
		return;
	}
	const texts = [one, other].map((node) => (node ? pretty(node).slice(0, SHOWN) : null));
	if (texts[0] !== texts[1]) found.push({ path, one: texts[0] ?? null, other: texts[1] ?? null });
}

function named(node: Node): Map<string, Node> {
	return new Map(
		node.members.map(({ key, value }, at) => [
			key === null ? String(at) : (JSON.parse(key) as string),
			value,
		]),
	);
}
