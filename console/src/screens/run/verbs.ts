/** What can be done to a run: paused, resumed, cancelled, retried, replayed from a step. */
import { invalidate } from "../../api/cache";
import { send } from "../../api/client";
import type { Job } from "../../api/types";
import { count } from "../../logic/lengths";
import { confirm } from "../../shell/confirm";
import { tell, tellProblem } from "../../shell/toasts";

export type RunVerb = "pause" | "resume" | "cancel" | "retry";

const ASKED: Partial<Record<RunVerb, { title: string; says: string; verb: string }>> = {
	cancel: {
		title: "Cancel the run?",
		says: "Steps that wait are cancelled at once. Those that run are asked to stop.",
		verb: "Cancel the run",
	},
};

interface Told {
	count?: number;
}

/** Does it, after a question if it cannot be taken back. */
export async function steer(verb: RunVerb, run: Pick<Job, "id" | "task">): Promise<void> {
	const asked = ASKED[verb];
	if (asked && !(await confirm({ ...asked, bad: true }))) return;
	try {
		const told = await send<Told>("POST", `runs/${run.id}/$${verb}`);
		const steps = `${count(told.count ?? 0)} ${told.count === 1 ? "step" : "steps"}`;
		if (verb === "pause")
			tell("No further step begins. Those that run go on.", () => void steer("resume", run));
		else if (verb === "resume") tell("The run goes on.");
		else tell(`${steps} ${verb === "cancel" ? "cancelled" : "sent back"}.`);
		refresh(run.id);
	} catch (problem) {
		tellProblem(problem);
	}
}

/** Runs a step that has ended again, with everything that came after it. */
export async function replay(run: string, step: string, later: number): Promise<void> {
	const go = await confirm({
		title: `Replay from ${step}?`,
		says: `The step runs again${later ? `, and so do ${count(later)} that came after it` : ""}. What they have done before is not taken back.`,
		verb: "Replay from here",
	});
	if (!go) return;
	try {
		const told = await send<Told>("POST", `runs/${run}/$replay`, { step });
		tell(`${count(told.count ?? 0)} ${told.count === 1 ? "step runs" : "steps run"} again.`);
		refresh(run);
	} catch (problem) {
		tellProblem(problem);
	}
}

function refresh(run: string): void {
	invalidate(new Set(["jobs", `job:${run}`, "queues", "failures"]));
}
