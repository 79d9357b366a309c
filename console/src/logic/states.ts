/** The nine states of a job, in the order of its life. */

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
