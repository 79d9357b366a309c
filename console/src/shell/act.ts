/** Does something to what the API has: asks, sends, says what was done or refused, reads again. */
import { invalidate } from "../api/cache";
import { send } from "../api/client";
import { type Asked, confirm } from "./confirm";
import { tell, tellProblem } from "./toasts";

interface Act<T> {
	/** Of the API; it is sent by POST unless another method is given. */
	path: string;
	method?: "POST" | "PUT" | "PATCH" | "DELETE";
	body?: unknown;
	/** What is asked before. */
	asks?: Asked | undefined;
	/** What is said afterwards, of what the API has answered. */
	says: string | ((told: T) => string);
	/** Takes it back. */
	undo?: ((told: T) => void) | undefined;
	/** What is out of date then. */
	topics: readonly string[];
	/** Takes what was refused, in place of a message at the bottom of the page. */
	refused?: (problem: unknown) => void;
}

const underWay = new Set<string>();

/** Does it, once while it is under way. Returns the answer of the API; null where it has none; undefined: it was not done. */
export async function act<T>(wanted: Act<T>): Promise<T | null | undefined> {
	const { path, method = "POST", body, asks, says, undo, topics, refused = tellProblem } = wanted;
	if (asks && !(await confirm(asks))) return undefined;
	const name = `${method} ${path}`;
	if (underWay.has(name)) return undefined;
	underWay.add(name);
	try {
		const told = await send<T>(method, path, body);
		tell(typeof says === "string" ? says : says(told), undo && (() => undo(told)));
		invalidate(new Set(topics));
		return told ?? null;
	} catch (problem) {
		refused(problem);
		return undefined;
	} finally {
		underWay.delete(name);
	}
}
