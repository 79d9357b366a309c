/** The policy of a task, in words: where it runs, how often it is tried, what fires it. */
import type { TaskDetails, TaskInfo } from "../../api/types";
import { length } from "../../logic/lengths";
import { Fact } from "../../parts/fact";
import { Section } from "../../parts/page";
import { Shape, Version } from "../../parts/shape";
import { href } from "../../place";

/** The list. What a task has not is left out. */
export function Facts({ task, details }: { task: TaskInfo; details: TaskDetails }) {
	const { schedule, limit, rate } = details;
	return (
		<Section title="How it runs">
			<dl class="facts">
				<Fact name="Queue">
					<a href={href("jobs", { q: `queue:${details.queue}` })}>{details.queue}</a>
				</Fact>
				{details.priority !== 0 && <Fact name="Priority">{details.priority}</Fact>}
				<Fact name="Retries">{details.retry}</Fact>
				{details.timeout !== null && <Fact name="Times out">{length(details.timeout)}</Fact>}
				{details.expires !== null && <Fact name="Expires">{length(details.expires)}</Fact>}
				{details.key !== null && (
					<Fact name="Key">
						<code>{details.key}</code>
					</Fact>
				)}
				{limit !== null && <Fact name="At once">{limit} at most</Fact>}
				{rate !== null && (
					<Fact name="Rate">
						{rate} in {length(details.per)}
					</Fact>
				)}
				{details.isolated && <Fact name="Isolated">in a process of its own</Fact>}
				{schedule && (
					<Fact name="Fires">
						<a href={href(`schedules/${encodeURIComponent(task.name)}`)}>{schedule.words}</a>
					</Fact>
				)}
				{task.tags.length > 0 && (
					<Fact name="Tags">
						<span class="labels">
							{task.tags.map((one) => (
								<a key={one} class="label" href={href("tasks", { q: one })}>
									{one}
								</a>
							))}
						</span>
					</Fact>
				)}
				{details.workflow && (
					<>
						<Fact name="Steps">
							<Shape of={details.workflow} />
						</Fact>
						<Fact name="Version">
							<Version of={details.workflow} />
						</Fact>
					</>
				)}
				{details.site && (
					<Fact name="Defined at">
						<code class="cut" title={details.site}>
							{details.site.split(/[\\/]/).slice(-2).join("/")}
						</code>
					</Fact>
				)}
			</dl>
		</Section>
	);
}
