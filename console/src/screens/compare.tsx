/** Compares two jobs of a task: what differs between their arguments, results and lives. */
import { useMemo } from "preact/hooks";
import { useData } from "../api/cache";
import type { JobPage, WholeJob } from "../api/types";
import { type Difference, differences } from "../logic/differences";
import { member } from "../logic/json";
import { Empty, Loaded, Page, Section } from "../parts/page";
import { StateMark, StateWord } from "../parts/state";
import { Took, When } from "../parts/when";
import { href, params, setParams } from "../place";
import type { ScreenProps } from ".";
import { moreOf, shortId } from "./jobs/columns";

/** The screen: the job of the path beside the one of `with`, or jobs to choose from. */
export default function Compare({ at }: ScreenProps) {
	const id = at.id ?? "";
	const job = useData<WholeJob>(`jobs/${encodeURIComponent(id)}`, { topics: [`job:${id}`] });
	const other = params.value.get("with");
	return (
		<Page
			title="Compare"
			parent={{ title: job.data.value?.task ?? "Job", to: `jobs/${id}` }}
			beside={<code class="quiet">{shortId(id)}</code>}
			actions={
				other && (
					<button type="button" onClick={() => setParams({ with: null })}>
						Compare with another
					</button>
				)
			}
		>
			<Loaded of={job} lines={8}>
				{(one) => (other ? <Both one={one} text={job.text} other={other} /> : <Others of={one} />)}
			</Loaded>
		</Page>
	);
}

/** Other jobs of the task, those that ended otherwise first. */
function Others({ of }: { of: WholeJob }) {
	const path = `jobs?task=${encodeURIComponent(of.task)}&limit=50`;
	const found = useData<JobPage>(path, { topics: ["jobs"] });
	return (
		<Section title="With which job?">
			<Loaded of={found}>
				{(data) => {
					const others = data.items.filter((job) => job.id !== of.id);
					const sorted = [
						...others.filter((job) => job.state !== of.state),
						...others.filter((job) => job.state === of.state),
					];
					return sorted.length ? (
						<ul class="lines">
							{sorted.map((job) => (
								<li key={job.id}>
									<a class="line" href={href(`jobs/${of.id}/compare`, { with: job.id })}>
										<StateMark state={job.state} label />
										<code class="cut">{shortId(job.id)}</code>
										{job.started_at && <Took from={job.started_at} to={job.ended_at} />}
										<span class="quiet right">
											<When at={job.created_at} />
										</span>
									</a>
								</li>
							))}
						</ul>
					) : (
						<Empty title="The task has no other job." />
					);
				}}
			</Loaded>
		</Section>
	);
}

function Both({ one, text, other }: { one: WholeJob; text: string; other: string }) {
	const second = useData<WholeJob>(`jobs/${encodeURIComponent(other)}`, {
		topics: [`job:${other}`],
	});
	return (
		<Loaded of={second} lines={8}>
			{(two) => (
				<div class="stack">
					<div class="table-box card">
						<Lives jobs={[one, two]} />
					</div>
					{(["arguments", "result"] as const).map((name) => (
						<Differences
							key={name}
							title={name === "arguments" ? "Arguments" : "Result"}
							texts={[member(text, name), member(second.text, name)]}
						/>
					))}
				</div>
			)}
		</Loaded>
	);
}

function Lives({ jobs }: { jobs: readonly [WholeJob, WholeJob] }) {
	const lines: [string, (job: WholeJob) => unknown][] = [
		["state", (job) => <StateWord state={job.state} more={moreOf(job)} />],
		["added", (job) => <When at={job.created_at} />],
		["ran", (job) => <Took from={job.started_at} to={job.ended_at} />],
		["attempts", (job) => <a href={href(`jobs/${job.id}`)}>{job.attempt}</a>],
		["queue", (job) => job.queue],
		["priority", (job) => job.priority],
		["worker", (job) => job.worker],
		["error", (job) => job.error && `${job.error.type}: ${job.error.message}`],
	];
	return (
		<table class="table compare">
			<thead>
				<tr>
					<th scope="col">
						<span class="unseen">What</span>
					</th>
					{jobs.map((job) => (
						<th key={job.id} scope="col">
							<a href={href(`jobs/${job.id}`)}>{shortId(job.id)}</a>
						</th>
					))}
				</tr>
			</thead>
			<tbody>
				{lines.map(([name, of]) => (
					<tr key={name}>
						<th scope="row" class="quiet">
							{name}
						</th>
						{jobs.map((job) => (
							<td key={job.id}>{(of(job) ?? "–") as never}</td>
						))}
					</tr>
				))}
			</tbody>
		</table>
	);
}

function Differences({ title, texts }: { title: string; texts: readonly [string, string] }) {
	const found = useMemo(() => differences(...texts), [...texts]);
	return (
		<Section title={title}>
			{found.length ? (
				<div class="table-box">
					<table class="table compare">
						<thead class="unseen">
							<tr>
								<th scope="col">Where</th>
								<th scope="col">This one</th>
								<th scope="col">The other one</th>
							</tr>
						</thead>
						<tbody>
							{found.map((one) => (
								<Line key={one.path} of={one} />
							))}
						</tbody>
					</table>
				</div>
			) : (
				<p class="quiet pad">{texts[0] === "null" ? "None." : "They are the same."}</p>
			)}
		</Section>
	);
}

function Line({ of }: { of: Difference }) {
	return (
		<tr>
			<th scope="row">
				<code>{of.path || "all of it"}</code>
			</th>
			{[of.one, of.other].map((text, at) => (
				<td key={at}>
					{text === null ? <span class="quiet">not there</span> : <code>{text}</code>}
				</td>
			))}
		</tr>
	);
}
