/** Jobs: find them, and steer them. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { useData } from "../api/cache";
import type { Job, Queues } from "../api/types";
import { useKeys } from "../keys";
import { count } from "../logic/lengths";
import { valuesOf, withTerm, wrongOf } from "../logic/query";
import { STATES, type State } from "../logic/states";
import { CopyLine } from "../parts/copy";
import { Grid } from "../parts/grid";
import { Icon } from "../parts/icons";
import { Empty, Page, Refusal, Skeleton } from "../parts/page";
import { QueryBar } from "../parts/query-bar";
import { StateMark } from "../parts/state";
import { When } from "../parts/when";
import { href, params, setParams } from "../place";
import { mayOperate, me, unknown } from "../session";
import { COLUMNS, JobCard } from "./jobs/columns";
import { Counts, Grouping, groupingIn } from "./jobs/counts";
import { type JobList, useJobs } from "./jobs/pages";
import { useValues } from "./jobs/values";
import { act, type Verb } from "./jobs/verbs";
import { Columns, shownColumns, Views } from "./jobs/views";

const NONE: ReadonlySet<string> = new Set();

/** The screen. */
export default function Jobs() {
	const query = params.value.get("q") ?? "";
	const by = groupingIn(params.value);
	const look = (text: string) => setParams({ q: text || null });
	return (
		<Page
			title="Jobs"
			fills={!by}
			actions={
				<>
					<Grouping value={by} />
					<Views />
					{!by && <Columns />}
				</>
			}
		>
			<div class="bars">
				<QueryBar
					value={query}
					change={look}
					known={useValues(query)}
					label="Find jobs"
					placeholder="state:failed task:mail.* label.customer:7 older:1h"
				/>
				<States query={query} look={look} />
			</div>
			{by ? (
				<Counts key={by} query={query} by={by} none={<Nothing query={query} look={look} />} />
			) : (
				<List key={query} query={query} look={look} />
			)}
		</Page>
	);
}

function List({ query, look }: { query: string; look: (text: string) => void }) {
	const list = useJobs(query);
	const chosen = useSignal<ReadonlySet<string>>(NONE);
	const isAll = useSignal(false);
	const choose = (ids: ReadonlySet<string>) => {
		chosen.value = ids;
		isAll.value = false;
	};
	const doIt = async (verb: Verb) => {
		if (!chosen.value.size || wrongOf(query)) return;
		const which = isAll.value ? { query } : { ids: [...chosen.value] };
		if (await act(verb, which)) choose(NONE);
	};
	useKeys(
		useMemo(
			() => [
				{ keys: "r", does: "Retry the chosen jobs", run: () => void doIt("retry") },
				{ keys: "c", does: "Cancel the chosen jobs", run: () => void doIt("cancel") },
				{ keys: ".", does: "Show newer rows", run: list.showNewer },
				{ keys: "Escape", does: "Choose nothing", run: () => choose(NONE) },
			],
			[list.showNewer],
		),
	);
	const shown = shownColumns();
	const columns = useMemo(
		() => COLUMNS.filter((one) => shown.split(",").includes(one.name)),
		[shown],
	);
	return (
		<>
			{list.first.error.value && (
				<Refusal problem={list.first.error.value} retry={() => void list.first.read()} />
			)}
			{list.newer > 0 && (
				<button type="button" class="newer" onClick={list.showNewer}>
					<Icon name="up" size={12} /> {count(list.newer)} newer
				</button>
			)}
			<Rows
				list={list}
				query={query}
				columns={columns}
				chosen={isAll.value ? new Set(list.rows.flatMap((job) => job?.id ?? [])) : chosen.value}
				choose={choose}
				look={look}
			/>
			{chosen.value.size > 0 && (
				<Chosen
					wrong={wrongOf(query)}
					number={chosen.value.size}
					of={list.rows.includes(undefined) ? list.rows.length : 0}
					isAll={isAll.value}
					hasMore={list.hasMore}
					all={() => {
						isAll.value = true;
					}}
					none={() => choose(NONE)}
					act={(verb) => void doIt(verb)}
				/>
			)}
		</>
	);
}

interface RowsProps {
	list: JobList;
	query: string;
	columns: typeof COLUMNS;
	chosen: ReadonlySet<string>;
	choose: (ids: ReadonlySet<string>) => void;
	look: (text: string) => void;
}

function Rows({ list, query, columns, chosen, choose, look }: RowsProps) {
	// Who looks is known as soon, and says whether rows can be chosen: no column comes in later.
	if (!me.value && unknown.value) return <Refusal problem={unknown.value} />;
	if (!list.first.data.value || !me.value)
		return list.first.error.value ? null : <Skeleton lines={12} />;
	if (!list.rows.length && !list.hasMore) return <Nothing query={query} look={look} />;
	return (
		<Grid<Job>
			rows={list.rows}
			columns={columns}
			idOf={(job) => job.id}
			card={(job) => <JobCard job={job} />}
			open={(job) => href(`jobs/${job.id}`)}
			label="Jobs"
			total={list.hasMore ? -1 : list.rows.length}
			sight={list.sight}
			more={list.hasMore && !list.lookedTo ? list.more : undefined}
			chosen={mayOperate.value ? chosen : undefined}
			choose={mayOperate.value ? choose : undefined}
			rest={list.rest}
			foot={<Foot list={list} />}
		/>
	);
}

function Foot({ list }: { list: JobList }) {
	if (!list.hasMore) return null;
	return (
		<div class="grid-foot quiet">
			{list.isReading && <span>Reading more</span>}
			{!list.isReading && list.lookedTo && (
				<>
					Looked at jobs back to <When at={list.lookedTo} />
					<button type="button" class="link" onClick={list.more}>
						Look further
					</button>
				</>
			)}
		</div>
	);
}

/** Links to one state each, with how many jobs are in it, as far as that is cheap to know. */
function States({ query, look }: { query: string; look: (text: string) => void }) {
	const queues = useData<Queues>("queues", { topics: ["queues"] }).data.value?.items;
	const chosen = valuesOf(query, "state");
	const known = (state: State) => {
		if (!queues || STATES.indexOf(state) > STATES.indexOf("running")) return "";
		const found = queues.flatMap((one) => one.jobs[state] ?? []);
		const jobs = found.reduce((sum, one) => sum + one.count, 0);
		return jobs
			? count(
					jobs,
					found.every((one) => one.exact),
				)
			: "";
	};
	return (
		<div class="states" role="group" aria-label="States">
			<button
				type="button"
				aria-pressed={!chosen.length}
				onClick={() => look(withTerm(query, "state", null))}
			>
				All
			</button>
			{STATES.map((state) => (
				<button
					key={state}
					type="button"
					aria-pressed={chosen.includes(state)}
					onClick={(event) => {
						const others = chosen.filter((one) => one !== state);
						const several = event.metaKey || event.ctrlKey || event.shiftKey;
						const next = chosen.includes(state) ? others : several ? [...others, state] : [state];
						look(withTerm(query, "state", next.join(",") || null));
					}}
				>
					<StateMark state={state} />
					{state}
					<span class="number quiet">{known(state)}</span>
				</button>
			))}
		</div>
	);
}

interface ChosenProps {
	/** What is wrong in the query: nothing can be done then. */
	wrong: string;
	number: number;
	/** Of how many rows, if some were let go, which nobody chooses at once; 0: none was. */
	of: number;
	isAll: boolean;
	hasMore: boolean;
	all: () => void;
	none: () => void;
	act: (verb: Verb) => void;
}

/** What can be done to the chosen jobs. */
function Chosen(props: ChosenProps) {
	const of = props.of ? ` of ${count(props.of, !props.hasMore)}` : "";
	return (
		<div class="chosen" role="toolbar" aria-label="Chosen jobs">
			<span role="status">
				{props.isAll ? "All that match" : `${count(props.number)}${of} chosen`}
			</span>
			{!props.isAll && (props.hasMore || props.of > 0) && (
				<button type="button" class="link" onClick={props.all}>
					Choose all that match
				</button>
			)}
			<span class="gap" />
			{props.wrong ? (
				<span class="warn-text">{props.wrong} Nothing can be done until the query is right.</span>
			) : (
				<>
					<button type="button" onClick={() => props.act("retry")}>
						Retry
					</button>
					<button type="button" onClick={() => props.act("cancel")}>
						Cancel
					</button>
					<button type="button" class="bad" onClick={() => props.act("delete")}>
						Delete
					</button>
				</>
			)}
			<button type="button" class="ghost" onClick={props.none}>
				<Icon name="close" />
				<span class="unseen">Choose nothing</span>
			</button>
		</div>
	);
}

function Nothing({ query, look }: { query: string; look: (text: string) => void }) {
	if (query)
		return (
			<Empty title="No job matches.">
				<p>
					Jobs that have ended are kept for some days only.{" "}
					<button type="button" class="link" onClick={() => look("")}>
						Show all jobs
					</button>
				</p>
			</Empty>
		);
	return (
		<Empty title="No job yet.">
			<p>A job is one call of a task, stored until a worker has run it. Enqueue one:</p>
			<CopyLine text="rotulus enqueue module:app greet name=Ada" />
			<p>It appears here by itself.</p>
		</Empty>
	);
}
