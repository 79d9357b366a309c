/** A run over time: what ran and came to what, a scale without idle time, the way that decided its end. */
import type { TimelineRow } from "../api/types";
import { hasEnded, type Outcome, type State, stateOf } from "./states";

export type Span = readonly [from: number, to: number];

/** A part of the scale: time that is drawn in proportion, or idle time in a few pixels. */
export interface Piece {
	from: number;
	to: number;
	isIdle: boolean;
	/** Its share of the width, from 0 to 1. */
	begin: number;
	end: number;
}

const IDLE_SHARE = 0.08; // of the busy time: a longer pause is folded
const FOLDED = 0.03; // the width of a folded pause

/** What an attempt came to, in which state it is drawn, and when it ran. */
export interface Ran {
	span: Span;
	outcome: Outcome;
	state: State;
}

/** Whether the last attempt of a row goes on: it runs, or its parts do. */
export function goesOn(row: TimelineRow): boolean {
	return row.outcomes.length > 0 && !hasEnded(row.state) && isOpen(row.outcomes.at(-1) ?? null);
}

function isOpen(outcome: Outcome): boolean {
	return outcome === null || outcome === "opened";
}

/** Returns the attempts of a row; what goes on does so up to a moment that may be after the reading. */
export function attemptsOf(row: TimelineRow, end: number): Ran[] {
	return row.ran.map(([from, to], at) => {
		const outcome = row.outcomes[at] ?? null;
		const isLast = at === row.ran.length - 1 && goesOn(row);
		const until = isLast ? Math.max(Date.parse(to), end) : Date.parse(to);
		return { span: [Date.parse(from), until], outcome, state: stateOf(outcome) };
	});
}

/** Returns when a row ended with nothing that ran: skipped, or given up while it waited. */
export function endedApart(row: TimelineRow): number | null {
	const last = row.outcomes.at(-1);
	const ended = row.ended_at !== null && last !== row.state;
	return ended ? Date.parse(row.ended_at ?? "") : null;
}

/** Says what a row came to where that is more than its state: `nothing ran`, `lost, then succeeded`. */
export function saidOf(row: TimelineRow): string {
	if (!row.ran.length) return "nothing ran";
	const [first, ...more] = row.outcomes;
	if (!more.length && (first === row.state || stateOf(first ?? null) === "running")) return "";
	return row.outcomes.map(wordOf).join(", then ");
}

/** Returns the word of an outcome. */
export function wordOf(outcome: Outcome): string {
	return outcome ?? "runs";
}

/** The lines over a bar, by the state in whose colour it is: no two of them look alike in print. */
export const HATCHES: Partial<Record<State, string>> = {
	failed: "M-1 7L7-1M-1 1L1-1M5 7L7 5",
	dead: "M0 0L6 6M0 6L6 0",
	cancelled: "M1 0V6M4 0V6",
	delayed: "M0 3H6",
	queued: "M1 1.5H3M4 4.5H6",
	skipped: "M0 0L3 3L0 6",
};

/** What goes on: an outline in place of a bar. */
export const OUTLINES: readonly State[] = ["running", "blocked"];

/** Returns the states in which the attempts of rows are drawn, each with its outcomes. */
export function legendOf(rows: readonly TimelineRow[]): [State, string][] {
	const found = new Map<State, Set<string>>();
	for (const outcome of rows.flatMap((row) => row.outcomes)) {
		const state = stateOf(outcome);
		found.set(state, (found.get(state) ?? new Set()).add(wordOf(outcome)));
	}
	return [...found].map(([state, words]) => [state, [...words].join(", ")]);
}

/** Returns the pieces of a scale on which spans are drawn; pauses that are long are folded. */
export function pieces(spans: readonly Span[], from: number, to: number): Piece[] {
	const busy = merged([...spans].filter(([begin, end]) => end >= begin));
	const first = Math.min(from, busy[0]?.[0] ?? from);
	const last = Math.max(to, busy.at(-1)?.[1] ?? to, first + 1);
	const total = busy.reduce((sum, [begin, end]) => sum + end - begin, 0);
	const least = Math.max(1000, total * IDLE_SHARE);
	const found: Omit<Piece, "begin" | "end">[] = [];
	let at = first;
	for (const [begin, end] of [...busy, [last, last] as const]) {
		const isIdle = total > 0 && begin - at > least;
		if (isIdle) found.push({ from: at, to: begin, isIdle });
		else if (begin > at) extend(found, at, begin);
		if (end > begin) extend(found, begin, end);
		at = Math.max(at, end);
	}
	return placed(found.length ? found : [{ from: first, to: last, isIdle: false }]);
}

function extend(found: Omit<Piece, "begin" | "end">[], from: number, to: number): void {
	const before = found.at(-1);
	if (before && !before.isIdle) before.to = to;
	else found.push({ from, to, isIdle: false });
}

function placed(found: readonly Omit<Piece, "begin" | "end">[]): Piece[] {
	const folded = found.filter((one) => one.isIdle).length;
	const room = Math.max(0.4, 1 - folded * FOLDED);
	const idle = folded ? (1 - room) / folded : 0;
	const busy = found.reduce((sum, one) => sum + (one.isIdle ? 0 : one.to - one.from), 0) || 1;
	let at = 0;
	return found.map((one) => {
		const begin = at;
		at += one.isIdle ? idle : ((one.to - one.from) / busy) * room;
		return { ...one, begin, end: at };
	});
}

/** Spans that touch or overlap as one, in order. */
function merged(spans: Span[]): Span[] {
	const found: [number, number][] = [];
	for (const [begin, end] of spans.sort((one, other) => one[0] - other[0])) {
		const before = found.at(-1);
		if (before && begin <= before[1]) before[1] = Math.max(before[1], end);
		else found.push([begin, end]);
	}
	return found;
}

/** Returns where a moment is on a scale, from 0 to 1. */
export function placeOf(at: number, scale: readonly Piece[]): number {
	for (const one of scale) {
		if (at <= one.to) {
			const share = Math.max(0, at - one.from) / (one.to - one.from || 1);
			return one.begin + share * (one.end - one.begin);
		}
	}
	return 1;
}

/** When each step ended, by its name; a step that has not is left out. */
export type Ends = ReadonlyMap<string, number>;

/** Returns the steps of which each kept the next one waiting, the first one first. */
export function criticalPath(
	routes: readonly { source: string; target: string }[],
	ends: Ends,
): string[] {
	const sources = new Map<string, string[]>();
	for (const { source, target } of routes)
		sources.set(target, [...(sources.get(target) ?? []), source]);
	let here = latest([...ends.keys()], ends);
	const found: string[] = [];
	while (here !== undefined && !found.includes(here)) {
		found.unshift(here);
		here = latest(sources.get(here) ?? [], ends);
	}
	return found;
}

function latest(names: readonly string[], ends: Ends): string | undefined {
	return names
		.filter((name) => ends.has(name))
		.reduce<string | undefined>(
			(last, name) =>
				last === undefined || (ends.get(name) ?? 0) > (ends.get(last) ?? 0) ? name : last,
			undefined,
		);
}
