/** A run: its graph, its steps over time, and what can be done to it. */
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { useData } from "../api/cache";
import type { RunGraph, Timeline, WholeJob } from "../api/types";
import { member } from "../logic/json";
import { count } from "../logic/lengths";
import { hasEnded, isRetryable } from "../logic/states";
import { criticalPath } from "../logic/timeline";
import { Progress } from "../parts/charts";
import { Copy } from "../parts/copy";
import { Json } from "../parts/json";
import { Choice } from "../parts/menu";
import { Loaded, Page, Section } from "../parts/page";
import { StateWord } from "../parts/state";
import { Took, When } from "../parts/when";
import { params, setParams } from "../place";
import { mayOperate } from "../session";
import type { ScreenProps } from ".";
import { moreOf, shortId } from "./jobs/columns";
import { Gantt } from "./run/gantt";
import { Graph } from "./run/graph";
import { StepPanel } from "./run/step";
import { type RunVerb, steer } from "./run/verbs";

const VIEWS = ["Both", "Graph", "Time"] as const;
type View = (typeof VIEWS)[number];

/** The screen. */
export default function RunScreen({ at }: ScreenProps) {
	const id = at.id ?? "";
	const every = (one: { state: WholeJob["state"] }) => (hasEnded(one.state) ? 0 : 2000);
	const keeping = { topics: [`job:${id}`, "jobs"], every };
	const path = `runs/${encodeURIComponent(id)}`;
	const run = useData<WholeJob>(`jobs/${encodeURIComponent(id)}`, keeping);
	const graph = useData<RunGraph>(`${path}/$graph`, keeping);
	const timeline = useData<Timeline>(`${path}/$timeline`, keeping);
	const job = run.data.value;
	return (
		<Page
			title={job?.group ? `group ${job.group}` : (job?.task ?? shortId(id))}
			parent={{ title: "Runs", to: "runs" }}
			beside={
				<>
					<code class="quiet" title={job?.id}>
						{shortId(job?.id ?? id)}
					</code>
					<Copy text={job?.id ?? id} label="Copy the id" />
				</>
			}
			actions={job && mayOperate.value && <Actions run={job} />}
		>
			<Loaded of={run} lines={8}>
				{(whole) => (
					<Loaded of={graph} lines={8}>
						{(drawn) => (
							<Whole run={whole} text={run.text} graph={drawn} timeline={timeline.data.value} />
						)}
					</Loaded>
				)}
			</Loaded>
		</Page>
	);
}

interface WholeProps {
	run: WholeJob;
	text: string;
	graph: RunGraph;
	timeline: Timeline | undefined;
}

function Whole({ run, text, graph, timeline }: WholeProps) {
	const given = params.value.get("view");
	const view: View = VIEWS.find((one) => one === given) ?? "Both";
	const chosen = params.value.get("step");
	// The steps over time come after the drawing, which nobody is to wait for.
	const isDrawn = useSignal(false);
	useEffect(() => {
		isDrawn.value = true;
	}, [isDrawn]);
	const steps = useMemo(() => {
		const ended = new Map<string, number>();
		for (const row of timeline?.rows ?? []) {
			const last = row.ran.at(-1);
			if (last) ended.set(row.step, Date.parse(last[1]));
		}
		const names = new Map(graph.boxes.map((one) => [one.id, one.step ?? one.id]));
		const named = (id: string) => names.get(id) ?? id;
		const routes = graph.routes.map((one) => ({
			source: named(one.source),
			target: named(one.target),
		}));
		return new Set(criticalPath(routes, ended));
	}, [graph, timeline]);
	const boxes = useMemo(
		() => new Set(graph.boxes.filter((one) => steps.has(one.step ?? one.id)).map((one) => one.id)),
		[graph, steps],
	);
	const box = graph.boxes.find((one) => (one.step ?? one.id) === chosen);
	const choose = (step: string) => setParams({ step: step === chosen ? null : step }, false);
	return (
		<div class="split">
			<div class="stack">
				<section class="card">
					<header class="run-head">
						<div class="state-head">
							<StateWord
								state={run.state === "blocked" ? "running" : run.state}
								more={moreOf(run)}
							/>
							<Parts run={run} />
						</div>
						<Choice
							label="What is shown"
							of={VIEWS}
							value={view}
							choose={(one) => setParams({ view: one === "Both" ? null : one }, false)}
						/>
					</header>
					{view !== "Time" && (
						<Graph
							graph={graph}
							chosen={box?.id ?? null}
							critical={boxes}
							choose={(one) => choose(one.step ?? one.id)}
						/>
					)}
					{view !== "Graph" && timeline && isDrawn.value && (
						<Gantt timeline={timeline} chosen={chosen} critical={steps} choose={choose} />
					)}
				</section>
				{run.state === "succeeded" && (
					<Section title="Result">
						<Json text={member(text, "result")} empty="It has none." />
					</Section>
				)}
			</div>
			<div class="stack">
				{chosen ? (
					<StepPanel run={run.id} step={chosen} box={box} graph={graph} />
				) : (
					<Facts run={run} text={text} />
				)}
			</div>
		</div>
	);
}

/** How many of the steps have ended. */
function Parts({ run }: { run: WholeJob }) {
	const parts = Object.entries(run.parts ?? {});
	const total = parts.reduce((sum, [, number]) => sum + number, 0);
	const done = parts
		.filter(([state]) => hasEnded(state as WholeJob["state"]))
		.reduce((sum, [, number]) => sum + number, 0);
	if (!total) return null;
	return (
		<span class="quiet">
			{hasEnded(run.state) ? (
				`${count(total)} ${total === 1 ? "step" : "steps"}`
			) : (
				<Progress done={done} total={total} note={`${done} of ${total} steps`} />
			)}
		</span>
	);
}

function Facts({ run, text }: { run: WholeJob; text: string }) {
	const given = useMemo(() => member(text, "arguments"), [text]);
	return (
		<>
			<Section title="Why">
				<div class="pad">
					{run.why.map((one) => (
						<p key={one}>{one}</p>
					))}
					<p class="quiet">
						added <When at={run.created_at} />, <Took from={run.created_at} to={run.ended_at} />
					</p>
				</div>
			</Section>
			<Section title="Given">
				<Json text={given === "{}" ? "" : given} empty="Nothing." />
			</Section>
		</>
	);
}

function Actions({ run }: { run: WholeJob }) {
	const button = (verb: RunVerb, word: string, kind = "") => (
		<button type="button" class={kind} onClick={() => void steer(verb, run)}>
			{word}
		</button>
	);
	return (
		<>
			{isRetryable(run.state) && button("retry", "Retry what failed", "main")}
			{!hasEnded(run.state) &&
				button(run.paused ? "resume" : "pause", run.paused ? "Resume" : "Pause")}
			{!hasEnded(run.state) && button("cancel", "Cancel")}
		</>
	);
}
