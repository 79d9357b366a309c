/** What can be done to jobs: first asked for how many, then confirmed, then done. */
import { invalidate } from "../../api/cache";
import { send } from "../../api/client";
import type { Done } from "../../api/types";
import { count } from "../../logic/lengths";
import { toQuery } from "../../logic/query";
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

/** Which jobs: those of a query, or these. */
export type Which = { query: string } | { ids: readonly string[] };

function request(verb: Verb, which: Which, dryRun: boolean): Promise<Done> {
	const filters = "query" in which ? `?${new URLSearchParams(toQuery(which.query))}` : "";
	const body = "ids" in which ? { ids: which.ids, dry_run: dryRun } : { dry_run: dryRun };
	return send<Done>("POST", `jobs/$${verb}${filters}`, body);
}

function jobs(done: Done): string {
	return `${count(done.count, done.exact)} ${done.count === 1 ? "job" : "jobs"}`;
}

/** Does it after a dry run and a question. Returns whether it was done. */
export async function act(verb: Verb, which: Which): Promise<boolean> {
	const { verb: word, done, says, bad } = WORDS[verb];
	try {
		const meant = await request(verb, which, true);
		if (!meant.count) {
			tell(`There is nothing to ${verb} among them.`);
			return false;
		}
		const few = "ids" in which && which.ids.length === 1;
		const go =
			(few && !bad) ||
			(await confirm({
				title: `${word} ${jobs(meant)}?`,
				says:
					"query" in which
						? `${says} Meant are those that match ${which.query || "no filter: all jobs"}.`
						: says,
				verb: `${word} ${jobs(meant)}`,
				typed: meant.count > TYPED ? String(meant.count) : undefined,
				bad,
			}));
		if (!go) return false;
		const was = await request(verb, which, false);
		tell(`${jobs(was)} ${done}.`);
		invalidate(
			new Set([
				"jobs",
				"queues",
				"failures",
				...("ids" in which ? which.ids.map((id) => `job:${id}`) : []),
			]),
		);
		return true;
	} catch (problem) {
		tellProblem(problem);
		return false;
	}
}
