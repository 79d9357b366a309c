/** What can be done to a run: paused, resumed, cancelled, retried; a step replayed, or skipped. */
import type { GraphBox, Job } from "../../api/types";
import { count } from "../../logic/lengths";
import { hasEnded } from "../../logic/states";
import { act } from "../../shell/act";

export type RunVerb = "pause" | "resume" | "cancel" | "retry";

interface Told {
	count?: number;
}

function steps(told: Told): string {
	return `${count(told.count ?? 0)} ${told.count === 1 ? "step" : "steps"}`;
}

const SAYS: Record<RunVerb, string | ((told: Told) => string)> = {
	pause: "No further step begins. Those that run go on.",
	resume: "The run goes on.",
	cancel: (told) => `${steps(told)} cancelled.`,
	retry: (told) => `${steps(told)} sent back.`,
};

const CANCEL = {
	title: "Cancel the run?",
	says: "Steps that wait are cancelled at once. Those that run are asked to stop.",
	verb: "Cancel the run",
	bad: true,
};

/** Does it, after a question if it cannot be taken back. */
export async function steer(verb: RunVerb, run: Pick<Job, "id" | "task">): Promise<void> {
	await act<Told>({
		path: `runs/${run.id}/$${verb}`,
		asks: verb === "cancel" ? CANCEL : undefined,
		says: SAYS[verb],
		undo: verb === "pause" ? () => void steer("resume", run) : undefined,
		topics: topicsOf(run.id),
	});
}

/** Runs a step that has ended again, with everything that came after it. */
export async function replay(run: string, box: GraphBox, later: number): Promise<void> {
	const { step } = box;
	await act<Told>({
		path: `runs/${run}/$replay`,
		body: { step },
		asks: {
			title: `Replay from ${step}?`,
			says: `The step runs again${later ? `, and so do ${count(later)} that came after it` : ""}. What they have done before is not taken back.`,
			verb: "Replay from here",
		},
		says: (told) => `${steps(told)} ${told.count === 1 ? "runs" : "run"} again.`,
		topics: topicsOf(run, box),
	});
}

/** Goes on without a step that waits or went wrong. */
export async function skip(run: string, box: GraphBox, later: number): Promise<void> {
	const { step, state } = box;
	const waits = state === "blocked";
	const goesOn = later
		? ` The ${later === 1 ? "step" : steps({ count: later })} after it can begin then.`
		: "";
	await act<Told>({
		path: `runs/${run}/$skip`,
		body: { step },
		asks: {
			title: `Skip ${step}?`,
			says: `${waits ? "The step is not run when its turn comes." : "The run goes on without the step."} What comes after it is given what the step was given.${state && hasEnded(state) ? goesOn : ""}`,
			verb: "Skip the step",
		},
		says: waits ? "The step is skipped in its turn." : "The run goes on without the step.",
		topics: topicsOf(run, box),
	});
}

function topicsOf(run: string, box?: GraphBox): string[] {
	return ["jobs", `job:${run}`, `job:${box?.job ?? run}`, "queues", "failures"];
}
