/** The short lists of the overview: queues, causes of failures, firings, workers. */
import type { FailureGroup, Queue, Schedule, Worker } from "../../api/types";
import { brief, count, length } from "../../logic/lengths";
import { type Running, versionsOf } from "../../logic/versions";
import { Gauge } from "../../parts/charts";
import { StateMark } from "../../parts/state";
import { When } from "../../parts/when";
import { href } from "../../place";

const MOST = 8;

/** Whether a worker that is alive serves a queue. */
export function isServed(queue: string, workers: readonly Worker[]): boolean {
	return workers.some((one) => (one.queues ? one.queues.includes(queue) : !queue.startsWith("_")));
}

/** The queues: first those in which jobs wait that nobody serves, then the oldest wait. */
export function QueueList({
	queues,
	workers,
}: {
	queues: readonly Queue[];
	workers: readonly Worker[] | undefined;
}) {
	const isLeft = (one: Queue) =>
		Number(!!workers && one.age !== null && !isServed(one.name, workers));
	const sorted = [...queues].sort(
		(one, other) => isLeft(other) - isLeft(one) || (other.age ?? -1) - (one.age ?? -1),
	);
	if (!sorted.length) return <p class="quiet pad">No job waits or runs.</p>;
	const most = Math.max(1, ...sorted.map((one) => one.jobs.queued?.count ?? 0));
	return (
		<ul class="lines">
			{sorted.slice(0, MOST).map((one) => {
				const queued = one.jobs.queued;
				const nobody = workers && !isServed(one.name, workers);
				const stands = one.paused_at ? "paused" : nobody ? "no worker" : "";
				const waited = one.age === null ? "" : length(one.age);
				return (
					<li key={one.name}>
						<a
							class="line queue-line"
							href={href("jobs", { q: `queue:${one.name} state:queued,running` })}
						>
							<span class="cut strong">{one.name}</span>
							<span class={nobody ? "bad-text" : "quiet"}>
								{[waited, stands].filter(Boolean).join(", ") || "–"}
							</span>
							<Gauge
								part={queued?.count ?? 0}
								whole={most}
								label={`${queued?.count ?? 0} waiting`}
							/>
							<span class="number">{queued ? count(queued.count, queued.exact) : "0"}</span>
							<span class="number quiet">{one.jobs.running?.count ?? 0} run</span>
						</a>
					</li>
				);
			})}
		</ul>
	);
}

/** The causes of failures, the last seen first. */
export function FailingList({ groups }: { groups: readonly FailureGroup[] }) {
	if (!groups.length) return <p class="quiet pad">Nothing has failed.</p>;
	return (
		<ul class="lines">
			{groups.slice(0, MOST).map((one) => (
				<li key={one.fingerprint}>
					<a class="line" href={href("failures", { open: one.fingerprint })}>
						<StateMark state="failed" />
						<span class="number">{brief(one.count)}</span>
						<span class="cut">
							<span class="strong">{one.error.type}</span>{" "}
							<span class="quiet">{one.tasks.join(", ")}</span>
						</span>
						<span class="quiet right">
							<When at={one.last_seen} />
						</span>
					</a>
				</li>
			))}
		</ul>
	);
}

/** The next firings of schedules. */
export function FiringList({ schedules }: { schedules: readonly Schedule[] }) {
	const next = schedules
		.filter((one) => one.next)
		.sort((one, other) => Date.parse(one.next ?? "") - Date.parse(other.next ?? ""));
	if (!next.length) return <p class="quiet pad">No schedule fires.</p>;
	return (
		<ul class="lines firings">
			{next.slice(0, 10).map((one) => (
				<li key={one.name}>
					<a class="line" href={href(`schedules/${encodeURIComponent(one.name)}`)}>
						<span class="cut strong">{one.name}</span>
						<span class="quiet">{one.description}</span>
						<span class="quiet right">
							<When at={one.next} zone={one.timezone} />
						</span>
					</a>
				</li>
			))}
		</ul>
	);
}

/** The versions that workers run, where they differ. */
function Skew({ versions }: { versions: readonly Running[] }) {
	if (versions.length < 2) return null;
	const told = versions.map(({ name, workers }) => `${name} on ${count(workers)}`);
	return (
		<li>
			<a class="line warn-text" href={href("workers")}>
				Workers run {count(versions.length)} versions: {told.join(", ")}
			</a>
		</li>
	);
}

/** The workers that are alive, and how busy each is. */
export function WorkerList({ workers }: { workers: readonly Worker[] }) {
	if (!workers.length)
		return <p class="pad bad-text">No worker is alive: jobs wait until one is started.</p>;
	return (
		<ul class="lines">
			<Skew versions={versionsOf(workers)} />
			{workers.slice(0, MOST).map((one) => (
				<li key={one.name}>
					<a class="line" href={href("jobs", { q: `worker:${one.name} state:running` })}>
						<span class="cut strong">{one.name}</span>
						<Gauge
							part={one.running}
							whole={one.slots}
							label={`${one.running} of ${one.slots} slots`}
						/>
						<span class="number">
							{one.running}/{one.slots}
						</span>
					</a>
				</li>
			))}
		</ul>
	);
}
