/** Queues: what waits, how long, and who serves it. */
import { useData } from "../api/cache";
import type { Queue, Queues, Series, Workers } from "../api/types";
import { count, length } from "../logic/lengths";
import { fewer } from "../logic/scale";
import type { State } from "../logic/states";
import { Gauge, Spark } from "../parts/charts";
import { CopyLine } from "../parts/copy";
import { Empty, Loaded, Page } from "../parts/page";
import { StateMark } from "../parts/state";
import { ACTIONS, right, Table } from "../parts/table";
import { When } from "../parts/when";
import { href } from "../place";
import { mayOperate } from "../session";
import { act } from "../shell/act";
import { isServed } from "./overview/lists";
import { LimitList } from "./queues/limits";

/** The screen. */
export default function QueuesScreen() {
	const queues = useData<Queues>("queues", { topics: ["queues"], every: 5000 });
	const workers = useData<Workers>("workers", { topics: ["workers"], every: 5000 });
	return (
		<Page title="Queues" beside={queues.data.value?.items.length}>
			<Loaded of={queues}>
				{(data) => (
					<div class="stack">
						{data.items.length ? (
							<Table heads={HEADS}>
								{data.items.map((one) => (
									<Row key={one.name} queue={one} workers={workers.data.value} />
								))}
							</Table>
						) : (
							<Empty title="No queue has jobs.">
								<p>
									A queue is a name under which jobs wait. It is here while jobs wait or run in it,
									or it is paused.
								</p>
								<CopyLine text={'@task(queue="mail")'} />
							</Empty>
						)}
						<LimitList queues={data.items} />
					</div>
				)}
			</Loaded>
		</Page>
	);
}

const HEADS = [
	"Queue",
	"Oldest",
	right("Waiting"),
	right("Running"),
	right("Later"),
	"Last hour",
	"Workers",
	ACTIONS,
];

function Row({ queue, workers }: { queue: Queue; workers: Workers | undefined }) {
	const serving = workers?.items.filter((one) => isServed(queue.name, [one]));
	const slots = serving?.reduce((sum, one) => sum + one.slots, 0) ?? 0;
	const running = queue.jobs.running?.count ?? 0;
	return (
		<tr class={queue.paused_at ? "is-paused" : ""}>
			<th scope="row">
				<a class="cut strong" href={href("jobs", { q: `queue:${queue.name}` })} title={queue.name}>
					{queue.name}
				</a>
			</th>
			<td data-name="oldest">
				{queue.age === null ? (
					<span class="quiet">–</span>
				) : (
					<span class={queue.age > 300 ? "bad-text" : ""}>{length(queue.age)}</span>
				)}{" "}
				{queue.paused_at && (
					<span class="tag">
						paused <When at={queue.paused_at} />
					</span>
				)}
			</td>
			<Counted queue={queue} state="queued" name="waiting" />
			<td class="right" data-name="running">
				<span class="with-gauge">
					{slots > 0 && (
						<Gauge part={running} whole={slots} label={`${running} of ${slots} slots`} />
					)}
					<a href={href("jobs", { q: `queue:${queue.name} state:running` })}>{count(running)}</a>
				</span>
			</td>
			<Later queue={queue} />
			<td class="wide">
				<LastHour queue={queue.name} />
			</td>
			<td data-name="workers">
				{serving === undefined ? (
					""
				) : serving.length ? (
					<span title={serving.map((one) => one.name).join("\n")}>{count(serving.length)}</span>
				) : (
					<span class="bad-text">nobody serves it</span>
				)}
			</td>
			<td class="right act">
				{mayOperate.value && (
					<button type="button" onClick={() => void pause(queue.name, !!queue.paused_at)}>
						{queue.paused_at ? "Resume" : "Pause"}
					</button>
				)}
			</td>
		</tr>
	);
}

function Counted({ queue, state, name }: { queue: Queue; state: State; name: string }) {
	const found = queue.jobs[state];
	return (
		<td class="right number" data-name={name}>
			{found ? (
				<a href={href("jobs", { q: `queue:${queue.name} state:${state}` })}>
					{count(found.count, found.exact)}
				</a>
			) : (
				<span class="quiet">0</span>
			)}
		</td>
	);
}

/** Jobs that are delayed, and those that wait for others. */
function Later({ queue }: { queue: Queue }) {
	const shown = (["delayed", "blocked"] as const).flatMap((state) => {
		const found = queue.jobs[state];
		return found ? { state, found } : [];
	});
	if (!shown.length) return <td class="right quiet wide">0</td>;
	return (
		<td class="right" data-name="later">
			{shown.map(({ state, found }) => (
				<a
					key={state}
					class="with-mark"
					href={href("jobs", { q: `queue:${queue.name} state:${state}` })}
					title={state}
				>
					<StateMark state={state} label /> {count(found.count, found.exact)}
				</a>
			))}
		</td>
	);
}

function LastHour({ queue }: { queue: string }) {
	const path = `stats/series?metric=attempts&since=3600&step=60&queue=${encodeURIComponent(queue)}`;
	const points = useData<Series>(path, { topics: [], every: 30_000 }).data.value?.items ?? [];
	const values = fewer(
		points.map((one) => one.value),
		30,
		"sum",
	);
	const sum = values.reduce((all, one) => all + one, 0);
	return <Spark values={values} label={`${count(sum)} attempts in the last hour`} width={120} />;
}

async function pause(name: string, isPaused: boolean): Promise<void> {
	await act({
		path: `queues/${encodeURIComponent(name)}/$${isPaused ? "resume" : "pause"}`,
		says: isPaused
			? `Jobs of ${name} begin again.`
			: `No more jobs of ${name} begin. Those that run go on.`,
		undo: () => void pause(name, !isPaused),
		topics: ["queues"],
	});
}
