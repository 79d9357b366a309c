/** What can be done to a schedule, and the words for how it stands. */
import type { Job, Schedule } from "../../api/types";
import { go, href } from "../../place";
import { act } from "../../shell/act";

/** The words for a schedule that does not fire. */
export const WORDS: Record<string, string> = {
	ended: "has ended",
	retired: "no program declares it",
	unknown_task: "nobody knows its task",
	unreadable: "cannot be read here",
};

/** Returns the path of a schedule in the API. */
export function pathOf(name: string): string {
	return `schedules/${encodeURIComponent(name)}`;
}

/** Whether a schedule fires, or would if it were not paused. */
export function isFiring(schedule: Schedule): boolean {
	return schedule.state === "active" || schedule.state === "paused";
}

/** Pauses a schedule, or resumes it; the toast takes it back. */
export async function pauseSchedule(schedule: Pick<Schedule, "name" | "paused_at">): Promise<void> {
	const { name, paused_at } = schedule;
	await act<Schedule>({
		path: `${pathOf(name)}/$${paused_at ? "resume" : "pause"}`,
		says: paused_at ? `${name} fires again.` : `${name} fires no more until it is resumed.`,
		undo: (after) => void pauseSchedule(after),
		topics: ["schedules"],
	});
}

/** Enqueues a job of it now, after a question. */
export async function runNow(schedule: Schedule): Promise<void> {
	const { name, task } = schedule;
	const job = await act<Job>({
		path: `${pathOf(name)}/$run`,
		asks: {
			title: `Run ${name} now?`,
			says: `A job of ${task} is enqueued with the arguments of the schedule. Its instants stay as they are.`,
			verb: "Run now",
		},
		says: `${task} is enqueued.`,
		topics: ["schedules", "jobs", "queues"],
	});
	if (job) go(href(`jobs/${job.id}`));
}

/** Removes a schedule, after a question. Returns whether it is gone. */
export async function removeSchedule(name: string): Promise<boolean> {
	const done = await act({
		method: "DELETE",
		path: pathOf(name),
		asks: {
			title: `Remove ${name}?`,
			says: "It fires no more. The jobs that it has fired stay.",
			verb: "Remove it",
			bad: true,
		},
		says: `${name} is removed.`,
		topics: ["schedules"],
	});
	return done !== undefined;
}
