/** What can be done to jobs: first asked for how many, then confirmed, then done. */
import { invalidate } from "../../api/cache";
import { send } from "../../api/client";
import type { Changed, Count } from "../../api/types";
import { count } from "../../logic/lengths";
import { toQuery, wrongOf } from "../../logic/query";
import { confirm } from "../../shell/confirm";
import { tell, tellProblem } from "../../shell/toasts";

export type Verb = "retry" | "cancel" | "delete";

interface Words {
	verb: string;
	done: string;
	says: string;
	bad: boolean;
}

const WORDS: Record<Verb, Words> = {
	retry: {
		verb: "Retry",
		done: "sent back",
		says: "Jobs that failed, are dead or were cancelled go back to their queues, with their arguments.",
		bad: false,
	},
	cancel: {
		verb: "Cancel",
		done: "cancelled",
		says: "Jobs that wait are cancelled at once. Those that run are asked to stop.",
		bad: true,
	},
	delete: {
		verb: "Delete",
		done: "deleted",
		says: "Jobs that have ended are deleted, with their results, errors and log lines.",
		bad: true,
	},
};

const TYPED = 100; // above it the number has to be typed

/** Which jobs: those of a query, which may be those of a group, or these. */
export type Which = { query: string; group?: Named } | { ids: readonly string[] };

/** A group as the list shows it. */
export interface Named {
	name: string;
	count: string;
}

const IDS_AT_ONCE = 500;
const JOBS_AT_ONCE = 2000; // so that progress is told, and a request does not take long

function parts(which: Which): Which[] {
	if ("query" in which) return [which];
	const found: Which[] = [];
	for (let at = 0; at < which.ids.length; at += IDS_AT_ONCE)
		found.push({ ids: which.ids.slice(at, at + IDS_AT_ONCE) });
	return found;
}

function request(verb: Verb, which: Which, more: Record<string, unknown>): Promise<Changed> {
	const filters = "query" in which ? `?${new URLSearchParams(toQuery(which.query))}` : "";
	const body = "ids" in which ? { ids: which.ids, ...more } : more;
	return send<Changed>("POST", `jobs/$${verb}${filters}`, body);
}

/** Returns how many jobs it would change: exactly, up to 10,000. */
async function dryRun(verb: Verb, which: Which): Promise<Count> {
	const found: Count = { count: 0, exact: true };
	for (const part of parts(which)) {
		const meant = await request(verb, part, { dry_run: true });
		found.count += meant.count;
		found.exact &&= meant.exact;
	}
	return found;
}

/** Does it to all of them, some at a time; returns how many were changed. */
async function change(verb: Verb, which: Which, tellMore: (done: number) => void): Promise<number> {
	let done = 0;
	for (const part of parts(which)) {
		let after: string | null = null;
		do {
			const limit = "query" in part ? { limit: JOBS_AT_ONCE, after } : {};
			const was: Changed = await request(verb, part, limit);
			done += was.count;
			after = was.next;
			if (after) tellMore(done);
		} while (after);
	}
	return done;
}

function jobs(found: Count): string {
	return `${count(found.count, found.exact)} ${found.count === 1 ? "job" : "jobs"}`;
}

function saysOf(which: Which, says: string): string {
	if (!("query" in which)) return says;
	const group = which.group ? `of the group ${which.group.name} (${which.group.count}) ` : "";
	return `${says} Meant are ${which.query ? `those ${group}that match ${which.query}` : "all jobs"}.`;
}

/** Does it after a dry run and a question. Returns whether it was done. */
export async function act(verb: Verb, which: Which): Promise<boolean> {
	const { verb: word, done, says, bad } = WORDS[verb];
	const wrong = "query" in which && wrongOf(which.query);
	if (wrong) {
		// The API is not told of a wrong word, and would mean more jobs.
		tell(`Nothing was done. ${wrong}`);
		return false;
	}
	try {
		const meant = await dryRun(verb, which);
		if (!meant.count) {
			tell(`There is nothing to ${verb} among them.`);
			return false;
		}
		const isOne = "ids" in which && which.ids.length === 1;
		const asks = bad || !isOne;
		const go =
			!asks ||
			(await confirm({
				title: `${word} ${jobs(meant)}${"query" in which && which.group ? ` of ${which.group.name}` : ""}?`,
				says: saysOf(which, says),
				verb: `${word} ${jobs(meant)}`,
				typed: meant.count > TYPED ? String(meant.count) : undefined,
				bad,
			}));
		if (!go) return false;
		const total = await change(verb, which, (sofar) => tell(`${count(sofar)} ${done} so far.`));
		tell(`${jobs({ count: total, exact: true })} ${done}.`);
		const ids = "ids" in which ? which.ids.map((id) => `job:${id}`) : [];
		invalidate(new Set(["jobs", "queues", "failures", ...ids]));
		return true;
	} catch (problem) {
		tellProblem(problem);
		return false;
	}
}
