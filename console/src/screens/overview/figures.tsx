/** The figures of the overview: each a number, a sparkline, and a link to what it counts. */
import type { ComponentChildren } from "preact";
import type { Measured, Point, Queue } from "../../api/types";
import { brief, length, percent } from "../../logic/lengths";
import { fewer } from "../../logic/scale";
import { Spark } from "../../parts/charts";
import { href } from "../../place";

interface FigureProps {
	name: string;
	value: string;
	beside?: ComponentChildren;
	to: string;
	bad?: boolean;
	children?: ComponentChildren;
}

function Figure({ name, value, beside, to, bad = false, children }: FigureProps) {
	return (
		<a class="figure" href={to}>
			<span class="caption">{name}</span>
			<span class={bad ? "value bad-text" : "value"}>{value}</span>
			<span class="quiet cut">{beside}</span>
			{children}
		</a>
	);
}

export interface FigureData {
	totals: Measured | undefined;
	queues: readonly Queue[] | undefined;
	series: Record<string, readonly Point[] | undefined>;
	span: string;
}

/** The row of figures. */
export function Figures({ totals, queues, series, span }: FigureData) {
	const oldest = queues?.reduce<Queue | undefined>(
		(most, one) => (one.age !== null && !one.paused_at && one.age > (most?.age ?? -1) ? one : most),
		undefined,
	);
	const isHeld = queues?.some((one) => one.paused_at && one.age !== null);
	const idle = isHeld ? "nothing waits but in paused queues" : "nothing waits";
	const outcomes = totals?.outcomes ?? {};
	const failed = (outcomes.failed ?? 0) + (outcomes.dead ?? 0);
	const ended = failed + (outcomes.succeeded ?? 0);
	const spark = (name: string, join: "sum" | "max", state?: string) => (
		<Spark
			values={fewer(
				(series[name] ?? []).map((one) => one.value),
				40,
				join,
			)}
			label={`over the last ${span}`}
			width={160}
			height={24}
			{...(state && { state })}
		/>
	);
	const told = (value: string | undefined) => value ?? "…";
	return (
		<div class="figures">
			<Figure
				name="Oldest waiting"
				value={queues ? length(oldest?.age ?? 0) : "…"}
				beside={queues ? (oldest?.name ?? idle) : ""}
				to={oldest ? href("jobs", { q: `state:queued queue:${oldest.name}` }) : href("queues")}
				bad={(oldest?.age ?? 0) > 300}
			/>
			<Figure
				name="Attempts"
				value={told(totals && brief(totals.attempts))}
				beside={totals && `${brief(totals.enqueued)} added`}
				to={href("jobs")}
			>
				{spark("attempts", "sum")}
			</Figure>
			<Figure
				name="Failed"
				value={told(totals && brief(failed))}
				beside={totals && percent(failed, ended)}
				to={href("failures")}
				bad={failed > 0}
			>
				{spark("failed", "sum", "failed")}
			</Figure>
			<Figure
				name="Waited, p95"
				value={told(totals && length(totals.waited.p95))}
				beside={totals && `median ${length(totals.waited.p50)}`}
				to={href("queues")}
			>
				{spark("waited_p95", "max")}
			</Figure>
			<Figure
				name="Ran, p95"
				value={told(totals && length(totals.ran.p95))}
				beside={totals && `median ${length(totals.ran.p50)}`}
				to={href("jobs", { q: "state:succeeded" })}
			>
				{spark("ran_p95", "max")}
			</Figure>
		</div>
	);
}
