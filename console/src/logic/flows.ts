/** Workflows, as their last runs tell of them. */
import type { Job } from "../api/types";
import { hasEnded } from "./states";

/** A workflow with its last runs, the newest first. */
export interface Flow {
	task: string;
	runs: Job[];
	live: number;
	ended: number;
	succeeded: number;
	/** Seconds from being added to the end, of the run in the middle; null: none has ended. */
	median: number | null;
}

/** Returns the workflows of some runs, by name. */
export function flowsOf(runs: readonly Job[]): Flow[] {
	const found = new Map<string, Job[]>();
	for (const run of runs) found.set(run.task, [...(found.get(run.task) ?? []), run]);
	return [...found]
		.map(([task, own]) => flowOf(task, own))
		.sort((one, other) => one.task.localeCompare(other.task));
}

function flowOf(task: string, runs: Job[]): Flow {
	const ended = runs.filter((run) => hasEnded(run.state) && run.ended_at);
	const took = ended
		.map((run) => (Date.parse(run.ended_at ?? "") - Date.parse(run.created_at)) / 1000)
		.sort((one, other) => one - other);
	return {
		task,
		runs,
		live: runs.filter((run) => !hasEnded(run.state)).length,
		ended: ended.length,
		succeeded: ended.filter((run) => run.state === "succeeded").length,
		median: took[Math.floor(took.length / 2)] ?? null,
	};
}
