/** Tasks: what can be run, how often it is, and how well. */

import { useMemo, useRef } from "preact/hooks";
import { useData } from "../api/cache";
import type { Measured, Series, TaskInfo, Totals } from "../api/types";
import { useKeys } from "../keys";
import { brief, count, length, percent } from "../logic/lengths";
import { rank } from "../logic/rank";
import { Spark } from "../parts/charts";
import { CopyLine } from "../parts/copy";
import { Icon } from "../parts/icons";
import { Empty, Loaded, Page } from "../parts/page";
import { useSeen } from "../parts/sight";
import { right, Table } from "../parts/table";
import { href, params, setParams } from "../place";

/** The screen. */
export default function Tasks() {
	const tasks = useData<TaskInfo[]>("tasks", { topics: ["tasks"] });
	const totals = useData<Totals>("stats/totals?by=task&since=86400", { topics: [], every: 30_000 });
	const sought = params.value.get("q") ?? "";
	const measured = useMemo(
		() => new Map(totals.data.value?.items.map((one) => [one.name, one])),
		[totals.data.value],
	);
	return (
		<Page title="Tasks" beside={tasks.data.value?.length}>
			<Loaded of={tasks} lines={8}>
				{(data) =>
					data.length ? (
						<div class="stack">
							<Find value={sought} />
							<List tasks={found(data, sought)} measured={totals.data.value && measured} />
						</div>
					) : (
						<None />
					)
				}
			</Loaded>
		</Page>
	);
}

function found(tasks: readonly TaskInfo[], text: string): TaskInfo[] {
	if (!text) return [...tasks].sort((one, other) => one.name.localeCompare(other.name));
	const words = (one: TaskInfo) => `${one.tags.join(" ")} ${one.docstring ?? ""}`.toLowerCase();
	const named = rank(tasks, text, (one) => one.name);
	const others = tasks.filter(
		(one) => !named.includes(one) && words(one).includes(text.toLowerCase()),
	);
	return [...named, ...others];
}

/** The field in which tasks are looked for; `/` goes there. */
export function Find({ value }: { value: string }) {
	const input = useRef<HTMLInputElement>(null);
	useKeys(useMemo(() => [{ keys: "/", does: "Search", run: () => input.current?.focus() }], []));
	return (
		<search class="query-bar">
			<Icon name="search" />
			<input
				ref={input}
				type="text"
				aria-label="Find tasks"
				placeholder="A name, a tag, a word of its text"
				autocomplete="off"
				spellcheck={false}
				value={value}
				onInput={(event) => setParams({ q: event.currentTarget.value || null }, false)}
				onKeyDown={(event) => {
					if (event.key === "Escape") event.currentTarget.blur();
				}}
			/>
			<kbd>/</kbd>
		</search>
	);
}

interface ListProps {
	tasks: readonly TaskInfo[];
	measured: ReadonlyMap<string, Measured> | undefined;
}

const HEADS = [
	"Task",
	"Last 24 hours",
	right("Attempts"),
	right("Failed"),
	right("Median"),
	right("p95"),
	"Tags",
];

function List({ tasks, measured }: ListProps) {
	if (!tasks.length) return <Empty title="No task matches." />;
	return (
		<Table heads={HEADS}>
			{tasks.map((one) => (
				<Row key={one.name} task={one} isKnown={!!measured} of={measured?.get(one.name)} />
			))}
		</Table>
	);
}

function Row({
	task,
	isKnown,
	of,
}: {
	task: TaskInfo;
	isKnown: boolean;
	of: Measured | undefined;
}) {
	const { element, seen } = useSeen<HTMLTableRowElement>();
	const failed = (of?.outcomes.failed ?? 0) + (of?.outcomes.dead ?? 0);
	const none = isKnown ? "–" : "";
	return (
		<tr ref={element} class="tall">
			<th scope="row">
				<a
					class="cut strong"
					href={href(`tasks/${encodeURIComponent(task.name)}`)}
					title={task.name}
				>
					{task.name}
				</a>
				<span class="cut quiet second-line">{firstLine(task)}</span>
			</th>
			<td class="wide">{of && <Day task={task.name} seen={seen} />}</td>
			<td class="right number" data-name="attempts">
				{of ? brief(of.attempts) : <span class="quiet">{none}</span>}
			</td>
			<td class="right number" data-name="failed">
				{failed ? (
					<a
						class="bad-text"
						href={href("failures", { task: task.name, span: "24 h" })}
						title={`${count(failed)} attempts`}
					>
						{percent(failed, of?.attempts ?? 0)}
					</a>
				) : (
					<span class="quiet">{of ? "0 %" : none}</span>
				)}
			</td>
			<td class="right number" data-name="median">
				{of ? length(of.ran.p50) : <span class="quiet">{none}</span>}
			</td>
			<td class="right number" data-name="p95">
				{of ? length(of.ran.p95) : <span class="quiet">{none}</span>}
			</td>
			<td class="wide">
				<span class="labels">
					{task.tags.map((one) => (
						<button key={one} type="button" class="label" onClick={() => setParams({ q: one })}>
							{one}
						</button>
					))}
				</span>
			</td>
		</tr>
	);
}

/** The attempts of a task over a day; asked for when its row is in sight. */
function Day({ task, seen }: { task: string; seen: boolean }) {
	const path = `stats/series?metric=attempts&since=86400&step=3600&task=${encodeURIComponent(task)}`;
	const points = useData<Series>(seen ? path : null, { topics: [], every: 60_000 }).data.value;
	const values = points?.items.map((one) => one.value) ?? [];
	const sum = values.reduce<number>((all, one) => all + (one ?? 0), 0);
	return <Spark values={values} label={`${count(sum)} attempts in a day`} width={120} />;
}

/** Returns the first line of what a task says of itself. */
export function firstLine(task: TaskInfo): string {
	return task.docstring?.split("\n")[0] ?? "";
}

function None() {
	return (
		<Empty title="No task is registered.">
			<p>A task is a function with a name. Declare one, and give its module to the service:</p>
			<CopyLine text="@task" />
			<CopyLine text="rotulus serve module:app" />
		</Empty>
	);
}
