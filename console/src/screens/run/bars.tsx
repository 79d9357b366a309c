/** The bars of a run over time, with the marks of what ended apart, idle time, and the ticks below. */
import type { TimelineRow } from "../../api/types";
import { length } from "../../logic/lengths";
import type { State } from "../../logic/states";
import {
	attemptsOf,
	endedApart,
	HATCHES,
	legendOf,
	OUTLINES,
	type Piece,
	placeOf,
	type Span,
	wordOf,
} from "../../logic/timeline";
import { StateMark } from "../../parts/state";

/** The height of a line, in pixels. */
export const ROW = 28;

const HIGH = 12;
const MARK = 14;

/** Returns the two ends of a span, in milliseconds since 1970. */
export function spanOf([from, to]: readonly [string, string]): Span {
	return [Date.parse(from), Date.parse(to)];
}

/** What `Bars` refers to: once for a drawing. */
export function Hatches() {
	return (
		<defs>
			{Object.entries(HATCHES).map(([state, way]) => (
				<pattern key={state} id={`bar-${state}`} width="6" height="6" patternUnits="userSpaceOnUse">
					<path d={way} />
				</pattern>
			))}
		</defs>
	);
}

interface BarProps {
	state: State;
	place: { x: number; y: number; width: number; height: number; rx: number };
}

/** An attempt, or its sign in the legend. */
function Bar({ state, place }: BarProps) {
	return (
		<>
			<rect class={`ran s-${state}${OUTLINES.includes(state) ? " open" : ""}`} {...place} />
			{HATCHES[state] && <rect fill={`url(#bar-${state})`} {...place} />}
		</>
	);
}

/** What the bars say: the outcomes that occur. */
export function Legend({ rows }: { rows: readonly TimelineRow[] }) {
	return (
		<ul class="gantt-legend quiet" aria-label="Outcomes of attempts">
			{legendOf(rows).map(([state, words]) => (
				<li key={state}>
					<svg width="26" height="14" aria-hidden="true">
						<Bar state={state} place={{ x: 1, y: 1, width: 24, height: HIGH, rx: 2 }} />
					</svg>
					{words}
				</li>
			))}
		</ul>
	);
}

interface BarsProps {
	row: TimelineRow;
	top: number;
	scale: readonly Piece[];
	wide: number;
	end: number;
}

/** A line: it waited, its attempts ran; the mark of its state where it ended with nothing that ran. */
export function Bars({ row, top, scale, wide, end }: BarsProps) {
	const place = ([from, to]: Span, high: number) => {
		const x = placeOf(from, scale) * wide;
		const width = Math.max(2, placeOf(to, scale) * wide - x);
		return { x, y: top + (ROW - high) / 2, width, height: high, rx: 2 };
	};
	const apart = endedApart(row);
	return (
		<g>
			{row.waited.map((one) => (
				<rect key={one[0]} class="waited" {...place(spanOf(one), 2)} />
			))}
			{attemptsOf(row, end).map(({ span, outcome, state }) => (
				<g key={span[0]}>
					<title>{`${wordOf(outcome)}, ${length((span[1] - span[0]) / 1000)}`}</title>
					<Bar state={state} place={place(span, HIGH)} />
				</g>
			))}
			{apart !== null && (
				<svg
					x={Math.min(wide - MARK, Math.max(0, placeOf(apart, scale) * wide - MARK / 2))}
					y={top + (ROW - MARK) / 2}
					width={MARK}
					height={MARK}
				>
					<title>{row.state}</title>
					<StateMark state={row.state} />
				</svg>
			)}
		</g>
	);
}

/** Idle time, in which nothing is drawn. */
export function Folds({
	scale,
	wide,
	high,
}: {
	scale: readonly Piece[];
	wide: number;
	high: number;
}) {
	return (
		<g>
			{scale
				.filter((one) => one.isIdle)
				.map((one) => (
					<g key={one.from}>
						<rect
							class="folded"
							x={one.begin * wide}
							width={(one.end - one.begin) * wide}
							height={high}
						/>
						<title>{`nothing for ${length((one.to - one.from) / 1000)}`}</title>
					</g>
				))}
		</g>
	);
}

/** The time since the run was added, at the beginning of each piece and at the end. */
export function Ticks({
	scale,
	wide,
	top,
}: {
	scale: readonly Piece[];
	wide: number;
	top: number;
}) {
	const start = scale[0]?.from ?? 0;
	const last = scale.at(-1);
	const marks = scale.filter((one) => !one.isIdle).map((one) => [one.begin, one.from] as const);
	const shown = marks.filter(
		([at], place) => !place || (at - (marks[place - 1]?.[0] ?? 0)) * wide > 90,
	);
	return (
		<g class="ticks">
			{shown.map(([at, from]) => (
				<text key={from} x={at * wide} y={top}>
					{from === start ? "0" : `+${length((from - start) / 1000)}`}
				</text>
			))}
			{last && (
				<text x={wide} y={top} text-anchor="end">
					{length((last.to - start) / 1000)}
				</text>
			)}
		</g>
	);
}
