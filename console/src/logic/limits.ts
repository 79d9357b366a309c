/** Terms of a limit as people write them, and what comes of them. */
import { count, length, seconds } from "./lengths";

interface Terms {
	limit: number | null;
	rate: number | null;
	per: number | null;
}

interface Use {
	code_limit: number | null;
	code_rate: number | null;
	queues: readonly string[];
	running: number;
	waiting: number;
}

const MOST = 1_000_000;
const LONGEST = 100 * 365.25 * 86_400;

const UNITS = new Map([
	[1, "s"],
	[60, "min"],
	[3600, "h"],
	[86_400, "d"],
]);

/** Returns the whole number of `1000` and `1,000`; null where nothing is written, NaN where it is none. */
export function wholeOf(text: string): number | null {
	const written = text.trim();
	if (!written) return null;
	return /^\d[\d,]*$/.test(written) ? Number(written.replaceAll(",", "")) : Number.NaN;
}

/** Returns the rate of `100/min`, `5/s`, `10/90`; NaN where it is none. */
export function rateOf(text: string): { rate: number; per: number } {
	const [number = "", window = ""] = text.split("/", 2).map((one) => one.trim());
	const per = seconds(window) ?? seconds(`1${window}`);
	return { rate: (window && wholeOf(number)) || Number.NaN, per: per ?? 0 };
}

/** Returns the window of a rate: `1 s`, `5 min`. */
export function windowText(per: number | null): string {
	return per !== null && per < 60 && Number.isInteger(per) ? `${per} s` : length(per);
}

/** Returns a rate as it is written; "" where there is none. */
export function rateText(rate: number | null, per: number | null): string {
	if (rate === null || per === null) return "";
	return `${rate}/${UNITS.get(per) ?? per}`;
}

/** Returns what is wrong with terms, by the name of the field. */
export function wrongOf({ limit, rate, per }: Terms): { limit?: string; rate?: string } {
	const isLimit = limit === null || (limit >= 0 && limit <= MOST);
	const isRate = rate === null || (rate >= 1 && rate <= MOST && !!per);
	return {
		...(!isLimit && { limit: "A limit is a whole number from 0 to 1,000,000." }),
		...(!isRate && { rate: "A rate is a number and a time: 100/min, 5/s, 10/90." }),
		...(isRate &&
			(per ?? 0) > LONGEST && { rate: "The time of a rate is a hundred years at most." }),
	};
}

/** Returns what comes of terms, for the jobs that run and for those that wait.
 *
 * @param paused The queues that are paused.
 */
export function consequence(use: Use, terms: Terms, paused: readonly string[] = []): string {
	const { running, waiting, queues } = use;
	const said: string[] = [];
	if (running)
		said.push(
			running === 1 ? "1 job runs, and goes on." : `${count(running)} jobs run, and go on.`,
		);
	const held = queues.filter((one) => paused.includes(one));
	if (!waiting) said.push("Nothing waits.");
	else if (held.length && held.length === queues.length)
		said.push(`None of the ${count(waiting)} that wait starts: ${areIs(held)} paused.`);
	else {
		said.push(starts(use, terms));
		if (held.length) said.push(`None starts in ${held.join(", ")}: ${areIs(held)} paused.`);
	}
	return said.join(" ");
}

function areIs(queues: readonly string[]): string {
	return queues.length === 1 ? `queue ${queues[0]} is` : "the queues are";
}

/** Which of the jobs that wait start. What is not given is as the code says. */
function starts({ code_limit, code_rate, running, waiting }: Use, terms: Terms): string {
	const most = terms.limit ?? code_limit;
	const rate = terms.rate ?? code_rate;
	if (most === 0) return `None of the ${count(waiting)} that wait starts.`;
	if (most !== null && running >= most)
		return `The next one starts when fewer than ${count(most)} run; ${count(waiting)} wait.`;
	const first = Math.min(waiting, most === null ? waiting : most - running, rate ?? waiting);
	return `Up to ${count(first)} of the ${count(waiting)} that wait start at once.`;
}
