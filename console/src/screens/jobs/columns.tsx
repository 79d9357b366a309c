/** The columns that a table of jobs may have, and a job in two lines. */
import type { Job } from "../../api/types";
import { Progress } from "../../parts/charts";
import type { Column } from "../../parts/grid";
import { StateMark, StateWord } from "../../parts/state";
import { Took, When } from "../../parts/when";
import { href } from "../../place";

/** Returns the last part of an id, which differs between neighbours. */
export function shortId(id: string): string {
	return id.length > 14 ? `${id.slice(0, 4)}…${id.slice(-6)}` : id;
}

/** A word after the state: why, or that it is to stop. */
export function moreOf(job: Job): string {
	if (job.cancel_requested && job.state === "running") return "cancelling";
	if (job.paused) return "paused";
	// "error" says no more than "failed" does.
	return job.reason && job.reason !== "error" ? job.reason.replaceAll("_", " ") : "";
}

function Labels({ of }: { of: Record<string, string> }) {
	return (
		<span class="labels">
			{Object.entries(of).map(([name, value]) => (
				<a
					key={name}
					class="label"
					href={href("jobs", { q: `label.${name}:${value}` })}
					tabIndex={-1}
				>
					<span class="quiet">{name}</span> {value}
				</a>
			))}
		</span>
	);
}

function Duration({ job }: { job: Job }) {
	if (job.state === "running" && job.progress)
		return <Progress {...job.progress} note={job.progress.note} />;
	if (!job.started_at) return null;
	if (job.state === "running") return <Took from={job.started_at} />;
	return job.ended_at ? <Took from={job.started_at} to={job.ended_at} /> : null;
}

function Failure({ job }: { job: Job }) {
	if (!job.error) return null;
	return (
		<span class="cut" title={`${job.error.type}: ${job.error.message}`}>
			{job.error.type} <span class="quiet">{job.error.message}</span>
		</span>
	);
}

/** Every column, in the order in which they are offered. */
export const COLUMNS: readonly Column<Job>[] = [
	{
		name: "state",
		title: "State",
		width: "minmax(124px, 160px)",
		cell: (job) => <StateWord state={job.state} more={moreOf(job)} />,
	},
	{
		name: "task",
		title: "Task",
		width: "minmax(160px, 2fr)",
		cell: (job) => (
			<a class="cut strong" href={href(`jobs/${job.id}`)} tabIndex={-1} title={job.task}>
				{job.task}
			</a>
		),
	},
	{
		name: "id",
		title: "Id",
		width: "112px",
		cell: (job) => <code title={job.id}>{shortId(job.id)}</code>,
	},
	{
		name: "queue",
		title: "Queue",
		width: "minmax(80px, 1fr)",
		cell: (job) => (
			<span class="cut" title={job.queue}>
				{job.queue}
			</span>
		),
	},
	{
		name: "labels",
		title: "Labels",
		width: "minmax(80px, 1.5fr)",
		cell: (job) => <Labels of={job.labels} />,
	},
	{
		name: "error",
		title: "Error",
		width: "minmax(120px, 2fr)",
		cell: (job) => <Failure job={job} />,
	},
	{
		name: "attempt",
		title: "Attempt",
		width: "64px",
		right: true,
		cell: (job) =>
			job.attempt ? (
				<a class="number" href={href(`jobs/${job.id}`)} tabIndex={-1}>
					{job.attempt}
				</a>
			) : null,
	},
	{
		name: "priority",
		title: "Priority",
		width: "64px",
		right: true,
		cell: (job) => <span class="number">{job.priority}</span>,
	},
	{
		name: "key",
		title: "Key",
		width: "minmax(80px, 1fr)",
		cell: (job) => <code class="cut">{job.key}</code>,
	},
	{
		name: "worker",
		title: "Worker",
		width: "minmax(80px, 1fr)",
		cell: (job) => <span class="cut">{job.worker}</span>,
	},
	{
		name: "schedule",
		title: "Schedule",
		width: "minmax(80px, 1fr)",
		cell: (job) => <span class="cut">{job.schedule}</span>,
	},
	{
		name: "added",
		title: "Added",
		width: "132px",
		right: true,
		cell: (job) => <When at={job.created_at} />,
	},
	{
		name: "ended",
		title: "Ended",
		width: "132px",
		right: true,
		cell: (job) => <When at={job.ended_at} />,
	},
	{
		name: "took",
		title: "Took",
		width: "112px",
		right: true,
		cell: (job) => <Duration job={job} />,
	},
];

/** A job in a narrow table. */
export function JobCard({ job }: { job: Job }) {
	const words = [moreOf(job), ...Object.entries(job.labels).map((one) => one.join(" ")), job.queue];
	return (
		<>
			<StateMark state={job.state} label />
			<span class="cut strong">{job.task}</span>
			<span class="right">
				<Duration job={job} />
			</span>
			<span class="second cut quiet">{words.filter(Boolean).join(" · ")}</span>
			<span class="second right quiet">
				<When at={job.created_at} />
			</span>
		</>
	);
}
