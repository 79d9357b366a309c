/** Overview: is it well? */
import { STATISTICS, useData } from "../api/cache";
import { withQuery } from "../api/client";
import type {
	AuditPage,
	FailureGroups,
	Queues,
	Schedules,
	Series,
	Totals,
	Workers,
} from "../api/types";
import { CopyLine } from "../parts/copy";
import { Choice } from "../parts/menu";
import { Empty, Loaded, Page, Section } from "../parts/page";
import { Stacked } from "../parts/stacked";
import { href, params, setParams } from "../place";
import { has } from "../session";
import { Figures } from "./overview/figures";
import { FailingList, FiringList, QueueList, WorkerList } from "./overview/lists";
import { marksOf } from "./overview/marks";

const SPANS = { "1 h": 3600, "24 h": 86_400, "7 d": 604_800 } as const;
const STEPS = { "1 h": 60, "24 h": 900, "7 d": 21_600 } as const;
type Span = keyof typeof SPANS;

const METRICS = ["attempts", "succeeded", "failed", "waited_p95", "ran_p95"] as const;

function useSeries(span: Span) {
	const read = (metric: string) =>
		withQuery("stats/series", { metric, since: SPANS[span], step: STEPS[span] });
	// Always as many, in the same order: hooks count.
	const all = METRICS.map((metric) => useData<Series>(read(metric), STATISTICS).data.value?.items);
	return Object.fromEntries(METRICS.map((metric, at) => [metric, all[at]]));
}

/** The screen. */
export default function Overview() {
	const given = params.value.get("span") ?? "";
	const span: Span = given in SPANS ? (given as Span) : "1 h";
	const since = SPANS[span];
	const queues = useData<Queues>("queues", { topics: ["queues"], every: 5000 });
	const totals = useData<Totals>(withQuery("stats/totals", { since }), STATISTICS);
	const news = withQuery("failures", { since, limit: 8, muted: false });
	const failures = useData<FailureGroups>(news, { topics: ["failures"] });
	const schedules = useData<Schedules>("schedules", { topics: ["schedules"], every: 30_000 });
	const workers = useData<Workers>("workers", { topics: ["workers"], every: 5000 });
	const series = useSeries(span);
	const steered = withQuery("audit", { verb: "queues.*", since, limit: 50 });
	// Each job that changes makes queues out of date.
	const audit = useData<AuditPage>(has("admin") ? steered : null, {
		topics: ["queues"],
		shortest: 10_000,
	});
	const marks = marksOf(
		workers.data.value?.items,
		queues.data.value?.items,
		audit.data.value?.items,
	);
	const isNew =
		totals.data.value?.items[0]?.enqueued === 0 && queues.data.value?.items.length === 0;
	return (
		<Page
			title="Overview"
			actions={
				<Choice
					label="Span of time"
					of={Object.keys(SPANS) as Span[]}
					value={span}
					choose={(one) => setParams({ span: one === "1 h" ? null : one })}
				/>
			}
		>
			<div class="stack">
				{isNew && <First />}
				<Figures
					totals={totals.data.value?.items[0]}
					queues={queues.data.value?.items}
					series={series}
					span={span}
				/>
				<section class="card pad" aria-label="Attempts">
					<Stacked
						label={`Attempts over the last ${span}`}
						step={STEPS[span]}
						marks={marks}
						layers={[
							{ name: "succeeded", state: "succeeded", points: series.succeeded ?? [] },
							{ name: "failed", state: "failed", points: series.failed ?? [] },
						]}
					/>
				</section>
				<div class="pair">
					<Section title="Queues" to={href("queues")}>
						<Loaded of={queues}>
							{(data) => <QueueList queues={data.items} workers={workers.data.value?.items} />}
						</Loaded>
					</Section>
					<Section title="Failing" to={href("failures")}>
						<Loaded of={failures}>{(data) => <FailingList groups={data.items} />}</Loaded>
					</Section>
					<Section title="Next firings" to={href("schedules")}>
						<Loaded of={schedules}>{(data) => <FiringList schedules={data.items} />}</Loaded>
					</Section>
					<Section title="Workers" to={href("workers")}>
						<Loaded of={workers}>{(data) => <WorkerList workers={data.items} />}</Loaded>
					</Section>
				</div>
			</div>
		</Page>
	);
}

function First() {
	return (
		<Empty title="Nothing has happened yet.">
			<p>Enqueue a first job, and start a worker:</p>
			<CopyLine text="rotulus enqueue module:app greet name=Ada" />
			<CopyLine text="rotulus worker module:app" />
		</Empty>
	);
}
