/** Buckets of a histogram, as people read them. */
import { length } from "./lengths";

export interface Counted {
	/** The seconds below which its times are; null: it has no end. */
	below: number | null;
	count: number;
}

export interface Shown extends Counted {
	/** The end of the bucket before. */
	from: number;
}

const FEWEST = 5;

/** Returns the buckets that have something, those between them, and a few beside them. */
export function shownOf(buckets: readonly Counted[]): Shown[] {
	const all = buckets.map((one, at) => ({ ...one, from: buckets[at - 1]?.below ?? 0 }));
	const first = all.findIndex((one) => one.count);
	if (first < 0) return [];
	let begin = first;
	let end = all.findLastIndex((one) => one.count) + 1;
	while (end - begin < FEWEST && end - begin < all.length) {
		if (end < all.length) end += 1;
		if (begin && end - begin < FEWEST) begin -= 1;
	}
	return all.slice(begin, end);
}

/** Returns the words of a bucket: `from 1.0 s to 2.5 s`. */
export function between({ from, below }: Shown): string {
	if (below === null) return `${length(from)} or longer`;
	return from ? `from ${length(from)} to ${length(below)}` : `less than ${length(below)}`;
}
