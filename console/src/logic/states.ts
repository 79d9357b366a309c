/** The nine states of a job, in the order of its life; and those in which attempts are drawn. */
import type { TimelineRow } from "../api/types";

export const STATES = [
	"blocked",
	"delayed",
	"queued",
	"running",
	"succeeded",
	"failed",
	"dead",
	"cancelled",
	"skipped",
] as const;

export type State = (typeof STATES)[number];

const ENDED: readonly State[] = ["succeeded", "failed", "dead", "cancelled", "skipped"];

export function hasEnded(state: State): boolean {
	return ENDED.includes(state);
}

/** Whether a job in this state can be edited. */
export function isWaiting(state: State): boolean {
	return state === "queued" || state === "delayed";
}

/** Whether `retry` sends a job in this state back. */
export function isRetryable(state: State): boolean {
	return state === "failed" || state === "dead" || state === "cancelled";
}

/** Whether a run can go on without a step in this state. */
export function canBeSkipped(state: State | null): boolean {
	return state === "blocked" || (state !== null && (isWaiting(state) || isRetryable(state)));
}

/** What an attempt came to; null: it runs. */
export type Outcome = TimelineRow["outcomes"][number];

/** Returns the state in whose colour an attempt is drawn: its own, or the one that the job took. */
export function stateOf(outcome: Outcome): State {
	switch (outcome) {
		case null:
			return "running";
		case "retried":
			return "failed";
		case "lost":
			return "dead";
		case "snoozed":
			return "delayed";
		case "released":
			return "queued";
		case "opened":
			return "blocked";
		default:
			return outcome;
	}
}
