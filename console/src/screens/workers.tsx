/** Workers: who is alive, what each serves, and what it runs. */
import { useMemo } from "preact/hooks";
import { useData } from "../api/cache";
import type { Job, JobPage, Worker, Workers } from "../api/types";
import { bytes, count } from "../logic/lengths";
import { Gauge } from "../parts/charts";
import { CopyLine } from "../parts/copy";
import { Empty, Loaded, Page } from "../parts/page";
import { ACTIONS, right, Table } from "../parts/table";
import { now, When } from "../parts/when";
import { href } from "../place";
import { mayOperate } from "../session";
import { act } from "../shell/act";

const LATE = 20; // seconds after which a worker that was not heard of is marked
const SHOWN = 3;

/** The screen. */
export default function WorkersScreen() {
	const workers = useData<Workers>("workers", { topics: ["workers"], every: 5000 });
	const running = useData<JobPage>("jobs?state=running&limit=100", { topics: ["jobs"] });
	const jobs = useMemo(() => byWorker(running.data.value?.items ?? []), [running.data.value]);
	const items = workers.data.value?.items;
	const slots = items?.reduce((sum, one) => sum + one.slots, 0) ?? 0;
	const busy = items?.reduce((sum, one) => sum + one.running, 0) ?? 0;
	return (
		<Page
			title="Workers"
			beside={items && `${count(items.length)}, with ${count(busy)} of ${count(slots)} slots busy`}
		>
			<Loaded of={workers}>
				{(data) =>
					data.items.length ? (
						<Table heads={HEADS}>
							{data.items.map((one) => (
								<Row key={one.name} worker={one} jobs={jobs.get(one.name) ?? []} />
							))}
						</Table>
					) : (
						<None />
					)
				}
			</Loaded>
		</Page>
	);
}

function byWorker(jobs: readonly Job[]): Map<string, Job[]> {
	const found = new Map<string, Job[]>();
	for (const job of jobs) {
		if (!job.worker) continue;
		const own = found.get(job.worker);
		if (own) own.push(job);
		else found.set(job.worker, [job]);
	}
	return found;
}

const HEADS = [
	"Worker",
	"Slots",
	"Runs now",
	"Queues",
	right("Tasks"),
	"Version",
	right("Memory"),
	right("Started"),
	right("Heard of"),
	ACTIONS,
];

function Row({ worker, jobs }: { worker: Worker; jobs: readonly Job[] }) {
	const { name, slots, running, queues, tasks, seen_at, draining_at } = worker;
	const late = seen_at ? (now.value - Date.parse(seen_at)) / 1000 > LATE : false;
	return (
		<tr class={draining_at ? "tall is-paused" : "tall"}>
			<th scope="row">
				<a class="cut strong" href={href("jobs", { q: `worker:${name}` })} title={name}>
					{name}
				</a>
				<span class="cut quiet second-line">
					{worker.host}, process {worker.pid}
				</span>
			</th>
			<td data-name="slots">
				<span class="with-gauge">
					<Gauge part={running} whole={slots} label={`${running} of ${slots} slots`} />
					<a class="number" href={href("jobs", { q: `worker:${name} state:running` })}>
						{running}/{slots}
					</a>
				</span>
			</td>
			<td data-name="runs">
				<Now jobs={jobs} />
			</td>
			<td data-name="queues">
				{queues === null ? (
					<span class="quiet">all</span>
				) : (
					<span class="labels">
						{queues.slice(0, SHOWN).map((one) => (
							<a key={one} class="label" href={href("jobs", { q: `queue:${one}` })}>
								{one}
							</a>
						))}
						{queues.length > SHOWN && <span class="quiet">{queues.length - SHOWN} more</span>}
					</span>
				)}
			</td>
			<td class="right number" data-name="tasks" title={tasks?.join("\n")}>
				{tasks ? count(tasks.length) : <span class="quiet">–</span>}
			</td>
			<td data-name="version">
				{worker.version && <code class="cut">{worker.version}</code>}
				<span class="cut quiet second-line">
					{worker.rotulus ? `Rotulus ${worker.rotulus}, Python ${worker.python}` : "–"}
				</span>
			</td>
			<td class="right number" data-name="memory">
				{worker.memory === null ? <span class="quiet">–</span> : bytes(worker.memory)}
			</td>
			<td class="right" data-name="started">
				<When at={worker.started_at} />
			</td>
			<td class={late ? "right warn-text" : "right"} data-name="heard of">
				<When at={seen_at} />
			</td>
			<td class="right act">
				{draining_at ? (
					<span class="tag">
						drained <When at={draining_at} />
					</span>
				) : (
					mayOperate.value && (
						<button type="button" onClick={() => void drain(worker)}>
							Drain
						</button>
					)
				)}
			</td>
		</tr>
	);
}

/** Lets a worker end, after a question: it cannot be taken back. */
async function drain({ name, running }: Worker): Promise<void> {
	const jobs = `${count(running)} ${running === 1 ? "job" : "jobs"}`;
	await act({
		path: `workers/${encodeURIComponent(name)}/$drain`,
		asks: {
			title: `Drain ${name}?`,
			says: `It takes no more jobs, ${running ? `finishes the ${jobs} that it runs` : "has none to finish"}, and ends. It is told within some seconds. Whoever started it may start another one in its place.`,
			verb: "Drain it",
		},
		says: `${name} takes no more jobs, and ends.`,
		topics: ["workers"],
	});
}

/** The tasks that a worker runs, with how many jobs of each. */
function Now({ jobs }: { jobs: readonly Job[] }) {
	if (!jobs.length) return <span class="quiet">nothing</span>;
	const found = new Map<string, number>();
	for (const job of jobs) found.set(job.task, (found.get(job.task) ?? 0) + 1);
	const shown = [...found].sort((one, other) => other[1] - one[1]);
	return (
		<span class="labels">
			{shown.slice(0, SHOWN).map(([task, times]) => (
				<a
					key={task}
					class="label"
					href={
						times === 1
							? href(`jobs/${jobs.find((job) => job.task === task)?.id}`)
							: href("jobs", { q: `task:${task} state:running` })
					}
				>
					{task}
					{times > 1 && <span class="quiet"> ×{times}</span>}
				</a>
			))}
			{shown.length > SHOWN && <span class="quiet">{shown.length - SHOWN} more</span>}
		</span>
	);
}

function None() {
	return (
		<Empty title="No worker is alive.">
			<p>Jobs wait until one is started. A worker runs them, in as many slots as it has:</p>
			<CopyLine text="rotulus worker module:app --slots 10" />
		</Empty>
	);
}
