/** A schedule while somebody writes it: texts, and the body of the request that they make. */
import type { Schedule } from "../../api/types";
import { seconds } from "../../logic/lengths";

/** What the fields of the form hold. */
export interface Draft {
	name: string;
	task: string;
	kind: "cron" | "interval";
	cron: string;
	every: string;
	timezone: string;
	missed: string;
	overlap: string;
	start: string;
	end: string;
	spread: string;
}

export const NEW: Draft = {
	name: "",
	task: "",
	kind: "cron",
	cron: "",
	every: "",
	timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
	missed: "latest",
	overlap: "allow",
	start: "",
	end: "",
	spread: "",
};

const EVERY = "@every ";

/** Returns the texts of a schedule as it is. */
export function draftOf(schedule: Schedule): Draft {
	const isInterval = schedule.cron.startsWith(EVERY);
	return {
		name: schedule.name,
		task: schedule.task,
		kind: isInterval ? "interval" : "cron",
		cron: isInterval ? "" : schedule.cron,
		every: isInterval ? schedule.cron.slice(EVERY.length) : "",
		timezone: schedule.timezone,
		missed: schedule.missed,
		overlap: schedule.overlap,
		start: local(schedule.start),
		end: local(schedule.end),
		spread: schedule.spread ? `${schedule.spread}s` : "",
	};
}

function local(at: string | null): string {
	if (!at) return "";
	const told = new Date(at);
	return new Date(told.getTime() - told.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

function moment(text: string): string | null {
	return text ? new Date(text).toISOString() : null;
}

/** Returns the body of the request. What cannot be read goes as it is: the server says so. */
export function bodyOf(draft: Draft, given: string, isNew: boolean): string {
	const { name, task, kind, cron, every, timezone, missed, overlap } = draft;
	const when =
		kind === "cron" ? { cron, timezone } : { every: every ? (seconds(every) ?? every) : null };
	const body = {
		...(isNew && { name }),
		task,
		...when,
		missed,
		overlap,
		start: moment(draft.start),
		end: moment(draft.end),
		spread: draft.spread ? (seconds(draft.spread) ?? draft.spread) : 0,
	};
	// Arguments are text, so that their numbers stay as they were typed.
	return `${JSON.stringify(body).slice(0, -1)}, "arguments": ${given}}`;
}
