/** The facts of a job: each links to the jobs that share it. */
import type { WholeJob } from "../../api/types";
import { traceOf } from "../../logic/trace";
import { Copy } from "../../parts/copy";
import { Fact } from "../../parts/fact";
import { Section } from "../../parts/page";
import { Trace } from "../../parts/trace";
import { When } from "../../parts/when";
import { href } from "../../place";

function Find({ name, value }: { name: string; value: string }) {
	return <a href={href("jobs", { q: `${name}:${value}` })}>{value}</a>;
}

/** The list. What a job has not is left out. */
export function Facts({ job }: { job: WholeJob }) {
	const trace = traceOf(job.headers);
	return (
		<Section title="Facts">
			<dl class="facts">
				<Fact name="Id">
					<code class="cut">{job.id}</code>
					<Copy text={job.id} label="Copy the id" />
				</Fact>
				<Fact name="Task">
					<a href={href(`tasks/${encodeURIComponent(job.task)}`)}>{job.task}</a>
				</Fact>
				<Fact name="Queue">
					<Find name="queue" value={job.queue} />
				</Fact>
				{job.priority !== 0 && <Fact name="Priority">{job.priority}</Fact>}
				{job.key && (
					<Fact name="Key">
						<code class="cut">{job.key}</code>
						<Copy text={job.key} label="Copy the key" />
					</Fact>
				)}
				{Object.entries(job.labels).map(([name, value]) => (
					<Fact key={name} name={name}>
						<a href={href("jobs", { q: `label.${name}:${value}` })}>{value}</a>
					</Fact>
				))}
				{job.worker && (
					<Fact name="Worker">
						<Find name="worker" value={job.worker} />
					</Fact>
				)}
				{job.schedule && (
					<Fact name="Schedule">
						<Find name="schedule" value={job.schedule} />
					</Fact>
				)}
				{job.instant && (
					<Fact name="Fired for">
						<When at={job.instant} />
					</Fact>
				)}
				{job.run && (
					<Fact name={job.group ? "Group" : "Run"}>
						<a href={href("jobs", { q: `run:${job.run}` })}>{job.group || job.step || job.run}</a>
					</Fact>
				)}
				<Fact name="Added">
					<When at={job.created_at} whole />
				</Fact>
				{job.ended_at && (
					<Fact name="Ended">
						<When at={job.ended_at} whole />
					</Fact>
				)}
				{trace && (
					<Fact name="Trace">
						<Trace id={trace} />
						<Copy text={trace} label="Copy the id of the trace" />
					</Fact>
				)}
			</dl>
		</Section>
	);
}
