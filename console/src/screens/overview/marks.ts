/** What happened in the span of the chart: versions that were deployed, queues that were paused. */
import type { AuditEntry, Queue, Worker } from "../../api/types";
import { versionsOf } from "../../logic/versions";
import type { Mark } from "../../parts/stacked";

const MOST = 12;
const SAME = 5000; // ms between what the audit tells of a pause and the pause
const WORDS: Record<string, string> = { "queues.pause": "paused", "queues.resume": "resumed" };

/** Returns the last twelve marks. Pauses that are over are told by the audit, which not everybody sees. */
export function marksOf(
	workers: readonly Worker[] = [],
	queues: readonly Queue[] = [],
	audit: readonly AuditEntry[] = [],
): Mark[] {
	const deployed = versionsOf(workers.filter((one) => one.version)).map(({ name, since }) => ({
		at: since,
		text: `${name} deployed`,
	}));
	const paused = queues.flatMap(({ name, paused_at }) =>
		paused_at ? [{ at: Date.parse(paused_at), text: `${name} paused` }] : [],
	);
	const steered = audit.flatMap(({ at, verb, target, detail, error }) => {
		const word = WORDS[verb];
		const names = target ? [target] : ((detail.of as string[] | undefined) ?? ["queues"]);
		return word && !error
			? names.map((name) => ({ at: Date.parse(at), text: `${name} ${word}` }))
			: [];
	});
	const isTold = (one: Mark) =>
		steered.some(({ at, text }) => text === one.text && Math.abs(at - one.at) < SAME);
	const all = [...deployed, ...paused.filter((one) => !isTold(one)), ...steered];
	return all.sort((one, other) => one.at - other.at).slice(-MOST);
}
