/** What the API says when it refuses, or cannot be reached. */

export interface ProblemDocument {
	status?: number;
	code?: string;
	title?: string;
	detail?: string;
	hint?: string;
	errors?: Mistake[];
}

/** One mistake of a request, and where it is: `/params/to`. */
export interface Mistake {
	pointer?: string;
	detail: string;
}

const CHANGED = 412; // somebody else was faster

/** A request that did not do what was asked. */
export class Problem extends Error {
	readonly status: number;
	readonly code: string;
	readonly hint: string | undefined;
	readonly errors: readonly Mistake[];

	constructor(status: number, said: ProblemDocument) {
		const isStale = status === CHANGED;
		super((isStale ? "" : said.detail) || said.title || "The server gave no reason.");
		this.status = status;
		this.code = said.code ?? "";
		this.hint = isStale ? "Look at it again, and change that." : said.hint;
		this.errors = said.errors ?? [];
	}

	/** The mistakes by the last part of their place: the name of an argument or of an option. */
	byField(): Record<string, string> {
		return Object.fromEntries(
			this.errors.map(({ pointer = "", detail }) => {
				const step = pointer.split("/").at(-1) ?? "";
				return [step.replaceAll("~1", "/").replaceAll("~0", "~"), detail];
			}),
		);
	}

	/** Whether the server did not answer at all, or a proxy answered in its place. */
	get isAway(): boolean {
		return this.status === 0 || (this.status >= 502 && this.status <= 504);
	}
}

/** Returns the problem of an answer. */
export async function problemOf(answer: Response): Promise<Problem> {
	const text = await answer.text().catch(() => "");
	try {
		return new Problem(answer.status, JSON.parse(text) as ProblemDocument);
	} catch {
		return new Problem(answer.status, { title: `The server answered ${answer.status}.` });
	}
}

/** Returns the problem of a request that had no answer. */
export function away(): Problem {
	return new Problem(0, {
		title: "The server does not answer.",
		hint: "What is shown is what it said last. The console tries again by itself.",
	});
}
