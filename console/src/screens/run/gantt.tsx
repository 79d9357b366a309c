/** A run over time: a line for each step, with when it waited, and each attempt by its outcome. */
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Timeline } from "../../api/types";
import { length } from "../../logic/lengths";
import { attemptsOf, goesOn, type Piece, pieces, saidOf } from "../../logic/timeline";
import { StateMark } from "../../parts/state";
import { now } from "../../parts/when";
import { Bars, Folds, Hatches, Legend, ROW, spanOf, Ticks } from "./bars";

interface GanttProps {
	timeline: Timeline;
	chosen: string | null;
	critical: ReadonlySet<string>;
	choose: (step: string) => void;
}

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
	const isLive = timeline.rows.some(goesOn);
	const end = isLive ? Math.max(now.value, Date.parse(timeline.end)) : Date.parse(timeline.end);
	const scale = useMemo<Piece[]>(() => {
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
							<span class="unseen">{saidOf(row)}</span>
							<span class="number quiet">
								{row.ran.length > 0 &&
									length(
										attemptsOf(row, end).reduce((sum, { span: [from, to] }) => sum + to - from, 0) /
											1000,
									)}
							</span>
						</button>
					</li>
				))}
			</ol>
			<div class="gantt-bars" ref={box}>
				<svg width={wide.value} height={timeline.rows.length * ROW + 20} aria-hidden="true">
					<Hatches />
					<Folds scale={scale} wide={wide.value} high={timeline.rows.length * ROW} />
					{timeline.rows.map((row, at) => (
						<Bars key={row.job} row={row} top={at * ROW} {...{ scale, end }} wide={wide.value} />
					))}
					<Ticks scale={scale} wide={wide.value} top={timeline.rows.length * ROW + 14} />
				</svg>
			</div>
			<Legend rows={timeline.rows} />
			{timeline.left_out > 0 && (
				<p class="quiet pad">{timeline.left_out} steps that ran for a shorter time are left out.</p>
			)}
		</div>
	);
}
