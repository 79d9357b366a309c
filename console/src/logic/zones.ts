/** Moments in a zone: where its clock is changed, and days for a calendar. */
import { moment } from "./lengths";

/** Returns by how many minutes the clock of a zone is ahead of UTC at a moment. */
export function offsetOf(at: number, zone: string): number {
	const shown = Date.parse(`${moment(at, zone).replace(" ", "T")}Z`);
	return Math.round((shown - Math.floor(at / 1000) * 1000) / 60_000);
}

/** An instant, and whether the clock was changed since the one before. */
export interface Instant {
	at: string;
	/** Minutes by which the clock was put forward, or back; 0: it was not. */
	changed: number;
}

/** Returns instants with the changes of the clock in between, counted from a moment. */
export function withChanges(instants: readonly string[], zone: string, from: number): Instant[] {
	let before = offsetOf(from, zone);
	return instants.map((at) => {
		const now = offsetOf(Date.parse(at), zone);
		const changed = now - before;
		before = now;
		return { at, changed };
	});
}

/** Returns the words for a change of the clock. */
export function changeWords(minutes: number): string {
	const size = Math.abs(minutes) % 60 ? `${Math.abs(minutes)} min` : `${Math.abs(minutes) / 60} h`;
	return `clock ${minutes > 0 ? "forward" : "back"} ${size}`;
}

/** Returns days up to today, the first one first, each as `2026-11-29` in a zone. */
export function daysUpTo(now: number, count: number, zone: string): string[] {
	const today = Date.parse(`${moment(now, zone).slice(0, 10)}T12:00:00Z`);
	return Array.from({ length: count }, (_, at) =>
		new Date(today - (count - 1 - at) * 86_400_000).toISOString().slice(0, 10),
	);
}
