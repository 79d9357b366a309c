/** A run over time: a line for each step, with when it waited and when it ran. */
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Timeline, TimelineRow } from "../../api/types";
import { length } from "../../logic/lengths";
import { type Piece, pieces, placeOf, type Span } from "../../logic/timeline";
import { StateMark } from "../../parts/state";
import { now } from "../../parts/when";

interface GanttProps {
	timeline: Timeline;
	chosen: string | null;
	critical: ReadonlySet<string>;
	choose: (step: string) => void;
}

const ROW = 28;

/** The lines. Time in which nothing waited or ran is folded. */
export function Gantt({ timeline, chosen, critical, choose }: GanttProps) {
	const box = useRef<HTMLDivElement>(null);
	const wide = useSignal(600);
	useLayoutEffect(() => {
		const element = box.current;
		if (!element) return;
		const watching = new ResizeObserver(() => {
			wide.value = Math.max(100, element.clientWidth - 16); // the padding
		});
		watching.observe(element);
		return () => watching.disconnect();
	}, [wide]);
	const isLive = timeline.rows.some((row) => row.state === "running");
	const end = isLive ? Math.max(now.value, Date.parse(timeline.end)) : Date.parse(timeline.end);
	const scale = useMemo(() => {
		const spans = timeline.rows.flatMap((row) => [...row.waited, ...row.ran].map(spanOf));
		return pieces(isLive ? [...spans, [end, end]] : spans, Date.parse(timeline.start), end);
	}, [timeline, end, isLive]);
	if (!timeline.rows.length) return <p class="quiet pad">No step has begun.</p>;
	return (
		<div class="gantt">
			<ol aria-label="Steps over time">
				{timeline.rows.map((row) => (
					<li key={row.job} class={row.step === chosen ? "chosen-row" : ""}>
						<button
							type="button"
							aria-pressed={row.step === chosen}
							onClick={() => choose(row.step)}
						>
							<StateMark state={row.state} label />
							<span class={critical.has(row.step) ? "cut strong" : "cut"} title={row.step}>
								{row.step}
							</span>
							<span class="number quiet">{length(ranOf(row, end))}</span>
						</button>
					</li>
				))}
			</ol>
			<div class="gantt-bars" ref={box}>
				<svg width={wide.value} height={timeline.rows.length * ROW + 20} aria-hidden="true">
					<Folds scale={scale} wide={wide.value} high={timeline.rows.length * ROW} />
					{timeline.rows.map((row, at) => (
						<Bars key={row.job} row={row} top={at * ROW} {...{ scale, end }} wide={wide.value} />
					))}
					<Ticks scale={scale} wide={wide.value} top={timeline.rows.length * ROW + 14} />
				</svg>
			</div>
			{timeline.left_out > 0 && (
				<p class="quiet pad">{timeline.left_out} steps that ran for a shorter time are left out.</p>
			)}
		</div>
	);
}

function spanOf([from, to]: readonly [string, string]): Span {
	return [Date.parse(from), Date.parse(to)];
}

function ranOf(row: TimelineRow, end: number): number {
	const spans = row.ran.map(spanOf);
	const last = spans.at(-1);
	// The last attempt of what runs goes on while nobody has read again.
	if (row.state === "running" && last) spans[spans.length - 1] = [last[0], end];
	return spans.reduce((sum, [from, to]) => sum + to - from, 0) / 1000;
}

interface BarsProps {
	row: TimelineRow;
	top: number;
	scale: readonly Piece[];
	wide: number;
	end: number;
}

function Bars({ row, top, scale, wide, end }: BarsProps) {
	const bar = ([from, to]: Span, kind: string, high: number) => {
		const x = placeOf(from, scale) * wide;
		return (
			<rect
				key={`${kind} ${from}`}
				class={kind}
				x={x}
				y={top + (ROW - high) / 2}
				width={Math.max(2, placeOf(to, scale) * wide - x)}
				height={high}
				rx="2"
			/>
		);
	};
	const ran = row.ran.map(spanOf);
	const last = ran.at(-1);
	if (row.state === "running" && last) ran[ran.length - 1] = [last[0], Math.max(last[1], end)];
	const isLast = (at: number) => at === ran.length - 1;
	return (
		<g>
			{row.waited.map((one) => bar(spanOf(one), "waited", 2))}
			{ran.map((one, at) => bar(one, isLast(at) ? `ran s-${row.state}` : "ran s-failed", 12))}
		</g>
	);
}

/** Idle time, in which nothing is drawn. */
function Folds({ scale, wide, high }: { scale: readonly Piece[]; wide: number; high: number }) {
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
function Ticks({ scale, wide, top }: { scale: readonly Piece[]; wide: number; top: number }) {
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
