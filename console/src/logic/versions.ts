/** What the versions of workers tell: which of them run, and when one was deployed. */
import type { Worker } from "../api/types";

/** A version that workers run; the newest one comes first. */
export interface Running {
	name: string;
	workers: number;
	/** When the first of its workers has started. */
	since: number;
}

/** Returns the versions of workers: of the program; where nobody has said, of Rotulus and Python. */
export function versionsOf(workers: readonly Worker[]): Running[] {
	const found = new Map<string, Running>();
	for (const { version, rotulus, python, started_at } of workers) {
		if (!version && !rotulus) continue;
		const name = version ?? `Rotulus ${rotulus} on Python ${python}`;
		const since = Date.parse(started_at);
		const one = found.get(name);
		if (!one) found.set(name, { name, workers: 1, since });
		else {
			one.workers += 1;
			one.since = Math.min(one.since, since);
		}
	}
	return [...found.values()].sort((one, other) => other.since - one.since);
}
