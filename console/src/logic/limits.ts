/** Terms of a limit as people write them, and what comes of them. */
import { count, seconds } from "./lengths";

interface Terms {
	limit: number | null;
	rate: number | null;
	per: number | null;
}

interface Use extends Terms {
	code_limit: number | null;
	running: number;
	waiting: number;
}

const UNITS = new Map([
	[1, "s"],
	[60, "min"],
	[3600, "h"],
	[86_400, "d"],
]);

/** Returns the rate of `100/min`, `5/s`, `10/90`; NaN where it is none. */
export function rateOf(text: string): { rate: number; per: number } {
	const [number = "", window = ""] = text.split("/", 2).map((one) => one.trim());
	const per = seconds(window) ?? seconds(`1${window}`);
	return { rate: window && /^\d+$/.test(number) ? Number(number) : Number.NaN, per: per ?? 0 };
}

/** Returns a rate as it is written; "" where there is none. */
export function rateText(rate: number | null, per: number | null): string {
	if (rate === null || per === null) return "";
	return `${rate}/${UNITS.get(per) ?? per}`;
}

/** Returns what comes of terms: to how many jobs, or what is wrong with them. */
export function consequence(use: Use, terms: Terms): { text: string; wrong: boolean } {
	const { limit, rate, per } = terms;
	if (limit === null && rate === null)
		return { text: "Give a limit, a rate, or both.", wrong: true };
	if (limit !== null && !(Number.isInteger(limit) && limit >= 0 && limit <= 1e6))
		return { text: "A limit is a whole number from 0 to 1,000,000.", wrong: true };
	if (rate !== null && !(rate >= 1 && rate <= 1e6 && per))
		return { text: "A rate is a number and a time: 100/min, 5/s, 10/90.", wrong: true };
	const { running, waiting } = use;
	const most = limit ?? use.code_limit;
	const said: string[] = [];
	if (running)
		said.push(
			running === 1 ? "1 job runs, and goes on." : `${count(running)} jobs run, and go on.`,
		);
	if (most === 0) said.push(`None of the ${count(waiting)} that wait starts.`);
	else if (most !== null && running >= most)
		said.push(`The next one starts when fewer than ${count(most)} run; ${count(waiting)} wait.`);
	else {
		const first = Math.min(waiting, most === null ? waiting : most - running, rate ?? waiting);
		said.push(`Up to ${count(first)} of the ${count(waiting)} that wait start at once.`);
	}
	return { text: said.join(" "), wrong: false };
}
