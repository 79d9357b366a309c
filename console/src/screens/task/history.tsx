/** How a task has run: its attempts over a day, and how long they took. */
import { STATISTICS, useData } from "../../api/cache";
import { withQuery } from "../../api/client";
import type { Histogram, Series, Totals } from "../../api/types";
import { brief, length, percent } from "../../logic/lengths";
import { Section } from "../../parts/page";
import { Stacked } from "../../parts/stacked";
import { href } from "../../place";
import { Lengths } from "./lengths";

const DAY = 86_400;
const STEP = 900;

/** The chart and the figures. */
export function History({ task }: { task: string }) {
	const series = (metric: string) =>
		withQuery("stats/series", { metric, task, since: DAY, step: STEP });
	const succeeded = useData<Series>(series("succeeded"), STATISTICS).data.value?.items ?? [];
	const failed = useData<Series>(series("failed"), STATISTICS).data.value?.items ?? [];
	const totals = useData<Totals>(withQuery("stats/totals", { task, since: DAY }), STATISTICS);
	const lengths = useData<Histogram>(
		withQuery("stats/histogram", { task, since: DAY }),
		STATISTICS,
	);
	const all = totals.data.value?.items[0];
	const wrong = (all?.outcomes.failed ?? 0) + (all?.outcomes.dead ?? 0);
	const jobs = href("jobs", { q: `task:${task} newer:24h` });
	const figures: [string, string, string?][] = all
		? [
				["attempts", brief(all.attempts)],
				["failed", percent(wrong, all.attempts), href("failures", { task, span: "24 h" })],
				["waited, p95", length(all.waited.p95)],
				["ran, median", length(all.ran.p50)],
				["ran, p95", length(all.ran.p95)],
				["ran, longest", length(all.ran.max)],
			]
		: [];
	return (
		<Section title="Last 24 hours" to={jobs}>
			<dl class="small-figures">
				{figures.map(([name, value, to]) => (
					<div key={name}>
						<dt class="caption">{name}</dt>
						<dd class={name === "failed" && wrong ? "bad-text" : ""}>
							{to ? <a href={to}>{value}</a> : value}
						</dd>
					</div>
				))}
			</dl>
			<div class="pad">
				<Stacked
					label="Attempts over the last 24 hours"
					step={STEP}
					layers={[
						{ name: "succeeded", state: "succeeded", points: succeeded },
						{ name: "failed", state: "failed", points: failed },
					]}
				/>
			</div>
			<Lengths buckets={lengths.data.value?.items ?? []} />
		</Section>
	);
}
