/** What can be done to a schedule, and the words for how it stands. */
import { invalidate } from "../../api/cache";
import { send } from "../../api/client";
import type { Job, Schedule } from "../../api/types";
import { go, href } from "../../place";
import { confirm } from "../../shell/confirm";
import { tell, tellProblem } from "../../shell/toasts";

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
	const verb = paused_at ? "resume" : "pause";
	try {
		const after = await send<Schedule>("POST", `${pathOf(name)}/$${verb}`);
		tell(
			paused_at ? `${name} fires again.` : `${name} fires no more until it is resumed.`,
			() => void pauseSchedule(after),
		);
		invalidate(new Set(["schedules"]));
	} catch (problem) {
		tellProblem(problem);
	}
}

/** Enqueues a job of it now, after a question. */
export async function runNow(schedule: Schedule): Promise<void> {
	const { name, task } = schedule;
	const asked = {
		title: `Run ${name} now?`,
		says: `A job of ${task} is enqueued with the arguments of the schedule. Its instants stay as they are.`,
		verb: "Run now",
	};
	if (!(await confirm(asked))) return;
	try {
		const job = await send<Job>("POST", `${pathOf(name)}/$run`);
		tell(`${task} is enqueued.`);
		invalidate(new Set(["schedules", "jobs", "queues"]));
		go(href(`jobs/${job.id}`));
	} catch (problem) {
		tellProblem(problem);
	}
}

/** Removes a schedule, after a question. Returns whether it is gone. */
export async function removeSchedule(name: string): Promise<boolean> {
	const asked = {
		title: `Remove ${name}?`,
		says: "It fires no more. The jobs that it has fired stay.",
		verb: "Remove it",
		bad: true,
	};
	if (!(await confirm(asked))) return false;
	try {
		await send("DELETE", pathOf(name));
		tell(`${name} is removed.`);
		invalidate(new Set(["schedules"]));
		return true;
	} catch (problem) {
		tellProblem(problem);
		return false;
	}
}
