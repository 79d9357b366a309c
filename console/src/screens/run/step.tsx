/** The step that is chosen: how it stands, what it raised, its branches; replay from there, and skip. */
import { useMemo } from "preact/hooks";
import { useData } from "../../api/cache";
import { withQuery } from "../../api/client";
import type { GraphBox, JobPage, RunGraph, WholeJob } from "../../api/types";
import { member } from "../../logic/json";
import { count } from "../../logic/lengths";
import { canBeSkipped, hasEnded, STATES } from "../../logic/states";
import { traceOf } from "../../logic/trace";
import { Icon } from "../../parts/icons";
import { Json } from "../../parts/json";
import { Loaded, Section } from "../../parts/page";
import { StateMark, StateWord } from "../../parts/state";
import { Trace } from "../../parts/trace";
import { Took } from "../../parts/when";
import { href, setParams } from "../../place";
import { mayOperate } from "../../session";
import { moreOf, shortId } from "../jobs/columns";
import { replay, skip } from "./verbs";

interface StepProps {
	run: string;
	step: string;
	box: GraphBox | undefined;
	graph: RunGraph;
}

/** The panel. */
export function StepPanel({ run, step, box, graph }: StepProps) {
	const job = useData<WholeJob>(box?.job ? `jobs/${box.job}` : null, {
		topics: [`job:${box?.job}`],
		every: (one: WholeJob) => (one.state === "running" ? 2000 : 0),
	});
	const later = useMemo(() => (box ? after(box.id, graph).size : 0), [box, graph]);
	return (
		<Section
			title={step}
			beside={
				<button type="button" class="ghost tiny" onClick={() => setParams({ step: null }, false)}>
					<Icon name="close" size={12} />
					<span class="unseen">Close the step</span>
				</button>
			}
		>
			{box?.job ? (
				<Loaded of={job} lines={3}>
					{(one) => <Stands job={one} text={job.text} />}
				</Loaded>
			) : null}
			{box && <Counts box={box} />}
			{box && (box.kind === "branches" || box.kind === "jobs" || box.kind === "workflow") && (
				<Branches run={run} box={box} />
			)}
			<div class="step-foot">
				{box?.job && (
					<a class="button" href={href(`jobs/${box.job}`)}>
						Open the job
					</a>
				)}
				{mayOperate.value && box?.step && box.state && hasEnded(box.state) && (
					<button type="button" onClick={() => void replay(run, box, later)}>
						Replay from here
					</button>
				)}
				{mayOperate.value && box?.step && canBeSkipped(box.state) && (
					<button type="button" onClick={() => void skip(run, box, later)}>
						Skip
					</button>
				)}
			</div>
		</Section>
	);
}

/** The boxes that come after one. */
function after(id: string, { routes }: RunGraph): Set<string> {
	const found = new Set<string>();
	const look = [id];
	for (let here = look.pop(); here !== undefined; here = look.pop()) {
		for (const { source, target } of routes) {
			if (source !== here || found.has(target)) continue;
			found.add(target);
			look.push(target);
		}
	}
	return found;
}

function Stands({ job, text }: { job: WholeJob; text: string }) {
	const result = useMemo(() => member(text, "result"), [text]);
	const trace = traceOf(job.headers);
	return (
		<div class="pad step-stands">
			<p class="answer-line">
				<StateWord state={job.state} more={moreOf(job)} />
				<Took from={job.started_at} to={job.ended_at} />
				{job.attempt > 1 && (
					<a class="quiet" href={href(`jobs/${job.id}`)}>
						attempt {job.attempt}
					</a>
				)}
			</p>
			{job.why[0] && !hasEnded(job.state) && <p class="quiet">{job.why[0]}</p>}
			{job.error && (
				<>
					<p class="strong">{job.error.type}</p>
					<p class="message">{job.error.message}</p>
				</>
			)}
			{trace && (
				<p class="quiet cut">
					trace <Trace id={trace} />
				</p>
			)}
			{job.worker && <p class="quiet">on {job.worker}</p>}
			{job.state === "succeeded" && result && result !== "null" && <Json text={result} />}
		</div>
	);
}

function Counts({ box }: { box: GraphBox }) {
	const shown = STATES.filter((state) => box.counts[state]);
	if (!shown.length) return null;
	return (
		<ul class="step-counts">
			{shown.map((state) => (
				<li key={state}>
					<StateMark state={state} />
					<span class="number">{count(box.counts[state] ?? 0)}</span> {state}
				</li>
			))}
		</ul>
	);
}

/** Some of the parts of a step: those that went wrong first. */
function Branches({ run, box }: { run: string; box: GraphBox }) {
	const wrong = (box.counts.failed ?? 0) + (box.counts.dead ?? 0) > 0;
	const path = withQuery(`runs/${run}/$steps`, {
		within: box.step ?? "",
		state: wrong ? ["failed", "dead"] : [],
		limit: 20,
	});
	const parts = useData<JobPage>(path, { topics: ["jobs"] });
	return (
		<Loaded of={parts} lines={3}>
			{(data) => (
				<ul class="lines">
					{data.items.map((job) => (
						<li key={job.id}>
							<a class="line" href={href(`jobs/${job.id}`)}>
								<StateMark state={job.state} label />
								<span class="cut">{job.step?.split("/").at(-1) ?? shortId(job.id)}</span>
								<Took from={job.started_at} to={job.ended_at} />
							</a>
						</li>
					))}
				</ul>
			)}
		</Loaded>
	);
}
