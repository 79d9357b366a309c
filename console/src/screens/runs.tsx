/** Runs: workflows with their last runs as bars, and the runs themselves. */
import { useMemo } from "preact/hooks";
import { useData } from "../api/cache";
import { withQuery } from "../api/client";
import type { Job, JobPage, Schedule, Schedules, TaskDetails } from "../api/types";
import { type Flow, flowsOf } from "../logic/flows";
import { length, percent } from "../logic/lengths";
import { hasEnded } from "../logic/states";
import { CopyLine } from "../parts/copy";
import { Choice } from "../parts/menu";
import { Empty, Loaded, Page, Section } from "../parts/page";
import { Shape, Version } from "../parts/shape";
import { useSeen } from "../parts/sight";
import { StateWord } from "../parts/state";
import { right, Table } from "../parts/table";
import { Took, When } from "../parts/when";
import { href, params, setParams } from "../place";
import { moreOf, shortId } from "./jobs/columns";

const STATES = {
	all: [],
	running: ["running"],
	failed: ["failed", "dead"],
	succeeded: ["succeeded"],
};
type Shown = keyof typeof STATES;

/** The screen. */
export default function Runs() {
	const task = params.value.get("task") ?? "";
	const given = params.value.get("state") ?? "";
	const shown: Shown = given in STATES ? (given as Shown) : "all";
	const state = STATES[shown];
	const last = useData<JobPage>("runs?limit=200", { topics: ["jobs"] });
	const path = withQuery("runs", { task, state, limit: 100 });
	const runs = useData<JobPage>(path, { topics: ["jobs"] });
	const schedules = useData<Schedules>("schedules", { topics: ["schedules"], every: 30_000 });
	const flows = useMemo(() => flowsOf(last.data.value?.items ?? []), [last.data.value]);
	return (
		<Page
			title="Runs"
			actions={
				<Choice
					label="State"
					of={Object.keys(STATES) as Shown[]}
					value={shown}
					choose={(one) => setParams({ state: one === "all" ? null : one })}
				/>
			}
		>
			<Loaded of={runs} lines={8}>
				{(data) =>
					data.items.length || flows.length ? (
						<div class="stack">
							<Section title="Workflows">
								<Flows flows={flows} chosen={task} schedules={schedules.data.value?.items ?? []} />
							</Section>
							<Section
								title={task ? `Runs of ${task}` : "Runs"}
								beside={
									task && (
										<button type="button" class="link" onClick={() => setParams({ task: null })}>
											All workflows
										</button>
									)
								}
							>
								<List runs={data.items} />
							</Section>
						</div>
					) : (
						<None />
					)
				}
			</Loaded>
		</Page>
	);
}

const HEADS = [
	"Workflow",
	"Last runs",
	right("Running"),
	right("Succeeded"),
	right("Took"),
	right("Last"),
	right("Next"),
	"Steps",
];

interface FlowsProps {
	flows: readonly Flow[];
	chosen: string;
	schedules: readonly Schedule[];
}

function Flows({ flows, chosen, schedules }: FlowsProps) {
	const next = (task: string) =>
		schedules
			.filter((one) => one.task === task && one.next)
			.sort((one, other) => Date.parse(one.next ?? "") - Date.parse(other.next ?? ""))[0];
	return (
		<Table heads={HEADS} isCard={false}>
			{flows.map((one) => (
				<Row key={one.task} flow={one} isChosen={one.task === chosen} next={next(one.task)} />
			))}
		</Table>
	);
}

interface RowProps {
	flow: Flow;
	isChosen: boolean;
	next: Schedule | undefined;
}

/** A workflow; what it is made of is asked for when it is in sight. */
function Row({ flow, isChosen, next }: RowProps) {
	const { element, seen } = useSeen<HTMLTableRowElement>();
	const isAsked = seen && !flow.runs[0]?.group; // a group has no steps that are declared
	const path = isAsked ? `tasks/${encodeURIComponent(flow.task)}/$details` : null;
	const details = useData<TaskDetails>(path, { topics: ["tasks"] });
	const made = details.data.value?.workflow;
	return (
		<tr ref={element} class={isChosen ? "is-chosen" : ""}>
			<th scope="row">
				<a class="cut strong" href={href("runs", { task: flow.task })} title={flow.task}>
					{flow.task}
				</a>
			</th>
			<td>
				<Bars runs={flow.runs} />
			</td>
			<td class="right number" data-name="running">
				{flow.live || <span class="quiet">0</span>}
			</td>
			<td class="right number" data-name="succeeded">
				{percent(flow.succeeded, flow.ended)}
			</td>
			<td class="right number" data-name="took">
				{length(flow.median)}
			</td>
			<td class="right" data-name="last">
				<When at={flow.runs[0]?.created_at} />
			</td>
			<td class="right" data-name="next">
				<Next schedule={next} />
			</td>
			<td>
				{details.isMissing ? <span class="quiet">not declared</span> : made && <Shape of={made} />}
				{made && <Version of={made} />}
			</td>
		</tr>
	);
}

/** When a workflow is fired next, with a link to the schedule that does. */
function Next({ schedule }: { schedule: Schedule | undefined }) {
	if (!schedule) return <span class="quiet">–</span>;
	return (
		<a href={href(`schedules/${encodeURIComponent(schedule.name)}`)}>
			<When at={schedule.next} zone={schedule.timezone} />
		</a>
	);
}

const BARS = 20;
const HIGH = 20;

/** The last runs, the newest at the right: as high as they took long, each a link. */
function Bars({ runs }: { runs: readonly Job[] }) {
	const shown = runs.slice(0, BARS).reverse();
	const took = (run: Job) =>
		run.ended_at ? Date.parse(run.ended_at) - Date.parse(run.created_at) : 0;
	const most = Math.max(1, ...shown.map(took));
	return (
		<svg
			class="run-bars"
			width={Math.max(1, shown.length) * 8}
			height={HIGH}
			viewBox={`0 0 ${Math.max(1, shown.length) * 8} ${HIGH}`}
			role="group"
			aria-label="Last runs"
		>
			{shown.map((run, at) => {
				const high = hasEnded(run.state) ? Math.max(4, (took(run) / most) * HIGH) : HIGH;
				return (
					<a
						key={run.id}
						href={href(`runs/${run.id}`)}
						class={`s-${run.state}${hasEnded(run.state) ? "" : " live"}`}
						aria-label={`${run.state}, ${shortId(run.id)}`}
						tabindex={at === shown.length - 1 ? 0 : -1}
					>
						<rect class="room" x={at * 8} width="8" height={HIGH} />
						<rect x={at * 8 + 1} y={HIGH - high} width="6" height={high} rx="1" />
					</a>
				);
			})}
		</svg>
	);
}

function List({ runs }: { runs: readonly Job[] }) {
	if (!runs.length) return <p class="quiet pad">No run matches.</p>;
	return (
		<ul class="lines">
			{runs.map((run) => (
				<li key={run.id}>
					<a class="line run-line" href={href(`runs/${run.id}`)}>
						<StateWord state={run.state} more={moreOf(run)} />
						<span class="cut strong">{run.group ? `group ${run.group}` : run.task}</span>
						<code class="wide">{shortId(run.id)}</code>
						<span class="wide quiet cut">{run.schedule ?? run.key}</span>
						<Took from={run.created_at} to={run.ended_at} />
						<span class="quiet right">
							<When at={run.created_at} />
						</span>
					</a>
				</li>
			))}
		</ul>
	);
}

function None() {
	return (
		<Empty title="No workflow has run.">
			<p>
				A workflow is tasks that wait for each other. Each run of one is drawn here while it goes
				on.
			</p>
			<CopyLine text="rotulus enqueue module:app etl" />
			<p>
				<a href={href("tasks")}>Start one from its form</a>
			</p>
		</Empty>
	);
}
